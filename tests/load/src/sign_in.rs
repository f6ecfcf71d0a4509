//! The first tokens of a grant, as an application gets them: a person signs in on the page, and a first-party client asks for codes.

use std::io;

use crate::{
    Options,
    connection::{Answer, Connection, basic},
    operation::Tokens,
};

/// A verifier and its challenge (RFC 7636 appendix B).
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Signs the person in, and gives the browser's cookies.
pub(crate) async fn sign_in(options: &Options) -> io::Result<String> {
    let mut connection = Connection::open(options).await?;
    let page = connection.get("/sign-in/", "");
    let page = connection.send(&page).await?.with_status(200)?;
    let browser = cookies(&page);
    let text = String::from_utf8_lossy(page.body);
    let token = text.split("name=\"csrf_token\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let token = token.ok_or_else(|| io::Error::other("the sign-in page has no form"))?;
    let form = format!("csrf_token={token}&username={}&password={}", options.username, options.password);
    let request = connection.post("/sign-in/", &format!("cookie: {browser}"), &form);
    let answer = connection.send(&request).await?.with_status(303)?;
    Ok(format!("{browser}; {}", cookies(&answer)))
}

/// The tokens of a new grant by the person with these cookies.
pub(crate) async fn grant(options: &Options, connection: &mut Connection, cookies: &str) -> io::Result<Tokens> {
    let Options { client_id, client_secret, redirect_uri, .. } = options;
    let request = connection.get(
        &format!(
            "/o/authorize/?response_type=code&client_id={client_id}&redirect_uri={redirect_uri}&scope=read&state=s&\
             code_challenge={CHALLENGE}&code_challenge_method=S256"
        ),
        cookies,
    );
    let answer = connection.send(&request).await?;
    let code = answer.header("location").next().and_then(|to| to.split(['?', '&']).find_map(|part| part.strip_prefix("code=")));
    let Some(code) = code.map(str::to_owned) else {
        return Err(io::Error::other(format!("no code: {answer:?}")));
    };
    let form = format!("grant_type=authorization_code&code={code}&redirect_uri={redirect_uri}&code_verifier={VERIFIER}");
    let request = connection.post("/o/token/", &basic(client_id, client_secret), &form);
    Tokens::of(&connection.send(&request).await?.with_status(200)?)
}

fn cookies(answer: &Answer<'_>) -> String {
    let set = answer.header("set-cookie").filter_map(|cookie| cookie.split(';').next());
    set.collect::<Vec<_>>().join("; ")
}
