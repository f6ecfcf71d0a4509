//! Servers as processes over one store, and beside them a node in this process, through which a test commands.

use std::{
    net::{Ipv4Addr, SocketAddr},
    process::{Command, Output},
};

use crate::{Kind, ServerProcess, TestApp, free_port};
use secrecy::ExposeSecret;

/// The store and its node in this process.
pub struct Cluster {
    pub app: TestApp,
    program: &'static str,
}

/// A server and where it listens.
pub struct Node {
    pub process: ServerProcess,
    pub address: SocketAddr,
}

impl Cluster {
    /// Takes the path of the program. All go by the system's clock.
    pub async fn new(kind: Kind, program: &'static str) -> Self {
        Self::over(TestApp::start_in_real_time(kind, |_| {}).await, program)
    }

    /// As `new`, over the store of a node that is there already.
    ///
    /// # Panics
    /// Where the machine lets a test write no file.
    #[must_use]
    pub fn over(app: TestApp, program: &'static str) -> Self {
        std::fs::create_dir_all(app.store.folder().join("data")).expect("the machine lets a test do this");
        std::fs::write(app.store.folder().join("data/master.key"), app.master_key().expose_secret())
            .expect("the machine lets a test do this");
        Self { app, program }
    }

    /// The program over this store. Its issuer is the one of the node in this process.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        command.args(arguments).current_dir(self.app.store.folder()).env_remove("GRANTLOG_CONFIG");
        command.env("DATABASE_URL", &self.app.store.settings.url).env("GRANTLOG_SERVER__PUBLIC_URL", self.app.url(""));
        if let Some(archive) = &self.app.store.settings.archive {
            command.env("GRANTLOG_ARCHIVE__FOLDER", &archive.folder);
            command.env("GRANTLOG_ARCHIVE__AFTER_EVENTS", archive.after_events.to_string());
            command.env("GRANTLOG_ARCHIVE__SEGMENT_EVENTS", archive.segment_events.to_string());
        }
        command
    }

    /// Starts a server on a free port.
    #[must_use]
    pub fn start(&self) -> Node {
        self.start_with(&[])
    }

    /// Starts a server with variables in its environment.
    #[must_use]
    pub fn start_with(&self, variables: &[(&str, &str)]) -> Node {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let mut command = self.command(&["serve", "--dev"]);
        command.env("GRANTLOG_SERVER__LISTEN", address.to_string()).envs(variables.iter().copied());
        Node { process: ServerProcess::start(&mut command), address }
    }

    /// Runs a command to its end.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the machine lets a test do this")
    }
}
