//! A person's passkeys: made, named, removed, and what one signs for a sign-in. All that tells one from another is sealed under their own
//! key.

use domain::{
    PasskeyId, Sealed, Timestamp, UserId,
    user::{SecondFactors, User, UserError},
};
use secrecy::SecretString;
use uuid::Uuid;

use crate::{
    dispatch::{Dispatch, Done, Inner, Refusal},
    log::{Actor, Unavailable},
    passkeys::{Asked, Ceremony, Credential, Made, Making, RelyingParty, Signature, Signing},
    vault::{Carried, SubjectKey},
};

use super::{FactorChange, PasskeyProof, Proof, SecondFactorRefusal, rule};

/// The longest name of a passkey, in characters.
const MAX_NAME: usize = 60;

/// A passkey as its user and administrators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPasskey {
    pub id: PasskeyId,
    pub name: String,
    /// Whether there is a copy of it in its maker's care.
    pub backed_up: bool,
    pub enrolled_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    /// When it was last refused because its counter went back.
    pub went_back_at: Option<Timestamp>,
}

impl Dispatch {
    /// Whether this issuer's address can have passkeys: one with an IP address in the place of a name cannot.
    #[must_use]
    pub fn has_passkeys(&self) -> bool {
        self.relying_party.is_some()
    }

    /// A user's passkeys, in the order of their enrolment.
    ///
    /// # Errors
    /// `Unavailable` when the store or the vault does not answer.
    pub async fn passkeys(&self, id: UserId) -> Result<Vec<KnownPasskey>, Unavailable> {
        let factors = self.second_factors(id).await?;
        let Some(key) = self.subject_key(id).await? else { return Ok(Vec::new()) };
        let known = factors.passkeys.into_iter().map(|passkey| KnownPasskey {
            id: passkey.id,
            name: key.open(&name_member(passkey.id), passkey.name.as_str()).unwrap_or_default(),
            backed_up: passkey.backed_up,
            enrolled_at: passkey.enrolled_at,
            last_used_at: passkey.last_used_at,
            went_back_at: passkey.went_back_at,
        });
        Ok(known.collect())
    }

    /// Begins to make a passkey for a user; `begun_by` says where it must be finished. `None` where there can be none.
    ///
    /// # Errors
    /// `Unavailable` when the store or the vault does not answer.
    pub async fn begin_passkey(&self, id: UserId, username: &str, begun_by: &str) -> Result<Option<Asked>, Unavailable> {
        let Some(party) = &self.relying_party else { return Ok(None) };
        let existing = self.credentials(id).await?;
        Ok(party.begin(id, username, &existing).map(|(options, state)| {
            let sealed = Ceremony::begin(state, begun_by, self.clock.now()).seal(&self.keys, Carried::NewPasskey);
            Asked { options: options.to_string(), sealed }
        }))
    }

    /// Enrols a passkey that was made as it was asked for; gives the recovery codes, which nobody can be told again, to whoever has none.
    ///
    /// # Errors
    /// That it was not, or has no name, or the user has enough of them.
    pub async fn enrol_passkey(
        &self,
        id: UserId,
        ceremony: &Ceremony<Making>,
        (name, brought): (&str, &str),
    ) -> Result<Done<Option<Vec<SecretString>>>, Refusal<SecondFactorRefusal>> {
        let name = read_name(name)?;
        let made = self.relying_party.as_ref().and_then(|party| party.finish(&ceremony.state, brought));
        let made = made.ok_or(Refusal::Rule(SecondFactorRefusal::WrongPasskey))?;
        let (passkey, made, ceremony) = (PasskeyId::new(Uuid::now_v7()), Box::new(made), ceremony.spend());
        self.with_codes(id, |codes| FactorChange::EnrolPasskey { id: passkey, made, name, ceremony, codes }).await
    }

    /// Gives a passkey another name.
    ///
    /// # Errors
    /// That the user has none such, or that is no name.
    pub async fn rename_passkey(
        &self,
        id: UserId,
        passkey: PasskeyId,
        name: &str,
    ) -> Result<Done<()>, Refusal<SecondFactorRefusal>> {
        let name = read_name(name)?;
        self.change_factors(Actor::User(id), id, FactorChange::RenamePasskey { id: passkey, name }).await
    }

    /// Removes a passkey, and the recovery codes with the last second factor.
    ///
    /// # Errors
    /// That the user has none such.
    pub async fn remove_passkey(
        &self,
        actor: Actor,
        id: UserId,
        passkey: PasskeyId,
    ) -> Result<Done<()>, Refusal<SecondFactorRefusal>> {
        let by_themselves = actor == Actor::User(id);
        self.change_factors(actor, id, FactorChange::RemovePasskey { id: passkey, by_themselves }).await
    }

