//! Protected resource metadata (RFC 9728 section 2) of the issuer's own resources: what `/api/resource` stands for.

use domain::{Scope, catalogue::Catalogue};
use serde::Serialize;

use super::dpop;

/// Below the resource's origin (section 3).
pub const PATH: &str = "/.well-known/oauth-protected-resource";

/// The document.
#[derive(Clone, Debug, Serialize)]
pub struct ResourceMetadata<'a> {
    /// What a token's audience must be.
    resource: &'a str,
    authorization_servers: [&'a str; 1],
    scopes_supported: Vec<&'a str>,
    bearer_methods_supported: [&'static str; 1],
    dpop_signing_alg_values_supported: [&'static str; dpop::ALGORITHMS.len()],
    dpop_bound_access_tokens_required: bool,
    tls_client_certificate_bound_access_tokens: bool,
}

impl<'a> ResourceMetadata<'a> {
    /// Of the issuer's default resource, which takes the scopes that people can grant, and maybe client certificates.
    #[must_use]
    pub fn of(resource: &'a str, issuer: &'a str, catalogue: &'a Catalogue, takes_certificates: bool) -> Self {
        let names = catalogue.scopes.iter().filter(|scope| !scope.privileged).map(|scope| scope.name.as_str());
        Self {
            resource,
            authorization_servers: [issuer],
            scopes_supported: names.filter(|name| ![Scope::OPENID, Scope::OFFLINE_ACCESS].contains(name)).collect(),
            bearer_methods_supported: ["header"],
            dpop_signing_alg_values_supported: dpop::ALGORITHMS,
            dpop_bound_access_tokens_required: false,
            tls_client_certificate_bound_access_tokens: takes_certificates,
        }
    }
}
