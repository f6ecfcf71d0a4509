//! `transparency.witness`: a server that has its checkpoints cosigned, and proofs that say so.

use std::time::Duration;

use support::{Kind, ServerProcess, Witness, both_stores};

use crate::place::Place;

both_stores! {
    a_proof_says_who_saw_the_log,
    a_witness_that_is_away_or_saw_another_log_is_told,
}

/// Gets a text from a server.
async fn get(url: &str, path: &str) -> String {
    reqwest::get(format!("{url}{path}")).await.unwrap().text().await.unwrap()
}

/// Waits until a server's metrics have a line.
async fn told(url: &str, wanted: &str) {
    while !get(url, "/metrics").await.lines().any(|line| line == wanted) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A witness of the log in a place.
async fn witness_of(place: &Place) -> Witness {
    let server = place.serve();
    let witness = Witness::start("near.example/w", &get(&server.url, "/transparency/key").await).await;
    server.terminate();
    witness
}

/// The settings of a server whose witness it is.
fn settings(witness: &Witness) -> [(&'static str, String); 2] {
    let (url, key) = (witness.settings.url.to_string(), witness.settings.key.to_string());
    [("GRANTLOG_TRANSPARENCY__WITNESS__NEAR__URL", url), ("GRANTLOG_TRANSPARENCY__WITNESS__NEAR__KEY", key)]
}

fn serve(place: &Place, witness: &Witness) -> ServerProcess {
    let settings = settings(witness);
    place.serve_with(&settings.each_ref().map(|(name, value)| (*name, value.as_str())))
}

async fn a_proof_says_who_saw_the_log(kind: Kind) {
    let place = Place::empty(kind).await;
    let witness = witness_of(&place).await;
    let server = serve(&place, &witness);
    while !get(&server.url, "/transparency/cosigned").await.contains("\n— near.example/w ") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    place.write("two.tlog-proof", &place.run(&["audit", "prove", "2"]).succeeded().out);
    place.write("log.vkey", &get(&server.url, "/transparency/key").await);
    place.write("near.vkey", &witness.settings.key.to_string());
    let verify =
        |arguments: &[&str]| place.run(&[&["audit", "verify", "two.tlog-proof", "--key", "log.vkey"], arguments].concat());
    let key = witness.settings.key.to_string();
    for key in ["near.vkey", &key] {
        let said = verify(&["--witness", key]).succeeded().out;
        assert!(said.contains("\nnear.example/w saw it so at 2023-03-20T12:25:47Z.\n"), "{said}");
    }
    verify(&[]).succeeded();
    let far = Witness::start("far.example/w", &get(&server.url, "/transparency/key").await).await.settings.key.to_string();
    verify(&["--witness", "near.vkey", "--witness", &far]).failed(5, "far.example/w did not cosign the checkpoint");
    verify(&["--witness", "log.vkey"]).failed(2, "this is no witness's key");
    verify(&["--witness", "nowhere"]).failed(2, "--witness nowhere is no key, and no file");
}

async fn a_witness_that_is_away_or_saw_another_log_is_told(kind: Kind) {
    let place = Place::empty(kind).await;
    let witness = witness_of(&place).await;
    witness.refuse(Some(503));
    let server = serve(&place, &witness);
    server.has_logged(&["a witness does not cosign"]);
    assert!(
        get(&server.url, "/metrics").await.lines().any(|line| line.starts_with("grantlog_witness_behind{witness=\"near\"} "))
    );
    assert!(witness.cosigned().is_empty());
    witness.refuse(None);
    while witness.cosigned().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.terminate();

    place.execute("DELETE FROM transparency_checkpoint; DELETE FROM transparency_tile; DELETE FROM checkpoint").await;
    place.execute("UPDATE events SET recorded_at = recorded_at - 1 WHERE position = 1").await;
    place.run(&["client", "register", "--client-name", "One", "--grant-types", "client_credentials"]).succeeded();
    let cosigned = witness.cosigned();
    let server = serve(&place, &witness);
    told(&server.url, "grantlog_witness_refused{witness=\"near\"} 1").await;
    server.has_logged(&["ERROR", "a witness saw another history of this log"]);
    assert_eq!(witness.cosigned(), cosigned);
}
