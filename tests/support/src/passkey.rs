//! A passkey's authenticator in software. It does what real ones do; and what they refuse, because that is what a server must refuse too.

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::{SystemRandom, fill},
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{Answer, PageForm};

/// The flags of authenticator data (Web Authentication section 6.1).
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const WITH_CREDENTIAL: u8 = 0x40;

/// One passkey, and how it behaves.
pub struct Passkey {
    key: EcdsaKeyPair,
    pub credential_id: Vec<u8>,
    /// Whose it is, as the server named them when it was made.
    pub user_handle: Option<Vec<u8>>,
    /// How often it says to have signed; `None` for one that does not count.
    pub sign_count: Option<u32>,
    /// The site that it believes to be asked by.
    pub origin: String,
    /// Whether the page that asks is another site's frame.
    pub in_a_frame: bool,
    /// Whether its holder unlocks it.
    pub verified: bool,
}

impl Passkey {
    /// A passkey that is not made yet, on a browser that shows this site.
    #[must_use]
    pub fn at(origin: &str) -> Self {
        let mut credential_id = vec![0; 32];
        fill(&mut credential_id).expect("the system has a random generator");
        Self {
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key can be made"),
            credential_id,
            user_handle: None,
            sign_count: None,
            origin: origin.to_owned(),
            in_a_frame: false,
            verified: true,
        }
    }

    /// The x coordinate of its public key.
    #[must_use]
    pub fn public_x(&self) -> Vec<u8> {
        self.key.public_key().as_ref()[1..33].to_vec()
    }

    /// The form by which a page asks for a passkey to be made, filled in.
    pub fn make(&mut self, page: &Answer, name: &str) -> PageForm {
        let options = asked(page);
        self.user_handle = Some(bytes(&options["user"]["id"]));
        let client_data = self.client_data("webauthn.create", &options["challenge"]);
        let data = [self.data(&options["rp"]["id"], WITH_CREDENTIAL), self.credential()].concat();
        let response = json!({"clientDataJSON": text(&client_data), "attestationObject": text(&attestation(&data))});
        page.form("make_passkey").with("name", name).with("brought", &self.brought(&response))
    }

    /// The form by which a page asks for a signature, filled in. It signs once more.
    pub fn sign(&mut self, page: &Answer) -> PageForm {
        self.sign_count = self.sign_count.map(|count| count + 1);
        let options = asked(page);
        let client_data = self.client_data("webauthn.get", &options["challenge"]);
        let data = self.data(&options["rpId"], 0);
        let signed = [data.as_slice(), digest(&SHA256, &client_data).as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).expect("it can sign");
        let response = json!({
            "clientDataJSON": text(&client_data),
            "authenticatorData": text(&data),
            "signature": text(signature.as_ref()),
            "userHandle": self.user_handle.as_deref().map(text),
        });
        page.form("passkey").with("brought", &self.brought(&response))
    }

    fn brought(&self, response: &Value) -> String {
        let id = text(&self.credential_id);
        json!({"id": id, "rawId": id, "type": "public-key", "response": response}).to_string()
    }

    fn client_data(&self, kind: &str, challenge: &Value) -> Vec<u8> {
        let data = json!({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": self.in_a_frame});
        data.to_string().into_bytes()
    }

    fn data(&self, host: &Value, flags: u8) -> Vec<u8> {
        let host = digest(&SHA256, host.as_str().expect("an RP ID").as_bytes());
        let flags = flags | PRESENT | BACKUP_ELIGIBLE | BACKED_UP | if self.verified { VERIFIED } else { 0 };
        [host.as_ref(), &[flags], &self.sign_count.unwrap_or_default().to_be_bytes()].concat()
    }

    /// Attested credential data: no maker's name, the credential id, and the public key in COSE.
    fn credential(&self) -> Vec<u8> {
        let length = u16::try_from(self.credential_id.len()).expect("it is short").to_be_bytes();
        let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
        let head: &[u8] = &[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        [&[0; 16], length.as_slice(), &self.credential_id, head, x, &[0x22, 0x58, 0x20], y].concat()
    }
}

/// An attestation object of the format `none`, in CBOR.
fn attestation(data: &[u8]) -> Vec<u8> {
    let length = u8::try_from(data.len()).expect("it is short");
    [b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58", [length].as_slice(), data].concat()
}

/// What a page asks the browser for.
fn asked(page: &Answer) -> Value {
    let options =
        page.attribute("form[data-passkey]", "data-options").unwrap_or_else(|| panic!("nothing is asked for: {page:?}"));
    serde_json::from_str(&options).expect("options are JSON")
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn bytes(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().expect("a text")).expect("base64url")
}
