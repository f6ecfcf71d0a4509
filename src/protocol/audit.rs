//! What a request to the audit asks for, read from its parameters.

use domain::{Scope, Timestamp, TokenId, UserId};

use crate::audit::{AsOf, Between, Filter, GrantState, InvalidPlace, Place, Point, moment};

use super::{ErrorCode, OAuthError, Parameters};

/// The privileged scope whose bearer is told what the log says.
pub const AUDIT_SCOPE: &str = "audit";

/// The privileged scope whose bearer may also end what the log shows. Reading all is no licence to revoke.
pub const REVOKE_SCOPE: &str = "audit_revoke";

/// What an access token lets its client ask. It has to be the client's own, for the default resource.
///
/// # Errors
/// `insufficient_scope` where it lets it ask nothing.
pub fn may_ask(scope: &str, user_id: Option<&str>) -> Result<Scope, OAuthError> {
    match scope.parse::<Scope>() {
        Ok(granted) if granted.contains(AUDIT_SCOPE) && user_id.is_none() => Ok(granted),
        Ok(_) | Err(_) => {
            let description = "the audit needs a client's own token with the scope audit";
            Err(OAuthError::new(ErrorCode::InsufficientScope, "audit_scope_missing", description).saw("scope", scope))
        }
    }
}

/// Whether whoever may ask may also revoke.
///
/// # Errors
/// `insufficient_scope` where not.
pub fn may_revoke(scope: &Scope) -> Result<(), OAuthError> {
    if scope.contains(REVOKE_SCOPE) {
        return Ok(());
    }
    let description = "to revoke needs the scope audit_revoke as well";
    Err(OAuthError::new(ErrorCode::InsufficientScope, "audit_revoke_scope_missing", description).saw("scope", scope))
}

/// A revocation that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationRequest<'a> {
    pub from: RevokeFrom<'a>,
    pub since: Option<Timestamp>,
    /// Whether it is only told what would end.
    pub dry_run: bool,
}

/// What it begins from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RevokeFrom<'a> {
    Point(Point),
    /// A `client_id`, for whoever can look it up.
    Client(&'a str),
}

/// A revocation: of one grant, client, user, session or key, or of what was issued since a moment.
///
/// # Errors
/// `invalid_request` for none or several of them, and for what is no id.
pub fn revocation(parameters: &Parameters) -> Result<RevocationRequest<'_>, OAuthError> {
    let since = moment_in(parameters, "since")?;
    let dry_run = match parameters.get("dry_run") {
        Some("true") => true,
        Some("false") | None => false,
        Some(_) => return Err(malformed("dry_run", "write true or false")),
    };
    let of = |name: &'static str| parameters.get(name).map(|value| (name, value));
    let given: Vec<_> = ["grant", "client", "user", "session", "key"].into_iter().filter_map(of).collect();
    let from = match (given.as_slice(), since) {
        ([("grant", _)], Some(_)) => return Err(malformed("since", "a single grant ends whole")),
        ([(name, value)], _) => from(name, value)?,
        ([], Some(_)) => RevokeFrom::Point(Point::Issuer),
        ([], None) | ([_, _, ..], _) => {
            return Err(malformed("revoke", "write one of grant, client, user, session and key, or a moment in since"));
        }
    };
    Ok(RevocationRequest { from, since, dry_run })
}

fn from<'a>(name: &'static str, value: &'a str) -> Result<RevokeFrom<'a>, OAuthError> {
    let no_id = || malformed(name, "this is no id");
    Ok(RevokeFrom::Point(match name {
        "client" => return Ok(RevokeFrom::Client(value)),
        "grant" => Point::Grant(value.parse().map_err(|_| no_id())?),
        "user" => Point::User(value.parse().map_err(|_| malformed(name, "write the user's sub"))?),
        "session" => Point::Session(value.parse().map_err(|_| no_id())?),
        _ => Point::Key(value.to_owned()),
    }))
}

/// Between which places it is asked what changed: up to now where the second is left out.
///
/// # Errors
/// `invalid_request` for what is no place.
pub fn between(parameters: &Parameters) -> Result<(AsOf, Option<AsOf>), OAuthError> {
    let from = place("from", parameters.required("from")?)?;
    Ok((from, place_in(parameters, "to")?))
}

/// The part of the log between two places.
///
/// # Errors
/// `invalid_request` where the second is before the first.
pub fn in_order(from: Place, to: Place) -> Result<Between, OAuthError> {
    match to.position < from.position {
        true => Err(malformed("to", "it is before from")),
        false => Ok(Between { from, to }),
    }
}

/// Which event is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventNamed {
    Position(i64),
    /// The one that issued this access token.
    Jti(TokenId),
}

