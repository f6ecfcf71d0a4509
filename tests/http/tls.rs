//! TLS on listeners of our own.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use grantlog::config::Tls12;
use support::{Answer, Authority, Kind, TestApp, without_certificate};
use tokio::net::TcpStream;

/// How openssl fares with these arguments.
async fn handshake(app: &TestApp, arguments: &str) -> bool {
    let address = app.app.settings.server.mtls.listen.unwrap().to_string();
    let mut openssl = Command::new("openssl");
    openssl.args(["s_client", "-connect", &address]).args(arguments.split(' ')).stdin(Stdio::null());
    tokio::task::spawn_blocking(move || openssl.output().unwrap().status.success()).await.unwrap()
}

async fn with_tls12(authority: &Authority, tls12: Tls12) -> TestApp {
    TestApp::start_with_certificates(Kind::Sqlite, authority, |settings| settings.server.tls.tls12 = tls12).await
}

const GCM: &str = "-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256";
const CHACHA: &str = "-tls1_2 -cipher ECDHE-RSA-CHACHA20-POLY1305";

#[tokio::test]
async fn of_tls_12_what_fapi_allows_is_spoken_alone() {
    let authority = Authority::new();
    let app = with_tls12(&authority, Tls12::Fapi).await;
    assert!(handshake(&app, GCM).await && handshake(&app, "-tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384").await);
    assert!(handshake(&app, "-tls1_3").await);
    for refused in [CHACHA, "-tls1_2 -cipher AES128-GCM-SHA256", "-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256", "-tls1_1"] {
        assert!(!handshake(&app, refused).await, "{refused}");
    }
    let all = with_tls12(&authority, Tls12::All).await;
    assert!(handshake(&all, CHACHA).await && handshake(&all, GCM).await);
    let off = with_tls12(&authority, Tls12::Off).await;
    assert!(!handshake(&off, GCM).await && handshake(&off, "-tls1_3").await);
}

#[tokio::test]
async fn the_ordinary_listener_speaks_tls_and_serves_pages() {
    let authority = Authority::new();
    let (certificate, key) = authority.signed("server");
    let app = TestApp::start_with(Kind::Sqlite, |settings| {
        (settings.server.tls.certificate_file, settings.server.tls.key_file) = (Some(certificate), Some(key));
        settings.server.public_url = format!("https://{}", settings.server.listen).parse().unwrap();
    })
    .await;
    let http = without_certificate(&authority);
    for path in ["/sign-in/", "/o/token/", "/healthz", "/nowhere"] {
        let answer = Answer::of(http.get(format!("https://{}{path}", app.address))).await;
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000", "{path}");
    }
    assert!(app.http.get(app.url("/sign-in/")).send().await.is_err(), "plain http is not spoken there");
}

#[tokio::test]
async fn browsers_are_told_to_come_by_https_alone_where_the_settings_say_so() {
    let behind_proxy = |seconds| {
        TestApp::start_with(Kind::Sqlite, move |settings| {
            settings.server.public_url = "https://id.example".parse().unwrap();
            settings.server.hsts_seconds = seconds;
        })
    };
    assert_eq!(behind_proxy(60).await.get("/healthz").await.header("strict-transport-security"), "max-age=60");
    for app in [behind_proxy(0).await, TestApp::start(Kind::Sqlite).await] {
        assert!(!app.get("/healthz").await.headers.contains_key("strict-transport-security"));
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_come_holds_up_nobody() {
    let authority = Authority::new();
    let app = TestApp::start_with_certificates(Kind::Sqlite, &authority, |settings| {
        settings.server.slow_request_seconds = 5;
    })
    .await;
    let address = app.app.settings.server.mtls.listen.unwrap();
    let silent = TcpStream::connect(address).await.unwrap();
    let http = without_certificate(&authority);
    Answer::of(http.get(app.certificates_url("/healthz"))).await.assert_status(200);
    let mut end = [0];
    let ended = tokio::time::timeout(Duration::from_secs(20), silent.readable());
    ended.await.expect("it is cut").unwrap();
    assert_eq!(silent.try_read(&mut end).unwrap_or_default(), 0);
}
