//! What a client wants a user to grant: scopes (RFC 6749 section 3.3) and resources (RFC 8707 section 2).

use domain::{Scope, catalogue::Catalogue, client::Registration};

use super::{
    OAuthError, Parameters, resources,
    token::{NOTHING_UNDERSTOOD, invalid_scope},
};

/// The scope of a request. Left out: what the client registered and users can grant, less `openid` and `offline_access`, which must be asked for.
///
/// # Errors
/// `invalid_scope` for what is none, what there is not, what no user can grant, and what the client is not registered for.
pub fn scope(parameters: &Parameters, client: &Registration, catalogue: &Catalogue) -> Result<Scope, OAuthError> {
    let registered = &client.metadata.scope;
    let Some(text) = parameters.get("scope") else {
        let asked_for = |name: &&str| !matches!(*name, Scope::OPENID | Scope::OFFLINE_ACCESS) && catalogue.has_for_users(name);
        let scope: Scope = registered.names().filter(asked_for).collect();
        if scope.is_empty() {
            let description = "scope is missing, and the application has registered none to take";
            return Err(invalid_scope("no_default_scope", description));
        }
        return Ok(scope);
    };
    let Ok(scope) = text.parse::<Scope>() else {
        return Err(invalid_scope("malformed_scope", "scope holds a character that it must not"));
    };
    if scope.is_empty() {
        return Err(invalid_scope("empty_scope", "scope names none"));
    }
    for name in scope.names() {
        let entry = catalogue.scopes.iter().find(|entry| entry.name == name);
        let (rule, why) = match entry {
            None => ("unknown_scope", "there is no such scope"),
            Some(entry) if entry.privileged => {
                ("privileged_scope", "no user can grant it: only a client acting for itself gets it")
            }
            Some(_) if !registered.contains(name) => ("scope_not_registered", "the application is not registered for it"),
            Some(_) => continue,
        };
        let refused = invalid_scope(rule, &format!("scope {name}: {why}"));
        return Err(refused.saw("scope", name).saw("registered", registered));
    }
    Ok(scope)
}

/// The resources of a request that wants a scope, each once.
///
/// # Errors
/// `invalid_target` for what can be none and for one that the client is not registered for, `invalid_scope` where one understands nothing of the
/// scope: no token could ever be for it.
pub fn resources(
    parameters: &Parameters,
    client: &Registration,
    scope: &Scope,
    (catalogue, default_resource): (&Catalogue, &str),
) -> Result<Vec<String>, OAuthError> {
    let named = resources::all(parameters)?;
    resources::check(client, named.iter().copied(), (catalogue, default_resource))?;
    let asked = if named.is_empty() { &[default_resource] } else { named.as_slice() };
    match asked.iter().find(|resource| catalogue.understood(scope, resource, default_resource).is_empty()) {
        None => Ok(named.into_iter().map(str::to_owned).collect()),
        Some(resource) => {
            let description = format!("the resource {resource} understands nothing of the scope");
            Err(invalid_scope(NOTHING_UNDERSTOOD, &description).saw("resource", resource).saw("scope", scope))
        }
    }
}
