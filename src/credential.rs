//! Codes, device codes, refresh tokens and opaque access tokens: `<aggregate id>.<generation>.<256 random bits>.<tag>`. The tag is a MAC under the
//! server's key, so that the stream is found without a search, an old token of a family is told from an invented one, and nobody
//! can kill a grant by guessing its id.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Digest;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::vault::{MacPurpose, ServerKeys};

/// What a credential is for: one never passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    Code,
    Refresh,
    Access,
    /// A device code (RFC 8628 section 3.2), of a device authorization.
    Device,
    /// An initial access token (RFC 7591 section 1.2), of an invitation.
    Invitation,
    /// A registration access token (RFC 7592 section 1.2), of a client.
    Registration,
}

/// A presented credential that carries our tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The grant, device authorization, invitation or client that it belongs to.
    pub aggregate_id: Uuid,
    /// Its place in the family.
    pub generation: u32,
    pub digest: Digest,
}

impl CredentialKind {
    const fn label(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Refresh => "refresh",
            Self::Access => "access",
            Self::Device => "device",
            Self::Invitation => "invitation",
            Self::Registration => "registration",
        }
    }

    fn tag(self, keys: &ServerKeys, body: &str) -> String {
        keys.mac(MacPurpose::Token, format!("{}.{body}", self.label()).as_bytes())
    }

    /// Makes a new one.
    #[must_use]
    pub fn mint(self, keys: &ServerKeys, aggregate_id: Uuid, generation: u32) -> SecretString {
        let body = format!("{}.{generation}.{}", URL_SAFE_NO_PAD.encode(aggregate_id), random_secret().expose_secret());
        let tag = self.tag(keys, &body);
        format!("{body}.{tag}").into()
    }

    /// Reads one that somebody presents; `None` when it does not carry our tag for this kind.
    #[must_use]
    pub fn read(self, keys: &ServerKeys, presented: &str) -> Option<Credential> {
        let (body, tag) = presented.rsplit_once('.')?;
        let message = format!("{}.{body}", self.label());
        if !keys.mac_matches(MacPurpose::Token, message.as_bytes(), tag) {
            return None;
        }
        let mut parts = body.split('.');
        let aggregate_id = Uuid::from_slice(&URL_SAFE_NO_PAD.decode(parts.next()?).ok()?).ok()?;
        let generation = parts.next()?.parse().ok()?;
        Some(Credential { aggregate_id, generation, digest: Digest::of(presented.as_bytes()) })
    }
}

/// 256 random bits in base64url: a client secret, a cookie, the heart of a token.
#[must_use]
pub fn random_secret() -> SecretString {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has a random generator");
    URL_SAFE_NO_PAD.encode(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> ServerKeys {
        ServerKeys::derive(&ServerKeys::generate_root()).unwrap()
    }

    #[test]
    fn what_was_minted_is_read_as_the_same_kind_only() {
        let keys = keys();
        let id = Uuid::now_v7();
        let token = CredentialKind::Refresh.mint(&keys, id, 7);
        let read = CredentialKind::Refresh.read(&keys, token.expose_secret()).expect("it carries our tag");
        assert_eq!((read.aggregate_id, read.generation), (id, 7));
        assert_eq!(read.digest, Digest::of(token.expose_secret().as_bytes()));
        assert_eq!(CredentialKind::Code.read(&keys, token.expose_secret()), None);
        assert_eq!(CredentialKind::Access.read(&keys, token.expose_secret()), None);
    }

    #[test]
    fn a_truncated_extended_or_changed_one_is_not_ours() {
        let keys = keys();
        let token = CredentialKind::Code.mint(&keys, Uuid::now_v7(), 1);
        let text = token.expose_secret();
        let swapped: String = text.chars().map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c }).collect();
        for changed in [&text[..text.len() - 1], &format!("{text}x"), &swapped, "", ".", "a.b.c.d"] {
            assert_eq!(CredentialKind::Code.read(&keys, changed), None, "{changed}");
        }
    }
}
