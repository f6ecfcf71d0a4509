//! The issuer's own keys, all derived from one root in the vault, so that they outlive a change of the master key.

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    hkdf::{HKDF_SHA256, Salt},
    hmac,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::sealed::BlindIndex;
use serde::{Serialize, de::DeserializeOwned};

use super::cipher::{Cipher, Unreadable, random_key};

/// What a MAC is for: a MAC made for one purpose never passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacPurpose {
    /// The tag of codes and tokens.
    Token,
    /// Finding a user by sign-in name.
    SignInName,
    /// Finding a user by a mail address that is known to be theirs.
    EmailAddress,
    /// A form's token against cross-site requests.
    Form,
    /// Telling a secret that was verified slowly before.
    VerifiedSecret,
    /// Finding a device by its user code, which could be guessed from a digest without a key.
    UserCode,
    /// A value that a claim was asked for with.
    ClaimValue,
    /// A user as the clients of a sector know them. The root never changes, and so neither does this.
    PairwiseSubject,
    /// A nonce for proofs of possession.
    DpopNonce,
}

/// What travels sealed in the browser: what was sealed as one never opens as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// An authorization request.
    Request,
    /// A request to sign out.
    Logout,
    /// That somebody has proved their password.
    PasswordProven,
    /// The secret of an authenticator application that is not enrolled yet.
    NewAuthenticator,
    /// A passkey that is being made.
    NewPasskey,
    /// A sign-in with a passkey alone.
    PasskeySignIn,
    /// The second step of a sign-in, with a passkey.
    PasskeySecondStep,
    /// The device about which somebody is asked.
    Device,
    /// The name or address of whoever forgot their password. It waits with the mails, not in the browser.
    Forgetful,
}

impl Carried {
    const fn label(self) -> &'static str {
        match self {
            Self::Request => "pending request",
            Self::Logout => "logout request",
            Self::PasswordProven => "password proven",
            Self::NewAuthenticator => "new authenticator",
            Self::NewPasskey => "new passkey",
            Self::PasskeySignIn => "passkey sign-in",
            Self::PasskeySecondStep => "passkey second step",
            Self::Device => "device",
            Self::Forgetful => "forgetful",
        }
    }
}

/// Keys derived from the root.
pub struct ServerKeys {
    token: hmac::Key,
    sign_in_name: hmac::Key,
    email_address: hmac::Key,
    form: hmac::Key,
    verified_secret: hmac::Key,
    user_code: hmac::Key,
    claim_value: hmac::Key,
    pairwise_subject: hmac::Key,
    dpop_nonce: hmac::Key,
    requests: Cipher,
    errors: Cipher,
}

impl ServerKeys {
    /// The vault's id of the root.
    pub const ROOT: &'static str = "root";

    /// A new root of 32 random bytes.
    #[must_use]
    pub fn generate_root() -> [u8; 32] {
        random_key()
    }

