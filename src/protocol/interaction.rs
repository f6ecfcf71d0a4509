//! What comes next for a checked authorization request: a sign-in, a question, the code, or a refusal (OpenID Connect Core sections
//! 3.1.2.3 and 3.1.2.4).

use domain::{Timestamp, consent::GivenBy, session::ContextClass};

use super::{ErrorCode, OAuthError, authorize::AuthorizationRequest};

/// The browser's sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    SignedOut,
    SignedIn {
        auth_time: Timestamp,
        /// Whether the user signed in for this very request: a sign-in that it demands has been.
        for_this: bool,
        /// Whether it is a user that the request may be answered for.
        expected: bool,
        /// How surely it tells who they are.
        context: Option<ContextClass>,
        /// How surely another could.
        reachable: ContextClass,
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
    if let Standing::SignedIn { for_this: true, expected: false, .. } = standing {
        return refusal(ErrorCode::LoginRequired, "other_user", "another user signed in than the request is for");
    }
    if must_sign_in(request, standing, now) {
        let description = "the user is not signed in, or not recently enough";
        return match request.prompt.none {
            true => refusal(ErrorCode::LoginRequired, "login_required", description),
            false => Step::SignIn,
        };
    }
    if let Standing::SignedIn { context, .. } = standing
        && request.contexts.required
        && !context.is_some_and(|context| request.contexts.wanted.contains(&context))
    {
        return Step::Refuse(unmet_context());
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

/// Whether a request can be answered in a sign-in that is chosen for it, without a new one.
#[must_use]
pub fn does(request: &AuthorizationRequest, auth_time: Timestamp, context: Option<ContextClass>, now: Timestamp) -> bool {
    is_recent_enough(request, auth_time, now) && least_wanted(request).is_none_or(|least| context >= Some(least))
}

fn is_recent_enough(request: &AuthorizationRequest, auth_time: Timestamp, now: Timestamp) -> bool {
    let too_old = |max_age: u32| max_age == 0 || now.seconds_since(auth_time) > i64::from(max_age);
    !request.prompt.login && !request.max_age.is_some_and(too_old)
}

fn least_wanted(request: &AuthorizationRequest) -> Option<ContextClass> {
    request.contexts.wanted.iter().min().copied()
}

fn must_sign_in(request: &AuthorizationRequest, standing: Standing, now: Timestamp) -> bool {
    match standing {
        Standing::SignedOut => true,
        Standing::SignedIn { for_this: true, .. } => false,
        Standing::SignedIn { expected: false, .. } => true,
        Standing::SignedIn { auth_time, for_this: false, expected: true, context, reachable } => {
            let surer = least_wanted(request).is_some_and(|least| context < Some(least) && least <= reachable);
            request.prompt.select_account || !is_recent_enough(request, auth_time, now) || surer
        }
    }
}

/// The user cannot sign in as surely as the client requires.
pub(super) fn unmet_context() -> OAuthError {
    let description = "the user does not sign in here in the authentication context that claims requires";
    OAuthError::new(ErrorCode::UnmetAuthenticationRequirements, "unmet_acr", description)
}

fn refusal(code: ErrorCode, rule: &'static str, description: &str) -> Step {
    Step::Refuse(OAuthError::new(code, rule, description))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::protocol::{
        authorize::{Contexts, Prompt, Reply, ResponseMode},
        claims::ClaimsRequest,
    };

    const NOW: Timestamp = Timestamp::from_unix(1000);
    const LONG_AGO: Standing = Standing::SignedIn {
        auth_time: Timestamp::from_unix(100),
        for_this: false,
        expected: true,
        context: Some(ContextClass::OneFactor),
        reachable: ContextClass::OneFactor,
    };
    const FOR_THIS: Standing = Standing::SignedIn {
        auth_time: Timestamp::from_unix(1000),
        for_this: true,
        expected: true,
        context: Some(ContextClass::OneFactor),
        reachable: ContextClass::OneFactor,
    };
    const CONSENTED: Step = Step::Approve(GivenBy::User);
    const FIRST_PARTY: Step = Step::Approve(GivenBy::FirstParty);

    fn request() -> AuthorizationRequest {
        AuthorizationRequest {
            client_id: domain::ClientId::new(Uuid::nil()),
            client_identifier: "app".to_owned(),
            client_version: 1,
            reply: Reply {
                redirect_uri: "https://app.example/cb".to_owned(),
                mode: ResponseMode::Query,
                signed: None,
                state: None,
            },
            redirect_uri: None,
            scope: "read".parse().expect("a scope"),
            resources: Vec::new(),
            code_challenge: None,
            nonce: None,
            dpop_jkt: None,
            prompt: Prompt::default(),
            approval_forced: false,
            max_age: None,
            login_hint: None,
            ui_locales: None,
            claims: ClaimsRequest::default(),
            subjects: Vec::new(),
            contexts: Contexts::default(),
        }
    }

    fn prompted(words: &str) -> AuthorizationRequest {
        let prompt = Prompt {
            none: words.contains("none"),
            login: words.contains("login"),
            consent: words.contains("consent"),
            select_account: words.contains("select_account"),
        };
        AuthorizationRequest { prompt, ..request() }
    }

    fn refused(step: &Step) -> Option<&'static str> {
        match step {
            Step::Refuse(error) => Some(error.code.as_str()),
            Step::SignIn | Step::Ask | Step::Approve(_) => None,
        }
    }

    #[test]
    fn whoever_is_signed_out_signs_in_first() {
        assert_eq!(next(&request(), Standing::SignedOut, Known::FirstParty, NOW), Step::SignIn);
        assert_eq!(refused(&next(&prompted("none"), Standing::SignedOut, Known::FirstParty, NOW)), Some("login_required"));
    }

    #[test]
    fn what_is_known_is_not_asked_again() {
        assert_eq!(next(&request(), LONG_AGO, Known::Nothing, NOW), Step::Ask);
        assert_eq!(next(&request(), LONG_AGO, Known::Consent, NOW), CONSENTED);
        assert_eq!(next(&request(), LONG_AGO, Known::FirstParty, NOW), FIRST_PARTY);
        assert_eq!(next(&prompted("none"), LONG_AGO, Known::Consent, NOW), CONSENTED);
        assert_eq!(refused(&next(&prompted("none"), LONG_AGO, Known::Nothing, NOW)), Some("consent_required"));
    }

    #[test]
    fn a_sign_in_that_is_asked_for_happens_once() {
        for words in ["login", "select_account", "login consent"] {
            assert_eq!(next(&prompted(words), LONG_AGO, Known::Consent, NOW), Step::SignIn, "{words}");
        }
        assert_eq!(next(&prompted("login"), FOR_THIS, Known::Consent, NOW), CONSENTED);
        assert_eq!(next(&prompted("login consent"), FOR_THIS, Known::Consent, NOW), Step::Ask);
    }

    #[test]
    fn a_sign_in_is_too_old_beyond_max_age() {
        let aged = |max_age| AuthorizationRequest { max_age: Some(max_age), ..request() };
        assert_eq!(next(&aged(900), LONG_AGO, Known::Consent, NOW), CONSENTED);
        assert_eq!(next(&aged(899), LONG_AGO, Known::Consent, NOW), Step::SignIn);
        let this_second = Standing::SignedIn {
            auth_time: NOW,
            for_this: false,
            expected: true,
            context: Some(ContextClass::OneFactor),
            reachable: ContextClass::OneFactor,
        };
        assert_eq!(next(&aged(0), this_second, Known::Consent, NOW), Step::SignIn);
        assert_eq!(next(&aged(0), FOR_THIS, Known::Consent, NOW), CONSENTED);
    }

    #[test]
    fn another_user_than_the_request_is_for_signs_in_once() {
        let other = |for_this| Standing::SignedIn {
            auth_time: NOW,
            for_this,
            expected: false,
            context: Some(ContextClass::OneFactor),
            reachable: ContextClass::OneFactor,
        };
        assert_eq!(next(&request(), other(false), Known::Consent, NOW), Step::SignIn);
        assert_eq!(refused(&next(&request(), other(true), Known::Consent, NOW)), Some("login_required"));
        assert_eq!(refused(&next(&prompted("none"), other(false), Known::FirstParty, NOW)), Some("login_required"));
    }

    #[test]
    fn a_surer_sign_in_is_asked_for_where_it_can_be_had() {
        use ContextClass::{OneFactor, TwoFactors};
        let wanting = |wanted: &[ContextClass], required| AuthorizationRequest {
            contexts: Contexts { wanted: wanted.to_vec(), required },
            ..request()
        };
        let standing = |for_this, context, reachable| Standing::SignedIn {
            auth_time: NOW,
            for_this,
            expected: true,
            context: Some(context),
            reachable,
        };
        let step = |request: &AuthorizationRequest, standing| next(request, standing, Known::Consent, NOW);
        let (less, able, surer) = (
            standing(false, OneFactor, OneFactor),
            standing(false, OneFactor, TwoFactors),
            standing(false, TwoFactors, TwoFactors),
        );
        for required in [false, true] {
            assert_eq!(step(&wanting(&[TwoFactors], required), able), Step::SignIn);
            assert_eq!(step(&wanting(&[TwoFactors], required), surer), CONSENTED);
            assert_eq!(step(&wanting(&[OneFactor], required), able), CONSENTED);
        }
        assert_eq!(step(&wanting(&[TwoFactors], false), less), CONSENTED, "it is told as it is");
        assert_eq!(refused(&step(&wanting(&[TwoFactors], true), less)), Some("unmet_authentication_requirements"));
        let after = standing(true, OneFactor, TwoFactors);
        assert_eq!(refused(&step(&wanting(&[TwoFactors], true), after)), Some("unmet_authentication_requirements"));
        let silent = AuthorizationRequest { prompt: Prompt { none: true, ..Prompt::default() }, ..wanting(&[TwoFactors], false) };
        assert_eq!(refused(&step(&silent, able)), Some("login_required"));
    }

    #[test]
    fn a_question_that_is_asked_for_is_asked() {
        assert_eq!(next(&prompted("consent"), LONG_AGO, Known::Consent, NOW), Step::Ask);
        assert_eq!(next(&prompted("consent"), LONG_AGO, Known::FirstParty, NOW), Step::Ask);
        let forced = AuthorizationRequest { approval_forced: true, ..request() };
        assert_eq!(next(&forced, LONG_AGO, Known::Consent, NOW), Step::Ask);
        assert_eq!(next(&forced, LONG_AGO, Known::FirstParty, NOW), FIRST_PARTY);
    }
}
