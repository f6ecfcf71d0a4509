//! An answer of the server, whole.

use std::fmt;

use reqwest::{
    StatusCode,
    header::{HeaderMap, LOCATION},
};
use serde_json::Value;

/// Status, headers and body.
#[derive(Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

/// What a token response holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    pub access: String,
    pub refresh: Option<String>,
    pub id_token: Option<String>,
    pub scope: String,
    pub expires_in: i64,
}

impl Answer {
    /// Sends a request.
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        Self::try_of(request).await.expect("the server answers")
    }

    /// Sends a request; `None` where the server is gone before it has answered.
    pub async fn try_of(request: reqwest::RequestBuilder) -> Option<Self> {
        let response = request.send().await.ok()?;
        let (status, headers) = (response.status(), response.headers().clone());
        Some(Self { status, headers, body: response.text().await.ok()? })
    }

    #[track_caller]
    pub fn assert_status(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }

    /// An error in the standard's form (RFC 6749 section 5.2), which nobody keeps, with an `error_id`.
    #[track_caller]
    pub fn assert_error(self, status: u16, code: &str) -> Self {
        let answer = self.assert_status(status);
        let json = answer.json();
        assert_eq!(json["error"], code, "{answer:?}");
        assert!(json["error_description"].as_str().is_some_and(|text| !text.is_empty()), "{answer:?}");
        assert!(json["error_id"].as_str().is_some_and(|text| !text.is_empty()), "{answer:?}");
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
        answer
    }

    /// A header's value; empty where it is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap_or_default())
    }

    /// Where it redirects to; empty where it does not.
    #[must_use]
    pub fn location(&self) -> &str {
        self.header(LOCATION.as_str())
    }

    #[track_caller]
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    #[must_use]
    pub fn tokens(&self) -> Tokens {
        let json = self.json();
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        Tokens {
            access: text("access_token").unwrap_or_else(|| panic!("no access token: {self:?}")),
            refresh: text("refresh_token"),
            id_token: text("id_token"),
            scope: text("scope").expect("scope always stands in the answer"),
            expires_in: json["expires_in"].as_i64().expect("expires_in is a number"),
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {}", self.status, self.headers, self.body)
    }
}
