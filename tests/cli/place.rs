//! A folder in which the program runs, with a store that nobody else uses.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use grantlog::{
    log::{Log, LogSettings},
    vault::MasterKey,
};
use projections::on_db;
use secrecy::ExposeSecret;
use serde_json::Value;
use support::{Kind, ServerProcess, Store};

/// Where the program runs.
pub(crate) struct Place {
    pub(crate) store: Store,
    kind: Kind,
}

/// What came of a command.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    /// A folder with nothing in it: not even a store on SQLite, an empty database on PostgreSQL.
    pub(crate) async fn empty(kind: Kind) -> Self {
        Self { store: Store::unmigrated(kind).await, kind }
    }

    /// A folder with a migrated store and a master key.
    pub(crate) async fn ready(kind: Kind) -> Self {
        let place = Self::empty(kind).await;
        std::fs::create_dir(place.path("data")).unwrap();
        place.run(&["migrate"]).succeeded();
        std::fs::write(place.path("data/master.key"), MasterKey::generate().expose_secret()).unwrap();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.store.folder().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn json_file(&self, name: &str) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        Path::exists(&self.path(name))
    }

    /// The program in this folder. It finds an SQLite store by itself.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_grantlog"));
        command.args(arguments).current_dir(self.store.folder()).stdin(Stdio::null());
        command.env_remove("DATABASE_URL").env_remove("GRANTLOG_CONFIG");
        match self.kind {
            Kind::Sqlite => {}
            Kind::Postgres => drop(command.env("DATABASE_URL", &self.store.settings.url)),
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs a command that reads this from standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Done {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap().into()
    }

    /// Starts `serve --dev` on a free port, and waits until it serves.
    pub(crate) fn serve(&self) -> ServerProcess {
        self.serve_with(&[])
    }

    /// As `serve`, with more settings in the environment.
    pub(crate) fn serve_with(&self, settings: &[(&str, &str)]) -> ServerProcess {
        let mut command = self.command(&["serve", "--dev"]);
        ServerProcess::start(command.env("GRANTLOG_SERVER__LISTEN", "127.0.0.1:0").envs(settings.iter().copied()))
    }

    /// Changes something in the store behind the program's back.
    pub(crate) async fn execute(&self, sql: &str) {
        let url = match self.kind {
            Kind::Sqlite => format!("sqlite://{}", self.path("data/grantlog.db").display()),
            Kind::Postgres => self.store.settings.url.clone(),
        };
        let log = Log::open(&LogSettings { url, ..self.store.settings.clone() }).await.unwrap();
        on_db!(log.db(), pool => { sqlx::raw_sql(sql).execute(pool).await.unwrap(); });
    }

    /// Runs a command with `--json` and reads its answer.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).json()
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Done {
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self
    }

    /// It failed with this exit code and said this.
    #[track_caller]
    pub(crate) fn failed(self, code: i32, said: &str) -> Self {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        assert!(self.err.contains(said), "`{said}` is not said in: {}", self.err);
        assert!(self.err.starts_with("error: ") || code == 2 || code == 5, "{}", self.err);
        self
    }

    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let done = self.succeeded();
        serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {}", done.out))
    }

    /// The lines of an answer that is one JSON object a line.
    #[track_caller]
    pub(crate) fn json_lines(self) -> Vec<Value> {
        self.succeeded().out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
