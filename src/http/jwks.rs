//! The keys that signatures are verified with (RFC 7517 section 5).

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use domain::key_set::Key;
use serde_json::{Value, json};

use crate::state::App;

use super::{error::Refused, metadata::KEEP};

pub(super) async fn get(State(app): State<App>) -> Result<Response, Refused> {
    let keys = app.dispatch.key_set().await?;
    let keys: Vec<Value> = keys.published().map(published).collect();
    Ok(([(header::CACHE_CONTROL, KEEP)], Json(json!({"keys": keys}))).into_response())
}

fn published(key: &Key) -> Value {
    let mut jwk = key.public.jwk.clone();
    if let Some(members) = jwk.as_object_mut() {
        members.insert("kid".to_owned(), key.public.kid.clone().into());
        members.insert("alg".to_owned(), json!(key.public.alg));
        members.insert("use".to_owned(), "sig".into());
    }
    jwk
}
