//! The consumer is killed again and again while the log grows: the file is the log all the same, each message once.
#![cfg(test)]

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use grantlog::{follow::relay::Relay, log::StoredEvent};
use serde_json::Value;
use support::{
    Kind, NatsServer, TestApp, both_stores,
    sizes::kills,
    traffic::{all_events, history, issue_many},
};

both_stores!(a_killed_consumer_has_left_out_nothing_and_written_nothing_twice, a_file_that_was_lost_is_written_anew);

/// The program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_audit_consumer");
/// Tokens issued around each kill.
const TOKENS: usize = 600;
/// The longest that it may be behind, once nothing more happens.
const PATIENCE: Duration = Duration::from_secs(90);

/// The consumer while it runs.
struct Consumer(Child);

impl Consumer {
    fn start(nats: &NatsServer, file: &Path) -> Self {
        let mut command = Command::new(PROGRAM);
        command.arg("follow").arg(file).env("NATS_URL", nats.url()).stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Asks it to stop: then it has written what it says.
    fn stop(mut self) {
        assert!(Command::new("kill").arg(self.0.id().to_string()).status().unwrap().success());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

async fn relaying(kind: Kind, nats: &NatsServer) -> TestApp {
    let url = nats.url();
    let app = TestApp::start_with(kind, |settings| settings.relay.url = url.into()).await;
    tokio::spawn(Relay::new(app.app.clone()).run());
    app
}

async fn a_killed_consumer_has_left_out_nothing_and_written_nothing_twice(kind: Kind) {
    let nats = NatsServer::start();
    let app = relaying(kind, &nats).await;
    let file = app.store.folder().join("audit.jsonl");
    let client = app.ordinary_client().await;
    for kill in 0..kills() {
        let consumer = Consumer::start(&nats, &file);
        let issuing = issue_many(&app.app, &client, TOKENS);
        let killing = async {
            // It takes a moment to begin; where among its writes it is killed changes from one time to the next.
            tokio::time::sleep(Duration::from_millis(150 + 37 * (kill as u64 % 29))).await;
            consumer.kill();
        };
        tokio::join!(issuing, killing);
    }
    history(&app).await;
    let consumer = Consumer::start(&nats, &file);
    assert_becomes_the_log(&app, &file).await;
    consumer.stop();
}

async fn a_file_that_was_lost_is_written_anew(kind: Kind) {
    let nats = NatsServer::start();
    let app = relaying(kind, &nats).await;
    let file = app.store.folder().join("audit.jsonl");
    history(&app).await;
    let consumer = Consumer::start(&nats, &file);
    let digest = assert_becomes_the_log(&app, &file).await;
    consumer.stop();
    fs::remove_file(&file).unwrap();
    let _consumer = Consumer::start(&nats, &file);
    assert_eq!(assert_becomes_the_log(&app, &file).await, digest);
}

/// Waits until the file has all of the log, compares them, and gives the digest that the program tells.
async fn assert_becomes_the_log(app: &TestApp, file: &Path) -> String {
    let events = all_events(&app.app.log).await;
    let begun = Instant::now();
    let lines = loop {
        let text = fs::read_to_string(file).unwrap_or_default();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if lines.len() >= events.len() && text.ends_with('\n') {
            break lines;
        }
        assert!(begun.elapsed() < PATIENCE, "{} lines of {}", lines.len(), events.len());
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(lines.len(), events.len());
    for (line, event) in lines.iter().zip(&events) {
        assert_tells_of(line, event);
    }
    let checked = Command::new(PROGRAM).arg("check").arg(file).output().unwrap();
    let told = String::from_utf8(checked.stdout).unwrap();
    assert!(told.starts_with(&format!("positions 1 to {}, none missing, none twice\n", events.len())), "{told}");
    told
}

fn assert_tells_of(line: &str, event: &StoredEvent) {
    let line: Value = serde_json::from_str(line).unwrap();
    let (subject, message) = (line["subject"].as_str().unwrap(), &line["message"]);
    assert_eq!(message["position"], event.position.to_string());
    assert!(subject.ends_with(&format!("{}.{}", event.event_type, event.aggregate_id)), "{subject}");
    assert_eq!(message["subject"], format!("{}-{}", event.aggregate_type, event.aggregate_id));
}
