//! What messages say: types of their own, which stay as they are whatever becomes of the stored events. Moments are in seconds since
//! 1970-01-01T00:00:00Z, as in a JWT. Nothing here is a secret, the digest of one, or personal.

mod client;
mod device;
mod grant;
mod issuer;
mod person;

pub use client::{
    ClientDescription, ClientEnabled, ClientRegistered, ClientRegistrationTokenSet, ClientSecret, ClientUpdated, InvitationMade,
    InvitationUsed, InvitationWithdrawn,
};
pub use device::{DeviceApproved, DeviceDenied, DeviceRedeemed, DeviceRequested};
pub use grant::{
    AccessToken, Confirmation, GrantAccessTokenRefreshed, GrantApproved, GrantClientCredentialsIssued, GrantCodeRedeemed,
    GrantCodeReplayed, GrantJwtBearerIssued, GrantRefreshUsed, GrantRefreshed, GrantTokenExchanged, GrantTokensIssued,
    RefreshToken,
};
pub use issuer::{
    AuditPassedOver, CatalogueAdopted, CatalogueIssuer, CatalogueResource, CatalogueScope, Key, KeyActivated, Omitted, Unread,
};
pub use person::{
    AuditRead, ClientNotified, ConsentGiven, SignIn, UserAdministratorSet, UserChanged, UserCreated, UserMailed, UserPasskey,
    UserSignInsBlocked,
};
use serde::Serialize;

use super::revocation::Revocation;

impl Data {
    /// What is dead by it.
    #[must_use]
    pub fn revocation(self) -> Option<Revocation> {
        match self {
            Self::ClientDisabled(revocation)
            | Self::ClientDeregistered(revocation)
            | Self::UserPasswordSet(revocation)
            | Self::UserLocked(revocation)
            | Self::UserErased(revocation)
            | Self::SessionEnded(revocation)
            | Self::ConsentWithdrawn(revocation)
            | Self::GrantAccessTokenRevoked(revocation)
            | Self::GrantRevoked(revocation)
            | Self::KeyRetired(revocation)
            | Self::EpochBegun(revocation) => Some(revocation),
            Self::ClientRegistered(_)
            | Self::ClientUpdated(_)
            | Self::ClientSecretAdded(_)
            | Self::ClientSecretExpirySet(_)
            | Self::ClientEnabled(_)
            | Self::ClientRegistrationTokenSet(_)
            | Self::UserCreated(_)
            | Self::UserProfileUpdated(_)
            | Self::UserUnlocked(_)
            | Self::UserAdministratorSet(_)
            | Self::UserSignInsBlocked(_)
            | Self::UserAuthenticatorEnrolled(_)
            | Self::UserAuthenticatorRemoved(_)
            | Self::UserPasskeyEnrolled(_)
            | Self::UserPasskeyRenamed(_)
            | Self::UserPasskeyUsed(_)
            | Self::UserPasskeyCounterWentBack(_)
            | Self::UserPasskeyRemoved(_)
            | Self::UserRecoveryCodesMade(_)
            | Self::UserRecoveryCodeUsed(_)
            | Self::UserEmailVerified(_)
            | Self::UserMailed(_)
            | Self::SessionStarted(_)
            | Self::SessionReauthenticated(_)
            | Self::SessionClientNotified(_)
            | Self::ConsentGiven(_)
            | Self::GrantApproved(_)
            | Self::GrantCodeRedeemed(_)
            | Self::GrantTokensIssued(_)
            | Self::GrantClientCredentialsIssued(_)
            | Self::GrantRefreshed(_)
            | Self::GrantAccessTokenRefreshed(_)
            | Self::GrantTokenExchanged(_)
            | Self::GrantJwtBearerIssued(_)
            | Self::GrantRefreshRetried(_)
            | Self::GrantCodeReplayed(_)
            | Self::GrantRefreshReplayed(_)
            | Self::KeyAdded(_)
            | Self::KeyActivated(_)
            | Self::CatalogueAdopted(_)
            | Self::AuditRead(_)
            | Self::AuditPassedOver(_)
            | Self::InvitationMade(_)
            | Self::InvitationUsed(_)
            | Self::InvitationWithdrawn(_)
            | Self::DeviceRequested(_)
            | Self::DeviceApproved(_)
            | Self::DeviceDenied(_)
            | Self::DeviceRedeemed(_) => None,
        }
    }
}