    /// Derives all keys from the root (HKDF-SHA256, RFC 5869).
    ///
    /// # Errors
    /// `Unreadable` when the root is not 32 bytes.
    pub fn derive(root: &[u8]) -> Result<Self, Unreadable> {
        if root.len() != 32 {
            return Err(Unreadable);
        }
        let secret = Salt::new(HKDF_SHA256, b"grantlog server keys").extract(root);
        let derive = |purpose: &[u8]| {
            let mut key = [0; 32];
            let info = [purpose];
            let material = secret.expand(&info, HKDF_SHA256).expect("HKDF-SHA256 gives 32 bytes");
            material.fill(&mut key).expect("HKDF-SHA256 gives 32 bytes");
            key
        };
        let mac = |purpose: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, &derive(purpose));
        Ok(Self {
            token: mac(b"token"),
            sign_in_name: mac(b"sign-in name"),
            email_address: mac(b"mail address"),
            form: mac(b"form"),
            verified_secret: mac(b"verified secret"),
            user_code: mac(b"user code"),
            claim_value: mac(b"claim value"),
            pairwise_subject: mac(b"pairwise subject"),
            dpop_nonce: mac(b"dpop nonce"),
            requests: Cipher::new(&derive(b"pending requests")),
            errors: Cipher::new(&derive(b"error ids")),
        })
    }

    /// A MAC (HMAC-SHA256 cut to 128 bits) in base64url: 22 characters.
    #[must_use]
    pub fn mac(&self, purpose: MacPurpose, message: &[u8]) -> String {
        let key = match purpose {
            MacPurpose::Token => &self.token,
            MacPurpose::SignInName => &self.sign_in_name,
            MacPurpose::EmailAddress => &self.email_address,
            MacPurpose::Form => &self.form,
            MacPurpose::VerifiedSecret => &self.verified_secret,
            MacPurpose::UserCode => &self.user_code,
            MacPurpose::ClaimValue => &self.claim_value,
            MacPurpose::PairwiseSubject => &self.pairwise_subject,
            MacPurpose::DpopNonce => &self.dpop_nonce,
        };
        URL_SAFE_NO_PAD.encode(&hmac::sign(key, message).as_ref()[..16])
    }

    /// Whether `mac` gave this, compared in constant time.
    #[must_use]
    pub fn mac_matches(&self, purpose: MacPurpose, message: &[u8], presented: &str) -> bool {
        verify_slices_are_equal(self.mac(purpose, message).as_bytes(), presented.as_bytes()).is_ok()
    }

    /// By which a user is found: sign-in names differ in more than the case of their letters.
    #[must_use]
    pub fn blind_index(&self, username: &str) -> BlindIndex {
        BlindIndex::new(self.mac(MacPurpose::SignInName, username.trim().to_lowercase().as_bytes()))
    }

    /// By which a user is found who has a mail address: addresses differ in more than the case of their letters.
    #[must_use]
    pub fn address_index(&self, address: &str) -> BlindIndex {
        BlindIndex::new(self.mac(MacPurpose::EmailAddress, address.trim().to_lowercase().as_bytes()))
    }

    /// Seals what travels in the browser.
    #[must_use]
    pub fn carry(&self, what: Carried, value: &impl Serialize) -> String {
        let json = serde_json::to_vec(value).expect("what travels in the browser has a JSON form");
        self.requests.seal(what.label(), &json)
    }

    /// Opens what `carry` gave; `None` when it did not.
    #[must_use]
    pub fn carried<T: DeserializeOwned>(&self, what: Carried, sealed: &str) -> Option<T> {
        serde_json::from_slice(&self.requests.open(what.label(), sealed).ok()?).ok()
    }

    /// Seals what an error saw into its `error_id`.
    #[must_use]
    pub fn seal_error(&self, json: &str) -> String {
        self.errors.seal("error id", json.as_bytes())
    }

    /// Opens an `error_id`.
    ///
    /// # Errors
    /// `Unreadable` when this issuer did not make it.
    pub fn open_error(&self, error_id: &str) -> Result<String, Unreadable> {
        self.errors.open("error id", error_id).and_then(|plain| String::from_utf8(plain).map_err(|_| Unreadable))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_root_gives_the_same_keys_after_a_restart() {
        let root = ServerKeys::generate_root();
        let (before, after) = (ServerKeys::derive(&root).unwrap(), ServerKeys::derive(&root).unwrap());
        assert_eq!(before.blind_index("Mika"), after.blind_index(" mika "));
        let sealed = before.carry(Carried::Request, &7);
        assert_eq!(after.carried(Carried::Request, &sealed), Some(7));
        assert_eq!(after.carried::<i32>(Carried::PasswordProven, &sealed), None);
    }

    #[test]
    fn a_mac_for_one_purpose_does_not_pass_for_another() {
        let keys = ServerKeys::derive(&ServerKeys::generate_root()).unwrap();
        let mac = keys.mac(MacPurpose::Token, b"x");
        assert!(keys.mac_matches(MacPurpose::Token, b"x", &mac));
        assert!(!keys.mac_matches(MacPurpose::Form, b"x", &mac));
        assert_eq!(keys.open_error(&keys.carry(Carried::Request, &7)), Err(Unreadable));
    }
}
