//! What the listener refuses, whatever the endpoint.

use std::time::Duration;

use support::{Answer, Kind, TestApp, both_stores};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

both_stores!(what_is_too_large_or_in_a_wrong_form_is_refused_and_the_server_goes_on, slow_senders_are_cut_without_slowing_others);

async fn raw(app: &TestApp, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.unwrap_or_default();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

async fn what_is_too_large_or_in_a_wrong_form_is_refused_and_the_server_goes_on(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let form = "application/x-www-form-urlencoded";
    let post =
        |body: String, content_type: &str| app.http.post(app.url("/o/token/")).body(body).header("content-type", content_type);
    Answer::of(post("a=".to_owned() + &"b".repeat(70_000), form)).await.assert_error(413, "invalid_request");
    Answer::of(post("{}".to_owned(), "application/json")).await.assert_error(415, "invalid_request");
    Answer::of(app.http.post(app.url("/o/token/"))).await.assert_error(415, "invalid_request");
    Answer::of(post("a=%ff".to_owned(), form)).await.assert_error(400, "invalid_request");
    Answer::of(post("a=%00".to_owned(), form)).await.assert_error(400, "invalid_request");
    app.get(&format!("/healthz?{}", "a".repeat(9000))).await.assert_error(414, "invalid_request");
    let header = app.http.get(app.url("/healthz")).header("x-long", "a".repeat(40_000));
    assert_eq!(Answer::of(header).await.status, 431);
    let wrong_method = app.get("/o/token/").await.assert_error(405, "invalid_request");
    assert!(wrong_method.header("allow").contains("POST"), "{wrong_method:?}");
    for path in ["/o//token/", "/o/x/../token/", "/O/token/", "/o/token/x", "/nowhere"] {
        assert!(
            raw(&app, format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n").as_bytes()).await.contains(" 404 "),
            "{path}"
        );
    }
    assert!(raw(&app, b"nonsense\r\n\r\n").await.contains(" 400 "));
    app.client_credentials(&client, "read").await.assert_status(200);
}

async fn slow_senders_are_cut_without_slowing_others(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| settings.server.slow_request_seconds = 5).await;
    let client = app.ordinary_client().await;
    let mut slow = Vec::new();
    for start in [
        &b"POST /o/token/ HTTP/1.1\r\nhost: x"[..],
        b"POST /o/token/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 99\r\n\r\na=",
    ] {
        for _ in 0..20 {
            let mut stream = TcpStream::connect(app.address).await.unwrap();
            stream.write_all(start).await.unwrap();
            slow.push(stream);
        }
    }
    app.client_credentials(&client, "read").await.assert_status(200);
    for mut stream in slow {
        let mut rest = Vec::new();
        let cut = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
        assert!(cut.is_ok(), "a slow sender was not cut");
    }
}
