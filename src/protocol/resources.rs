//! The resources that a request names (RFC 8707 section 2), and those that a client may name.

use domain::{
    catalogue::{Catalogue, is_resource},
    client::Registration,
};

use super::{OAuthError, Parameters, token::invalid_target};

/// The one resource that a token is to be for; `None` where the request names none (RFC 8707 section 2.2).
///
/// # Errors
/// `invalid_target` for what can be none, and for more than one.
pub fn one(parameters: &Parameters) -> Result<Option<String>, OAuthError> {
    match all(parameters)?.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some((*one).to_owned())),
        several => {
            let refused = invalid_target("several_resources", "a token is for one resource: name one in a token request");
            Err(refused.saw("resource", several.join(" ")))
        }
    }
}

/// The resources that a request names, each once (RFC 8707 section 2).
///
/// # Errors
/// `invalid_target` for what can be none.
pub fn all(parameters: &Parameters) -> Result<Vec<&str>, OAuthError> {
    let mut resources = Vec::new();
    for resource in parameters.all("resource") {
        if !is_resource(resource) {
            let refused = invalid_target("malformed_resource", "resource must be an absolute URI without a fragment");
            return Err(refused.saw("resource", resource));
        }
        if !resources.contains(&resource) {
            resources.push(resource);
        }
    }
    Ok(resources)
}

/// Whether a client may ask tokens for these resources (RFC 8707 section 2): for the default one, for those that the catalogue opens to everybody,
/// and for its own.
///
/// # Errors
/// `invalid_target` for any other.
pub fn check<'a>(
    client: &Registration,
    asked: impl IntoIterator<Item = &'a str>,
    (catalogue, default_resource): (&Catalogue, &str),
) -> Result<(), OAuthError> {
    let registered = &client.metadata.resources;
    let is_open = |resource: &str| catalogue.resource(resource).is_some_and(|entry| entry.open);
    let unknown =
        |resource: &&str| *resource != default_resource && !registered.iter().any(|own| own == resource) && !is_open(resource);
    match asked.into_iter().find(unknown) {
        None => Ok(()),
        Some(resource) => Err(invalid_target("resource_not_registered", "the client is not registered for this resource")
            .saw("client_id", &client.identifier)
            .saw("resource", resource)),
    }
}

#[cfg(test)]
mod tests {
    use domain::client::ClientMetadata;

    use super::*;
    use crate::protocol::ErrorCode;

    #[test]
    fn a_resource_named_twice_is_one() {
        let parameters = Parameters::parse(b"resource=https://a/&resource=https://a/").unwrap();
        assert_eq!(one(&parameters).unwrap().as_deref(), Some("https://a/"));
    }

    #[test]
    fn a_resource_is_the_default_one_or_registered() {
        let client = Registration::new("app".to_owned(), None, ClientMetadata::default());
        let known = (&Catalogue::default(), "https://default");
        assert!(check(&client, ["https://default"], known).is_ok());
        let refused = check(&client, ["https://x"], known).unwrap_err();
        assert_eq!((refused.code, refused.rule), (ErrorCode::InvalidTarget, "resource_not_registered"));
    }
}
