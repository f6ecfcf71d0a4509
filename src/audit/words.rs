//! The sentences of a story, in the languages of the pages.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::{Map, Value};

use crate::words;

/// The sentences of a language, by the key of what happened.
#[derive(Debug)]
pub struct Words {
    tag: &'static str,
    sentences: BTreeMap<String, String>,
}

/// The first is spoken where nothing else is asked for.
static WORDS: LazyLock<[Words; 2]> =
    LazyLock::new(|| [Words::read("en", include_str!("words/en.toml")), Words::read("ja", include_str!("words/ja.toml"))]);

impl Words {
    fn read(tag: &'static str, file: &str) -> Self {
        Self { tag, sentences: words::read(file) }
    }

    /// Of the language with this tag, else English.
    #[must_use]
    pub fn of(tag: &str) -> &'static Self {
        WORDS.iter().find(|words| words.tag == tag).unwrap_or(&WORDS[0])
    }

    /// The sentence of what happened.
    #[must_use]
    pub fn say(&self, key: &str, details: &Map<String, Value>) -> String {
        let template = self.sentences.get(key).map(String::as_str).unwrap_or(key);
        let mut said = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            said.push_str(before);
            said.push_str(&details.get(name).map(plain).unwrap_or_default());
            rest = after;
        }
        said + rest
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

    /// The names in a sentence's braces, sorted: languages put them in orders of their own.
    fn names(text: &str) -> Vec<&str> {
        let mut names: Vec<_> = text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn every_language_says_the_same() {
        let shape = |words: &'static Words| -> Vec<(&str, Vec<&str>)> {
            words.sentences.iter().map(|(key, text)| (key.as_str(), names(text))).collect()
        };
        for words in WORDS.iter() {
            assert_eq!(shape(words), shape(&WORDS[0]), "{}", words.tag);
        }
    }

    #[test]
    fn a_sentence_is_filled_with_what_is_known() {
        let details = json!({"user": "mika", "amr": ["pwd", "otp"]});
        assert_eq!(Words::of("en").say("session.started", details.as_object().unwrap()), "mika signed in by pwd otp");
        assert_eq!(Words::of("fr").say("key_set.key_added", &Map::new()), "The signing key  () was made");
    }
}
