//! The answer to an authorization request, as the URL that the browser is sent to (RFC 6749 section 4.1.2, RFC 9207 section 2).

use url::form_urlencoded::Serializer;

use super::{Reply, ResponseMode};

impl Reply {
    /// The answer's parameters, with `state` and `iss`.
    #[must_use]
    pub fn parameters(&self, issuer: &str, parameters: &[(&str, &str)]) -> Vec<(String, String)> {
        let state = self.state.as_deref().map(|state| ("state", state));
        let all = parameters.iter().copied().chain(state).chain([("iss", issuer)]);
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// The redirect URI, byte for byte as registered, with the answer's parameters, `state` and `iss` added.
    #[must_use]
    pub fn url(&self, issuer: &str, parameters: &[(&str, &str)]) -> String {
        let encoded = Serializer::new(String::new()).extend_pairs(self.parameters(issuer, parameters)).finish();
        let joint = match self.mode {
            ResponseMode::Fragment => "#",
            ResponseMode::Query | ResponseMode::FormPost if !self.redirect_uri.contains('?') => "?",
            ResponseMode::Query | ResponseMode::FormPost if self.redirect_uri.ends_with(['?', '&']) => "",
            ResponseMode::Query | ResponseMode::FormPost => "&",
        };
        format!("{}{joint}{encoded}", self.redirect_uri)
    }

    /// What a page's Content-Security-Policy must allow its form to be redirected to: the redirect URI's origin, or its scheme where
    /// that is an application's own.
    #[must_use]
    pub fn form_action(&self) -> String {
        let (scheme, rest) = self.redirect_uri.split_once(':').unwrap_or_default();
        let authority = rest.strip_prefix("//").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
        match (scheme, authority) {
            ("http" | "https", Some(authority)) if is_host_source(authority) => format!("{scheme}://{authority}"),
            _ => format!("{scheme}:"),
        }
    }

    /// Where the user will be sent, as they are told: a host, or an application's own scheme.
    #[must_use]
    pub fn place(&self) -> &str {
        let (scheme, rest) = self.redirect_uri.split_once(':').unwrap_or_default();
        match rest.strip_prefix("//").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default()) {
            Some(authority) if !authority.is_empty() => authority,
            Some(_) | None => scheme,
        }
    }
}

/// Whether a policy can name this host (CSP level 3 section 2.3.1): it has no words for IPv6 addresses.
fn is_host_source(authority: &str) -> bool {
    authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(redirect_uri: &str, mode: ResponseMode) -> Reply {
        Reply { redirect_uri: redirect_uri.to_owned(), mode, state: Some("a b&c".to_owned()) }
    }

    fn url(redirect_uri: &str, mode: ResponseMode) -> String {
        reply(redirect_uri, mode).url("https://id.example/o", &[("code", "x")])
    }

    #[test]
    fn the_answer_is_added_to_the_redirect_uri_as_it_is_registered() {
        let answer = "code=x&state=a+b%26c&iss=https%3A%2F%2Fid.example%2Fo";
        assert_eq!(url("https://a.example/cb", ResponseMode::Query), format!("https://a.example/cb?{answer}"));
        assert_eq!(url("https://a.example", ResponseMode::Query), format!("https://a.example?{answer}"));
        assert_eq!(url("https://a.example/cb?x=%41", ResponseMode::Query), format!("https://a.example/cb?x=%41&{answer}"));
        assert_eq!(url("https://a.example/cb?", ResponseMode::Query), format!("https://a.example/cb?{answer}"));
        assert_eq!(url("com.example.app:/cb", ResponseMode::Query), format!("com.example.app:/cb?{answer}"));
        assert_eq!(url("https://a.example/cb?x=1", ResponseMode::Fragment), format!("https://a.example/cb?x=1#{answer}"));
    }

    #[test]
    fn a_form_may_be_redirected_to_the_clients_origin_alone() {
        let action = |uri| reply(uri, ResponseMode::Query).form_action();
        assert_eq!(action("https://a.example/cb?x#y"), "https://a.example");
        assert_eq!(action("http://127.0.0.1:9000/cb"), "http://127.0.0.1:9000");
        assert_eq!(action("http://[::1]:9000/cb"), "http:");
        assert_eq!(action("https://a;sandbox/cb"), "https:");
        assert_eq!(action("com.example.app:/cb"), "com.example.app:");
        assert_eq!(action("com.example.app://cb/x"), "com.example.app:");
    }

    #[test]
    fn a_person_is_told_the_place_they_are_sent_to() {
        assert_eq!(reply("https://a.example:8443/cb", ResponseMode::Query).place(), "a.example:8443");
        assert_eq!(reply("com.example.app:/cb", ResponseMode::Query).place(), "com.example.app");
    }
}
