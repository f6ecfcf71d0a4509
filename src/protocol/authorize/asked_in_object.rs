//! What a request object that is refused says of how the client wants to be answered (OpenID Connect Core section 6.1).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

/// Nobody's signature is looked at, and nothing else counts.
#[derive(Debug, Default, Deserialize)]
pub(super) struct AskedInObject {
    pub(super) response_mode: Option<String>,
    pub(super) state: Option<String>,
}

impl AskedInObject {
    /// Nothing, where it cannot be read.
    pub(super) fn read(object: &str) -> Self {
        let claims = object.split('.').nth(1).and_then(|claims| URL_SAFE_NO_PAD.decode(claims).ok());
        claims.and_then(|claims| serde_json::from_slice(&claims).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(claims: &str) -> (Option<String>, Option<String>) {
        let asked = AskedInObject::read(&format!("eyJhbGciOiJub25lIn0.{}.", URL_SAFE_NO_PAD.encode(claims)));
        (asked.response_mode, asked.state)
    }

    #[test]
    fn how_to_answer_is_read_and_nothing_where_it_cannot_be() {
        let asked = read(r#"{"response_mode": "form_post", "state": "s", "redirect_uri": "https://evil.example"}"#);
        assert_eq!(asked, (Some("form_post".to_owned()), Some("s".to_owned())));
        for nothing in ["{}", "[]", "{", r#"{"state": 1}"#, ""] {
            assert_eq!(read(nothing), (None, None), "{nothing}");
        }
        assert!(AskedInObject::read("nonsense").state.is_none() && AskedInObject::read("a.!.c").state.is_none());
    }
}
