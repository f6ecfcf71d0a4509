//! What mails say, in the languages of the pages.

use std::sync::LazyLock;

use crate::words;

/// The words of a language.
#[derive(Debug)]
pub struct Words(words::Words);

static WORDS: LazyLock<[Words; 2]> =
    LazyLock::new(|| [("en", include_str!("words/en.toml")), ("ja", include_str!("words/ja.toml"))].map(Words::of_file));

impl Words {
    fn of_file((tag, file): (&'static str, &str)) -> Self {
        Self(words::Words::read(tag, file))
    }

    /// As it stands in the `lang` attribute.
    pub(super) const fn tag(&self) -> &'static str {
        self.0.tag
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
        let value = |name: &str| values.iter().find(|(own, _)| *own == name).map(|(_, value)| value.clone()).unwrap_or_default();
        self.0.filled(key, value).unwrap_or_default()
    }
}

fn of(tag: &str) -> Option<&'static Words> {
    WORDS.iter().find(|words| words.0.are_of(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_the_same_keys_with_the_same_placeholders() {
        for words in WORDS.iter() {
            assert_eq!(words.0.shape(), WORDS[0].0.shape(), "{}", words.0.tag);
        }
    }

    #[test]
    fn the_persons_own_language_comes_first_then_the_one_they_asked_in_then_the_settings() {
        assert_eq!(Words::choose(&["ja-JP", "en"], "en").tag(), "ja");
        assert_eq!(Words::choose(&["fr", "ja_JP"], "en").tag(), "ja");
        assert_eq!(Words::choose(&["fr", ""], "ja").tag(), "ja");
        assert_eq!(Words::choose(&[], "en").tag(), "en");
    }
}
