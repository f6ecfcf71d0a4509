//! What both imports share: many entries at a time, each whole or not at all, and a report of each.

use std::{collections::HashSet, future::Future};

use futures_util::{StreamExt, stream};
use serde_json::{Map, Value};

use super::{
    failure::Failure,
    output::{Format, List},
    progress::Progress,
};

/// Entries under way at a time: enough to share the log's commits.
const AT_A_TIME: usize = 32;

/// What became of an entry.
pub(super) struct Imported {
    /// What it is called, to find it in the file.
    pub(super) name: String,
    pub(super) outcome: Result<Accepted, String>,
}

/// An entry that was imported.
pub(super) struct Accepted {
    /// What its report has for programs.
    pub(super) members: Map<String, Value>,
    /// What people must know of it besides.
    pub(super) said: String,
}

/// Whether a text is a digest and no secret in plain: no secret that anybody chose begins like one.
pub(super) fn is_digest(text: &str) -> bool {
    const SCHEMES: [&str; 9] = ["$argon2", "$2a$", "$2b$", "$2y$", "$pbkdf2", "$scrypt$", "$5$", "$6$", "pbkdf2_"];
    SCHEMES.iter().any(|scheme| text.starts_with(scheme))
}

/// What is imported, in words.
pub(super) struct What {
    /// For example `users`.
    pub(super) plural: &'static str,
    /// The member of an entry that no other may share: of several, the first counts.
    pub(super) unique: &'static str,
    /// The text by which two of these are the same.
    pub(super) normal: fn(&str) -> String,
    /// The member of the report that people need to see.
    pub(super) shown: &'static str,
}

/// Imports every entry and reports each.
///
/// # Errors
/// That the store does not answer, or some entries were refused.
pub(super) async fn import<F>(
    what: What,
    format: Format,
    entries: Vec<Value>,
    one: impl Fn(Map<String, Value>) -> F,
) -> Result<(), Failure>
where
    F: Future<Output = Result<Imported, Failure>>,
{
    let all = entries.len();
    let mut progress = Progress::of(what.plural);
    let mut seen = HashSet::new();
    let started = entries.into_iter().map(|entry| {
        let unique = entry.get(what.unique).and_then(Value::as_str).map(what.normal);
        let is_first = unique.is_none_or(|text| seen.insert(text));
        import_one(is_first.then_some(entry).ok_or(what.unique), &one)
    });
    let mut running = stream::iter(started).buffered(AT_A_TIME);
    let mut list = List::begin(format, &["#", "name", what.shown, "outcome"]);
    let (mut done, mut refused) = (0, 0);
    while let Some(imported) = running.next().await {
        let Imported { name, outcome } = imported?;
        let mut element = Map::new();
        element.insert("index".to_owned(), done.into());
        let (value, said) = match outcome {
            Ok(Accepted { members, said }) => {
                let value = members.get(what.shown).and_then(Value::as_str).unwrap_or_default().to_owned();
                element.insert("imported".to_owned(), true.into());
                element.extend(members);
                (value, format!("imported{said}"))
            }
            Err(why) => {
                refused += 1;
                element.insert("imported".to_owned(), false.into());
                element.insert("name".to_owned(), name.clone().into());
                element.insert("error".to_owned(), why.clone().into());
                (String::new(), format!("refused: {why}"))
            }
        };
        list.add(vec![done.to_string(), name, value, said], &Value::Object(element))?;
        done += 1;
        progress.at(done, all as u64);
    }
    drop(progress);
    list.end("The file holds no entries.")?;
    match refused {
        0 => Ok(()),
        refused => Err(Failure::Partial(format!("{refused} of {all} {} were refused, the others are imported", what.plural))),
    }
}

/// Imports an entry, if it is the first with its name.
async fn import_one<F>(entry: Result<Value, &'static str>, one: &impl Fn(Map<String, Value>) -> F) -> Result<Imported, Failure>
where
    F: Future<Output = Result<Imported, Failure>>,
{
    let refused = |why: String| Ok(Imported { name: String::new(), outcome: Err(why) });
    match entry {
        Ok(Value::Object(members)) => one(members).await,
        Ok(_) => refused("it is no object".to_owned()),
        Err(unique) => refused(format!("an entry before it has the same {unique}")),
    }
}

/// Takes a text out of an entry.
///
/// # Errors
/// That the member is something else.
pub(super) fn take_text(entry: &mut Map<String, Value>, member: &str) -> Result<Option<String>, String> {
    match entry.remove(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{member} must be a string")),
    }
}
