//! An authenticator application's codes (RFC 6238), in the form that every such application has: six digits of HMAC-SHA-1, others every 30
//! seconds.

use domain::Timestamp;
use totp_rs::{Builder, Totp};

/// A secret as long as HMAC-SHA-1's digest (RFC 4226 section 4, R6).
pub const SECRET_BYTES: usize = 20;
/// How many codes before and after the present one are taken: clocks differ, and people type slowly (RFC 6238 section 5.2).
const SKEW: u16 = 1;
/// For how long a code may be taken, in seconds, from when it is first.
pub const LIFETIME: u32 = 120;

/// What an authenticator application and the server share. It prints nothing.
pub struct Authenticator(Totp);

impl Authenticator {
    /// A new secret.
    #[must_use]
    pub fn generate() -> [u8; SECRET_BYTES] {
        let mut secret = [0; SECRET_BYTES];
        aws_lc_rs::rand::fill(&mut secret).expect("the system has a random generator");
        secret
    }

    /// Takes the secret, and what the application shows beside its codes: the issuer and the account. `None` for a secret that is too short.
    #[must_use]
    pub fn new(secret: &[u8], issuer: &str, account: &str) -> Option<Self> {
        // A colon parts the two in the application's address.
        let (issuer, account) = (issuer.replace(':', " "), account.replace(':', " "));
        let builder = Builder::new().with_secret(secret.to_vec()).with_skew(SKEW);
        builder.with_issuer(Some(issuer)).with_account_name(account).build().ok().map(Self)
    }

    /// The time step of a code that is right now; each may be taken once (RFC 6238 section 5.2).
    #[must_use]
    pub fn step_of(&self, code: &str, now: Timestamp) -> Option<u64> {
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        self.0.check(&code, u64::try_from(now.unix()).ok()?)
    }

    /// The secret as people type it, in base32.
    #[must_use]
    pub fn to_base32(&self) -> String {
        self.0.secret().to_base32()
    }

    /// What an application reads from a picture: an `otpauth` address. `None` where the account has no name.
    #[must_use]
    pub fn to_uri(&self) -> Option<String> {
        self.0.to_url().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, for SHA-1, of which applications show the last six digits.
    const SECRET: &[u8] = b"12345678901234567890";

    fn authenticator() -> Authenticator {
        Authenticator::new(SECRET, "id.example", "mika").expect("the secret is long enough")
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        for (at, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            assert_eq!(authenticator().step_of(code, Timestamp::from_unix(at)), Some(u64::try_from(at / 30).unwrap()));
        }
    }

    #[test]
    fn a_code_is_taken_a_step_early_or_late_and_no_more() {
        let step = |at: i64| authenticator().step_of("081 804", Timestamp::from_unix(1_111_111_109 + at));
        assert_eq!([step(-60), step(-30), step(30), step(60)], [None, Some(37_037_036), Some(37_037_036), None]);
        for wrong in ["", "08180", "0818040", "abcdef", "081805"] {
            assert_eq!(authenticator().step_of(wrong, Timestamp::from_unix(1_111_111_109)), None, "{wrong}");
        }
    }

    #[test]
    fn an_application_is_told_the_secret_and_whose_it_is() {
        let uri = Authenticator::new(SECRET, "id.example:8443", "mika").unwrap().to_uri().unwrap();
        assert_eq!(uri, "otpauth://totp/id.example%208443:mika?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=id.example%208443");
        assert!(Authenticator::new(b"short", "id.example", "mika").is_none());
    }
}
