//! A resource as people are shown it: its name from the catalogue, and its URI beside.

use domain::catalogue::Catalogue;

use super::{language::Language, shown::shown};

/// The longest name and URI that are shown, in characters.
const MAX: usize = 200;

/// What is shown.
pub(super) struct ResourceView {
    /// `None` where the catalogue has no words for it.
    pub(super) name: Option<String>,
    pub(super) identifier: String,
}

impl ResourceView {
    /// Of each of these, in their order.
    pub(super) fn all(identifiers: &[String], catalogue: &Catalogue, language: &Language) -> Vec<Self> {
        identifiers.iter().map(|identifier| Self::new(identifier, catalogue, language)).collect()
    }

    fn new(identifier: &str, catalogue: &Catalogue, language: &Language) -> Self {
        let name = catalogue.resource(identifier).and_then(|entry| language.pick(&entry.names));
        Self { name: name.map(|name| shown(name, MAX)), identifier: shown(identifier, MAX) }
    }
}

/// In one line.
pub(super) fn in_words(identifier: &str, catalogue: &Catalogue, language: &Language) -> String {
    match ResourceView::new(identifier, catalogue, language) {
        ResourceView { name: Some(name), identifier } => format!("{name} ({identifier})"),
        ResourceView { name: None, identifier } => identifier,
    }
}
