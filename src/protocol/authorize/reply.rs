//! The answer to an authorization request, as the URL that the browser is sent to (RFC 6749 section 4.1.2, RFC 9207 section 2).

use url::form_urlencoded::Serializer;

use crate::protocol::landing;

use super::{Reply, ResponseMode};

impl Reply {
    /// The answer's parameters, with `state` and `iss`.
    #[must_use]
    pub fn parameters(&self, issuer: &str, parameters: &[(&str, &str)]) -> Vec<(String, String)> {
        let state = self.state.as_deref().map(|state| ("state", state));
        let all = parameters.iter().copied().chain(state).chain([("iss", issuer)]);
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// The redirect URI, byte for byte as registered, with parameters added.
    #[must_use]
    pub fn url(&self, parameters: &[(String, String)]) -> String {
        let encoded = Serializer::new(String::new()).extend_pairs(parameters).finish();
        match self.mode {
            ResponseMode::Fragment => format!("{}#{encoded}", self.redirect_uri),
            ResponseMode::Query | ResponseMode::FormPost => landing::with_query(&self.redirect_uri, &encoded),
        }
    }

    /// What a page's Content-Security-Policy must allow its form to be redirected to.
    #[must_use]
    pub fn form_action(&self) -> String {
        landing::source(&self.redirect_uri)
    }

    /// Where the user will be sent, as they are told.
    #[must_use]
    pub fn place(&self) -> &str {
        landing::place(&self.redirect_uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(redirect_uri: &str, mode: ResponseMode) -> Reply {
        Reply { redirect_uri: redirect_uri.to_owned(), mode, signed: None, state: Some("a b&c".to_owned()) }
    }

    fn url(redirect_uri: &str, mode: ResponseMode) -> String {
        let reply = reply(redirect_uri, mode);
        reply.url(&reply.parameters("https://id.example/o", &[("code", "x")]))
    }

    #[test]
    fn the_answer_is_added_to_the_redirect_uri_as_it_is_registered() {
        let answer = "code=x&state=a+b%26c&iss=https%3A%2F%2Fid.example%2Fo";
        assert_eq!(url("https://a.example/cb", ResponseMode::Query), format!("https://a.example/cb?{answer}"));
        assert_eq!(url("https://a.example/cb?x=1", ResponseMode::Fragment), format!("https://a.example/cb?x=1#{answer}"));
    }
}
