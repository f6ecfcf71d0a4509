//! Who acts for whom a token is about (RFC 8693 section 4.1).

use serde::{Deserialize, Serialize};

/// The claim `act`: the acting party, and within it whoever acted before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// Of a person their user id, of a client its `client_id`.
    pub sub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Self>>,
}

impl Act {
    /// A party that acts on a token in which somebody may act already.
    #[must_use]
    pub fn after(sub: String, before: Option<Self>) -> Self {
        Self { sub, act: before.map(Box::new) }
    }

    /// The parties that it names, the one who acts now first.
    pub fn parties(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self), |act| act.act.as_deref()).map(|act| act.sub.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_who_acts_now_stands_outside() {
        let act = Act::after("now".to_owned(), Some(Act::after("before".to_owned(), None)));
        assert_eq!(act.parties().collect::<Vec<_>>(), ["now", "before"]);
        assert_eq!(serde_json::to_string(&act).unwrap(), r#"{"sub":"now","act":{"sub":"before"}}"#);
    }
}
