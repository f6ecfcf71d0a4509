//! The one place from which the server asks others over HTTP. It speaks https, and http to loopback alone; follows no redirect; waits for
//! an answer, and reads of it, only so much. Whom a client names is asked at public addresses only.

mod reach;
#[cfg(test)]
mod tests;

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
/// The media type of JSON (RFC 8259 section 11).
pub const JSON: &str = "application/json";
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
    /// For how many seconds it may be kept, where it says (RFC 9111 section 5.2.2); 0 where it may not.
    pub max_age: Option<u32>,
    pub body: Vec<u8>,
}

impl Fetched {
    /// Whether it says that it is JSON, of whatever kind (RFC 6839 section 3.1).
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.media_type.as_deref().is_some_and(|media_type| media_type == JSON || media_type.ends_with("+json"))
    }
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
        let max_age = answer.headers().get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok()).and_then(max_age);
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await? {
            if body.len() + part.len() > LARGEST {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&part);
        }
        Ok(Fetched { status: answer.status().as_u16(), media_type, max_age, body })
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

/// RFC 9111 section 5.2.2, as a cache that serves one user reads it.
fn max_age(cache_control: &str) -> Option<u32> {
    let directives = || cache_control.split(',').map(|directive| directive.trim().to_ascii_lowercase());
    if directives().any(|directive| directive == "no-store" || directive == "no-cache") {
        return Some(0);
    }
    directives().find_map(|directive| directive.strip_prefix("max-age=")?.trim_matches('"').parse().ok())
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
