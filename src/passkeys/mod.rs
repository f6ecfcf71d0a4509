//! Passkeys, as Web Authentication Level 3 has a relying party check them: webauthn-rs does; how often a passkey has signed is the user
//! aggregate's to judge.

mod ceremony;

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
pub use ceremony::{Asked, Ceremony, Spend};
use domain::UserId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Webauthn,
    WebauthnBuilder, WebauthnError,
};

/// The longest credential id, in bytes (section 4, "Credential ID").
const MAX_ID: usize = 1_023;

/// What the relying party remembers while a passkey is made, and while one signs.
pub type Making = PasskeyRegistration;
pub type Signing = DiscoverableAuthentication;

/// Checks passkeys that were made for the issuer's host.
pub struct RelyingParty(Webauthn);

/// A passkey's credential id and public key. The count in it is always zero.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Credential(Passkey);

/// A passkey that was made as it was asked for.
pub struct Made {
    pub credential: Credential,
    pub state: State,
}

/// What a passkey says of itself each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// How often it has signed; always zero where it does not count.
    pub sign_count: u32,
    /// Whether there is a copy of it in its maker's care.
    pub backed_up: bool,
}

/// A signature as the browser brings it, unchecked.
pub struct Signature(PublicKeyCredential);

impl RelyingParty {
    /// For the host of a public URL; `None` where that is an IP address, for which no passkey can be made (section 5.1.3: an RP ID is a
    /// domain).
    #[must_use]
    pub fn of(public_url: &Url) -> Option<Self> {
        let host = public_url.domain()?;
        let builder = WebauthnBuilder::new(host, public_url).ok()?;
        builder.rp_name(host).timeout(Duration::from_secs(ceremony::LIFETIME.into())).build().ok().map(Self)
    }

    /// Begins to make a passkey for a user, beside those that they have. The user handle is their id, which says nothing of them. `None` for
    /// a user without a name.
    #[must_use]
    pub fn begin(&self, user: UserId, name: &str, existing: &[Credential]) -> Option<(Value, Making)> {
        let existing = existing.iter().map(|credential| credential.0.cred_id().clone()).collect();
        let begun = self.0.start_passkey_registration(user.uuid(), name, name, Some(existing));
        let (options, state) = begun.inspect_err(told).ok()?;
        let mut options = public_key(&options);
        // It must be found without a name, to sign in alone; webauthn-rs asks for no more than that it can be asked for by its id.
        options["authenticatorSelection"]["residentKey"] = "required".into();
        options["authenticatorSelection"]["requireResidentKey"] = true.into();
        Some((options, state))
    }

    /// The passkey that the browser brings; `None` where it is not what was asked for.
    #[must_use]
    pub fn finish(&self, state: &Making, brought: &str) -> Option<Made> {
        let brought: RegisterPublicKeyCredential = serde_json::from_str(brought).ok()?;
        let passkey = self.0.finish_passkey_registration(&brought, state).inspect_err(told).ok()?;
        Made::read(serde_json::to_value(passkey).ok()?)
    }

    /// Asks for a signature: of one of these passkeys, or of any where there are none.
    #[must_use]
    pub fn ask(&self, allowed: &[Credential]) -> Option<(Value, Signing)> {
        let (options, state) = self.0.start_discoverable_authentication().inspect_err(told).ok()?;
        let mut options = public_key(&options);
        let allowed = allowed.iter().map(|credential| URL_SAFE_NO_PAD.encode(credential.0.cred_id()));
        options["allowCredentials"] = allowed.map(|id| json!({"type": "public-key", "id": id})).collect();
        Some((options, state))
    }

    /// What a passkey says of itself with a signature that is right; `None` where it is not.
    #[must_use]
    pub fn check(&self, state: Signing, signature: &Signature, credential: &Credential) -> Option<State> {
        if signature.is_of_a_frame()? {
            return None;
        }
        let checked = self.0.finish_discoverable_authentication_v2(&signature.0, state, &credential.0).inspect_err(told).ok()?;
        Some(State { sign_count: checked.counter(), backed_up: checked.backup_state() })
    }
}

