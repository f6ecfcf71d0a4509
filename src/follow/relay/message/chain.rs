//! What a message says of those before it: the last of the same effect, and when the last access token of all ends. It is folded from the
//! messages themselves, so the last ones in the broker's stream are enough to go on from.

use super::Effect;

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
    fn every_effect_has_a_place_of_its_own() {
        for (place, effect) in Effect::ALL.into_iter().enumerate() {
            assert_eq!(effect.place(), place, "{effect}");
        }
    }
}
