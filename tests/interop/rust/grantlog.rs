//! The running server that the tests are given, and the command line beside it.

use std::{
    env,
    io::Write,
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

/// A registered client.
pub(crate) struct Registered {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// A person who can sign in.
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) password: String,
}

/// The server's address, without a slash at its end.
pub(crate) fn url() -> String {
    variable("GRANTLOG_TEST_URL")
}

/// Registers a client with these flags of `grantlog client register`.
pub(crate) fn register(flags: &[&str]) -> Registered {
    let told = run(&[&["client", "register"], flags].concat(), "");
    let text = |member: &str| told[member].as_str().expect("the registration tells it").to_owned();
    Registered { id: text("client_id"), secret: text("client_secret") }
}

pub(crate) fn new_user() -> User {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_nanos();
    let user =
        User { name: format!("user-{now}-{}", MADE.fetch_add(1, Ordering::Relaxed)), password: format!("a password of {now}") };
    run(&["user", "create", "--username", &user.name, "--password-stdin"], &user.password);
    user
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} must be set: `scripts/test interop` does, and starts the server"))
}

/// Runs a command and reads the JSON that it prints; `typed` goes to its standard input.
fn run(words: &[&str], typed: &str) -> Value {
    let mut command = Command::new(variable("GRANTLOG_TEST_CLI"));
    command.args(words).arg("--json").current_dir(variable("GRANTLOG_TEST_HOME"));
    let mut process =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    process.stdin.take().expect("it was asked for").write_all(typed.as_bytes()).expect("it reads");
    let done = process.wait_with_output().expect("it ends");
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).expect("it prints JSON")
}
