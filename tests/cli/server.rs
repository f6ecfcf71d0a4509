//! A running `grantlog serve --dev`, and what works beside it.

use serde_json::Value;
use support::{Kind, ServerProcess, both_stores};

use crate::place::Place;

both_stores! {
    a_command_beside_the_server_is_felt_at_once,
    a_terminated_server_ends_well,
    a_stopping_server_loses_nothing_that_it_acknowledged,
    a_server_folds_some_streams_anew_by_itself,
}

/// A request of the client's for a token of its own.
fn request(server: &ServerProcess, dev: &Value) -> reqwest::RequestBuilder {
    let text = |member: &str| dev[member].as_str().unwrap();
    reqwest::Client::new()
        .post(format!("{}/o/token/", server.url))
        .basic_auth(text("client_id"), Some(text("client_secret")))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials&scope=read")
}

/// Asks for a token for the client itself; gives the status and the answer.
async fn token(server: &ServerProcess, dev: &Value) -> (u16, Value) {
    let answer = request(server, dev).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn resource(server: &ServerProcess, token: &str) -> u16 {
    let request = reqwest::Client::new().get(format!("{}/api/resource", server.url)).bearer_auth(token);
    request.send().await.unwrap().status().as_u16()
}

async fn a_command_beside_the_server_is_felt_at_once(kind: Kind) {
    let place = Place::empty(kind).await;
    let server = place.serve();
    let dev = place.json_file("data/dev.json");
    let (status, answer) = token(&server, &dev).await;
    assert_eq!(status, 200, "{answer}");
    let access_token = answer["access_token"].as_str().unwrap();
    assert_eq!(resource(&server, access_token).await, 200);

    place.run(&["client", "disable", "Demo"]).succeeded();
    assert_eq!(resource(&server, access_token).await, 401);
    let (status, refused) = token(&server, &dev).await;
    assert_eq!((status, &refused["error"]), (401, &Value::from("invalid_client")));

    let error_id = refused["error_id"].as_str().unwrap();
    let report = place.json(&["explain", error_id]);
    assert_eq!(report["code"], "invalid_client");
    assert!(place.run(&["explain", error_id]).succeeded().out.contains(report["rule"].as_str().unwrap()));

    place.run(&["client", "enable", "Demo"]).succeeded();
    let (status, answer) = token(&server, &dev).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(resource(&server, access_token).await, 401, "nothing is revived");

    let rotated = place.json(&["keys", "rotate", "--alg", "es256"]);
    let (_, answer) = token(&server, &dev).await;
    let header = answer["access_token"].as_str().unwrap().split('.').next().unwrap().to_owned();
    let kid = rotated[0]["kid"].as_str().unwrap();
    assert!(decoded(&header).contains(kid), "the new key signs from the next token on");
}

fn decoded(part: &str) -> String {
    use base64::Engine;
    String::from_utf8(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

async fn a_terminated_server_ends_well(kind: Kind) {
    let place = Place::empty(kind).await;
    let server = place.serve();
    assert_eq!(server.terminate(), 0);
}

async fn a_stopping_server_loses_nothing_that_it_acknowledged(kind: Kind) {
    let place = Place::empty(kind).await;
    let server = place.serve();
    let dev = place.json_file("data/dev.json");
    let (enough, acknowledged) = tokio::sync::mpsc::channel(1);
    let clients: Vec<_> = (0..8).map(|_| tokio::spawn(ask_until_it_is_gone(request(&server, &dev), enough.clone()))).collect();
    drop(enough);
    let mut acknowledged = acknowledged;
    for _ in 0..100 {
        acknowledged.recv().await.unwrap();
    }
    let ending = tokio::task::spawn_blocking(move || server.terminate());
    while acknowledged.recv().await.is_some() {}
    let mut positions = Vec::new();
    for client in clients {
        positions.extend(client.await.unwrap());
    }
    assert_eq!(ending.await.unwrap(), 0);
    let issued: Vec<_> = place
        .run(&["log", "tail", "--all", "--json"])
        .json_lines()
        .into_iter()
        .filter(|event| event["type"] == "grant.client_credentials_issued")
        .map(|event| event["position"].as_i64().unwrap())
        .collect();
    assert!(positions.len() >= 100);
    assert!(positions.iter().all(|position| issued.contains(position)), "{positions:?} of {issued:?}");
}

/// Asks for tokens one after another, until nothing answers; gives the positions of those it got.
async fn ask_until_it_is_gone(request: reqwest::RequestBuilder, acknowledged: tokio::sync::mpsc::Sender<()>) -> Vec<i64> {
    let mut positions = Vec::new();
    while let Ok(answer) = request.try_clone().unwrap().send().await {
        assert_eq!(answer.status(), 200);
        positions.push(answer.headers()["grantlog-position"].to_str().unwrap().parse().unwrap());
        acknowledged.send(()).await.unwrap();
    }
    positions
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_its_setting() {
    let place = Place::empty(Kind::Sqlite).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let done = place.command(&["serve", "--dev"]).env("GRANTLOG_SERVER__LISTEN", &address).output().unwrap();
    crate::place::Done::from(done).failed(2, &format!("server.listen is {address}"));
    assert!(!place.exists("data"), "nothing was made");
}

#[tokio::test]
async fn a_server_for_others_needs_https_and_a_master_key_and_says_so() {
    let place = Place::empty(Kind::Sqlite).await;
    place.run(&["serve"]).failed(2, "server.public_url is http://127.0.0.1:8000/, but must be https");
    let mut command = place.command(&["serve"]);
    command.env("GRANTLOG_SERVER__PUBLIC_URL", "https://id.example").env("GRANTLOG_SERVER__LISTEN", "127.0.0.1:0");
    crate::place::Done::from(command.output().unwrap()).failed(2, "openssl rand -base64 32 > data/master.key");
    assert!(!place.exists("data"), "nothing was made");
}

#[tokio::test]
async fn a_new_issuer_prints_a_link_for_its_first_administrator_until_there_is_one() {
    let place = Place::ready(Kind::Sqlite).await;
    let link = || {
        let mut command = place.command(&["serve"]);
        command.env("GRANTLOG_SERVER__PUBLIC_URL", "https://id.example").env("GRANTLOG_SERVER__LISTEN", "127.0.0.1:0");
        ServerProcess::start(&mut command).printed.iter().find(|line| line.starts_with("https://id.example/setup/")).cloned()
    };
    assert!(link().is_some());
    place.run_with(&["user", "create", "--username", "root", "--admin", "--password-stdin"], "correct horse battery").succeeded();
    assert_eq!(link(), None);
}

async fn a_server_folds_some_streams_anew_by_itself(kind: Kind) {
    let place = Place::empty(kind).await;
    let server = place.serve();
    let (streams, differences) = loop {
        let metrics = reqwest::get(format!("{}/metrics", server.url)).await.unwrap().text().await.unwrap();
        let value = |name: &str| metrics.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        let counted = (value("grantlog_verify_streams_total "), value("grantlog_verify_differences_total "));
        if let (Some(streams), Some(differences)) = counted {
            break (streams, differences);
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!((streams.as_str(), differences.as_str()), ("10", "0"), "as many as store.verified_streams says");
}
