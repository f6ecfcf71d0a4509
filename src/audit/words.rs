//! The sentences of a story, in the languages of the pages.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::words;

/// The sentences of a language, by the key of what happened.
#[derive(Debug)]
pub struct Words(words::Words);

/// The first is spoken where nothing else is asked for.
static WORDS: LazyLock<[Words; 2]> =
    LazyLock::new(|| [("en", include_str!("words/en.toml")), ("ja", include_str!("words/ja.toml"))].map(Words::of_file));

impl Words {
    fn of_file((tag, file): (&'static str, &str)) -> Self {
        Self(words::Words::read(tag, file))
    }

    /// Of the language with this tag, else English.
    #[must_use]
    pub fn of(tag: &str) -> &'static Self {
        WORDS.iter().find(|words| words.0.are_of(tag)).unwrap_or(&WORDS[0])
    }

    /// The sentence of what happened.
    #[must_use]
    pub fn say(&self, key: &str, details: &Map<String, Value>) -> String {
        self.0.filled(key, |name| details.get(name).map(plain).unwrap_or_default()).unwrap_or_else(|| key.to_owned())
    }
}

/// A value as people read it: a list by its entries, nothing for null.
#[must_use]
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(entries) => entries.iter().map(plain).filter(|entry| !entry.is_empty()).collect::<Vec<_>>().join(" "),
        Value::Object(_) | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_language_says_the_same() {
        for words in WORDS.iter() {
            assert_eq!(words.0.shape(), WORDS[0].0.shape(), "{}", words.0.tag);
        }
    }

    #[test]
    fn a_sentence_is_filled_with_what_is_known() {
        let details = json!({"user": "mika", "amr": ["pwd", "otp"]});
        assert_eq!(Words::of("en").say("session.started", details.as_object().unwrap()), "mika signed in by pwd otp");
        assert_eq!(Words::of("fr").say("key_set.key_added", &Map::new()), "The signing key  () was made");
    }
}
