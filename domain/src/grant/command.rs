//! What can be asked of a grant.

use crate::{ClientId, Confirmation, Digest, Scope, Timestamp, TokenId, pkce::CodeVerifier};

use super::{AccessToken, Act, Approved, Assured, ClientAuthentication, RefreshToken, RevocationReason, Subject};

/// A request to change one authorization and its token family.
#[derive(Clone, Debug)]
pub enum GrantCommand {
    /// Record what a user approved.
    Approve(Box<Approved>),
    /// Exchange the code for tokens.
    Redeem(Box<Redeem>),
    /// Record what a user approved for a device, and exchange its device code for tokens.
    IssueForDevice(Box<Approved>, Box<Redeem>),
    /// Issue a token to the client itself.
    IssueForClient { client_id: ClientId, access: AccessToken, authentication: ClientAuthentication, at: Timestamp },
    /// Issue a token for the user of whom an issuer of the settings assured the client.
    IssueForAssured(Box<Assured>),
    /// Exchange a refresh token for the next pair.
    Refresh(Box<Refresh>),
    /// Exchange an access token for another.
    Exchange(Box<Exchange>),
    /// End the family of what is presented again, in a request that gets nothing anyway. Of what was not used before nothing comes.
    EndIfReplayed { client_id: ClientId, presented: GoodOnce, at: Timestamp },
    /// Revoke one access token of the family.
    RevokeAccessToken { token: TokenId, digest: Digest, expires_at: Timestamp, at: Timestamp },
    /// Revoke the family.
    Revoke { reason: RevocationReason, at: Timestamp },
}

/// What gives tokens once. Presented again, it may be in a thief's hands (RFC 6749 section 4.1.2, RFC 9700 section 4.14.2).
#[derive(Clone, Debug)]
pub enum GoodOnce {
    Code(Digest),
    RefreshToken(RotatedRefresh),
}

/// A refresh token, as its rotation knows it.
#[derive(Clone, Debug)]
pub struct RotatedRefresh {
    pub digest: Digest,
    pub generation: u32,
    /// For how long the predecessor still gets the same answer, in seconds.
    pub retry_grace: u32,
}

/// What a client presents with a code, and the tokens it gets if all fits.
#[derive(Clone, Debug)]
pub struct Redeem {
    pub client_id: ClientId,
    pub code: Digest,
    pub redirect_uri: Option<String>,
    pub code_verifier: Option<CodeVerifier>,
    /// The key that the client proves to hold.
    pub confirmation: Option<Confirmation>,
    /// Whether the code's row among the live tokens still stands: client, user, session and consent have not been cut off since.
    pub standing: bool,
    pub authentication: ClientAuthentication,
    pub access: AccessToken,
    pub refresh: Option<RefreshToken>,
    pub at: Timestamp,
}

/// What a client presents with a refresh token, and the tokens it gets if all fits.
#[derive(Clone, Debug)]
pub struct Refresh {
    pub client_id: ClientId,
    pub presented: RotatedRefresh,
    /// The key that the client proves to hold.
    pub confirmation: Option<Confirmation>,
    /// Whether no cutoff (client, user, session, consent) has fallen since the family was approved.
    pub standing: bool,
    pub authentication: ClientAuthentication,
    /// What is asked for: the rules refuse what widens.
    pub scope: Scope,
    /// Its scope is that, or less.
    pub access: AccessToken,
    /// The successor; `None` where the client's policy does not rotate.
    pub successor: Option<RefreshToken>,
    /// The end of a new idle lifetime.
    pub idle_until: Timestamp,
    /// How often the predecessor gets the same answer, at most.
    pub retries: u32,
    pub at: Timestamp,
}

/// What a client exchanges, and the token it gets if all fits.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub client_id: ClientId,
    pub subject: Subject,
    /// Who acts, and who acted before.
    pub act: Option<Act>,
    /// Whether the presented token is active: nothing that it stands on has been cut off since.
    pub standing: bool,
    pub access: AccessToken,
    pub authentication: ClientAuthentication,
    /// The client's policy in force.
    pub policy: String,
    pub at: Timestamp,
}
