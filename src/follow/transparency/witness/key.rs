//! A witness's key, and its cosignature of a checkpoint (C2SP tlog-cosignature, Ed25519).

use std::{fmt, str::FromStr};

use aws_lc_rs::signature::{ED25519, ED25519_PUBLIC_KEY_LEN, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::Timestamp;
use serde::Deserialize;
use signed_note::{Note, Verifier, VerifierList};

use super::super::NoteError;

/// The algorithm's byte before an Ed25519 public key that makes cosignatures.
const COSIGNATURE: u8 = 4;

/// This is no key of a witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no witness's key: it has the form NAME+ID+KEY, as the witness's operator tells it, and is an Ed25519 key for cosignatures"
)]
pub struct NotAWitnessKey;

/// A witness's public key with the name that it cosigns under (C2SP signed-note, "Verifier keys").
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct WitnessKey {
    name: String,
    id: u32,
    public: [u8; ED25519_PUBLIC_KEY_LEN],
}

/// That a witness saw a checkpoint, and that it goes on from all that the witness saw before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// When the witness says that it was.
    pub at: Timestamp,
    /// As it stands in a note.
    pub(super) line: String,
}

impl WitnessKey {
    /// The name that the witness cosigns under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// This witness's cosignature in a signed checkpoint.
    ///
    /// # Errors
    /// That there is none, or it is not right.
    pub fn cosignature(&self, note: &str) -> Result<Cosignature, NoteError> {
        let (verified, _) = Note::from_bytes(note.as_bytes())?.verify(&VerifierList::new(vec![Box::new(self.clone())]))?;
        let signature = verified.first().ok_or(signed_note::NoteError::UnverifiedNote)?;
        let (at, _) = timestamp(signature.signature()).ok_or(signed_note::NoteError::MalformedNote)?;
        let line = String::from_utf8(signature.to_bytes()).map_err(|_| signed_note::NoteError::MalformedNote)?;
        Ok(Cosignature { at, line })
    }
}

/// The time at the beginning of a cosignature, and the signature proper.
fn timestamp(cosignature: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (at, signature) = cosignature.split_first_chunk()?;
    Some((Timestamp::from_unix(i64::from_be_bytes(*at)), signature)).filter(|(at, _)| at.unix() >= 0)
}

impl Verifier for WitnessKey {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.id
    }

    fn verify(&self, checkpoint: &[u8], cosignature: &[u8]) -> bool {
        let Some((at, signature)) = timestamp(cosignature) else { return false };
        let signed = [format!("cosignature/v1\ntime {}\n", at.unix()).as_bytes(), checkpoint].concat();
        UnparsedPublicKey::new(&ED25519, self.public).verify(&signed, signature).is_ok()
    }
}

impl FromStr for WitnessKey {
    type Err = NotAWitnessKey;

    fn from_str(text: &str) -> Result<Self, NotAWitnessKey> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else { return Err(NotAWitnessKey) };
        let key = STANDARD.decode(key).map_err(|_| NotAWitnessKey)?;
        let [COSIGNATURE, public @ ..] = key.as_slice() else { return Err(NotAWitnessKey) };
        let public = public.try_into().map_err(|_| NotAWitnessKey)?;
        let computed = signed_note::key_id(name, &key);
        if !signed_note::is_key_name_valid(name) || id != format!("{computed:08x}") {
            return Err(NotAWitnessKey);
        }
        Ok(Self { name: name.to_owned(), id: computed, public })
    }
}

impl TryFrom<String> for WitnessKey {
    type Error = NotAWitnessKey;

    fn try_from(text: String) -> Result<Self, NotAWitnessKey> {
        text.parse()
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = [&[COSIGNATURE], self.public.as_slice()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(public))
    }
}

impl fmt::Debug for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitnessKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with another implementation (torchwood): the key, and a checkpoint that it cosigned.
    const KEY: &str = "witness.example.com/w1+a0059f11+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
    const NOTE: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— witness.example.com/w1 \
        oAWfEQAAAABrC98qN44jhtA0cOEwqja5Wo8rTTe4EwcQ/HYbxp/61zgOvWveN1C+NMiZIiz9X13D2QQzuThyvCfERsTjs+jxG+UvAQ==\n";

    #[test]
    fn a_cosignature_of_another_implementation_is_verified() {
        let cosignature = KEY.parse::<WitnessKey>().unwrap().cosignature(NOTE).unwrap();
        assert_eq!(cosignature.at, Timestamp::from_unix(0x6b0b_df2a));
        assert!(NOTE.ends_with(&cosignature.line));
    }

    #[test]
    fn a_cosignature_of_anything_else_is_not() {
        let key: WitnessKey = KEY.parse().unwrap();
        for (part, other) in [
            ("20852163", "20852164"),
            ("AAAABrC98q", "AAAABrC98r"),
            ("rC98qN44j", "rC98qN44k"),
            ("w1 oAWf", "w1 oAWg"),
            ("com/w1 ", "com/w2 "),
            ("AWfEQAAAA", "AWfEYAAAA"),
        ] {
            assert!(NOTE.contains(part) && key.cosignature(&NOTE.replace(part, other)).is_err(), "{part}");
        }
    }

    #[test]
    fn a_key_has_one_form() {
        assert_eq!(KEY.parse::<WitnessKey>().unwrap().to_string(), KEY);
        assert_eq!(format!(" {KEY}\n").parse::<WitnessKey>().unwrap().to_string(), KEY);
        for wrong in [
            "",
            "witness.example.com/w1",
            &KEY.replace("a0059f11", "a0059f12"),
            &KEY.replace("a0059f11", "A0059F11"),
            &KEY.replace("+BAO", "+AAO"),
            &KEY.replace("TG4", "TG"),
            &KEY.replace("/w1", "/w 1"),
            // A log's own key, which signs and does not cosign.
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        ] {
            assert_eq!(wrong.parse::<WitnessKey>(), Err(NotAWitnessKey), "{wrong}");
        }
    }
}