macro_rules! messages {
    ($($(#[doc = $about:literal])+ $variant:ident($data:ty) = $effect:ident $aggregate:literal $event:literal $version:literal;)+) => {
        /// What a message says of an event.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        pub enum Data {
            $($(#[doc = $about])+ $variant($data),)+
        }

        impl Data {
            /// The kind of message that says it.
            #[must_use]
            pub const fn kind(&self) -> super::Kind {
                match self {
                    $(Self::$variant(_) => super::Kind {
                        effect: super::Effect::$effect,
                        aggregate: $aggregate,
                        event: $event,
                        version: $version,
                        about: concat!($($about),+),
                    },)+
                }
            }
        }

        /// The event types (as they are stored) whose messages tell of something dead.
        #[must_use]
        pub fn revocation_types() -> Vec<String> {
            let kinds = [$((super::Effect::$effect, $aggregate, $event)),+];
            let dead = kinds.into_iter().filter(|(effect, ..)| *effect == super::Effect::Revocation);
            dead.map(|(_, aggregate, event)| format!("{aggregate}.{event}")).collect()
        }

        /// Every kind of message, with the JSON Schema of its data.
        pub(super) fn schemas(generator: &mut schemars::SchemaGenerator) -> Vec<(super::Kind, schemars::Schema)> {
            vec![$((
                super::Kind {
                    effect: super::Effect::$effect,
                    aggregate: $aggregate,
                    event: $event,
                    version: $version,
                    about: concat!($($about),+),
                },
                generator.subschema_for::<$data>(),
            ),)+]
        }
    };
}

messages! {
    /// A client was registered.
    ClientRegistered(ClientRegistered) = Registration "client" "registered" 1;
    /// A client's metadata was replaced.
    ClientUpdated(ClientUpdated) = Registration "client" "updated" 1;
    /// A client got a secret.
    ClientSecretAdded(ClientSecret) = Registration "client" "secret_added" 1;
    /// It was set when a client's secret stops working.
    ClientSecretExpirySet(ClientSecret) = Registration "client" "secret_expiry_set" 1;
    /// A client may do nothing any more.
    ClientDisabled(Revocation) = Revocation "client" "disabled" 1;
    /// A client may act again; nothing is revived.
    ClientEnabled(ClientEnabled) = Registration "client" "enabled" 1;
    /// A client that registered itself got the token to manage its registration with.
    ClientRegistrationTokenSet(ClientRegistrationTokenSet) = Registration "client" "registration_token_set" 1;
    /// A client's registration is gone for good.
    ClientDeregistered(Revocation) = Revocation "client" "deregistered" 1;
    /// A user was made.
    UserCreated(UserCreated) = Account "user" "created" 1;
    /// A user's profile or sign-in name changed.
    UserProfileUpdated(UserChanged) = Account "user" "profile_updated" 1;
    /// A user's password was set: all that was issued before is dead.
    UserPasswordSet(Revocation) = Revocation "user" "password_set" 1;
    /// A user was locked.
    UserLocked(Revocation) = Revocation "user" "locked" 1;
    /// A user may sign in again; nothing is revived.
    UserUnlocked(UserChanged) = Account "user" "unlocked" 1;
    /// A user became an administrator, or is none any more.
    UserAdministratorSet(UserAdministratorSet) = Account "user" "administrator_set" 1;
    /// A user failed to sign in too often.
    UserSignInsBlocked(UserSignInsBlocked) = Account "user" "sign_ins_blocked" 1;
    /// A user set an authenticator application up: a password alone signs them in no more.
    UserAuthenticatorEnrolled(UserChanged) = Account "user" "authenticator_enrolled" 1;
    /// A user's authenticator application was removed, and with their last second factor the recovery codes.
    UserAuthenticatorRemoved(UserChanged) = Account "user" "authenticator_removed" 1;
    /// A user enrolled a passkey: a password alone signs them in no more.
    UserPasskeyEnrolled(UserPasskey) = Account "user" "passkey_enrolled" 1;
    /// A user gave a passkey another name.
    UserPasskeyRenamed(UserPasskey) = Account "user" "passkey_renamed" 1;
    /// A user proved who they are with a passkey.
    UserPasskeyUsed(UserPasskey) = Account "user" "passkey_used" 1;
    /// A user's passkey was refused, because its counter went back: there may be a copy of it.
    UserPasskeyCounterWentBack(UserPasskey) = Account "user" "passkey_counter_went_back" 1;
    /// A user's passkey was removed, and with their last second factor the recovery codes.
    UserPasskeyRemoved(UserPasskey) = Account "user" "passkey_removed" 1;
    /// A user got new recovery codes in place of those before.
    UserRecoveryCodesMade(UserChanged) = Account "user" "recovery_codes_made" 1;
    /// A user proved who they are with a recovery code.
    UserRecoveryCodeUsed(UserChanged) = Account "user" "recovery_code_used" 1;
    /// A user showed that they read what is sent to their mail address.
    UserEmailVerified(UserChanged) = Account "user" "email_verified" 1;
    /// A mail to a user went out, or was given up.
    UserMailed(UserMailed) = Account "user" "mailed" 1;
    /// A user's key was destroyed: all that is personal of them is unreadable from now on.
    UserErased(Revocation) = Revocation "user" "erased" 1;
    /// A user signed in.
    SessionStarted(SignIn) = Session "session" "started" 1;
    /// A user signed in again in the same session.
    SessionReauthenticated(SignIn) = Session "session" "reauthenticated" 1;
    /// A session ended before its time.
    SessionEnded(Revocation) = Revocation "session" "ended" 1;
    /// A client was told that a session has ended, or it was given up.
    SessionClientNotified(ClientNotified) = Session "session" "client_notified" 1;
    /// A user lets a client do this, and nothing else.
    ConsentGiven(ConsentGiven) = Approval "consent" "given" 1;
    /// A user takes back what a client may do.
    ConsentWithdrawn(Revocation) = Revocation "consent" "withdrawn" 1;
    /// A user let a client act for them, and a code was sent.
    GrantApproved(GrantApproved) = Approval "grant" "approved" 1;
    /// A code was exchanged; its tokens are in the message that follows.
    GrantCodeRedeemed(GrantCodeRedeemed) = Issuance "grant" "code_redeemed" 1;
    /// A grant's first tokens.
    GrantTokensIssued(GrantTokensIssued) = Issuance "grant" "tokens_issued" 1;
    /// A client got a token for itself.
    GrantClientCredentialsIssued(GrantClientCredentialsIssued) = Issuance "grant" "client_credentials_issued" 1;
    /// A refresh token was rotated, and there is a new access token.
    GrantRefreshed(GrantRefreshed) = Issuance "grant" "refreshed" 1;
    /// There is a new access token; the refresh token stays.
    GrantAccessTokenRefreshed(GrantAccessTokenRefreshed) = Issuance "grant" "access_token_refreshed" 1;
    /// A client got a token for a user of whom an issuer assured it.
    GrantJwtBearerIssued(GrantJwtBearerIssued) = Issuance "grant" "jwt_bearer_issued" 1;
    /// A client exchanged an access token for one of its own.
    GrantTokenExchanged(GrantTokenExchanged) = Issuance "grant" "token_exchanged" 1;
    /// A refresh was repeated and answered as before.
    GrantRefreshRetried(GrantRefreshUsed) = Issuance "grant" "refresh_retried" 1;
    /// A used code came again: the revocation of its grant follows.
    GrantCodeReplayed(GrantCodeReplayed) = Other "grant" "code_replayed" 1;
    /// A used refresh token came again: the revocation of its grant follows.
    GrantRefreshReplayed(GrantRefreshUsed) = Other "grant" "refresh_replayed" 1;
    /// One access token was revoked.
    GrantAccessTokenRevoked(Revocation) = Revocation "grant" "access_token_revoked" 1;
    /// A grant was revoked, with all its tokens.
    GrantRevoked(Revocation) = Revocation "grant" "revoked" 1;
    /// A signing key was made; it is published from now on.
    KeyAdded(Key) = Key "key_set" "key_added" 1;
    /// A key signs from now on; the one before it is still published.
    KeyActivated(KeyActivated) = Key "key_set" "key_activated" 1;
    /// A signing key was retired: all that it signed is dead.
    KeyRetired(Revocation) = Revocation "key_set" "key_retired" 1;
    /// The log was restored from a backup: all that was issued before is dead.
    EpochBegun(Revocation) = Revocation "key_set" "epoch_begun" 1;
    /// The scopes that clients can ask for changed.
    CatalogueAdopted(CatalogueAdopted) = Other "catalogue" "adopted" 1;
    /// Somebody was told what the log says of people and clients.
    AuditRead(AuditRead) = Other "audit" "read" 1;
    /// An operator let the relay pass over an event that it cannot read, and answers for it that the event ended nothing.
    AuditPassedOver(AuditPassedOver) = Other "audit" "passed_over" 1;
    /// An invitation to register clients was made.
    InvitationMade(InvitationMade) = Registration "invitation" "made" 1;
    /// A client registered itself with an invitation.
    InvitationUsed(InvitationUsed) = Registration "invitation" "used" 1;
    /// An invitation is good for nothing more.
    InvitationWithdrawn(InvitationWithdrawn) = Registration "invitation" "withdrawn" 1;
    /// A device asked to be let in (RFC 8628).
    DeviceRequested(DeviceRequested) = Other "device_authorization" "requested" 1;
    /// A user let a device in.
    DeviceApproved(DeviceApproved) = Approval "device_authorization" "approved" 1;
    /// A user did not let a device in.
    DeviceDenied(DeviceDenied) = Other "device_authorization" "denied" 1;
    /// A device came for what it was let do: its grant, and the first tokens of that, are in the messages beside.
    DeviceRedeemed(DeviceRedeemed) = Other "device_authorization" "redeemed" 1;
}
