//! Who looks at a page: the browser's session if it has one, the language, and the tokens that its forms carry.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use secrecy::ExposeSecret;

use crate::{
    credential::random_secret,
    dispatch::CurrentSession,
    http::{error::Refused, position::reach},
    protocol::{ErrorCode, OAuthError, Parameters},
    state::App,
    vault::MacPurpose,
};

use super::{
    cookies::{Cookie, Https},
    language::Language,
};

/// The form field that carries a form's token.
pub(super) const FORM_TOKEN: &str = "csrf_token";

/// A browser that looks at a page, signed in or not.
pub(in crate::http) struct Visitor {
    pub(super) app: App,
    pub(super) language: &'static Language,
    pub(super) session: Option<CurrentSession>,
    /// The path that was asked for.
    pub(super) path: String,
    /// The key of the sentence that an earlier page left for this one.
    pub(super) notice: Option<String>,
    browser: Browser,
    headers: HeaderMap,
}

/// What tells a browser before anybody has signed in.
struct Browser {
    value: String,
    /// Whether the browser does not know it yet.
    new: bool,
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        if let Ok(query) = Parameters::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
            reach(app, &query).await?;
        }
        let https = Https(app.settings.is_https());
        let session = match Cookie::Session.read(&parts.headers, https) {
            Some(cookie) => app.dispatch.current_session(&cookie).await?,
            None => None,
        };
        let browser = match Cookie::Browser.read(&parts.headers, https) {
            Some(value) => Browser { value, new: false },
            None => Browser { value: random_secret().expose_secret().to_owned(), new: true },
        };
        Ok(Self {
            app: app.clone(),
            language: asked_language(parts.uri.query(), &parts.headers),
            session,
            path: parts.uri.path().to_owned(),
            notice: Cookie::Notice.read(&parts.headers, https),
            browser,
            headers: parts.headers.clone(),
        })
    }
}

impl Visitor {
    /// Whether browsers keep our cookies for https alone.
    pub(super) fn https(&self) -> Https {
        Https(self.app.settings.is_https())
    }

    /// The value of a cookie of ours.
    pub(super) fn cookie(&self, cookie: Cookie) -> Option<String> {
        cookie.read(&self.headers, self.https())
    }

    /// As the browser calls itself.
    pub(super) fn agent(&self) -> Option<&str> {
        self.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok())
    }

    /// The token of the sign-in form, which is bound to the browser.
    pub(super) fn sign_in_token(&self) -> String {
        self.app.dispatch.keys.mac(MacPurpose::Form, self.browser_message().as_bytes())
    }

    /// `Set-Cookie` by which the browser learns what the sign-in form's token is bound to; `None` where it knows.
    pub(super) fn browser_cookie(&self) -> Option<axum::http::HeaderValue> {
        self.browser.new.then(|| Cookie::Browser.set(self.https(), &self.browser.value, None))
    }

    /// Whether a sign-in form was ours and this browser's.
    pub(super) fn sent_sign_in_form(&self, parameters: &Parameters) -> bool {
        let token = parameters.get(FORM_TOKEN).unwrap_or_default();
        !self.browser.new && self.app.dispatch.keys.mac_matches(MacPurpose::Form, self.browser_message().as_bytes(), token)
    }

    /// The token of the forms of a signed-in person, which is bound to their session.
    pub(super) fn form_token(&self, session: &CurrentSession) -> String {
        self.app.dispatch.keys.mac(MacPurpose::Form, session_message(session).as_bytes())
    }

    /// Checks that a form is ours, and was sent from our page in this session.
    ///
    /// # Errors
    /// 403 where it was not.
    pub(super) fn check_form(&self, session: &CurrentSession, parameters: &Parameters) -> Result<(), Refused> {
        self.check_origin()?;
        let token = parameters.get(FORM_TOKEN).unwrap_or_default();
        match self.app.dispatch.keys.mac_matches(MacPurpose::Form, session_message(session).as_bytes(), token) {
            true => Ok(()),
            false => Err(forbidden("form_token", "the form is another session's, or was not sent from here")),
        }
    }

    /// Refuses what another site sent. Browsers send `Origin: null` with our own forms, because our pages give no referrer: that is
    /// left to the token.
    ///
    /// # Errors
    /// 403 where another site's page sent it.
    pub(super) fn check_origin(&self) -> Result<(), Refused> {
        let Some(origin) = self.headers.get(header::ORIGIN) else { return Ok(()) };
        if origin == "null" || origin == self.app.settings.public_url() {
            return Ok(());
        }
        Err(forbidden("foreign_origin", "the form was sent from another site"))
    }

    /// Whether another site's page made the browser send this, so that it withheld the session's cookie (SameSite=Lax).
    pub(super) fn came_without_cookies(&self) -> bool {
        let site = self.headers.get("sec-fetch-site");
        self.session.is_none() && site.is_some_and(|site| site == "cross-site")
    }

    /// The same, in the language that a client asks for, if we speak it.
    pub(super) fn speaking(self, ui_locales: Option<&str>) -> Self {
        Self { language: Language::choose(ui_locales, Some(self.language.tag())), ..self }
    }

    fn browser_message(&self) -> String {
        format!("browser/{}", self.browser.value)
    }
}

fn session_message(session: &CurrentSession) -> String {
    format!("session/{}", session.id)
}

/// 403: a form that counts for nothing.
pub(super) fn forbidden(rule: &'static str, description: &str) -> Refused {
    Refused::with_status(OAuthError::new(ErrorCode::AccessDenied, rule, description), axum::http::StatusCode::FORBIDDEN)
}

/// The language that a request asks for.
pub(super) fn asked_language(query: Option<&str>, headers: &HeaderMap) -> &'static Language {
    let query = Parameters::parse(query.unwrap_or_default().as_bytes()).ok();
    let ui_locales = query.as_ref().and_then(|query| query.get("ui_locales"));
    Language::choose(ui_locales, headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()))
}
