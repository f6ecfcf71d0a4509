//! The lines that `serve --dev` prints: each can be pasted as it is.

use domain::Digest;
use secrecy::ExposeSecret;
use url::{Url, form_urlencoded};

use crate::{
    cli::{failure::Failure, output::line},
    credential::random_secret,
};

use super::demo::Demo;

/// What the browser is asked for.
const BROWSER_SCOPE: &str = "openid profile email read";

/// Prints how to get a token and use it: for the client itself, and in a person's name.
///
/// # Errors
/// That standard output cannot be written.
pub(super) fn print(demo: &Demo, public_url: &str, file: &str) -> Result<(), Failure> {
    let Demo { client_id, client_secret, username, password, .. } = demo;
    let get = get_token(demo);
    let verifier = random_secret();
    line(format_args!("To try it out (kept in {file}):\n"))?;
    line(format_args!("  client  {client_id}  secret    {client_secret}"))?;
    line(format_args!("  user    {username}  password  {password}"))?;
    line("\nThe client gets a token for itself:")?;
    line(&get)?;
    line("\nIt uses one:")?;
    let token = r#"sed -E 's/.*"access_token" *: *"([^"]+)".*/\1/'"#;
    line(format_args!(r#"curl -sS -H "Authorization: Bearer $({get} | {token})" {public_url}/api/resource"#))?;
    line(format_args!("\nA person lets it act for them: open this, sign in as {username}, and allow."))?;
    line(authorize_url(demo, verifier.expose_secret())?)?;
    line(
        "\nThe browser then stands at an address where nothing answers: that is the application's place. Copy the code out of it (what is \
         between code= and &), put it in place of CODE, and within a minute:",
    )?;
    line(redeem(demo, verifier.expose_secret()))
}

fn token_request(demo: &Demo) -> String {
    format!("curl -sS -u {}:{}", demo.client_id, demo.client_secret)
}

fn get_token(demo: &Demo) -> String {
    format!("{} -d grant_type=client_credentials -d scope=read {}/token/", token_request(demo), demo.issuer)
}

/// The authorization request (RFC 6749 section 4.1.1) with PKCE (RFC 7636).
fn authorize_url(demo: &Demo, verifier: &str) -> Result<Url, Failure> {
    let challenge = Digest::of(verifier.as_bytes());
    let parameters = [
        ("response_type", "code"),
        ("client_id", &demo.client_id),
        ("redirect_uri", &demo.redirect_uri),
        ("scope", BROWSER_SCOPE),
        ("state", "demo"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    let authorize = format!("{}/authorize/", demo.issuer);
    Url::parse_with_params(&authorize, parameters).map_err(|error| Failure::Failed(format!("{authorize}: {error}")))
}

fn redeem(demo: &Demo, verifier: &str) -> String {
    let redirect_uri: String = form_urlencoded::byte_serialize(demo.redirect_uri.as_bytes()).collect();
    format!(
        "{} -d grant_type=authorization_code -d code=CODE -d redirect_uri={redirect_uri} -d code_verifier={verifier} {}/token/",
        token_request(demo),
        demo.issuer
    )
}
