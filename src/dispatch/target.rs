//! Which resource an access token is for, and what of its scope has a meaning there (RFC 8707 section 2.2): one token, one resource.

use domain::{
    Scope,
    catalogue::Catalogue,
    client::{AccessTokenFormat, Registration},
    grant::Terms,
    id::THE_ONLY,
};

use super::{Refusal, work::Work};

/// Where a token goes.
pub(super) struct Target {
    pub(super) resource: String,
    /// Of the scope that it could have, what the resource understands.
    pub(super) scope: Scope,
    pub(super) format: AccessTokenFormat,
    /// How long it lives, in seconds.
    pub(super) lifetime: u32,
}

/// Why there is no token for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetRefusal {
    #[error("the resource is not one that was granted")]
    NotGranted,
    #[error("several resources were granted, and a token is for one: name it with resource")]
    NotNamed,
    #[error("the resource understands nothing of the scope")]
    NothingUnderstood,
}

impl Work<'_> {
    /// The target of a token that comes of a grant: the resource that is named, where the grant covers it, or the only one of the grant.
    pub(super) async fn target_within(
        &mut self,
        (terms, client): (&Terms, &Registration),
        named: Option<&str>,
        scope: &Scope,
    ) -> Result<Target, Refusal<TargetRefusal>> {
        let own = self.inner.settings.default_resource();
        let granted: Vec<&str> = match terms.resources.as_slice() {
            [] => vec![own],
            resources => resources.iter().map(String::as_str).collect(),
        };
        let resource = match (named, granted.as_slice()) {
            (None, [only]) => *only,
            (None, _) => return Err(Refusal::Rule(TargetRefusal::NotNamed)),
            (Some(named), granted) if granted.contains(&named) => named,
            (Some(_), _) => return Err(Refusal::Rule(TargetRefusal::NotGranted)),
        };
        self.target(resource, client, scope).await
    }

    /// The target of a client's token for a resource that it may name: the issuer's own, where it names none.
    pub(super) async fn target_of_client(
        &mut self,
        client: &Registration,
        named: Option<&str>,
        scope: &Scope,
    ) -> Result<Target, Refusal<TargetRefusal>> {
        let resource = named.unwrap_or_else(|| self.inner.settings.default_resource());
        self.target(resource, client, scope).await
    }

    async fn target(&mut self, resource: &str, client: &Registration, scope: &Scope) -> Result<Target, Refusal<TargetRefusal>> {
        let catalogue = self.guard::<Catalogue>(THE_ONLY).await?;
        let settings = &self.inner.settings;
        let understood = catalogue.understood(scope, resource, settings.default_resource());
        if understood.is_empty() && !scope.is_empty() {
            return Err(Refusal::Rule(TargetRefusal::NothingUnderstood));
        }
        let (entry, metadata) = (catalogue.resource(resource), &client.metadata);
        let longest = entry.and_then(|entry| entry.access_token_lifetime).unwrap_or(u32::MAX);
        Ok(Target {
            resource: resource.to_owned(),
            scope: understood,
            format: metadata.format_of_access_tokens(entry.and_then(|entry| entry.token_format)),
            lifetime: metadata.access_token_lifetime.unwrap_or(settings.tokens.access_token_lifetime).min(longest),
        })
    }
}
