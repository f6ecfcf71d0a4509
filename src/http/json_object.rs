//! JSON objects as endpoints take them: bounded in size and time, as forms are.

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderValue, StatusCode, header},
};
use serde_json::{Map, Value};

use crate::{
    protocol::{OAuthError, registration::invalid},
    state::App,
};

use super::{error::Refused, form::read};

/// A JSON object (`application/json`).
pub(super) struct JsonObject(pub(super) Map<String, Value>);

impl FromRequest<App> for JsonObject {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refused> {
        let content_type = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        if !content_type.is_some_and(is_json) {
            let error = OAuthError::invalid_request("not_json", "the content type must be application/json");
            return Err(Refused::with_status(error, StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        match serde_json::from_slice(&read(request, app).await?) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) => Err(invalid("the body must be a JSON object").into()),
            Err(error) => Err(invalid(&format!("the body is no JSON: {error}")).into()),
        }
    }
}

fn is_json(content_type: &[u8]) -> bool {
    let media_type = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    media_type.trim_ascii().eq_ignore_ascii_case(b"application/json")
}
