//! The proof that nothing is missing and nothing comes twice: positions without a gap, and each message naming the last before it of the
//! same effect.

use std::{collections::HashMap, fmt::Write};

use sha2::{Digest, Sha256};

use crate::line::Line;

/// What is wrong with a message at its place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Flaw {
    #[error("after position {after} comes {came}")]
    Position { after: u64, came: String },
    #[error("the message at {position} says that {said} was the last {effect} before it, but that was {was}")]
    Previous { position: u64, effect: String, said: String, was: u64 },
    #[error("a line cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("`{0}` is no subject of the log")]
    Subject(String),
}

/// What has been seen, folded.
#[derive(Clone, Default)]
pub(crate) struct Proof {
    first: u64,
    position: u64,
    last_of: HashMap<String, u64>,
    digest: Sha256,
}

impl Proof {
    /// Takes the next line in: `text` without its line break.
    pub(crate) fn take(&mut self, text: &str) -> Result<(), Flaw> {
        let line: Line<'_> = serde_json::from_str(text)?;
        let place = line.place()?;
        let position = self.next(&place.position)?;
        let effect = line.effect().ok_or_else(|| Flaw::Subject(line.subject.to_string()))?;
        let was = self.last_of.get(effect).copied();
        // Of what was before the first line nothing is known but that it was before.
        let follows = place.prev.parse().is_ok_and(|prev: u64| was.map_or(prev < self.first.max(1), |was| was == prev));
        if !follows {
            let (effect, said, was) = (effect.to_owned(), place.prev, was.unwrap_or_default());
            return Err(Flaw::Previous { position, effect, said, was });
        }
        self.last_of.insert(effect.to_owned(), position);
        self.position = position;
        self.digest.update(text);
        self.digest.update("\n");
        Ok(())
    }

    fn next(&mut self, came: &str) -> Result<u64, Flaw> {
        let flaw = || Flaw::Position { after: self.position, came: came.to_owned() };
        let position: u64 = came.parse().map_err(|_| flaw())?;
        if self.position == 0 {
            self.first = position;
        } else if position != self.position + 1 {
            return Err(flaw());
        }
        Ok(position)
    }

    /// The position of the first line.
    pub(crate) const fn first(&self) -> u64 {
        self.first
    }

    /// The position of the last line; 0 where there is none.
    pub(crate) const fn position(&self) -> u64 {
        self.position
    }

    /// The SHA-256 of all lines.
    pub(crate) fn digest(&self) -> String {
        self.digest.clone().finalize().iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a string takes all");
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(effect: &str, position: u64, prev: u64) -> String {
        format!(r#"{{"subject":"acme.log.{effect}.grant.revoked.id","message":{{"position":"{position}","prev":"{prev}"}}}}"#)
    }

    fn proof(lines: &[String]) -> Result<Proof, Flaw> {
        let mut proof = Proof::default();
        lines.iter().try_for_each(|line| proof.take(line))?;
        Ok(proof)
    }

    #[test]
    fn what_is_whole_is_proved() {
        let proof = proof(&[line("key", 1, 0), line("issuance", 2, 0), line("key", 3, 1), line("issuance", 4, 2)]).unwrap();
        assert_eq!((proof.first(), proof.position()), (1, 4));
    }

    #[test]
    fn a_stream_that_begins_later_is_proved_from_there() {
        assert!(proof(&[line("key", 10, 7), line("issuance", 11, 9), line("key", 12, 10)]).is_ok());
        assert!(matches!(proof(&[line("key", 10, 7), line("issuance", 11, 10)]), Err(Flaw::Previous { position: 11, .. })));
    }

    #[test]
    fn a_gap_a_repetition_and_a_wrong_predecessor_are_found() {
        assert!(matches!(proof(&[line("key", 1, 0), line("key", 3, 1)]), Err(Flaw::Position { after: 1, .. })));
        assert!(matches!(proof(&[line("key", 1, 0), line("key", 1, 0)]), Err(Flaw::Position { after: 1, .. })));
        assert!(matches!(proof(&[line("key", 1, 0), line("key", 2, 0)]), Err(Flaw::Previous { position: 2, was: 1, .. })));
        assert!(
            proof(&["{}".to_owned()]).is_err()
                && proof(&[r#"{"subject":"a","message":{"position":"1","prev":"0"}}"#.to_owned()]).is_err()
        );
    }

    #[test]
    fn another_byte_is_another_digest() {
        let digest = |text: &str| proof(&[text.to_owned()]).unwrap().digest();
        assert_ne!(digest(&line("key", 1, 0)), digest(&format!("{} ", line("key", 1, 0))));
    }
}
