//! User codes (RFC 8628 section 6.1): eight letters out of twenty, which people read off a device and type somewhere else. None is a vowel, so
//! that they make no words, and none is easily taken for another.

use std::fmt;

/// The letters of a user code.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Of the bytes below this, each letter comes of equally many.
const EVEN: u8 = 240;
const LENGTH: usize = 8;
/// Where the dash stands that people are shown.
const HALF: usize = LENGTH / 2;

/// A user code, well formed. It prints nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct UserCode([u8; LENGTH]);

impl UserCode {
    /// One of 20^8 (34 bits), each as likely as any other.
    #[must_use]
    pub fn generate() -> Self {
        let letters = std::iter::repeat_with(random_byte).filter(|byte| *byte < EVEN);
        let mut code = [0; LENGTH];
        for (place, byte) in code.iter_mut().zip(letters) {
            *place = LETTERS[usize::from(byte) % LETTERS.len()];
        }
        Self(code)
    }

    /// Reads what somebody typed: in letters of any case and width, with or without the dash. `None` for what can be no user code.
    #[must_use]
    pub fn read(typed: &str) -> Option<Self> {
        let mut code = [0; LENGTH];
        let mut letters = typed.chars().map(narrow).filter(|c| c.is_alphanumeric());
        for place in &mut code {
            let letter = letters.next()?.to_ascii_uppercase();
            *place = LETTERS.iter().copied().find(|own| char::from(*own) == letter)?;
        }
        letters.next().is_none().then_some(Self(code))
    }

    /// As people are shown it: `WDJB-MJHT`.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("{}-{}", self.part(..HALF), self.part(HALF..))
    }

    /// Without the dash.
    #[must_use]
    pub fn letters(&self) -> &str {
        self.part(..)
    }

    fn part<R: std::slice::SliceIndex<[u8], Output = [u8]>>(&self, range: R) -> &str {
        str::from_utf8(&self.0[range]).expect("its letters are ASCII")
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCode")
    }
}

fn random_byte() -> u8 {
    let mut byte = [0];
    aws_lc_rs::rand::fill(&mut byte).expect("the system has a random generator");
    byte[0]
}

/// The ASCII character that a full-width one stands for, as Japanese keyboards type it.
fn narrow(character: char) -> char {
    match character {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = UserCode::read("WDJB-MJHT").expect("it is RFC 8628's own");
        assert_eq!((code.shown().as_str(), code.letters()), ("WDJB-MJHT", "WDJBMJHT"));
        let wide = "\u{ff37}\u{ff24}\u{ff2a}\u{ff22}\u{ff0d}\u{ff4d}\u{ff4a}\u{ff48}\u{ff54}";
        for typed in ["wdjbmjht", " wdjb mjht\n", "W.D.J.B/M-J-H-T", wide] {
            assert_eq!(UserCode::read(typed), Some(code.clone()), "{typed}");
        }
    }

    #[test]
    fn what_has_other_letters_or_another_length_is_none() {
        for typed in ["", "-", "WDJB-MJH", "WDJB-MJHTT", "WDJA-MJHT", "WDJ0-MJHT", "WDJB-MJH\u{e9}", "\u{ff37}"] {
            assert_eq!(UserCode::read(typed), None, "{typed}");
        }
    }

    #[test]
    fn every_letter_comes_and_every_code_is_read() {
        let codes: Vec<_> = (0..200).map(|_| UserCode::generate()).collect();
        let letters: BTreeSet<char> = codes.iter().flat_map(|code| code.letters().chars()).collect();
        assert_eq!(letters.len(), LETTERS.len());
        for code in codes {
            assert_eq!(UserCode::read(&code.shown()), Some(code));
        }
    }

    #[test]
    fn it_prints_nothing() {
        assert_eq!(format!("{:?}", UserCode::generate()), "UserCode");
    }
}
