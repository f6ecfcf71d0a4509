//! A log that is nearly all in the archive: commands, programs and pages are told what they were told before, also under traffic; and where a file
//! is not what it was, whoever needs it is told which, and nobody anything else.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use grantlog::follow::transparency::Proof;
use support::{
    Cluster, Kind,
    archive::{SEGMENT, archived_server, grow_tree},
    both_stores,
    chance::numbers,
    sizes::soak,
    traffic::{History, history, issue_many},
};

use crate::{
    GRANTLOG,
    told::{Asked, Reads, Told},
};

both_stores! {
    all_that_is_asked_is_answered_as_before_it_was_archived,
    where_a_file_of_the_archive_is_not_what_it_was_nothing_wrong_is_told,
}

const EVENTS: usize = 2_000;
/// Between some tokens of the traffic and the next: whoever checks the whole log has to come to its end.
const REST: Duration = Duration::from_millis(100);

/// Commands that read the whole log, or all that is archived of it, and build or check something of it.
const CHECKS: [&[&str]; 5] = [
    &["audit", "verify-log"],
    &["log", "segments", "--verify"],
    &["projections", "verify", "--duty", "100"],
    &["projections", "verify", "--sample", "300"],
    &["projections", "rebuild", "--duty", "100"],
];

async fn begun(kind: Kind) -> (Cluster, History) {
    let cluster = Cluster::over(archived_server(kind, 0, |_| {}).await, GRANTLOG);
    let first = history(&cluster.app).await;
    issue_many(&cluster.app.app, &first.client, EVENTS).await;
    (cluster, first)
}

/// Archives all that fills segments.
async fn archive(cluster: &Cluster) {
    grow_tree(&cluster.app.app).await;
    succeeded(cluster, &["log", "archive"]);
    let last = cluster.app.app.log.segments().await.unwrap().last().unwrap().last;
    assert!(last > cluster.app.app.log.known_head() - i64::from(SEGMENT));
}

fn succeeded(cluster: &Cluster, command: &[&str]) -> Vec<u8> {
    let done = cluster.run(command);
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

async fn all_that_is_asked_is_answered_as_before_it_was_archived(kind: Kind) {
    let (cluster, first) = begun(kind).await;
    let asked = Asked::about(&cluster, &first).await;
    let before = asked.told(&cluster).await;
    assert!(before.iter().all(|told| told.answer.is_some()), "{before:?}");
    let head = cluster.app.app.log.known_head();
    let proof = succeeded(&cluster, &["audit", "prove", &head.to_string()]);
    archive(&cluster).await;
    let (node, client) = (cluster.app.another_node().await, first.client.clone());
    let traffic = tokio::spawn(async move {
        loop {
            issue_many(&node, &client, 20).await;
            tokio::time::sleep(REST).await;
        }
    });
    assert_answers(&before, &asked.told(&cluster).await);
    for check in CHECKS {
        succeeded(&cluster, check);
    }
    traffic.abort();
    assert!(traffic.await.unwrap_err().is_cancelled());
    assert!(cluster.app.app.log.head().await.unwrap() > head + 100);
    let key = cluster.app.app.transparency.verifier_key();
    let proven = [proof, succeeded(&cluster, &["audit", "prove", &head.to_string()])].map(|proof| {
        let proof: Proof = String::from_utf8(proof).unwrap().parse().unwrap();
        proof.verify(&key).unwrap().event
    });
    assert!(proven[0] == proven[1] && proven[0].position == head);
}

fn assert_answers(before: &[Told], after: &[Told]) {
    for (before, after) in before.iter().zip(after) {
        assert_eq!((&before.of, &before.answer), (&after.of, &after.answer), "{}", after.said);
    }
}

/// What becomes of a file.
#[derive(Clone, Copy, Debug)]
enum Harm {
    Changed,
    CutShort,
    Gone,
    /// Another's stands in its place.
    Exchanged,
}

impl Harm {
    fn befall(self, file: &Path, other: &Path) {
        let mut bytes = fs::read(file).unwrap();
        let middle = bytes.len() / 2;
        match self {
            Self::Changed => bytes[middle] ^= 1,
            Self::CutShort => bytes.truncate(middle),
            Self::Gone => return fs::remove_file(file).unwrap(),
            Self::Exchanged => bytes = fs::read(other).unwrap(),
        }
        fs::write(file, bytes).unwrap();
    }
}

async fn where_a_file_of_the_archive_is_not_what_it_was_nothing_wrong_is_told(kind: Kind) {
    let (cluster, first) = begun(kind).await;
    let asked = Asked::about(&cluster, &first).await;
    let before = asked.told(&cluster).await;
    succeeded(&cluster, &["audit", "prove", "1"]);
    archive(&cluster).await;
    let mut harms = vec![Harm::Changed, Harm::CutShort, Harm::Gone, Harm::Exchanged];
    numbers().shuffle(&mut harms);
    harms.truncate(if soak() { harms.len() } else { 1 });
    for harm in harms {
        let (file, other) = (segment(&cluster, 0, "jsonl.zst"), segment(&cluster, 1, "jsonl.zst"));
        let whole = fs::read(&file).unwrap();
        harm.befall(&file, &other);
        for (before, now) in before.iter().zip(asked.told(&cluster).await) {
            assert_told_nothing_wrong(before, &now, &file);
        }
        for check in CHECKS {
            let done = cluster.run(check);
            let said = String::from_utf8(done.stderr).unwrap();
            assert!(!done.status.success() && names(&said, &file), "{harm:?} {check:?}: {said}");
        }
        // What does not need it goes on.
        issue_many(&cluster.app.app, &first.client, 20).await;
        assert!(cluster.app.is_active(&first.client, &first.family.access).await);
        fs::write(&file, whole).unwrap();
        assert_answers(&before, &asked.told(&cluster).await);

        // An index only saves reading.
        let (index, other) = (segment(&cluster, 0, "streams"), segment(&cluster, 1, "streams"));
        let whole = fs::read(&index).unwrap();
        harm.befall(&index, &other);
        assert_answers(&before, &asked.told(&cluster).await);
        fs::write(&index, whole).unwrap();
    }
}

fn segment(cluster: &Cluster, number: u32, ending: &str) -> PathBuf {
    cluster.app.store.folder().join(format!("archive/{:020}.{ending}", number * SEGMENT + 1))
}

fn names(said: &str, file: &Path) -> bool {
    said.contains(&file.display().to_string())
}

/// The same as before, or nothing and the name of the file; and nothing where every event is needed.
fn assert_told_nothing_wrong(before: &Told, now: &Told, file: &Path) {
    assert!(now.reads == Reads::Some || now.answer.is_none(), "{now:?}");
    match &now.answer {
        Some(_) => assert_eq!(before.answer, now.answer, "{}", now.of),
        None => assert!(now.of.starts_with('/') || names(&now.said, file), "{now:?}"),
    }
}
