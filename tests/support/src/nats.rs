//! A private nats-server with JetStream, which a test can stop, start again and rob of its data.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::free_port;

/// The nats-server on the path.
const PROGRAM: &str = "nats-server";
/// Names a newer nats-server, for what older ones cannot do.
const NEWER: &str = "GRANTLOG_TEST_NATS_SERVER";
/// The longest that it takes to start.
const START: Duration = Duration::from_secs(60);

/// A nats-server, ended with its test.
pub struct NatsServer {
    program: String,
    port: u16,
    folder: TempDir,
    running: Option<Child>,
}

impl NatsServer {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// Starts one with more lines in its configuration.
    ///
    /// # Panics
    /// Where it does not start.
    #[must_use]
    pub fn start_with(configuration: &str) -> Self {
        Self::start_program(PROGRAM.to_owned(), configuration)
    }

    /// Starts a newer one, where the environment names one (`GRANTLOG_TEST_NATS_SERVER`).
    #[must_use]
    pub fn start_newer() -> Option<Self> {
        std::env::var(NEWER).ok().map(|program| Self::start_program(program, ""))
    }

    fn start_program(program: String, configuration: &str) -> Self {
        let folder = TempDir::new().expect("a folder can be made");
        let port = free_port();
        let data = folder.path().join("data");
        let basics = format!("listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{}\" }}\n", data.display());
        fs::write(folder.path().join("nats.conf"), basics + configuration).expect("a file can be written");
        let mut server = Self { program, port, folder, running: None };
        server.start_again();
        server
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The folder of its data.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder for what else belongs to it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts it over the data it had.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start_again(&mut self) {
        let log = fs::File::create(self.folder.path().join("log")).expect("a file can be made");
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(self.folder.path().join("nats.conf")).stdout(Stdio::null()).stderr(log);
        self.running = Some(command.spawn().expect("nats-server can be started"));
        let deadline = Instant::now() + START;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "nats-server does not start: {}", log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it, as a machine does that loses its power.
    ///
    /// # Panics
    /// Where it does not run.
    pub fn kill(&mut self) {
        let mut running = self.running.take().expect("it runs");
        running.kill().expect("it runs");
        running.wait().expect("it ends");
    }

    /// Ends it, and takes its data.
    ///
    /// # Panics
    /// Where it does not run.
    pub fn wipe(&mut self) {
        self.kill();
        fs::remove_dir_all(self.data()).expect("it had data");
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            drop(running.kill());
            drop(running.wait());
        }
    }
}
