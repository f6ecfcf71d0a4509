//! The key that signs checkpoints: one for each epoch of the log, with the log's name in that epoch, sealed in the vault.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use tlog_tiles::{Checkpoint, Hash};

use super::note::{SignedCheckpoint, VerifierKey};
use crate::{
    dispatch::Dispatch,
    log::Unavailable,
    vault::{kind, store::VaultRow},
};

/// The algorithm's byte before an Ed25519 public key (C2SP signed-note).
const ED25519: u8 = 1;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error("the vault was sealed under another master key than the settings name")]
    WrongMasterKey,
    #[error("the key of the tree over the log cannot be read")]
    Unreadable,
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    origin: String,
    /// PKCS #8, in base64.
    private: String,
}

/// Signs checkpoints of one log.
pub(super) struct NoteKey {
    origin: String,
    pair: Ed25519KeyPair,
}

/// The key of the log's epoch; whichever node is first makes it.
pub(super) async fn load_or_make(dispatch: &Dispatch, prefix: &str) -> Result<NoteKey, KeyError> {
    let epoch = dispatch.log.epoch();
    let id = epoch.to_string();
    let is_first = dispatch.log.epochs().await?.at(1) == epoch;
    loop {
        if let Some(sealed) = dispatch.vault.get(kind::TRANSPARENCY_KEY, &id).await? {
            let opened = dispatch.master.open(kind::TRANSPARENCY_KEY, &id, &sealed);
            return NoteKey::read(&opened.map_err(|_| KeyError::WrongMasterKey)?);
        }
        // What was signed in another epoch may be of another history: the name says that this is another log.
        let origin = if is_first { origin(prefix) } else { format!("{}/{epoch}", origin(prefix)) };
        let sealed = dispatch.master.seal(kind::TRANSPARENCY_KEY, &id, &new_key(origin));
        dispatch.vault.put_new(&VaultRow { kind: kind::TRANSPARENCY_KEY.to_owned(), id: id.clone(), sealed }).await?;
    }
}

/// An address without its scheme (C2SP tlog-tiles, "Parameters").
fn origin(prefix: &str) -> String {
    prefix.split_once("://").map_or(prefix, |(_, rest)| rest).to_owned()
}

fn new_key(origin: String) -> Vec<u8> {
    let private = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).expect("the system can make a key");
    let kept = Kept { origin, private: STANDARD.encode(private.as_ref()) };
    serde_json::to_vec(&kept).expect("a key has a JSON form")
}

impl NoteKey {
    fn read(kept: &[u8]) -> Result<Self, KeyError> {
        let Kept { origin, private } = serde_json::from_slice(kept).map_err(|_| KeyError::Unreadable)?;
        let private = STANDARD.decode(private).map_err(|_| KeyError::Unreadable)?;
        let pair = Ed25519KeyPair::from_pkcs8(&private).map_err(|_| KeyError::Unreadable)?;
        Ok(Self { origin, pair })
    }

    /// The public part with its algorithm's byte.
    fn public(&self) -> Vec<u8> {
        [&[ED25519], self.pair.public_key().as_ref()].concat()
    }

    /// What checkpoints are verified with (C2SP signed-note, "Verifier keys").
    pub(super) fn verifier_key(&self) -> VerifierKey {
        let public = self.public();
        let id = signed_note::key_id(&self.origin, &public);
        let text = format!("{}+{id:08x}+{}", self.origin, STANDARD.encode(public));
        text.parse().expect("a key of ours is in the form of all")
    }

    /// Signs a checkpoint (C2SP tlog-checkpoint).
    pub(super) fn sign(&self, size: u64, root: Hash) -> SignedCheckpoint {
        let possible = "the name of a log is an address";
        let text = Checkpoint::new(&self.origin, size, root, "").expect(possible).to_bytes();
        let (id, signature) = (signed_note::key_id(&self.origin, &self.public()), self.pair.sign(&text));
        let signature = signed_note::Signature::new(self.origin.clone(), id, signature.as_ref().to_vec()).expect(possible);
        let note = signed_note::Note::new(&text, &[signature]).expect(possible).to_bytes();
        SignedCheckpoint { size, note: String::from_utf8(note).expect("a note is text") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_verified_with_the_verifier_key_alone() {
        let key = NoteKey::read(&new_key(origin("https://id.example.com/transparency"))).unwrap();
        let root = tlog_tiles::record_hash(b"leaf");
        let signed = key.sign(1, root);
        assert!(signed.note.starts_with("id.example.com/transparency\n1\n"), "{}", signed.note);
        let checkpoint = key.verifier_key().open(&signed.note).unwrap();
        assert_eq!((checkpoint.size(), checkpoint.hash()), (1, &root));
        let other = NoteKey::read(&new_key("id.example.com/transparency".to_owned())).unwrap();
        assert!(other.verifier_key().open(&signed.note).is_err());
        for changed in [signed.note.replace("\n1\n", "\n2\n"), signed.note.replace("id.example.com", "id.example.org")] {
            assert!(key.verifier_key().open(&changed).is_err(), "{changed}");
        }
    }
}
