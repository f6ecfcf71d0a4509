//! The consumer is killed again and again while the log grows: the file is the log all the same, each message once; and where it cannot be
//! that any more, it says so.
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

both_stores!(
    a_killed_consumer_has_left_out_nothing_and_written_nothing_twice,
    a_file_that_was_lost_is_written_anew,
    messages_that_are_gone_before_they_were_written_are_told,
);

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

/// A server that relays; the stream keeps messages for so many seconds, for ever if 0.
async fn relaying(kind: Kind, nats: &NatsServer, max_age: u64) -> TestApp {
    let url = nats.url();
    let app = TestApp::start_in_real_time(kind, |settings| {
        settings.relay.url = url.into();
        settings.relay.max_age = max_age;
    })
    .await;
    tokio::spawn(Relay::new(app.app.clone()).run());
    app
}

async fn a_killed_consumer_has_left_out_nothing_and_written_nothing_twice(kind: Kind) {
    let nats = NatsServer::start();
    let app = relaying(kind, &nats, 0).await;
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
    let app = relaying(kind, &nats, 0).await;
    let file = app.store.folder().join("audit.jsonl");
    history(&app).await;
    let consumer = Consumer::start(&nats, &file);
    let digest = assert_becomes_the_log(&app, &file).await;
    consumer.stop();
    fs::remove_file(&file).unwrap();
    let _consumer = Consumer::start(&nats, &file);
    assert_eq!(assert_becomes_the_log(&app, &file).await, digest);
}

async fn messages_that_are_gone_before_they_were_written_are_told(kind: Kind) {
    let nats = NatsServer::start();
    let app = relaying(kind, &nats, 10).await;
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("audit.jsonl");
    let consumer = Consumer::start(&nats, &file);
    let begun = Instant::now();
    while fs::read_to_string(&file).unwrap_or_default().is_empty() {
        assert!(begun.elapsed() < PATIENCE, "nothing is written");
        app.ordinary_client().await;
    }
    consumer.stop();
    history(&app).await;
    let head = u64::try_from(app.app.log.head().await.unwrap()).unwrap();
    let jetstream = async_nats::jetstream::new(async_nats::connect(nats.url()).await.unwrap());
    let mut stream = jetstream.get_stream("GRANTLOG").await.unwrap();
    while stream.info().await.unwrap().state.first_sequence <= head {
        assert!(begun.elapsed() < PATIENCE, "the stream forgets nothing");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let kept = fs::read_to_string(&file).unwrap();
    let coming = tokio::spawn(async move {
        loop {
            app.ordinary_client().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let (url, path) = (nats.url(), file.clone());
    let following = move || Command::new(PROGRAM).arg("follow").arg(path).env("NATS_URL", url).output().unwrap();
    let done = tokio::task::spawn_blocking(following).await.unwrap();
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(!done.status.success() && told.contains("are gone before they could be written"), "{told}");
    assert_eq!(fs::read_to_string(&file).unwrap(), kept);
    coming.abort();
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
