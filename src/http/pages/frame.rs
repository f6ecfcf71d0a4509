//! What every page has around its content, and the headers that every page goes out with.

use std::collections::BTreeSet;

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::http::error::no_store;

use super::{cookies::Cookie, language::Language, person::Person, style, visitor::Visitor};

/// What the templates' layouts read. Each page's template has one as its field `frame`.
pub(in crate::http) struct Frame {
    pub(super) language: &'static Language,
    /// The signed-in person, on pages that have a navigation.
    pub(super) person: Option<Person>,
    /// What was just done, in words.
    pub(super) notice: Option<String>,
    pub(super) stylesheet: &'static str,
    /// The address of the script that the page loads.
    pub(super) script: Option<&'static str>,
    path: String,
}

impl Frame {
    /// The frame of a page without a navigation.
    pub(super) fn bare(language: &'static Language) -> Self {
        Self { language, person: None, notice: None, stylesheet: style::href(), script: None, path: String::new() }
    }

    /// The same for a page that is sent with this script.
    pub(super) fn with(self, script: Script<'_>) -> Self {
        let script = match script {
            Script::Passkey => Some(style::passkey_href()),
            Script::None | Script::Inline(_) => None,
        };
        Self { script, ..self }
    }

    /// Whether the page is at this path or below, for the navigation.
    pub(super) fn is_at(&self, path: &str) -> bool {
        self.path.starts_with(path)
    }
}

impl Visitor {
    /// The frame of a page without a navigation, with the sentence that an earlier page left.
    pub(super) fn frame(&self) -> Frame {
        let key = self.notice.as_deref().filter(|key| key.starts_with("notice."));
        let notice = key.map(|key| self.language.say(key).to_owned()).filter(|text| !text.is_empty());
        Frame { notice, ..Frame::bare(self.language) }
    }

    /// The frame of a page with a script.
    pub(super) fn frame_with(&self, script: Script<'_>) -> Frame {
        self.frame().with(script)
    }

    /// The frame of a signed-in person's page.
    pub(super) fn frame_for(&self, person: &Person) -> Frame {
        Frame { person: Some(person.clone()), path: self.path.clone(), ..self.frame() }
    }

    /// Sends a page. `elsewhere` is an origin or scheme of another site that the page's form may be redirected to.
    pub(super) fn page(&self, status: StatusCode, template: &impl Template, elsewhere: Option<&str>) -> Response {
        self.page_with(Script::None, (status, template), elsewhere)
    }

    /// As `page`, with a script.
    pub(super) fn page_with(
        &self,
        script: Script<'_>,
        (status, template): (StatusCode, &impl Template),
        elsewhere: Option<&str>,
    ) -> Response {
        let mut response = page(status, template, elsewhere);
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy(elsewhere, script));
        if self.notice.is_some() {
            response.headers_mut().append(header::SET_COOKIE, Cookie::Notice.clear(self.https()));
        }
        response
    }

    /// Sends a page whose form needs no sign-in: its token is bound to the browser, which learns by a cookie what to.
    pub(super) fn page_with_form(&self, status: StatusCode, template: &impl Template) -> Response {
        let mut response = self.page(status, template, None);
        if let Some(cookie) = self.browser_cookie() {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }

    /// Sends the browser to a page of ours, which says what was done: `notice` is the key of a sentence (`notice.*`).
    pub(super) fn redirect_with_notice(&self, path: &str, notice: &str) -> Response {
        let mut response = see_other(path);
        response.headers_mut().append(header::SET_COOKIE, Cookie::Notice.set(self.https(), notice, Some(60)));
        response
    }
}

/// Sends a page to whoever asked.
pub(super) fn page(status: StatusCode, template: &impl Template, elsewhere: Option<&str>) -> Response {
    let html = match template.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    no_store(headers);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy(elsewhere, Script::None));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

/// Which script a page may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script<'a> {
    None,
    /// The one within it that has this digest.
    Inline(&'a str),
    /// Our own file that asks the browser for a passkey.
    Passkey,
}

/// Nothing but our own style sheet and icon, and at most one script; no frame. Chromium applies `form-action` to where a form's answer
/// redirects.
pub(super) fn policy(elsewhere: Option<&str>, script: Script<'_>) -> HeaderValue {
    let forms = elsewhere.map(|origin| format!(" {origin}")).unwrap_or_default();
    let scripts = match script {
        Script::None => String::new(),
        Script::Inline(digest) => format!(" script-src 'sha256-{digest}';"),
        Script::Passkey => " script-src 'self';".to_owned(),
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self';{scripts} form-action 'self'{forms}; frame-ancestors 'none'; base-uri 'none'"
    );
    HeaderValue::from_str(&policy).expect("a registered redirect URI is ASCII")
}

/// As `policy`, with frames of these origins.
pub(super) fn policy_with_frames(origins: impl Iterator<Item = String>) -> HeaderValue {
    let origins: BTreeSet<String> = origins.collect();
    let own = policy(None, Script::None);
    if origins.is_empty() {
        return own;
    }
    let origins = origins.into_iter().collect::<Vec<_>>().join(" ");
    let policy = format!("{}; frame-src {origins}", own.to_str().expect("our own policy is ASCII"));
    HeaderValue::from_str(&policy).expect("a registered URI is ASCII")
}

/// 303: what comes after a form is fetched with GET (RFC 9110 section 15.4.4).
pub(super) fn see_other(location: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    no_store(headers);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    match HeaderValue::from_str(location) {
        Ok(location) => drop(headers.insert(header::LOCATION, location)),
        Err(error) => tracing::error!(%error, "a redirect's target is no header value"),
    }
    response
}
