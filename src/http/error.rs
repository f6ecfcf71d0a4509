//! How errors are told: as JSON in the standard's form (RFC 6749 section 5.2, RFC 6750 section 3), each with an `error_id` that
//! `grantlog explain` opens. The cause is logged once, here.

use std::any::Any;

use axum::{
    Json,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    dispatch::Dispatch,
    protocol::{ErrorCode, OAuthError, bearer::Demanded, dpop, resource_metadata},
};

/// Which scheme a client used that was not believed, for `WWW-Authenticate`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    Bearer,
    /// RFC 9449 section 7.1.
    Dpop,
    /// Another sign-in (RFC 9470 section 3).
    SignIn(Demanded),
}

/// An error on its way out: `told` gives it its `error_id` and its body.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) error: OAuthError,
    pub(super) challenge: Option<Challenge>,
    /// Where another status than the code's own says more.
    pub(super) status: Option<StatusCode>,
    /// Whether a resource of our own was asked for: then it is told where it says what opens it (RFC 9728 section 5.1).
    pub(super) of_resource: bool,
}

impl From<OAuthError> for Refused {
    fn from(error: OAuthError) -> Self {
        Self { error, challenge: None, status: None, of_resource: false }
    }
}

impl From<crate::log::Unavailable> for Refused {
    fn from(unavailable: crate::log::Unavailable) -> Self {
        OAuthError::from(unavailable).into()
    }
}

impl Refused {
    /// With another status than the code's own.
    pub(super) fn with_status(error: OAuthError, status: StatusCode) -> Self {
        Self { status: Some(status), ..error.into() }
    }

    /// The status that it is told with.
    pub(super) fn status(&self) -> StatusCode {
        self.status.unwrap_or(match self.error.code {
            ErrorCode::InvalidClient | ErrorCode::InvalidToken | ErrorCode::InsufficientUserAuthentication => {
                StatusCode::UNAUTHORIZED
            }
            ErrorCode::InsufficientScope => StatusCode::FORBIDDEN,
            ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::InvalidRequest
            | ErrorCode::InvalidGrant
            | ErrorCode::UnauthorizedClient
            | ErrorCode::UnsupportedGrantType
            | ErrorCode::UnsupportedResponseType
            | ErrorCode::InvalidScope
            | ErrorCode::InvalidTarget
            | ErrorCode::AccessDenied
            | ErrorCode::LoginRequired
            | ErrorCode::UnmetAuthenticationRequirements
            | ErrorCode::ConsentRequired
            | ErrorCode::RequestNotSupported
            | ErrorCode::RequestUriNotSupported
            | ErrorCode::AuthorizationPending
            | ErrorCode::SlowDown
            | ErrorCode::ExpiredToken
            | ErrorCode::InvalidRequestUri
            | ErrorCode::InvalidRequestObject
            | ErrorCode::InvalidDpopProof
            | ErrorCode::UseDpopNonce
            | ErrorCode::InvalidRedirectUri
            | ErrorCode::InvalidClientMetadata
            | ErrorCode::UnapprovedSoftwareStatement => StatusCode::BAD_REQUEST,
        })
    }

    /// `WWW-Authenticate`, where the request could be made with credentials (RFC 6749 section 5.2, RFC 6750 section 3).
    fn challenge(&self) -> Option<String> {
        Some(match self.challenge.as_ref()? {
            Challenge::Basic => r#"Basic realm="grantlog", charset="UTF-8""#.to_owned(),
            Challenge::Bearer => self.with_scheme("Bearer"),
            Challenge::Dpop => format!(r#"{}, algs="{}""#, self.with_scheme("DPoP"), dpop::ALGORITHMS.join(" ")),
            Challenge::SignIn(demanded) => self.with_scheme("Bearer") + &demanded.to_challenge(),
        })
    }

    fn with_scheme(&self, scheme: &str) -> String {
        let (code, description) = (self.error.code.as_str(), &self.error.description);
        format!(r#"{scheme} realm="grantlog", error="{code}", error_description="{description}""#)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Serialize)]
struct Told<'a> {
    error: &'static str,
    error_description: &'a str,
    error_id: &'a str,
}

/// The response; an error gets its `error_id` and its body.
pub(super) fn told(dispatch: &Dispatch, mut response: Response) -> Response {
    let Some(refused) = response.extensions_mut().remove::<Refused>() else {
        return response;
    };
    let error_id = dispatch.error_id(&refused.error);
    let error = &refused.error;
    tracing::debug!(rule = error.rule, code = error.code.as_str(), %error_id, "refused");
    let told = Told { error: error.code.as_str(), error_description: &error.description, error_id: &error_id };
    *response.body_mut() = Body::from(serde_json::to_vec(&told).expect("an error has a JSON form"));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.remove(header::CONTENT_LENGTH);
    no_store(headers);
    if let Some(seconds) = error.retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if let Some(mut challenge) = refused.challenge() {
        if refused.of_resource {
            let address = format!("{}{}", dispatch.settings.public_url(), resource_metadata::PATH);
            challenge += &format!(r#", resource_metadata="{address}""#);
        }
        headers.insert(header::WWW_AUTHENTICATE, challenge.parse().expect("a description is printable ASCII"));
    }
    response
}

/// Nobody keeps what is secret or soon untrue (RFC 6749 section 5.1).
pub(super) fn no_store(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// There is nothing at this path.
pub(super) async fn not_found(uri: Uri) -> Refused {
    let error = OAuthError::invalid_request("no_such_path", "there is nothing at this path").saw("path", uri.path());
    Refused::with_status(error, StatusCode::NOT_FOUND)
}

/// The path is there, but not for this method; the router adds `Allow`.
pub(super) async fn method_not_allowed(request: Request) -> Refused {
    let error =
        OAuthError::invalid_request("method_not_allowed", "this path is not for this method").saw("method", request.method());
    Refused::with_status(error, StatusCode::METHOD_NOT_ALLOWED)
}

/// A defect: told as such, without what went wrong inside.
pub(super) fn panicked(_cause: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a request met a defect: its cause stands in the line above");
    let body = serde_json::json!({"error": ErrorCode::ServerError.as_str(), "error_description": "the server met a defect"});
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}
