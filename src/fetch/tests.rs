//! What is asked, of whom, and how much of the answer is read.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

fn anywhere() -> Fetcher {
    Fetcher::of_settings(&config::Fetch::default()).unwrap()
}

/// Answers one request with these bytes, and tells where.
async fn answering(answer: Vec<u8>) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 1024];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        drop(stream.write_all(&answer).await);
    });
    format!("http://{address}/").parse().unwrap()
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let moved = b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".to_vec();
    let fetched = anywhere().post(&answering(moved).await, String::new()).await.unwrap();
    assert_eq!(fetched, Fetched { status: 307, media_type: None, max_age: None, body: Vec::new() });
}

#[tokio::test]
async fn an_answer_is_read_only_so_far() {
    let fetcher = anywhere();
    for (bytes, fits) in [(LARGEST, true), (LARGEST + 1, false)] {
        let head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
        let answer = fetcher.post(&answering([head, vec![b'x'; bytes]].concat()).await, String::new()).await;
        match answer {
            Ok(fetched) => assert!(fits && fetched.body.len() == bytes),
            Err(error) => assert!(!fits && matches!(error, FetchError::TooLarge), "{error}"),
        }
    }
}

#[tokio::test]
async fn nobody_there_is_told_without_the_address() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("http://name:secret@{gone}/").parse().unwrap();
    let error = anywhere().post(&url, String::new()).await.unwrap_err().to_string();
    assert!(error.starts_with("it cannot be reached: ") && !error.contains("secret"), "{error}");
}

#[tokio::test]
async fn a_client_names_nobody_on_this_machine_but_who_is_excepted() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=utf-8\r\nCache-Control: public, max-age=60\r\n";
    let url = answering(format!("{head}Content-Length: 2\r\n\r\nok").into_bytes()).await;
    let guarded = |but: &[&str]| {
        let private_hosts = but.iter().map(|host| (*host).to_owned()).collect();
        Fetcher::of_clients(&config::Fetch { private_hosts, ..config::Fetch::default() }).unwrap()
    };
    let by_name: Url = format!("https://localhost:{}/", url.port().unwrap()).parse().unwrap();
    let refused = guarded(&[]).get(&by_name, "*/*").await.unwrap_err().to_string();
    assert!(refused.ends_with("it stands at no public address"), "{refused}");
    let fetched = guarded(&["127.0.0.1"]).get(&url, "text/plain").await.unwrap();
    let expected = Fetched { status: 200, media_type: Some("text/plain".to_owned()), max_age: Some(60), body: b"ok".to_vec() };
    assert_eq!(fetched, expected);
}

#[test]
fn how_long_an_answer_holds_is_read_from_its_head() {
    for (said, read) in [
        ("max-age=60", Some(60)),
        ("public, Max-Age=\"60\"", Some(60)),
        ("max-age=60, no-store", Some(0)),
        ("no-cache", Some(0)),
        ("public", None),
        ("max-age=soon", None),
    ] {
        assert_eq!(max_age(said), read, "{said}");
    }
}

#[test]
fn what_is_json_says_so() {
    for (media_type, is_json) in
        [("application/json", true), ("application/jwk-set+json", true), ("text/html", false), ("json", false)]
    {
        let fetched = Fetched { status: 200, media_type: Some(media_type.to_owned()), max_age: None, body: Vec::new() };
        assert_eq!(fetched.is_json(), is_json, "{media_type}");
    }
}

#[test]
fn a_file_without_certificates_is_named() {
    let settings = config::Fetch { ca_files: vec!["/nowhere/ca.pem".into()], ..config::Fetch::default() };
    let error = Fetcher::of_clients(&settings).unwrap_err().to_string();
    assert!(error.starts_with("fetch.ca_files names /nowhere/ca.pem: it cannot be read"), "{error}");
    let file = tempfile::NamedTempFile::new().unwrap();
    let settings = config::Fetch { ca_files: vec![file.path().into()], ..config::Fetch::default() };
    assert!(Fetcher::of_clients(&settings).unwrap_err().to_string().ends_with("it holds no certificates in PEM"));
}
