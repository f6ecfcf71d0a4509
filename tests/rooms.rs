//! Every room knows only what is its business: this reads the sources and holds them to ARCHITECTURE.md's table of rooms.
#![cfg(test)]

use std::{fmt::Write, fs, path::Path};

/// Names of crates or functions, and the only rooms (path prefixes) that may know them.
struct Rule {
    names: &'static [&'static str],
    rooms: &'static [&'static str],
    because: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        names: &["sqlx", "postgres_es", "sqlite_es", "tokio_postgres", "rusqlite"],
        rooms: &["src/log/", "src/vault/", "src/ephemeral/", "src/follow/", "projections/"],
        because: "SQL stands with the log, the vault, the ephemeral rows, the followers' checkpoints and the projections",
    },
    Rule {
        names: &["axum", "hyper", "hyper_util", "tower"],
        rooms: &["src/http/"],
        because: "everything behind src/http works without an HTTP server",
    },
    Rule { names: &["askama"], rooms: &["src/http/", "src/mail/"], because: "pages and mails are made at the edge" },
    Rule { names: &["lettre"], rooms: &["src/mail/"], because: "one place knows how a mail is made and sent" },
    Rule {
        names: &["tlog_tiles", "signed_note"],
        rooms: &["src/follow/transparency/"],
        because: "one room knows how the tree is made and signed",
    },
    Rule {
        names: &["reqwest"],
        rooms: &["src/fetch.rs", "src/fetch/"],
        because: "one place asks others over HTTP, within bounds",
    },
    Rule { names: &["tokio_rustls"], rooms: &["src/http/"], because: "connections are accepted in one place" },
    Rule {
        names: &["x509_cert"],
        rooms: &["domain/src/client/", "src/protocol/client_certificate.rs", "src/tls/"],
        because: "what a certificate says is read where it is judged",
    },
    Rule { names: &["webauthn_rs"], rooms: &["src/passkeys/"], because: "one room knows how passkeys are checked" },
    Rule { names: &["async_nats"], rooms: &["src/follow/relay"], because: "the relay alone knows the broker" },
    Rule {
        names: &["clap", "indicatif", "comfy_table"],
        rooms: &["src/cli/", "src/main.rs"],
        because: "the command line is one way in of several",
    },
    Rule {
        names: &["now_utc", "now_local", "SystemTime"],
        rooms: &["src/clock.rs"],
        because: "the wall clock is injected, so that tests can set it",
    },
];

/// What the rules of `domain` must not know, or a decision could not be repeated from its events alone.
const IMPURE: &[&str] = &["tokio", "rand", "getrandom", "Instant", "now_v4", "now_v7", "new_v4"];

/// Parts of the standard library that do I/O.
const IMPURE_PATHS: &[&str] = &["std::fs", "std::env", "std::net", "std::io", "std::process", "std::thread"];

const AGGREGATES: &[&str] =
    &["audit", "client", "user", "session", "consent", "grant", "key_set", "catalogue", "invitation", "device_authorization"];

/// Upper-case words that begin a statement of SQL inside a string.
const STATEMENTS: &[&str] = &["SELECT ", "INSERT INTO ", "DELETE FROM ", "CREATE TABLE ", "ALTER TABLE ", "BEGIN IMMEDIATE"];

struct Source {
    path: String,
    text: String,
}

impl Source {
    /// Its lines of code, numbered from one, without comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.text.lines().enumerate();
        numbered.map(|(index, line)| (index + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    fn stands_in(&self, rooms: &[&str]) -> bool {
        rooms.iter().any(|room| self.path.starts_with(room))
    }
}

/// Whether the line of code names `word` as a whole path segment: `use word`, `word::x`, `x::word`.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        let part_of_a_word = |c: char| c.is_alphanumeric() || c == '_';
        let whole = !before.ends_with(part_of_a_word) && !after.starts_with(part_of_a_word);
        whole && (after.starts_with("::") || before.ends_with("::") || before.trim_start().starts_with("use "))
    })
}

