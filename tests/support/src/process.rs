//! A running `grantlog serve`, or another server, as a process of its own.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// The longest that a test waits for a line in its log.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server, ended with its test.
pub struct ServerProcess {
    child: Child,
    /// What it printed until it served.
    pub printed: Vec<String>,
    pub url: String,
    log: Arc<Mutex<String>>,
}

impl ServerProcess {
    /// Starts the command, and waits until it serves.
    ///
    /// # Panics
    /// With what it says, where it ends instead.
    pub fn start(command: &mut Command) -> Self {
        Self::start_another(command, "grantlog serves ")
    }

    /// As `start`, for another program, which says where it serves behind a greeting of its own.
    ///
    /// # Panics
    /// As `start`.
    pub fn start_another(command: &mut Command, greeting: &str) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program can be started");
        let output = child.stdout.take().expect("its output is piped");
        let mut lines = BufReader::new(output).lines().map(|line| line.expect("it prints text"));
        let mut printed = Vec::new();
        let url = loop {
            let Some(line) = lines.next() else {
                let output = child.wait_with_output().expect("it has ended");
                panic!("it does not serve: {}", String::from_utf8_lossy(&output.stderr));
            };
            if let Some(rest) = line.strip_prefix(greeting) {
                break rest.split(',').next().expect("a line has a first part").to_owned();
            }
            printed.push(line);
        };
        // Whoever stops reading would stop the server's printing.
        thread::spawn(move || lines.for_each(drop));
        let errors = BufReader::new(child.stderr.take().expect("its errors are piped"));
        let log = Arc::new(Mutex::new(String::new()));
        let kept = log.clone();
        thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                let mut log = kept.lock().expect("nobody panics with it");
                log.push_str(&line);
                log.push('\n');
            }
        });
        Self { child, printed, url, log }
    }

    /// The printed lines that begin with `curl`.
    #[must_use]
    pub fn curl_lines(&self) -> Vec<&str> {
        self.printed.iter().map(String::as_str).filter(|line| line.starts_with("curl ")).collect()
    }

    /// What it has logged so far.
    ///
    /// # Panics
    /// Where its reader has panicked.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.lock().expect("nobody panics with it").clone()
    }

    /// Waits until it has logged a line with all of these in it.
    ///
    /// # Panics
    /// Where it does not, with what it logged instead.
    pub fn has_logged(&self, wanted: &[&str]) {
        let deadline = Instant::now() + PATIENCE;
        while !self.log().lines().any(|line| wanted.iter().all(|part| line.contains(part))) {
            assert!(Instant::now() < deadline, "it does not say {wanted:?}: {}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks it to stop (SIGTERM), and gives its exit code.
    ///
    /// # Panics
    /// Where it was killed.
    pub fn terminate(mut self) -> i32 {
        self.signal("TERM");
        self.child.wait().expect("it ends").code().expect("it ends by itself")
    }

    /// Holds it in the middle of whatever it does (SIGSTOP), until it may go on.
    pub fn hold(&self) {
        self.signal("STOP");
    }

    /// Lets it go on (SIGCONT).
    pub fn go_on(&self) {
        self.signal("CONT");
    }

    /// Lets it read its certificates again (SIGHUP).
    pub fn hang_up(&self) {
        self.signal("HUP");
    }

    fn signal(&self, name: &str) {
        let kill = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().expect("kill can be run");
        assert!(kill.success());
    }

    /// Ends it at once (SIGKILL): it learns nothing of it.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
