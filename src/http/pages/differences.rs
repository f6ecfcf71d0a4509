//! What is different from what somebody agreed to before, as they are shown it.

use domain::catalogue::Catalogue;
use serde_json::Value;

use crate::{
    audit::{Change, plain},
    protocol::agreed::{CLAIMS, REDIRECT, RESOURCES, SCOPE, WORDS},
};

use super::{claim, consent, language::Language, resource, shown::shown};

/// The longest value that is shown, in characters.
const MAX_VALUE: usize = 120;

/// A thing that is different.
pub(super) struct Difference {
    pub(super) member: String,
    pub(super) what: String,
    /// Empty where it was not there, or says nothing to people.
    pub(super) before: String,
    pub(super) after: String,
}

/// The differences in words.
pub(super) fn in_words(changes: Vec<Change>, catalogue: &Catalogue, language: &Language) -> Vec<Difference> {
    let told = changes.into_iter().map(|Change { member, before, after }| {
        let (before, after) = match member.as_str() {
            SCOPE => (String::new(), list(&after, |scope| consent::in_words(scope, catalogue, language))),
            CLAIMS => (String::new(), list(&after, |claim| claim::in_words(claim, language))),
            RESOURCES => (String::new(), list(&after, |identifier| resource::in_words(identifier, catalogue, language))),
            // A picture's address says nothing, and neither does a version.
            LOGO | WORDS => (String::new(), String::new()),
            _ => (shown(&plain(&before), MAX_VALUE), shown(&plain(&after), MAX_VALUE)),
        };
        Difference { what: language.say(key(&member)).to_owned(), member, before, after }
    });
    told.collect()
}

const LOGO: &str = "logo_uri";

fn key(member: &str) -> &'static str {
    match member {
        "client_name" => "difference.name",
        "client_uri" => "difference.website",
        LOGO => "difference.logo",
        "policy_uri" => "difference.policy",
        "tos_uri" => "difference.terms",
        REDIRECT => "difference.place",
        SCOPE => "difference.scope",
        CLAIMS => "difference.claims",
        RESOURCES => "difference.resources",
        _ => "difference.words",
    }
}

fn list(values: &Value, in_words: impl Fn(&str) -> String) -> String {
    let names = values.as_array().into_iter().flatten().filter_map(Value::as_str);
    names.map(in_words).collect::<Vec<_>>().join(" · ")
}