fn sources(folders: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    for folder in folders {
        collect(Path::new(env!("CARGO_MANIFEST_DIR")), Path::new(folder), &mut found);
    }
    assert!(!found.is_empty(), "no source was found in {folders:?}");
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let path = folder.join(entry.unwrap().file_name());
        if root.join(&path).is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(root.join(&path)).unwrap();
            found.push(Source { path: path.to_str().unwrap().to_owned(), text });
        }
    }
}

fn none(faults: &[String]) {
    let list = faults.iter().fold(String::new(), |mut list, fault| {
        writeln!(list, "  {fault}").unwrap();
        list
    });
    assert!(faults.is_empty(), "{} line(s) in the wrong room:\n{list}", faults.len());
}

#[test]
fn what_a_room_may_know_is_known_in_no_other() {
    let mut faults = Vec::new();
    for source in sources(&["src", "domain/src", "projections/src"]) {
        for rule in RULES.iter().filter(|rule| !source.stands_in(rule.rooms)) {
            for (number, line) in source.code() {
                for name in rule.names.iter().filter(|name| names(line, name)) {
                    let Rule { rooms, because, .. } = rule;
                    faults.push(format!("{}:{number} knows {name}, which only {} may: {because}", source.path, rooms.join(", ")));
                }
            }
        }
    }
    none(&faults);
}

#[test]
fn no_statement_of_sql_stands_outside_the_rooms_of_sql() {
    let mut faults = Vec::new();
    for source in sources(&["src", "domain/src"]).iter().filter(|source| !source.stands_in(RULES[0].rooms)) {
        for (number, line) in source.code() {
            for statement in STATEMENTS.iter().filter(|statement| line.contains(*statement)) {
                faults.push(format!("{}:{number} says `{}`: {}", source.path, statement.trim_end(), RULES[0].because));
            }
        }
    }
    none(&faults);
}

#[test]
fn the_rules_know_no_clock_no_chance_and_no_io() {
    let mut faults = Vec::new();
    for source in sources(&["domain/src"]) {
        for (number, line) in source.code() {
            let impure = IMPURE.iter().filter(|name| names(line, name));
            for name in impure.chain(IMPURE_PATHS.iter().filter(|path| line.contains(*path))) {
                faults.push(format!("{}:{number} knows {name}: time, ids and chance arrive in the command", source.path));
            }
        }
    }
    none(&faults);
}

#[test]
fn no_aggregate_imports_another() {
    let mut faults = Vec::new();
    for source in sources(&["domain/src"]) {
        let Some(own) = AGGREGATES.iter().find(|own| source.path.starts_with(&format!("domain/src/{own}/"))) else { continue };
        for (number, line) in source.code().filter(|(_, line)| line.trim_start().starts_with("use ")) {
            for other in AGGREGATES.iter().filter(|other| *other != own && line.contains(&format!("crate::{other}::"))) {
                faults.push(format!("{}:{number}: {own} imports {other}; dispatch puts the fact into the command", source.path));
            }
        }
    }
    none(&faults);
}

#[test]
fn every_file_says_in_its_first_line_what_it_is() {
    let mut faults = Vec::new();
    for source in
        sources(&["src", "tests", "domain/src", "domain/tests", "projections/src", "projections/tests", "clients", "examples"])
    {
        if !source.text.starts_with("//! ") {
            faults.push(format!("{}:1 does not begin with `//! ` and a sentence", source.path));
        }
    }
    none(&faults);
}

#[test]
fn a_name_is_seen_in_a_path_and_in_a_use_and_not_inside_another_word() {
    let seen = [
        ("use sqlx::Error;", "sqlx"),
        ("use sqlx;", "sqlx"),
        ("    let pool: sqlx::PgPool = pool;", "sqlx"),
        ("use std::time::{Duration, SystemTime};", "SystemTime"),
        ("let now = time::SystemTime::now();", "SystemTime"),
    ];
    for (line, word) in seen {
        assert!(names(line, word), "{line}");
    }
    for line in ["let sqlx_like = 1;", "use mysqlx::Error;", "say(\"sqlx\")"] {
        assert!(!names(line, "sqlx"), "{line}");
    }
}
