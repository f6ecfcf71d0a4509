//! What commands read: secrets from standard input (never from the command line, which others on the machine see), and files.

use std::{
    io::{self, IsTerminal, Read},
    path::Path,
};

use console::Term;
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use super::failure::Failure;

/// No secret is longer, in bytes: whatever pipes a film into it is told so.
const MAX_SECRET: u64 = 64 * 1024;

/// Reads a secret from standard input, without the line's end. Where a person sits at it, they are asked, and what they type is not shown.
///
/// # Errors
/// That nothing comes, or no text.
pub(super) fn secret(what: &str) -> Result<SecretString, Failure> {
    let text = if io::stdin().is_terminal() { ask(what)? } else { read_all(what)? };
    let text = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if text.is_empty() {
        return Err(Failure::Usage(format!("standard input holds no {what}")));
    }
    Ok(text.into())
}

fn ask(what: &str) -> Result<String, Failure> {
    let term = Term::stderr();
    let asked = term.write_str(&format!("The {what} (it is not shown): ")).and_then(|()| term.read_secure_line());
    asked.map_err(|error| Failure::io("the terminal", &error))
}

fn read_all(what: &str) -> Result<String, Failure> {
    let mut text = String::new();
    io::stdin().take(MAX_SECRET).read_to_string(&mut text).map_err(|error| Failure::io(format_args!("the {what}"), &error))?;
    Ok(text)
}

/// Asks whether to go on; only `yes` does.
///
/// # Errors
/// That nobody is there to be asked, or the answer was another.
pub(super) fn confirm(question: &str) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(format!("{question}\nNobody is there to confirm it: say --yes if you mean it.")));
    }
    let term = Term::stderr();
    let answer = term.write_str(&format!("{question}\nType yes to go on: ")).and_then(|()| term.read_line());
    match answer.map_err(|error| Failure::io("the terminal", &error))?.trim() {
        "yes" => Ok(()),
        _ => Err(Failure::Refused("nothing was changed".to_owned())),
    }
}

/// Reads a JSON file; `-` is standard input.
///
/// # Errors
/// That it cannot be read, or is something else.
pub(super) fn json_file<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    serde_json::from_str(&text_file(path)?).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

/// Reads a file of text; `-` is standard input.
///
/// # Errors
/// That it cannot be read.
pub(super) fn text_file(path: &Path) -> Result<String, Failure> {
    let text = match path.to_str() {
        Some("-") => io::read_to_string(io::stdin()),
        Some(_) | None => std::fs::read_to_string(path),
    };
    text.map_err(|error| Failure::io(path.display(), &error))
}
