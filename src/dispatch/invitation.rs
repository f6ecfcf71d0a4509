//! Invitations to register clients are made and withdrawn, by operators.

use domain::{
    Decide, Digest, InvitationId, StreamId, Timestamp,
    invitation::{Invitation, InvitationCommand, InvitationError},
};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::{credential::CredentialKind, log::Actor};

use super::{
    Dispatch, Done, Refusal, UseCase,
    work::{Loaded, Work},
};

/// An invitation that was made.
pub struct NewInvitation {
    pub id: InvitationId,
    /// The initial access token, shown this once.
    pub token: SecretString,
    pub expires_at: Timestamp,
}

struct Make {
    id: InvitationId,
    digest: Digest,
    uses: u32,
    expires_at: Timestamp,
}

struct Withdraw(InvitationId);

impl Dispatch {
    /// Makes an invitation for so many registrations, good for so many seconds.
    ///
    /// # Errors
    /// That it is for none.
    pub async fn invite(&self, actor: Actor, uses: u32, lifetime: u32) -> Result<Done<NewInvitation>, Refusal<InvitationError>> {
        let id = InvitationId::new(Uuid::now_v7());
        let token = CredentialKind::Invitation.mint(&self.keys, id.uuid(), 0);
        let digest = Digest::of(token.expose_secret().as_bytes());
        let expires_at = self.clock.now().plus(lifetime);
        let done = self.perform(actor, &Make { id, digest, uses, expires_at }).await?;
        Ok(Done { answer: NewInvitation { id, token, expires_at }, position: done.position })
    }

    /// Withdraws an invitation. What was registered with it stays.
    ///
    /// # Errors
    /// That there is none.
    pub async fn withdraw_invitation(&self, actor: Actor, id: InvitationId) -> Result<Done<()>, Refusal<InvitationError>> {
        self.perform(actor, &Withdraw(id)).await
    }
}

impl UseCase for Make {
    type Answer = ();
    type Refusal = InvitationError;

    async fn run(&self, work: &mut Work<'_>) -> Result<(), Refusal<InvitationError>> {
        let command =
            InvitationCommand::Make { digest: self.digest.clone(), uses: self.uses, expires_at: self.expires_at, at: work.now };
        work.decide(&Loaded::<Invitation>::new_stream(self.id.uuid()), command).map_err(Refusal::Rule)?;
        Ok(())
    }
}

impl UseCase for Withdraw {
    type Answer = ();
    type Refusal = InvitationError;

    fn stream(&self) -> Option<StreamId> {
        Some(Invitation::stream(self.0.uuid()))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<(), Refusal<InvitationError>> {
        let invitation = work.load::<Invitation>(self.0.uuid()).await?;
        work.decide(&invitation, InvitationCommand::Withdraw { at: work.now }).map_err(Refusal::Rule)?;
        Ok(())
    }
}
