//! The names of claims that applications ask to know one by one, as people read them.

use super::{language::Language, shown::shown};

/// The longest name of a claim that is shown, in characters.
const MAX_NAME: usize = 60;

/// The standard claims (OpenID Connect Core section 5.1), and the keys of their words.
const WORDS: [(&str, &str); 19] = [
    ("address", "claim.address"),
    ("birthdate", "claim.birthdate"),
    ("email", "claim.email"),
    ("email_verified", "claim.email_verified"),
    ("family_name", "claim.family_name"),
    ("gender", "claim.gender"),
    ("given_name", "claim.given_name"),
    ("locale", "claim.locale"),
    ("middle_name", "claim.middle_name"),
    ("name", "claim.name"),
    ("nickname", "claim.nickname"),
    ("phone_number", "claim.phone_number"),
    ("phone_number_verified", "claim.phone_number_verified"),
    ("picture", "claim.picture"),
    ("preferred_username", "claim.preferred_username"),
    ("profile", "claim.profile"),
    ("updated_at", "claim.updated_at"),
    ("website", "claim.website"),
    ("zoneinfo", "claim.zoneinfo"),
];

/// What a claim tells; with the language, where it is asked for in one.
pub(super) fn in_words(claim: &str, language: &Language) -> String {
    let (name, tag) = claim.split_once('#').map_or((claim, None), |(name, tag)| (name, Some(tag)));
    let words = WORDS.iter().find(|(own, _)| *own == name).map_or(name, |(_, key)| language.say(key));
    match tag {
        Some(tag) => shown(&format!("{words} ({tag})"), MAX_NAME),
        None => shown(words, MAX_NAME),
    }
}