impl Made {
    /// Takes out of what webauthn-rs would keep the count, which it would check, and forget what it refused; and what nobody asked for: who
    /// made the authenticator, and however many certificates say so.
    fn read(mut stored: Value) -> Option<Self> {
        let cred = stored.get_mut("cred")?;
        let sign_count = u32::try_from(cred.get("counter")?.as_u64()?).ok()?;
        let backed_up = cred.get("backup_state")?.as_bool()?;
        cred["counter"] = 0.into();
        cred["attestation"] = json!({"data": "None", "metadata": "None"});
        cred["attestation_format"] = "none".into();
        let credential: Credential = serde_json::from_value(stored).ok()?;
        let made = Self { credential, state: State { sign_count, backed_up } };
        (made.credential.0.cred_id().len() <= MAX_ID).then_some(made)
    }
}

impl Credential {
    /// Whether it is that of the same passkey.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0.cred_id() == other.0.cred_id()
    }

    /// Whether it is the passkey that signed.
    #[must_use]
    pub fn signed(&self, signature: &Signature) -> bool {
        self.0.cred_id().as_slice() == signature.0.get_credential_id()
    }
}

impl Signature {
    /// Reads what the browser brings; `None` where it is none.
    #[must_use]
    pub fn read(brought: &str) -> Option<Self> {
        serde_json::from_str(brought).ok().map(Self)
    }

    /// Whose it says to be: the user handle, which an authenticator gives that found the passkey by itself.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        let handle = self.0.get_user_unique_id()?;
        uuid::Uuid::from_slice(handle).ok().map(UserId::new)
    }

    /// Whether a page in another site's frame asked for it (section 7.2, step 13); `None` where it does not say what it signed.
    fn is_of_a_frame(&self) -> Option<bool> {
        let signed: Value = serde_json::from_slice(&self.0.response.client_data_json).ok()?;
        Some(signed.get("crossOrigin").and_then(Value::as_bool).unwrap_or_default())
    }
}

/// The member that `navigator.credentials` takes, its bytes in base64url.
fn public_key(options: &impl Serialize) -> Value {
    let mut options = serde_json::to_value(options).expect("options have a JSON form");
    options["publicKey"].take()
}

fn told(error: &WebauthnError) {
    tracing::debug!(%error, "a passkey was refused");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Option<RelyingParty> {
        RelyingParty::of(&url.parse().unwrap())
    }

    #[test]
    fn a_host_has_passkeys_and_an_address_has_none() {
        assert!(of("https://id.example").is_some() && of("http://localhost:8000").is_some());
        assert!(of("http://127.0.0.1:8000").is_none() && of("https://[2001:db8::1]").is_none());
    }

    #[test]
    fn a_passkey_is_asked_for_that_is_found_without_a_name_and_unlocked() {
        let user = UserId::new(uuid::Uuid::from_u128(7));
        let (options, _) = of("https://id.example").unwrap().begin(user, "mika", &[]).unwrap();
        assert_eq!(options["rp"]["id"], "id.example");
        assert_eq!(options["user"]["id"], URL_SAFE_NO_PAD.encode(user.uuid()));
        let selection = &options["authenticatorSelection"];
        assert_eq!((&selection["residentKey"], &selection["userVerification"]), (&json!("required"), &json!("required")));
        let (options, _) = of("https://id.example").unwrap().ask(&[]).unwrap();
        assert_eq!((&options["rpId"], &options["userVerification"]), (&json!("id.example"), &json!("required")));
        assert!(options.get("mediation").is_none());
    }

    /// As it was sealed by the first version that knew passkeys: one that is sealed must be read for ever.
    #[test]
    fn a_credential_that_was_sealed_is_read() {
        let stored = include_str!("stored_credential.json");
        let credential: Credential = serde_json::from_str(stored).unwrap();
        assert_eq!(serde_json::to_value(&credential).unwrap(), serde_json::from_str::<Value>(stored).unwrap());
    }
}
