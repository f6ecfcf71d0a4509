//! An assertion (RFC 7523 section 3): a JWT that somebody signed, meant for us, good once and for a short while. Clients prove by it who they are,
//! and issuers assure clients by it of whom they act for.

use domain::{Digest, Timestamp};
use serde::Deserialize;

use crate::signer::unverified;

use super::{
    Once, OnceKind,
    signed_jwt::{Audience, BadHead, MAX_LENGTH},
};

/// The longest `jti`, in bytes.
const MAX_JTI: usize = 255;

/// Why an assertion proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAssertion {
    #[error("it is no signed JWT")]
    Malformed,
    #[error("its algorithm is not one that its issuer signs with")]
    Algorithm,
    #[error("no key of its issuer's signed it")]
    NotSigned,
    #[error("iss and sub must be the client_id")]
    NotItsOwn,
    #[error("it is not meant for this issuer")]
    OtherAudience,
    #[error("it has expired")]
    Expired,
    #[error("it is good too long or not yet")]
    OtherTime,
    #[error("jti is missing or too long")]
    NoId,
}

impl InvalidAssertion {
    /// The name of the rule, for `grantlog explain`.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Malformed => "assertion_malformed",
            Self::Algorithm => "assertion_algorithm",
            Self::NotSigned => "assertion_not_signed",
            Self::NotItsOwn => "assertion_not_its_own",
            Self::OtherAudience => "assertion_audience",
            Self::Expired => "assertion_expired",
            Self::OtherTime => "assertion_time",
            Self::NoId => "assertion_without_id",
        }
    }
}

impl From<BadHead> for InvalidAssertion {
    fn from(bad: BadHead) -> Self {
        match bad {
            BadHead::Malformed => Self::Malformed,
            BadHead::Algorithm => Self::Algorithm,
        }
    }
}

/// For whom it may be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audiences {
    /// The issuer alone, as a string (FAPI 2.0 Security Profile section 5.3.2.1).
    Issuer(String),
    /// One of these at least.
    AnyOf(Vec<String>),
}

impl Audiences {
    fn hold(&self, audience: &Audience) -> bool {
        match (self, audience) {
            (Self::Issuer(issuer), Audience::One(one)) => one == issuer,
            (Self::Issuer(_), Audience::Many(_)) => false,
            (Self::AnyOf(own), audience) => own.iter().any(|own| audience.names(own)),
        }
    }
}

/// What it says. Moments are whole seconds, and nothing stands there twice.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub sub: String,
    aud: Audience,
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    jti: Option<String>,
}

impl Claims {
    /// What it says, whoever signed it.
    #[must_use]
    pub fn unverified(assertion: &str) -> Option<Self> {
        if assertion.len() > MAX_LENGTH {
            return None;
        }
        unverified(assertion)
    }

    /// Whether it is meant for these audiences, at this moment on a clock that may be off by `skew` seconds, and for `longest` seconds at most.
    ///
    /// # Errors
    /// Why it is not.
    pub fn check(&self, audiences: &Audiences, (now, skew): (Timestamp, u32), longest: u32) -> Result<(), InvalidAssertion> {
        if !audiences.hold(&self.aud) {
            return Err(InvalidAssertion::OtherAudience);
        }
        let (skew, now) = (i64::from(skew), now.unix());
        if self.exp <= now.saturating_sub(skew) {
            return Err(InvalidAssertion::Expired);
        }
        let latest = now.saturating_add(skew);
        if self.exp > latest.saturating_add(i64::from(longest))
            || self.nbf.is_some_and(|nbf| nbf > latest)
            || self.iat.is_some_and(|iat| iat > latest)
        {
            return Err(InvalidAssertion::OtherTime);
        }
        match &self.jti {
            Some(jti) if (1..=MAX_JTI).contains(&jti.len()) => Ok(()),
            Some(_) | None => Err(InvalidAssertion::NoId),
        }
    }

    /// Its `jti`; empty where it has none.
    #[must_use]
    pub fn id(&self) -> &str {
        self.jti.as_deref().unwrap_or_default()
    }

    /// What is remembered of it, once it has proved something, so that it proves nothing again.
    #[must_use]
    pub fn once(&self, kind: OnceKind, skew: u32) -> Once {
        let key = Digest::of(format!("{}\n{}", self.iss, self.id()).as_bytes()).as_str().to_owned();
        Once { kind, key, until: Timestamp::from_unix(self.exp).plus(skew).plus(1) }
    }
}
