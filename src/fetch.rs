//! The one place from which the server asks others over HTTP. It speaks https, and http to loopback alone; follows no redirect; waits for
//! an answer, and reads of it, only so much. Whom a client names is asked at public addresses only.

mod reach;

use std::{
    error::Error,
    fs,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use reach::{PublicAddresses, Reach};
use reqwest::{Certificate, Client, RequestBuilder, header, redirect::Policy};
use url::Url;

use crate::config;

/// How long an exchange takes at most, from connecting to the answer's last byte.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many bytes of an answer are read at most.
const LARGEST: usize = 64 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("it is not asked over plain http, but on loopback")]
    Plain,
    #[error("it stands at no public address")]
    Private,
    #[error("{}", causes(.0))]
    Http(#[from] reqwest::Error),
    #[error("its answer has more than {LARGEST} bytes")]
    TooLarge,
    #[error("others cannot be known by their certificates: {0}")]
    NoTrust(String),
}

/// A file of `fetch.ca_files` that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("fetch.ca_files names {}: {why}", path.display())]
pub struct CaError {
    path: PathBuf,
    why: String,
}

/// What somebody answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    pub status: u16,
    /// The media type, in small letters and without parameters.
    pub media_type: Option<String>,
    pub body: Vec<u8>,
}

/// Asks others over HTTP. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Fetcher(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    /// Beside the system's.
    trusted: Vec<Certificate>,
    reach: Reach,
    /// Made when somebody is asked first: a server that asks nobody needs no certificates to know others by.
    client: OnceLock<Result<Client, String>>,
}

impl Fetcher {
    /// Asks those whom the settings name, wherever they are.
    ///
    /// # Errors
    /// The file of certificates that cannot be used.
    pub fn of_settings(settings: &config::Fetch) -> Result<Self, CaError> {
        Self::new(settings, Reach::Anywhere)
    }

    /// Asks those whom clients name: at public addresses, or where the settings except the host.
    ///
    /// # Errors
    /// The file of certificates that cannot be used.
    pub fn of_clients(settings: &config::Fetch) -> Result<Self, CaError> {
        Self::new(settings, Reach::Public { but: settings.private_hosts.clone().into() })
    }

    fn new(settings: &config::Fetch, reach: Reach) -> Result<Self, CaError> {
        let trusted = settings.ca_files.iter().map(read_certificates).collect::<Result<Vec<_>, _>>()?.concat();
        Ok(Self(Arc::new(Parts { trusted, reach, client: OnceLock::new() })))
    }

    /// Gets what is there.
    ///
    /// # Errors
    /// Why there is no answer. One of any status is an answer.
    pub async fn get(&self, url: &Url, accept: &str) -> Result<Fetched, FetchError> {
        self.ask(url, |client| client.get(url.clone()).header(header::ACCEPT, accept)).await
    }

    /// Posts a text.
    ///
    /// # Errors
    /// Why there is no answer. One of any status is an answer.
    pub async fn post(&self, url: &Url, body: String) -> Result<Fetched, FetchError> {
        self.ask(url, |client| client.post(url.clone()).body(body)).await
    }

    /// Posts a form.
    ///
    /// # Errors
    /// As [`Fetcher::post`].
    pub async fn post_form(&self, url: &Url, fields: &[(&str, &str)]) -> Result<Fetched, FetchError> {
        self.ask(url, |client| client.post(url.clone()).form(fields)).await
    }

    async fn ask(&self, url: &Url, request: impl FnOnce(&Client) -> RequestBuilder) -> Result<Fetched, FetchError> {
        self.0.reach.check(url)?;
        let client = self.0.client.get_or_init(|| self.0.client().map_err(|error| causes(&error)));
        let client = client.as_ref().map_err(|why| FetchError::NoTrust(why.clone()))?;
        let mut answer = request(client).send().await?;
        let media_type = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(media_type);
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await? {
            if body.len() + part.len() > LARGEST {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&part);
        }
        Ok(Fetched { status: answer.status().as_u16(), media_type, body })
    }
}

impl Parts {
    fn client(&self) -> Result<Client, reqwest::Error> {
        // Nobody stands between: a proxy would speak to other addresses than were checked here.
        let client = Client::builder().redirect(Policy::none()).no_proxy().referer(false).timeout(PATIENCE);
        let client = client.user_agent("grantlog").tls_certs_merge(self.trusted.clone());
        match &self.reach {
            Reach::Anywhere => client,
            Reach::Public { but } => client.dns_resolver(Arc::new(PublicAddresses { but: but.clone() })),
        }
        .build()
    }
}

fn read_certificates(path: &PathBuf) -> Result<Vec<Certificate>, CaError> {
    let refused = |why: String| CaError { path: path.clone(), why };
    let pem = fs::read(path).map_err(|error| refused(format!("it cannot be read ({error})")))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(refused("it holds no certificates in PEM".to_owned())),
    }
}

fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether the settings may name an address: over https, or over http on loopback.
#[must_use]
pub fn is_allowed(url: &Url) -> bool {
    Reach::Anywhere.check(url).is_ok()
}

/// Whether an address is this machine's own.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    reach::is_loopback(url)
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
        assert_eq!(fetched, Fetched { status: 307, media_type: None, body: Vec::new() });
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
        let url =
            answering(b"HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=utf-8\r\nContent-Length: 2\r\n\r\nok".to_vec())
                .await;
        let guarded = |but: &[&str]| {
            let private_hosts = but.iter().map(|host| (*host).to_owned()).collect();
            Fetcher::of_clients(&config::Fetch { private_hosts, ..config::Fetch::default() }).unwrap()
        };
        let by_name: Url = format!("https://localhost:{}/", url.port().unwrap()).parse().unwrap();
        let refused = guarded(&[]).get(&by_name, "*/*").await.unwrap_err().to_string();
        assert!(refused.ends_with("it stands at no public address"), "{refused}");
        let fetched = guarded(&["127.0.0.1"]).get(&url, "text/plain").await.unwrap();
        assert_eq!(fetched, Fetched { status: 200, media_type: Some("text/plain".to_owned()), body: b"ok".to_vec() });
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
}
