//! What is said to people, in the languages that there are files of words for: TOML, by section and key, with names in braces for what is
//! filled in.

use std::collections::BTreeMap;

/// A language and its words.
#[derive(Debug)]
pub(crate) struct Words {
    /// As it stands in the `lang` attribute.
    pub(crate) tag: &'static str,
    said: BTreeMap<String, String>,
}

impl Words {
    /// The words of a file by `section.key`. It is part of the program: what cannot be read is a defect.
    pub(crate) fn read(tag: &'static str, file: &str) -> Self {
        let sections: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(file).expect("a file of words is TOML");
        let of_section = |(section, words): (String, BTreeMap<_, _>)| {
            words.into_iter().map(move |(key, text)| (format!("{section}.{key}"), text))
        };
        Self { tag, said: sections.into_iter().flat_map(of_section).collect() }
    }

    /// Whether it is the language of a tag such as `ja-JP` (RFC 4647 section 3.4).
    pub(crate) fn are_of(&self, tag: &str) -> bool {
        self.tag.eq_ignore_ascii_case(tag.split(['-', '_']).next().unwrap_or_default())
    }

    /// The words of a key, as they stand there.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.said.get(key).map(String::as_str)
    }

    /// The words of a key with its names filled in, in one pass: what people call themselves fills nothing in.
    pub(crate) fn filled(&self, key: &str, value: impl Fn(&str) -> String) -> Option<String> {
        let mut rest = self.get(key)?;
        let mut said = String::with_capacity(rest.len());
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            said.push_str(before);
            said.push_str(&value(name));
            rest = after;
        }
        Some(said + rest)
    }

    /// The keys, and the names that stand in their words, sorted: languages put them in orders of their own.
    #[cfg(test)]
    pub(crate) fn shape(&self) -> BTreeMap<&str, Vec<&str>> {
        let names = |text| {
            let mut names: Vec<_> =
                str::split(text, '{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        self.said.iter().map(|(key, text)| (key.as_str(), names(text))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_filled_in_one_pass() {
        let words = Words::read("en", "[letter]\ngreeting = \"Dear {name}, {nothing}{unclosed\"");
        let value = |name: &str| if name == "name" { "{nothing}".to_owned() } else { String::new() };
        assert_eq!(words.filled("letter.greeting", value).as_deref(), Some("Dear {nothing}, "));
        assert_eq!(words.filled("letter.end", |_| String::new()), None);
    }

    #[test]
    fn a_language_is_known_by_its_primary_subtag() {
        let words = Words::read("ja", "");
        assert!(["ja", "JA", "ja-JP", "ja_JP"].iter().all(|tag| words.are_of(tag)));
        assert!(["", "jav", "en-ja"].iter().all(|tag| !words.are_of(tag)));
    }
}
