//! Files of words in TOML: what is said, by section and key.

use std::collections::BTreeMap;

/// The words of a file by `section.key`. It is part of the program: what cannot be read is a defect.
pub(crate) fn read(file: &str) -> BTreeMap<String, String> {
    let sections: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(file).expect("a file of words is TOML");
    let of_section =
        |(section, words): (String, BTreeMap<_, _>)| words.into_iter().map(move |(key, text)| (format!("{section}.{key}"), text));
    sections.into_iter().flat_map(of_section).collect()
}
