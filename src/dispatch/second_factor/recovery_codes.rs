//! Recovery codes: made, and known again by their digests.

use domain::Digest;
use secrecy::SecretString;

/// Recovery codes that somebody has at once.
const RECOVERY_CODES: usize = 10;
/// Of a recovery code, in characters of five bits: 80 bits, of which a digest tells nothing.
const RECOVERY_CODE_LENGTH: usize = 16;
/// What recovery codes are written with: no letter that looks like another, or like a digit (RFC 4648 base32, in small letters).
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// New recovery codes, and their digests.
pub(super) fn recovery_codes() -> (Vec<SecretString>, Vec<Digest>) {
    let mut random = [0; RECOVERY_CODES * RECOVERY_CODE_LENGTH];
    aws_lc_rs::rand::fill(&mut random).expect("the system has a random generator");
    let letters = random.map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    let codes = letters.chunks(RECOVERY_CODE_LENGTH).map(|letters| {
        let groups = letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>();
        groups.join("-")
    });
    let codes: Vec<String> = codes.collect();
    let digests = codes.iter().map(|code| digest_of(code)).collect();
    (codes.into_iter().map(SecretString::from).collect(), digests)
}

/// The digest of a recovery code, however its groups are parted.
pub(super) fn digest_of(code: &str) -> Digest {
    let letters: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    Digest::of(letters.as_bytes())
}
