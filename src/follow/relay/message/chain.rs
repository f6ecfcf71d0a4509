//! What a message says of those before it: the last of the same effect, and when the last access token of all ends. It goes with each
//! message, so the last one in the broker's stream is enough to go on from.

use super::Effect;

/// The header of a message in which the chain stands as it is after it.
pub const CHAIN_HEADER: &str = "Grantlog-Chain";

/// Where each effect stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    last: [i64; Effect::ALL.len()],
    tokens_end_at: i64,
}

impl Chain {
    /// For messages after `position`, of whose predecessors nothing is known but that there are none later.
    #[must_use]
    pub const fn after(position: i64) -> Self {
        Self { last: [position; Effect::ALL.len()], tokens_end_at: 0 }
    }

    /// Takes note of a message.
    pub const fn note(&mut self, effect: Effect, position: i64) {
        self.last[effect.place()] = position;
    }

    /// Takes note of when an access token ends.
    pub const fn note_token(&mut self, ends_at: i64) {
        if ends_at > self.tokens_end_at {
            self.tokens_end_at = ends_at;
        }
    }

    /// The position of the last message of an effect: between it and the next there is none.
    #[must_use]
    pub const fn last(&self, effect: Effect) -> i64 {
        self.last[effect.place()]
    }

    /// When the last access token ends that was issued so far.
    #[must_use]
    pub const fn tokens_end_at(&self) -> i64 {
        self.tokens_end_at
    }

    /// As a header's value: for each effect how far before `position` its last message is, in the order of [`Effect::ALL`], and the end of
    /// the last access token.
    #[must_use]
    pub fn header(&self, position: i64) -> String {
        let numbers = self.last.iter().map(|last| position - last).chain([self.tokens_end_at]);
        numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(",")
    }

    /// Reads what [`Chain::header`] wrote in the message at `position`.
    #[must_use]
    pub fn read(header: &str, position: i64) -> Option<Self> {
        let numbers = header.split(',').map(|number| number.parse().ok()).collect::<Option<Vec<i64>>>()?;
        let (tokens_end_at, before) = numbers.split_last()?;
        let last = before.iter().map(|distance| position - distance).collect::<Vec<_>>().try_into().ok()?;
        Some(Self { last, tokens_end_at: *tokens_end_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_effect_has_its_own_last_message() {
        let mut chain = Chain::after(4);
        chain.note(Effect::Revocation, 5);
        chain.note(Effect::Issuance, 6);
        assert_eq!([Effect::Revocation, Effect::Issuance, Effect::Key].map(|effect| chain.last(effect)), [5, 6, 4]);
    }

    #[test]
    fn the_last_end_of_a_token_is_the_latest() {
        let mut chain = Chain::default();
        chain.note_token(10);
        chain.note_token(5);
        assert_eq!(chain.tokens_end_at(), 10);
    }

    #[test]
    fn a_header_says_all_of_it() {
        let mut chain = Chain::after(4);
        chain.note(Effect::Issuance, 90);
        chain.note(Effect::Revocation, 100);
        chain.note_token(1_790_000_000);
        assert_eq!(chain.header(100), "96,96,10,0,96,96,96,96,1790000000");
        assert_eq!(Chain::read(&chain.header(100), 100), Some(chain));
        for other in ["", "1", "1,2,3", "96,96,10,0,96,96,96,x,5", "96,96,10,0,96,96,96,96,96,1790000000"] {
            assert_eq!(Chain::read(other, 100), None, "{other}");
        }
    }

    #[test]
    fn every_effect_has_a_place_of_its_own() {
        for (place, effect) in Effect::ALL.into_iter().enumerate() {
            assert_eq!(effect.place(), place, "{effect}");
        }
    }
}
