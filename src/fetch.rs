//! The one place from which the server asks others over HTTP. It speaks https, and http to loopback alone; follows no redirect; waits for
//! an answer, and reads of it, only so much.

use std::{error::Error, time::Duration};

use reqwest::{Client, redirect::Policy};
use url::{Host, Url};

/// How long an exchange takes at most, from connecting to the answer's last byte.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many bytes of an answer are read at most.
const LARGEST: usize = 64 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("it is not asked over plain http, but on loopback")]
    Plain,
    #[error("{}", causes(.0))]
    Http(#[from] reqwest::Error),
    #[error("its answer has more than {LARGEST} bytes")]
    TooLarge,
}

/// What somebody answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Asks others over HTTP. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Fetcher(Client);

impl Fetcher {
    /// Makes ready to ask.
    ///
    /// # Errors
    /// That this system has no certificates to know others by.
    pub fn new() -> Result<Self, FetchError> {
        // Nobody stands between: a proxy would speak to other addresses than were checked here.
        Ok(Self(Client::builder().redirect(Policy::none()).no_proxy().timeout(PATIENCE).build()?))
    }

    /// Posts a text.
    ///
    /// # Errors
    /// Why there is no answer. One of any status is an answer.
    pub async fn post(&self, url: &Url, body: String) -> Result<Fetched, FetchError> {
        if !is_allowed(url) {
            return Err(FetchError::Plain);
        }
        let mut answer = self.0.post(url.clone()).body(body).send().await?;
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await? {
            if body.len() + part.len() > LARGEST {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&part);
        }
        Ok(Fetched { status: answer.status().as_u16(), body })
    }
}

/// Whether an address may be asked: over https, or over http on loopback.
#[must_use]
pub fn is_allowed(url: &Url) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => is_loopback(url),
        _ => false,
    }
}

/// Whether an address is this machine's own.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// An error with what is behind it, without the address, which may hold a password.
fn causes(error: &reqwest::Error) -> String {
    let what = match (error.is_timeout(), error.is_connect()) {
        (true, _) => "it does not answer in time",
        (false, true) => "it cannot be reached",
        (false, false) => "it does not answer as HTTP wants it",
    };
    let mut text = what.to_owned();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

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

    #[test]
    fn plain_http_is_for_loopback_alone() {
        for allowed in ["https://witness.example/w1", "http://localhost:1", "http://127.0.0.1/w", "http://[::1]:80/"] {
            assert!(is_allowed(&allowed.parse().unwrap()), "{allowed}");
        }
        for refused in ["http://witness.example/", "http://10.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd", "unix:/run/x"] {
            assert!(!is_allowed(&refused.parse().unwrap()), "{refused}");
        }
    }

    #[tokio::test]
    async fn no_redirect_is_followed() {
        let moved = b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".to_vec();
        let fetched = Fetcher::new().unwrap().post(&answering(moved).await, String::new()).await.unwrap();
        assert_eq!(fetched, Fetched { status: 307, body: Vec::new() });
    }

    #[tokio::test]
    async fn an_answer_is_read_only_so_far() {
        let fetcher = Fetcher::new().unwrap();
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
        let error = Fetcher::new().unwrap().post(&url, String::new()).await.unwrap_err().to_string();
        assert!(error.starts_with("it cannot be reached: ") && !error.contains("secret"), "{error}");
    }
}
