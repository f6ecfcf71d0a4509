//! The next tokens of a family: what comes of a code, and of a refresh token.

use domain::{
    ClientId, Confirmation, GrantId, Scope, Timestamp,
    client::{GrantType, Registration},
    grant::{AccessToken, GoodOnce, Grant, GrantCommand, RefreshToken, Terms},
};

use crate::log::Unavailable;

use super::{
    IssueRefusal, Refusal,
    id_token::SignedIn,
    issue::rule,
    mint::{Bearer, Issued, Texts},
    target::{Target, TargetRefusal},
    work::{Loaded, Work},
};

/// What the next tokens are made by.
pub(super) struct Next<'a> {
    pub(super) grant: &'a Loaded<Grant>,
    pub(super) client: &'a Registration,
    pub(super) terms: &'a Terms,
    /// What is asked for: all that was granted, or less.
    pub(super) scope: &'a Scope,
    /// Of the access token.
    pub(super) target: Target,
    /// Of the authentication request that is answered. A refresh answers none: there the nonce is spent (OpenID Connect Core section 12.2).
    pub(super) nonce: Option<&'a str>,
    /// Of the refresh token; `None` where there is to be none.
    pub(super) generation: Option<u32>,
    /// The key that the client proves to hold.
    pub(super) confirmation: Option<&'a Confirmation>,
}

/// The tokens: for the client, and for the log.
pub(super) struct Minted {
    pub(super) issued: Issued,
    pub(super) access: AccessToken,
    pub(super) refresh: Option<RefreshToken>,
}

impl Work<'_> {
    /// How long a code lives, in seconds: the settings' time, or the most that the client's policy allows.
    pub(super) fn code_lifetime(&self, client: &Registration) -> u32 {
        let usual = self.inner.settings.tokens.code_lifetime;
        client.metadata.policy.longest_code_lifetime().map_or(usual, |most| most.min(usual))
    }

    /// The end of a family that begins now, whatever is refreshed.
    pub(super) fn family_ends_at(&self, client: &Registration) -> Timestamp {
        let (metadata, tokens) = (&client.metadata, &self.inner.settings.tokens);
        self.now.plus(match client.may_use(GrantType::RefreshToken) {
            true => metadata.refresh_token_lifetime.unwrap_or(tokens.refresh_token_lifetime),
            false => metadata.access_token_lifetime.unwrap_or(tokens.access_token_lifetime) + self.code_lifetime(client),
        })
    }

    /// A token that cannot be had for its target: what is presented again ends its family all the same, and anything else is refused.
    pub(super) fn end_if_replayed(
        &mut self,
        (grant, client_id): (&Loaded<Grant>, ClientId),
        presented: GoodOnce,
        refusal: Refusal<TargetRefusal>,
    ) -> Result<(), Refusal<IssueRefusal>> {
        let Refusal::Rule(rule_of_target) = refusal else { return Err(refusal.map(IssueRefusal::Target)) };
        let command = GrantCommand::EndIfReplayed { client_id, presented, at: self.now };
        let (events, _) = self.decide(grant, command).map_err(rule)?;
        if events.is_empty() { Err(Refusal::Rule(IssueRefusal::Target(rule_of_target))) } else { Ok(()) }
    }

    /// Makes the access token, the ID token that names it, the refresh token, and the answer that carries them.
    pub(super) async fn mint_family(&mut self, next: Next<'_>) -> Result<Minted, Unavailable> {
        let Next { grant, client, terms, scope, target, nonce, generation, confirmation } = next;
        let grant_id = GrantId::new(grant.id);
        let bearer = Bearer { confirmation, ..Bearer::of_family(grant_id, client, terms, target) };
        let (token, mut access) = self.mint_access(bearer).await?;
        let sign_in = SignedIn { grant_id, client, terms, scope, session_id: grant.state.signed_in(), nonce };
        let id_token = self.mint_id_token(sign_in, &token, &mut access).await?;
        let refresh = generation.map(|generation| self.mint_refresh((grant_id, client), generation, terms, confirmation));
        let (refresh_token, refresh) = refresh.unzip();
        let texts = Texts { refresh: refresh_token.as_ref(), id_token: id_token.as_ref(), ..Texts::of(&token) };
        let issued = self.token_response(&texts, &access);
        Ok(Minted { issued, access, refresh })
    }
}