    /// Asks for any passkey's signature, to sign in with it alone; `begun_by` says which browser. `None` where there can be none.
    #[must_use]
    pub fn ask_for_passkey(&self, begun_by: &str) -> Option<Asked> {
        self.ask(self.relying_party.as_ref()?, &[], (Carried::PasskeySignIn, begun_by))
    }

    /// Asks for the signature of one of a user's passkeys, whose password was right. `None` where they have none.
    ///
    /// # Errors
    /// `Unavailable` when the store or the vault does not answer.
    pub async fn ask_for_passkey_of(&self, id: UserId, begun_by: &str) -> Result<Option<Asked>, Unavailable> {
        let Some(party) = &self.relying_party else { return Ok(None) };
        let credentials = self.credentials(id).await?;
        if credentials.is_empty() {
            return Ok(None);
        }
        Ok(self.ask(party, &credentials, (Carried::PasskeySecondStep, begun_by)))
    }

    fn ask(&self, party: &RelyingParty, allowed: &[Credential], (what, begun_by): (Carried, &str)) -> Option<Asked> {
        let (options, state) = party.ask(allowed)?;
        let sealed = Ceremony::begin(state, begun_by, self.clock.now()).seal(&self.keys, what);
        Some(Asked { options: options.to_string(), sealed })
    }

    async fn credentials(&self, id: UserId) -> Result<Vec<Credential>, Unavailable> {
        let factors = self.second_factors(id).await?;
        let Some(key) = self.subject_key(id).await? else { return Ok(Vec::new()) };
        Ok(opened(&key, &factors).map(|(_, credential)| credential).collect())
    }
}

impl Inner {
    /// Whose passkey signed, and what that proves; of a certain user where their password was right. `None` where it is wrong, for whatever
    /// reason: who has which passkeys is nobody's business.
    pub(in crate::dispatch) async fn read_signature(
        &self,
        whose: Option<UserId>,
        ceremony: &Ceremony<Signing>,
        brought: &str,
    ) -> Result<Option<(UserId, Proof)>, Unavailable> {
        let (Some(party), Some(signature)) = (&self.relying_party, Signature::read(brought)) else { return Ok(None) };
        let Some(id) = whose.or(signature.user()) else { return Ok(None) };
        if signature.user().is_some_and(|user| user != id) {
            return Ok(None);
        }
        let factors = self.load_fresh::<User>(id.uuid()).await?.state.second_factors();
        let Some(key) = self.subject_key(id).await? else { return Ok(None) };
        let Some((passkey, credential)) = opened(&key, &factors).find(|(_, credential)| credential.signed(&signature)) else {
            return Ok(None);
        };
        let state = party.check(ceremony.state.clone(), &signature, &credential);
        let proof = |state| PasskeyProof { id: passkey, state, ceremony: ceremony.spend(), after_password: whose.is_some() };
        Ok(state.map(|state| (id, Proof::Passkey(proof(state)))))
    }
}

fn read_name(name: &str) -> Result<String, Refusal<SecondFactorRefusal>> {
    let name = name.trim();
    let good = !name.is_empty() && name.chars().count() <= MAX_NAME && !name.chars().any(char::is_control);
    if good { Ok(name.to_owned()) } else { Err(Refusal::Rule(SecondFactorRefusal::BadName(MAX_NAME))) }
}

/// The members that a passkey's credential and name are sealed as.
fn credential_member(id: PasskeyId) -> String {
    format!("passkey/{id}")
}

fn name_member(id: PasskeyId) -> String {
    format!("passkey_name/{id}")
}

pub(super) fn sealed_credential(key: &SubjectKey, id: PasskeyId, credential: &Credential) -> Result<Sealed, Unavailable> {
    key.seal(&credential_member(id), credential).map_err(|_| Unavailable)
}

pub(super) fn sealed_name(key: &SubjectKey, id: PasskeyId, name: &str) -> Result<Sealed, Unavailable> {
    key.seal(&name_member(id), &name).map_err(|_| Unavailable)
}

fn opened<'a>(key: &'a SubjectKey, factors: &'a SecondFactors) -> impl Iterator<Item = (PasskeyId, Credential)> + 'a {
    let passkeys = factors.passkeys.iter();
    passkeys.filter_map(|passkey| Some((passkey.id, key.open(&credential_member(passkey.id), passkey.credential.as_str()).ok()?)))
}

/// Refuses a passkey that the user has already: two of their pages may have asked at once.
pub(super) fn is_new(key: &SubjectKey, factors: &SecondFactors, made: &Made) -> Result<(), Refusal<SecondFactorRefusal>> {
    match opened(key, factors).any(|(_, credential)| credential.is(&made.credential)) {
        true => Err(rule(UserError::HasPasskey)),
        false => Ok(()),
    }
}
