//! A server that ends TLS itself.

use std::{fs, path::Path, time::Duration};

use support::{Authority, Kind, ServerProcess, free_port, without_certificate};

use crate::place::Place;

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Whether who trusts this authority gets an answer.
async fn trusts(authority: &Authority, server: &ServerProcess) -> bool {
    without_certificate(authority).get(format!("{}/healthz", server.url)).send().await.is_ok()
}

async fn soon(authority: &Authority, server: &ServerProcess) -> bool {
    for _ in 0..150 {
        if trusts(authority, server).await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}

#[tokio::test]
async fn renewed_certificates_are_in_use_at_once_at_sighup_and_soon_without() {
    let place = Place::empty(Kind::Sqlite).await;
    let (certificate, key) = (place.path("tls.pem"), place.path("tls.key"));
    let renew = |authority: &Authority| {
        let (new, its_key) = authority.signed("server");
        fs::copy(new, &certificate).unwrap();
        fs::copy(its_key, &key).unwrap();
    };
    let (first, second, third) = (Authority::new(), Authority::new(), Authority::new());
    renew(&first);
    let listen = format!("127.0.0.1:{}", free_port());
    let url = format!("https://{listen}");
    let server = place.serve_with(&[
        ("GRANTLOG_SERVER__LISTEN", &listen),
        ("GRANTLOG_SERVER__PUBLIC_URL", &url),
        ("GRANTLOG_SERVER__TLS__CERTIFICATE_FILE", path(&certificate)),
        ("GRANTLOG_SERVER__TLS__KEY_FILE", path(&key)),
    ]);
    assert!(trusts(&first, &server).await && !trusts(&second, &server).await);

    renew(&second);
    server.hang_up();
    assert!(soon(&second, &server).await && !trusts(&first, &server).await);

    fs::copy(third.signed("server").1, &key).unwrap();
    server.hang_up();
    server.has_logged(&["a renewed certificate cannot be used"]);
    assert!(trusts(&second, &server).await, "the one before stays in use");

    renew(&third);
    assert!(soon(&third, &server).await, "{}", server.log());
    let metrics = without_certificate(&third).get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("grantlog_tls_certificate_expires_at{"), "{metrics}");
    assert_eq!(server.terminate(), 0);
}

#[tokio::test]
async fn settings_that_would_speak_plain_http_to_anybody_are_refused() {
    let place = Place::ready(Kind::Sqlite).await;
    let public = ("GRANTLOG_SERVER__PUBLIC_URL", "https://id.example");
    let files =
        [("GRANTLOG_SERVER__TLS__CERTIFICATE_FILE", "/nowhere/a.pem"), ("GRANTLOG_SERVER__TLS__KEY_FILE", "/nowhere/a.key")];
    let anywhere = ("GRANTLOG_SERVER__LISTEN", "0.0.0.0:0");
    for (settings, said) in [
        (vec![public, anywhere], "anybody could speak plain http"),
        (vec![public, anywhere, ("GRANTLOG_SERVER__BEHIND_PROXY", "true")], "server.trusted_proxies"),
        (vec![public, files[0]], "server.tls.certificate_file and server.tls.key_file stand together"),
        (vec![public, files[0], files[1]], "/nowhere/a.pem"),
        (vec![public, ("GRANTLOG_SERVER__MTLS__LISTEN", "127.0.0.1:0")], "server.mtls.listen needs"),
        (vec![public, files[0], files[1], ("GRANTLOG_SERVER__MTLS__LISTEN", "127.0.0.1:0")], "server.mtls.public_url"),
        (vec![public, ("GRANTLOG_SERVER__MTLS__PUBLIC_URL", "https://a.example")], "takes no client certificates"),
        (
            vec![
                public,
                ("GRANTLOG_SERVER__MTLS__HEADER", "client-cert"),
                ("GRANTLOG_SERVER__MTLS__PUBLIC_URL", "https://a.example"),
            ],
            "server.trusted_proxies alone",
        ),
        (
            vec![
                public,
                ("GRANTLOG_SERVER__MTLS__HEADER", "client-cert"),
                ("GRANTLOG_SERVER__MTLS__PUBLIC_URL", "https://a.example"),
                ("GRANTLOG_SERVER__TRUSTED_PROXIES", "127.0.0.1,10.0.0.9"),
                ("GRANTLOG_SERVER__MTLS__CA_FILES", "/nowhere/ca.pem"),
            ],
            "server.mtls.ca_files: /nowhere/ca.pem",
        ),
    ] {
        let mut command = place.command(&["serve"]);
        let output = command.envs(settings.iter().copied()).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && told.contains(said), "{settings:?}: {told}");
    }
}
