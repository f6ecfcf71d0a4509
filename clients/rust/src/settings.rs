//! Whose tokens are let in, and how the resource server speaks with their issuer.

use std::time::Duration;

use http::HeaderName;
use secrecy::SecretString;
use url::{Host, Url};

/// What a resource server has to know. The client is one registered at the issuer with the scope `introspection` and, among its
/// `resources`, the audience.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The issuer's identifier, as its tokens name it: `https://id.example.com/o`.
    pub issuer: String,
    /// Who this resource server is in the `aud` of a token.
    pub audience: String,
    pub client_id: String,
    pub client_secret: SecretString,
    /// Under which clients reach it, where that is not the origin of `audience`: a proof of a key (RFC 9449) names it, with the path of the
    /// request as the layer sees it behind. `https://api.example.com/v1`.
    pub address: Option<String>,
    /// The header by which the proxy in front tells of a client's certificate (RFC 8705): percent-encoded PEM, or as RFC 9440 has it. The proxy
    /// must take away any that a client sends by itself.
    pub client_certificate_header: Option<HeaderName>,
    /// Where the revocations come from.
    pub feed: Feed,
    /// The address of the feed and the snapshot, where it is not `{issuer}/revocations`.
    pub feed_url: Option<String>,
    /// Nobody is let in by what was known longer ago than this: the issuer is asked.
    pub cut_off_after: Duration,
    /// What the clocks may differ by.
    pub leeway: Duration,
}

/// Where the revocations come from.
#[derive(Clone, Debug)]
pub enum Feed {
    /// From the issuer, as server-sent events.
    Http,
    /// From the stream that the issuer relays its log to.
    #[cfg(feature = "nats")]
    Nats(Nats),
}

/// The stream that the issuer relays its log to.
#[cfg(feature = "nats")]
#[derive(Clone, Debug)]
pub struct Nats {
    /// A connection: it may read the stream and subscribe to `{prefix}.watermark`.
    pub client: async_nats::Client,
    /// The issuer's setting `relay.stream`.
    pub stream: String,
    /// The issuer's setting `relay.prefix`.
    pub prefix: String,
}

#[cfg(feature = "nats")]
impl Nats {
    /// The stream as the issuer names it by itself.
    #[must_use]
    pub fn new(client: async_nats::Client) -> Self {
        Self { client, stream: "GRANTLOG".to_owned(), prefix: "grantlog".to_owned() }
    }
}

/// Settings that cannot be worked with.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("`{0}` is no address")]
    NoAddress(String),
    #[error("`{0}` is not https: tokens and secrets go there")]
    NotHttps(String),
    #[error("no HTTP client can be made: {0}")]
    Http(#[from] reqwest::Error),
}

impl Settings {
    /// Settings with the defaults: the feed over HTTP, cut off after 5 seconds, a minute between clocks.
    #[must_use]
    pub fn new(issuer: &str, audience: &str, client_id: &str, client_secret: impl Into<SecretString>) -> Self {
        Self {
            issuer: issuer.trim_end_matches('/').to_owned(),
            audience: audience.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: client_secret.into(),
            address: None,
            client_certificate_header: None,
            feed: Feed::Http,
            feed_url: None,
            cut_off_after: Duration::from_secs(5),
            leeway: Duration::from_secs(60),
        }
    }

    /// The address of a path below the issuer.
    pub(crate) fn at_issuer(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// The address of the feed.
    pub(crate) fn feed_address(&self) -> String {
        self.feed_url.as_deref().map_or_else(|| self.at_issuer("/revocations"), |url| url.trim_end_matches('/').to_owned())
    }

    /// The address of a request with this path; `None` where neither `address` nor `audience` tells it.
    pub(crate) fn address_of(&self, path: &str) -> Option<Url> {
        // Behind anything else it would name another host.
        if !path.starts_with('/') {
            return None;
        }
        let base = match &self.address {
            Some(address) => address.trim_end_matches('/').to_owned(),
            None => Url::parse(&self.audience).ok()?.origin().ascii_serialization(),
        };
        Url::parse(&format!("{base}{path}")).ok()
    }

    pub(crate) fn leeway_seconds(&self) -> i64 {
        i64::try_from(self.leeway.as_secs()).unwrap_or(i64::MAX)
    }

    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        if let Some(address) = &self.address {
            let of_paths = |url: &Url| matches!(url.scheme(), "https" | "http") && url.query().or(url.fragment()).is_none();
            Url::parse(address).ok().filter(of_paths).ok_or_else(|| SettingsError::NoAddress(address.clone()))?;
        }
        for address in [Some(&self.issuer), self.feed_url.as_ref()].into_iter().flatten() {
            let url = Url::parse(address).map_err(|_| SettingsError::NoAddress(address.clone()))?;
            let here = match url.host() {
                Some(Host::Ipv4(ip)) => ip.is_loopback(),
                Some(Host::Ipv6(ip)) => ip.is_loopback(),
                Some(Host::Domain(name)) => name == "localhost",
                None => return Err(SettingsError::NoAddress(address.clone())),
            };
            if url.scheme() != "https" && !(url.scheme() == "http" && here) {
                return Err(SettingsError::NotHttps(address.clone()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_nowhere_without_tls_but_to_this_machine() {
        let check = |issuer| Settings::new(issuer, "a", "id", "secret".to_owned()).check();
        for fine in ["https://id.example.com/o", "http://127.0.0.1:8000/o/", "http://localhost/o", "http://[::1]/o"] {
            assert!(check(fine).is_ok(), "{fine}");
        }
        for wrong in ["http://id.example.com/o", "ftp://localhost/o", "id.example.com", ""] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn its_address_is_its_own_or_the_audiences() {
        let at = |audience, address: Option<&str>| {
            let address = address.map(str::to_owned);
            let settings = Settings { address, ..Settings::new("https://id.example.com/o", audience, "id", "secret".to_owned()) };
            settings.check().is_ok().then(|| settings.address_of("/notes").map(String::from))
        };
        let told = |address: &str| Some(Some(address.to_owned()));
        assert_eq!(at("https://api.example.com:8443/v1", None), told("https://api.example.com:8443/notes"));
        assert_eq!(at("https://api.example.com", Some("https://other.example/v1/")), told("https://other.example/v1/notes"));
        assert_eq!(at("urn:example:api", None), Some(None));
        for wrong in [
            "nowhere",
            "https://other.example/?x",
            "https://other.example/#x",
            "ftp://other.example",
            "https://other.example:port",
        ] {
            assert_eq!(at("urn:example:api", Some(wrong)), None, "{wrong}");
        }
        let settings = Settings::new("https://id.example.com/o", "https://api.example.com", "id", "secret".to_owned());
        for path in ["", "*", "@evil.example/notes", ".evil.example/notes"] {
            assert_eq!(settings.address_of(path), None, "{path}");
        }
    }

    #[test]
    fn the_secret_is_not_printed() {
        assert!(!format!("{:?}", Settings::new("https://id/o", "a", "id", "hidden".to_owned())).contains("hidden"));
    }
}
