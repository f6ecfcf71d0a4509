//! The ceiling: an axum handler that reads a form and answers with as much JSON as a token takes, and does nothing else.

use std::io;

use axum::{
    Router,
    body::Bytes,
    http::header,
    response::IntoResponse,
    routing::{get, post},
};
use tokio::net::TcpListener;

const ANSWER: &str = r#"{"access_token":"0190f5fe-5a2b-7a6c-8d3e-9f0a1b2c3d4e.0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk.E9Melhoa2OwvFrEMTJguCA","token_type":"Bearer","expires_in":3600,"scope":"read"}"#;

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).ok_or_else(|| io::Error::other("the address to listen at is missing"))?;
    let app = Router::new().route("/o/token/", post(token)).route("/readyz", get(|| async { "ready" }));
    axum::serve(TcpListener::bind(address).await?, app).await
}

async fn token(form: Bytes) -> impl IntoResponse {
    drop(form);
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], ANSWER)
}
