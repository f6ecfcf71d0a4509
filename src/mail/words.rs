//! What mails say, in the languages of the pages.

use std::{collections::BTreeMap, sync::LazyLock};

use crate::words;

/// The words of a language.
#[derive(Debug)]
pub struct Words {
    /// As it stands in the `lang` attribute.
    pub(super) tag: &'static str,
    words: BTreeMap<String, String>,
}

static WORDS: LazyLock<[Words; 2]> =
    LazyLock::new(|| [Words::read("en", include_str!("words/en.toml")), Words::read("ja", include_str!("words/ja.toml"))]);

impl Words {
    fn read(tag: &'static str, file: &str) -> Self {
        Self { tag, words: words::read(file) }
    }

    /// Whether there are words for the language of a tag such as `ja-JP` (RFC 4647 section 3.4).
    #[must_use]
    pub fn are_spoken(tag: &str) -> bool {
        of(tag).is_some()
    }

    /// Of the languages that are wished for the first that there are words for; else those of `default`.
    pub(super) fn choose(wishes: &[&str], default: &str) -> &'static Self {
        wishes.iter().chain(&[default]).find_map(|tag| of(tag)).unwrap_or(&WORDS[0])
    }

    /// The words of a key with its placeholders filled in.
    pub(super) fn say(&self, key: &str, values: &[(&str, String)]) -> String {
        let template = self.words.get(key).map(String::as_str).unwrap_or_default();
        // In one pass: what people call themselves is no placeholder.
        let (mut said, mut rest) = (String::with_capacity(template.len()), template);
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            said.push_str(before);
            said.push_str(values.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str()).unwrap_or_default());
            rest = after;
        }
        said + rest
    }
}

fn of(tag: &str) -> Option<&'static Words> {
    let primary = tag.split(['-', '_']).next().unwrap_or_default();
    WORDS.iter().find(|words| words.tag.eq_ignore_ascii_case(primary))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_language_has_the_same_keys_with_the_same_placeholders() {
        let placeholders = |text: &str| -> BTreeSet<String> {
            text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.to_owned()).collect()
        };
        let shape = |words: &Words| -> BTreeMap<String, BTreeSet<String>> {
            words.words.iter().map(|(key, text)| (key.clone(), placeholders(text))).collect()
        };
        for words in WORDS.iter() {
            assert_eq!(shape(words), shape(&WORDS[0]), "{}", words.tag);
        }
    }

    #[test]
    fn the_persons_own_language_comes_first_then_the_one_they_asked_in_then_the_settings() {
        assert_eq!(Words::choose(&["ja-JP", "en"], "en").tag, "ja");
        assert_eq!(Words::choose(&["fr", "ja_JP"], "en").tag, "ja");
        assert_eq!(Words::choose(&["fr", ""], "ja").tag, "ja");
        assert_eq!(Words::choose(&[], "en").tag, "en");
    }
}
