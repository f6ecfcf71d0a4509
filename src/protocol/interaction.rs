//! What comes next for a checked authorization request: a sign-in, a question, the code, or a refusal (OpenID Connect Core sections
//! 3.1.2.3 and 3.1.2.4).

use domain::{Timestamp, consent::GivenBy};

use super::{ErrorCode, OAuthError, authorize::AuthorizationRequest};

/// The browser's sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    SignedOut,
    SignedIn {
        auth_time: Timestamp,
        /// Whether the user signed in for this very request: all that it demands of the sign-in is met.
        for_this: bool,
    },
}

/// What is known of the user's consent to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing that serves.
    Nothing,
    /// A consent given before covers all of the request.
    Consent,
    /// The client is first-party: its users are not asked.
    FirstParty,
}

/// The next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    SignIn,
    Ask,
    Approve(GivenBy),
    Refuse(OAuthError),
}

/// Decides the next step of a request.
#[must_use]
pub fn next(request: &AuthorizationRequest, standing: Standing, known: Known, now: Timestamp) -> Step {
    if must_sign_in(request, standing, now) {
        return match request.prompt.none {
            true => refusal(ErrorCode::LoginRequired, "login_required", "the user is not signed in, or not recently enough"),
            false => Step::SignIn,
        };
    }
    let approval = match known {
        Known::FirstParty => Some(GivenBy::FirstParty),
        Known::Consent if !request.approval_forced => Some(GivenBy::User),
        Known::Consent | Known::Nothing => None,
    };
    match approval {
        Some(given_by) if !request.prompt.consent => Step::Approve(given_by),
        Some(_) | None if request.prompt.none => {
            refusal(ErrorCode::ConsentRequired, "consent_required", "the user must be asked for consent")
        }
        Some(_) | None => Step::Ask,
    }
}

fn must_sign_in(request: &AuthorizationRequest, standing: Standing, now: Timestamp) -> bool {
    match standing {
        Standing::SignedOut => true,
        Standing::SignedIn { for_this: true, .. } => false,
        Standing::SignedIn { auth_time, for_this: false } => {
            let too_old = |max_age: u32| max_age == 0 || now.seconds_since(auth_time) > i64::from(max_age);
            request.prompt.login || request.prompt.select_account || request.max_age.is_some_and(too_old)
        }
    }
}

fn refusal(code: ErrorCode, rule: &'static str, description: &str) -> Step {
    Step::Refuse(OAuthError::new(code, rule, description))
}
