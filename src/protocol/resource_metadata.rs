//! Protected resource metadata (RFC 9728 section 2) of the issuer's own resources: what `/api/resource` stands for.

use std::collections::BTreeMap;

use domain::{Scope, catalogue::Catalogue};
use serde::Serialize;

use super::dpop;

/// Below the resource's origin (section 3).
pub const PATH: &str = "/.well-known/oauth-protected-resource";

/// The language of the member that names none.
const DEFAULT_LANGUAGE: &str = "en";

/// The document.
#[derive(Clone, Debug, Serialize)]
pub struct ResourceMetadata<'a> {
    /// What a token's audience must be.
    resource: &'a str,
    /// Its name by language, as the members of section 2.1.
    #[serde(flatten)]
    names: BTreeMap<String, &'a str>,
    authorization_servers: [&'a str; 1],
    scopes_supported: Vec<&'a str>,
    bearer_methods_supported: [&'static str; 1],
    dpop_signing_alg_values_supported: [&'static str; dpop::ALGORITHMS.len()],
    dpop_bound_access_tokens_required: bool,
    tls_client_certificate_bound_access_tokens: bool,
}

impl<'a> ResourceMetadata<'a> {
    /// Of the issuer's default resource, which takes those of the scopes that people can grant that the catalogue says it
    /// understands, and maybe client certificates.
    #[must_use]
    pub fn of(resource: &'a str, issuer: &'a str, catalogue: &'a Catalogue, takes_certificates: bool) -> Self {
        let entry = catalogue.resource(resource);
        let understood = |name: &&str| entry.is_none_or(|entry| entry.scopes.is_empty() || entry.scopes.contains(name));
        let scopes = catalogue.scopes.iter().filter(|scope| !scope.privileged).map(|scope| scope.name.as_str());
        let member = |language: &str| match language {
            DEFAULT_LANGUAGE => "resource_name".to_owned(),
            other => format!("resource_name#{other}"),
        };
        let names = entry.into_iter().flat_map(|entry| &entry.names).map(|(language, name)| (member(language), name.as_str()));
        Self {
            resource,
            names: names.collect(),
            authorization_servers: [issuer],
            scopes_supported: scopes
                .filter(|name| ![Scope::OPENID, Scope::OFFLINE_ACCESS].contains(name))
                .filter(understood)
                .collect(),
            bearer_methods_supported: ["header"],
            dpop_signing_alg_values_supported: dpop::ALGORITHMS,
            dpop_bound_access_tokens_required: false,
            tls_client_certificate_bound_access_tokens: takes_certificates,
        }
    }
}
