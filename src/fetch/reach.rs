//! Where the server asks: what a client names must stand at public addresses, but for the hosts that the settings except. The name's
//! addresses are those that are then connected to: a name that is looked up again and stands for others meanwhile (rebinding) gains nothing.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;
use url::{Host, Url};

use super::FetchError;

/// Where a fetcher asks.
#[derive(Clone, Debug)]
pub(super) enum Reach {
    /// Wherever: the settings name whom it asks.
    Anywhere,
    /// At public addresses, and at any of these hosts'.
    Public { but: Arc<[String]> },
}

impl Reach {
    /// Whether an address may be asked, as far as it tells by itself.
    pub(super) fn check(&self, url: &Url) -> Result<(), FetchError> {
        let excepted = match self {
            Self::Anywhere => true,
            Self::Public { but } => url.host_str().is_some_and(|host| names(but, host)),
        };
        if url.scheme() != "https" && !(excepted && url.scheme() == "http" && is_loopback(url)) {
            return Err(FetchError::Plain);
        }
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) | None => None,
        };
        match literal {
            Some(address) if !excepted && !is_public(address) => Err(FetchError::Private),
            Some(_) | None => Ok(()),
        }
    }
}

/// Whether one of the hosts is this one. An IPv6 address has its brackets, as in a URL.
fn names(hosts: &[String], host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
}

/// Looks names up, and knows only public addresses.
pub(super) struct PublicAddresses {
    pub(super) but: Arc<[String]>,
}

impl Resolve for PublicAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        let excepted = names(&self.but, name.as_str());
        Box::pin(async move {
            let found = lookup_host((name.as_str(), 0)).await?;
            let addresses: Vec<SocketAddr> = found.filter(|address| excepted || is_public(address.ip())).collect();
            if addresses.is_empty() {
                return Err(FetchError::Private.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is this machine's own.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether an address can be anybody's on the internet (IANA's special-purpose registries, RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match (a, b, c) {
        // This network; shared by carriers (RFC 6598); protocol assignments; 6to4 relays; benchmarks.
        (0, ..) | (100, 64..=127, _) | (192, 0, 0) | (192, 88, 99) | (198, 18 | 19, _) => true,
        // Multicast, and reserved.
        (224.., ..) => true,
        _ => false,
    };
    !(special || address.is_private() || address.is_loopback() || address.is_link_local() || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Protocol assignments (Teredo among them) and documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // 6to4 carries an IPv4 address.
        [0x2002, high, low, ..] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reach: &Reach, url: &str) -> Result<(), FetchError> {
        reach.check(&url.parse().unwrap())
    }

    #[test]
    fn where_the_settings_say_plain_http_is_for_loopback_alone() {
        for allowed in ["https://witness.example/w1", "http://localhost:1", "http://127.0.0.1/w", "http://[::1]:80/"] {
            assert!(check(&Reach::Anywhere, allowed).is_ok(), "{allowed}");
        }
        for refused in ["http://witness.example/", "http://10.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd", "unix:/run/x"] {
            assert!(matches!(check(&Reach::Anywhere, refused), Err(FetchError::Plain)), "{refused}");
        }
    }

    #[test]
    fn what_clients_name_is_public_and_https() {
        let reach = Reach::Public { but: Arc::new([]) };
        for public in [
            "https://app.example/jwks",
            "https://93.184.215.14/",
            "https://[2606:2800:21f:cb07::1]/",
            "https://app.example:8443/",
        ] {
            assert!(check(&reach, public).is_ok(), "{public}");
        }
        for plain in ["http://app.example/", "http://127.0.0.1/", "http://localhost/", "gopher://app.example/"] {
            assert!(matches!(check(&reach, plain), Err(FetchError::Plain)), "{plain}");
        }
        for private in
            ["https://127.0.0.1/", "https://10.1.2.3/", "https://0x7f.1/", "https://[::1]/", "https://[::ffff:192.168.0.1]/"]
        {
            assert!(matches!(check(&reach, private), Err(FetchError::Private)), "{private}");
        }
    }

    #[test]
    fn an_excepted_host_may_be_private_and_on_loopback_plain() {
        let reach = Reach::Public { but: Arc::new(["127.0.0.1".to_owned(), "intra.example".to_owned(), "[::1]".to_owned()]) };
        for allowed in ["https://127.0.0.1:8443/", "http://127.0.0.1/", "https://[::1]/", "https://INTRA.example./"] {
            assert!(check(&reach, allowed).is_ok(), "{allowed}");
        }
        assert!(matches!(check(&reach, "http://intra.example/"), Err(FetchError::Plain)));
        assert!(matches!(check(&reach, "https://127.0.0.2/"), Err(FetchError::Private)));
    }

    #[test]
    fn special_addresses_are_not_public() {
        for special in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::1",
            "::7f00:1",
        ] {
            assert!(!is_public(special.parse().unwrap()), "{special}");
        }
        for public in
            ["1.1.1.1", "100.128.0.1", "172.32.0.1", "198.20.0.1", "2606:4700::1111", "2002:101:101::1", "::ffff:1.1.1.1"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }
}