/// The event that a proof is asked of.
///
/// # Errors
/// `invalid_request` for what is no position and no jti, and for both.
pub fn event_named(parameters: &Parameters) -> Result<EventNamed, OAuthError> {
    match (parameters.get("position"), parameters.get("jti")) {
        (Some(position), None) => {
            Ok(EventNamed::Position(position.parse().map_err(|_| malformed("position", "write a position in the log"))?))
        }
        (None, Some(jti)) => Ok(EventNamed::Jti(jti.parse().map_err(|_| malformed("jti", "this is no jti"))?)),
        (None, None) | (Some(_), Some(_)) => Err(malformed("position", "write this or a jti")),
    }
}

/// Which grants are asked for; the client is for whoever can look it up.
///
/// # Errors
/// `invalid_request` for what is no moment, no id or no state.
pub fn filter(parameters: &Parameters) -> Result<Filter, OAuthError> {
    let user =
        parameters.get("user").map(str::parse::<UserId>).transpose().map_err(|_| malformed("user", "write the user's sub"))?;
    let state = parameters.get("state").map(state).transpose()?;
    let scope = parameters.get("scope").map(str::to_owned);
    let (from, to) = (moment_in(parameters, "from")?, moment_in(parameters, "to")?);
    Ok(Filter { from, to, user, client: None, scope, state })
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
    place_in(parameters, "as_of")
}

fn place_in(parameters: &Parameters, name: &'static str) -> Result<Option<AsOf>, OAuthError> {
    parameters.get(name).map(|text| place(name, text)).transpose()
}

fn place(name: &str, text: &str) -> Result<AsOf, OAuthError> {
    text.parse().map_err(|how: InvalidPlace| malformed(name, &how.to_string()))
}

fn moment_in(parameters: &Parameters, name: &'static str) -> Result<Option<Timestamp>, OAuthError> {
    parameters.get(name).map(moment).transpose().map_err(|how| malformed(name, &how.to_string()))
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
        let scope = may_ask("read audit", None).expect("it may ask");
        assert_eq!(may_revoke(&scope).expect_err("refused").rule, "audit_revoke_scope_missing");
        assert_eq!(may_revoke(&may_ask("audit audit_revoke", None).expect("it may ask")), Ok(()));
        assert_eq!(may_ask("audit_revoke", None).expect_err("refused").rule, "audit_scope_missing");
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
    #[test]
    fn a_revocation_begins_from_one_point_or_a_moment() {
        let (id, key) = ("019ab3c0-5f2e-7d10-8c5a-0123456789ab", "k1");
        let asked = parameters(&format!("session={id}&dry_run=true"));
        let request = revocation(&asked).expect("it can be read");
        assert_eq!(request.from, RevokeFrom::Point(Point::Session(id.parse().expect("an id"))));
        assert!(request.dry_run && request.since.is_none());
        let asked = parameters("client=shop&since=1970-01-02");
        let request = revocation(&asked).expect("it can be read");
        assert_eq!((request.from, request.since), (RevokeFrom::Client("shop"), Some(Timestamp::from_unix(86_400))));
        assert!(!request.dry_run);
        let (of_key, of_all) = (parameters(&format!("key={key}")), parameters("since=1970-01-02"));
        assert_eq!(revocation(&of_key).expect("a key").from, RevokeFrom::Point(Point::Key(key.to_owned())));
        assert_eq!(revocation(&of_all).expect("all").from, RevokeFrom::Point(Point::Issuer));
        for (wrong, name) in [
            ("", "revoke"),
            ("client=a&user=b", "revoke"),
            ("user=mika", "user"),
            ("grant=x", "grant"),
            ("session=x", "session"),
            ("client=a&dry_run=1", "dry_run"),
            ("since=then", "since"),
            ("grant=019ab3c0-5f2e-7d10-8c5a-0123456789ab&since=1970-01-02", "since"),
        ] {
            let error = revocation(&parameters(wrong)).expect_err("refused");
            assert!(error.description.starts_with(&format!("{name}: ")), "{wrong}: {}", error.description);
        }
    }

    #[test]
    fn a_difference_and_a_proof_name_their_places() {
        assert_eq!(between(&parameters("from=3&to=7")), Ok((AsOf::Position(3), Some(AsOf::Position(7)))));
        assert_eq!(between(&parameters("to=7")).expect_err("refused").rule, "parameter_missing");
        let place = |position| Place { position, ..Place::default() };
        assert!(in_order(place(3), place(3)).is_ok());
        assert!(in_order(place(3), place(2)).is_err());
        assert_eq!(event_named(&parameters("position=3")), Ok(EventNamed::Position(3)));
        for wrong in ["", "position=x", "jti=x", "position=3&jti=019ab3c0-5f2e-7d10-8c5a-0123456789ab"] {
            assert!(event_named(&parameters(wrong)).is_err(), "{wrong}");
        }
    }
}
