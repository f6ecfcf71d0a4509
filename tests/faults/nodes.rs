//! Servers as processes over one store, and beside them a node in this process, through which a test commands.

use std::{
    net::{SocketAddr, TcpListener},
    process::{Command, Output},
};

use secrecy::ExposeSecret;
use support::{Kind, ServerProcess, TestApp};

/// The store and its node in this process.
pub(crate) struct Cluster {
    pub(crate) app: TestApp,
}

/// A server and where it listens.
pub(crate) struct Node {
    pub(crate) process: ServerProcess,
    pub(crate) address: SocketAddr,
}

impl Cluster {
    pub(crate) async fn new(kind: Kind) -> Self {
        let app = TestApp::start(kind).await;
        std::fs::create_dir_all(app.store.folder().join("data")).unwrap();
        std::fs::write(app.store.folder().join("data/master.key"), app.master_key().expose_secret()).unwrap();
        Self { app }
    }

    /// The program over this store. Its issuer is the one of the node in this process.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_grantlog"));
        command.args(arguments).current_dir(self.app.store.folder()).env_remove("GRANTLOG_CONFIG");
        command.env("DATABASE_URL", &self.app.store.settings.url).env("GRANTLOG_SERVER__PUBLIC_URL", self.app.url(""));
        command
    }

    /// Starts a server on a free port.
    pub(crate) fn start(&self) -> Node {
        self.start_with(&[])
    }

    /// Starts a server with variables in its environment.
    pub(crate) fn start_with(&self, variables: &[(&str, &str)]) -> Node {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = self.command(&["serve", "--dev"]);
        command.env("GRANTLOG_SERVER__LISTEN", address.to_string()).envs(variables.iter().copied());
        Node { process: ServerProcess::start(&mut command), address }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}
