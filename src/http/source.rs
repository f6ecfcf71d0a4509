//! Where a request comes from: the peer's address, or what a proxy that the settings name says of it.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};

use crate::state::App;

/// The address that failures are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Source(pub(super) IpAddr);

impl FromRequestParts<App> for Source {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| address.ip().to_canonical());
        Ok(Self(forwarded(peer, &parts.headers, &app.settings.server.trusted_proxies)))
    }
}

/// The last address of `X-Forwarded-For` that no trusted proxy has: what stands before it, anybody could have written.
fn forwarded(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    if !trusted.contains(&peer) {
        return peer;
    }
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
    let addresses: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    let mut source = peer;
    for address in addresses.iter().rev() {
        let Ok(address) = address.parse::<IpAddr>() else { break };
        source = address.to_canonical();
        if !trusted.contains(&source) {
            break;
        }
    }
    source
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(peer: &str, header: &str, trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", header.parse().unwrap());
        let trusted: Vec<IpAddr> = trusted.iter().map(|address| address.parse().unwrap()).collect();
        forwarded(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_a_proxy_that_the_settings_name_is_believed() {
        assert_eq!(source("10.0.0.9", "1.2.3.4", &[]), "10.0.0.9");
        assert_eq!(source("10.0.0.9", "1.2.3.4", &["10.0.0.9"]), "1.2.3.4");
    }

    #[test]
    fn what_stands_before_the_last_untrusted_address_is_not_believed() {
        assert_eq!(source("10.0.0.9", "6.6.6.6, 1.2.3.4, 10.0.0.8", &["10.0.0.9", "10.0.0.8"]), "1.2.3.4");
        assert_eq!(source("10.0.0.9", "6.6.6.6, nonsense", &["10.0.0.9"]), "10.0.0.9");
    }
}
