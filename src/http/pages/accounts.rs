//! Several accounts in one browser: the one that is used has the session's cookie, the others wait in another. Whoever goes on with one of them
//! chooses it.

use axum::{
    http::{HeaderValue, header},
    response::Response,
};
use domain::SessionId;
use secrecy::ExposeSecret;

use crate::{
    dispatch::{ACCOUNTS, CurrentSession, SignedIn},
    log::Unavailable,
};

use super::{cookies::Cookie, person::Person, visitor::Visitor};

/// Between the values of the other accounts' cookie.
const BETWEEN: char = '~';

/// A session of this browser, and the value of its cookie.
#[derive(Clone)]
pub(super) struct Account {
    value: String,
    pub(super) session: CurrentSession,
}

/// An account as the sign-in page offers it.
pub(super) struct Offered {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) initial: String,
}

/// All sessions of a browser that live, the one that is used first.
#[derive(Default)]
pub(super) struct Accounts {
    pub(super) current: Option<Account>,
    pub(super) others: Vec<Account>,
}

impl Accounts {
    /// Reads them.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub(super) async fn of(visitor: &Visitor) -> Result<Self, Unavailable> {
        let current = visitor.session.clone().zip(visitor.cookie(Cookie::Session));
        let current = current.map(|(session, value)| Account { value, session });
        let mut others = Vec::new();
        for value in visitor.cookie(Cookie::Others).unwrap_or_default().split(BETWEEN).take(ACCOUNTS) {
            let Some(session) = visitor.app.dispatch.current_session(value).await? else { continue };
            others.push(Account { value: value.to_owned(), session });
        }
        Ok(Self { current, others })
    }

    /// Their sessions, the one that is used first.
    pub(super) fn sessions(&self) -> impl Iterator<Item = &CurrentSession> {
        self.current.iter().chain(&self.others).map(|account| &account.session)
    }

    /// The one whose session has this id.
    pub(super) fn with(&self, id: SessionId) -> Option<&CurrentSession> {
        self.sessions().find(|session| session.id == id)
    }

    /// Those that may be gone on with, as the sign-in page offers them.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub(super) async fn offered(
        &self,
        visitor: &Visitor,
        may: impl Fn(&CurrentSession) -> bool,
    ) -> Result<Vec<Offered>, Unavailable> {
        let mut offered = Vec::new();
        for session in self.sessions().filter(|session| may(session)) {
            let label = Person::of(&visitor.app, session).await?.label();
            offered.push(Offered { id: session.id.to_string(), initial: super::application::initial(&label), label });
        }
        Ok(offered)
    }

    /// `Set-Cookie` after somebody signed in: theirs is the session that is used, and the one before joins the others.
    pub(super) fn after_sign_in(&self, visitor: &Visitor, signed_in: &SignedIn) -> Vec<HeaderValue> {
        let lives =
            |account: &&Account| account.session.id != signed_in.session.id && !signed_in.ended.contains(&account.session.id);
        let others = self.current.iter().chain(&self.others).filter(lives);
        self.cookies(visitor, Some(signed_in.cookie.expose_secret()), others)
    }

    /// `Set-Cookie` that make the session with this id the one that is used.
    pub(super) fn after_choice(&self, visitor: &Visitor, id: SessionId) -> Vec<HeaderValue> {
        let all = || self.current.iter().chain(&self.others);
        let chosen = all().find(|account| account.session.id == id).map(|account| account.value.as_str());
        self.cookies(visitor, chosen, all().filter(|account| account.session.id != id))
    }

    /// `Set-Cookie` after these sessions have ended. None takes the place of the one that was used: whoever goes on chooses.
    pub(super) fn after_ends(&self, visitor: &Visitor, ended: &[SessionId]) -> Vec<HeaderValue> {
        let lives = |account: &&Account| !ended.contains(&account.session.id);
        let current = self.current.as_ref().filter(lives).map(|account| account.value.as_str());
        self.cookies(visitor, current, self.others.iter().filter(lives))
    }

    fn cookies<'a>(
        &self,
        visitor: &Visitor,
        current: Option<&str>,
        others: impl Iterator<Item = &'a Account>,
    ) -> Vec<HeaderValue> {
        let (https, lifetime) = (visitor.https(), Some(visitor.app.settings.sessions.lifetime));
        let session = match current {
            Some(value) => Cookie::Session.set(https, value, lifetime),
            None => Cookie::Session.clear(https),
        };
        let values: Vec<&str> = others.take(ACCOUNTS - 1).map(|account| account.value.as_str()).collect();
        if values.is_empty() && visitor.cookie(Cookie::Others).is_none() {
            return vec![session];
        }
        let others = match values.as_slice() {
            [] => Cookie::Others.clear(https),
            [..] => Cookie::Others.set(https, &values.join(&BETWEEN.to_string()), lifetime),
        };
        vec![session, others]
    }
}

/// Lets the browser keep them.
pub(super) fn keep(response: &mut Response, cookies: Vec<HeaderValue>) {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
