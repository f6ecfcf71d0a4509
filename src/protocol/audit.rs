//! What a request to the audit asks for, read from its parameters.

use domain::{Scope, UserId};

use crate::audit::{AsOf, Filter, GrantState, moment};

use super::{ErrorCode, OAuthError, Parameters};

/// The privileged scope whose bearer is told what the log says.
pub const AUDIT_SCOPE: &str = "audit";

/// Whether an access token lets its client ask. It has to be the client's own, for the default resource.
///
/// # Errors
/// `insufficient_scope` where it does not.
pub fn may_ask(scope: &str, user_id: Option<&str>) -> Result<(), OAuthError> {
    let granted = scope.parse::<Scope>().is_ok_and(|scope| scope.contains(AUDIT_SCOPE));
    if granted && user_id.is_none() {
        return Ok(());
    }
    let description = "the audit needs a client's own token with the scope audit";
    Err(OAuthError::new(ErrorCode::InsufficientScope, "audit_scope_missing", description).saw("scope", scope))
}

/// Which grants are asked for; the client is for whoever can look it up.
///
/// # Errors
/// `invalid_request` for what is no moment, no id or no state.
pub fn filter(parameters: &Parameters) -> Result<Filter, OAuthError> {
    let moment_of =
        |name: &'static str| parameters.get(name).map(moment).transpose().map_err(|how| malformed(name, &how.to_string()));
    let user =
        parameters.get("user").map(str::parse::<UserId>).transpose().map_err(|_| malformed("user", "write the user's sub"))?;
    let state = parameters.get("state").map(state).transpose()?;
    let scope = parameters.get("scope").map(str::to_owned);
    Ok(Filter { from: moment_of("from")?, to: moment_of("to")?, user, client: None, scope, state })
}

fn state(text: &str) -> Result<GrantState, OAuthError> {
    let states = [GrantState::Live, GrantState::Expired, GrantState::Ended];
    let found = states.into_iter().find(|state| state.as_str() == text);
    found.ok_or_else(|| malformed("state", "write live, expired or ended"))
}

/// Up to where the log is read.
///
/// # Errors
/// `invalid_request` for what is no place.
pub fn as_of(parameters: &Parameters) -> Result<Option<AsOf>, OAuthError> {
    parameters
        .get("as_of")
        .map(str::parse)
        .transpose()
        .map_err(|how: crate::audit::InvalidPlace| malformed("as_of", &how.to_string()))
}

fn malformed(name: &str, how: &str) -> OAuthError {
    OAuthError::invalid_request("audit_parameter", format!("{name}: {how}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(query: &str) -> Parameters {
        Parameters::parse(query.as_bytes()).expect("they can be read")
    }

    #[test]
    fn a_clients_own_token_with_the_scope_may_ask_and_no_other() {
        assert_eq!(may_ask("read audit", None), Ok(()));
        for (scope, user) in [("read", None), ("auditor", None), ("", None), ("audit", Some("somebody"))] {
            assert_eq!(may_ask(scope, user).expect_err("refused").rule, "audit_scope_missing", "{scope}");
        }
    }

    #[test]
    fn what_is_left_out_is_not_asked_for() {
        let none = filter(&parameters("")).expect("nothing is wrong");
        assert!(none.from.is_none() && none.to.is_none() && none.user.is_none() && none.scope.is_none() && none.state.is_none());
        assert_eq!(as_of(&parameters("")), Ok(None));
        assert_eq!(as_of(&parameters("as_of=42")), Ok(Some(AsOf::Position(42))));
        assert_eq!(filter(&parameters("state=live")).expect("a state").state, Some(GrantState::Live));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for wrong in ["from=x", "to=2026-13-01", "user=mika", "state=odd"] {
            let error = filter(&parameters(wrong)).expect_err("refused");
            assert!(error.description.starts_with(wrong.split('=').next().expect("a name")), "{}", error.description);
        }
        assert!(as_of(&parameters("as_of=then")).expect_err("refused").description.starts_with("as_of: "));
    }
}
