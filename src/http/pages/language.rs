//! The languages that pages speak: one file of words each, chosen by `ui_locales` (OpenID Connect Core section 3.1.2.1), then by
//! Accept-Language (RFC 9110 section 12.5.4), else English.

use std::{collections::BTreeMap, sync::LazyLock};

use crate::words::Words;

/// A language and its words.
#[derive(Debug)]
pub(super) struct Language(Words);

/// The first is spoken where nothing else is asked for.
static LANGUAGES: LazyLock<[Language; 2]> =
    LazyLock::new(|| [("en", include_str!("words/en.toml")), ("ja", include_str!("words/ja.toml"))].map(Language::of_file));

impl Language {
    fn of_file((tag, file): (&'static str, &str)) -> Self {
        Self(Words::read(tag, file))
    }

    /// As it stands in the `lang` attribute.
    #[must_use]
    pub(super) const fn tag(&self) -> &'static str {
        self.0.tag
    }

    /// The language of a page: of the two wishes the first that names one we speak.
    #[must_use]
    pub(super) fn choose(ui_locales: Option<&str>, accept_language: Option<&str>) -> &'static Self {
        let asked = ui_locales.unwrap_or_default().split_ascii_whitespace().find_map(spoken);
        asked.or_else(|| accepted(accept_language.unwrap_or_default())).unwrap_or(&LANGUAGES[0])
    }

    /// The words of a key.
    #[must_use]
    pub(super) fn say(&self, key: &str) -> &str {
        self.0.get(key).unwrap_or_default()
    }

    /// The words of a key with one placeholder filled in. A template escapes the whole.
    #[must_use]
    pub(super) fn fill(&self, key: &str, placeholder: &str, value: impl std::fmt::Display) -> String {
        self.say(key).replace(&format!("{{{placeholder}}}"), &value.to_string())
    }

    /// Of texts by language the one in this, else in the first language that we speak.
    #[must_use]
    pub(super) fn pick<'a>(&self, texts: &'a BTreeMap<String, String>) -> Option<&'a str> {
        texts.get(self.tag()).or_else(|| texts.get(LANGUAGES[0].tag())).map(String::as_str)
    }
}

/// The languages that pages speak, as metadata names them (`ui_locales_supported`, RFC 8414 section 2).
pub(in crate::http) fn tags() -> Vec<&'static str> {
    LANGUAGES.iter().map(Language::tag).collect()
}

/// The language of a tag such as `ja-JP` (RFC 4647 section 3.4).
fn spoken(tag: &str) -> Option<&'static Language> {
    LANGUAGES.iter().find(|language| language.0.are_of(tag))
}

/// Of `ja, en;q=0.8` the language with the highest weight that we speak.
fn accepted(header: &str) -> Option<&'static Language> {
    let ranges = header.split(',').filter_map(|range| {
        let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
        let weight: f32 = weight.trim().strip_prefix("q=")?.trim().parse().ok()?;
        Some((spoken(tag.trim())?, weight)).filter(|(_, weight)| *weight > 0.0)
    });
    let best = ranges.fold(None, |best: Option<(&'static Language, f32)>, next| match best {
        Some(best) if best.1 >= next.1 => Some(best),
        Some(_) | None => Some(next),
    });
    best.map(|(language, _)| language)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_language_has_the_same_keys_with_the_same_placeholders() {
        for language in LANGUAGES.iter() {
            assert_eq!(language.0.shape(), LANGUAGES[0].0.shape(), "{}", language.tag());
        }
    }

    #[test]
    fn every_key_that_a_page_names_has_words_and_no_words_are_left_over() {
        let mut sources = String::new();
        let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
        read_all(&pages, &mut sources);
        for key in LANGUAGES[0].0.shape().keys() {
            assert!(sources.contains(&format!("\"{key}\"")), "nothing says {key}");
        }
        for call in ["say(\"", "fill(\""] {
            for rest in sources.split(call).skip(1) {
                let key = rest.split('"').next().unwrap();
                assert!(LANGUAGES[0].0.get(key).is_some(), "there are no words for {key}");
            }
        }
    }

    fn read_all(folder: &Path, sources: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read_all(&path, sources);
            } else if path.file_name().is_some_and(|name| name != "language.rs") {
                let text = fs::read_to_string(path).unwrap();
                text.lines().filter(|line| !line.starts_with("//!")).for_each(|line| sources.push_str(line));
            }
        }
    }

    #[test]
    fn ui_locales_come_first_then_what_the_browser_prefers_then_english() {
        let tag = |ui_locales, accept| Language::choose(ui_locales, accept).tag();
        assert_eq!(tag(Some("fr ja-JP en"), Some("en")), "ja");
        assert_eq!(tag(Some("fr"), Some("de, ja;q=0.5, en;q=0.4")), "ja");
        assert_eq!(tag(None, Some("ja;q=0.1, en-GB;q=0.9")), "en");
        assert_eq!(tag(None, Some("JA")), "ja");
        for nonsense in ["", "*", "ja;q=0", "ja;q=x", ";;,,"] {
            assert_eq!(tag(None, Some(nonsense)), "en", "{nonsense}");
        }
        assert_eq!(tag(None, None), "en");
    }
}
