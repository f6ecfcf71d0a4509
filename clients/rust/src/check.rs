//! The check of a token: a JWT (RFC 9068 section 4) by keys and news, any other by asking; and of who comes with it, where it is bound.

use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};

use crate::{
    claims::Claims,
    knowledge::Verdict,
    presented::Presented,
    refusal::Refusal::{self, InvalidToken},
    sender::Sender,
    server::Shared,
};

/// The media type in the header of an access token, with and without what RFC 7515 lets go of it.
const TYP: [&str; 2] = ["at+jwt", "application/at+jwt"];

pub(crate) async fn check(shared: &Shared, presented: &Presented, sender: &Sender) -> Result<Claims, Refusal> {
    let claims = alive(shared, &presented.token).await?;
    sender.holds(&claims, presented, &shared.settings, &shared.used_proofs)?;
    Ok(claims)
}

/// What a token says that is good now, whoever comes with it.
async fn alive(shared: &Shared, token: &str) -> Result<Claims, Refusal> {
    let Some(header) = jwt(token) else { return shared.introspector.ask(token).await };
    let (claims, kid) = verified(shared, token, &header).await?;
    match shared.knowledge.verdict(&claims, &kid) {
        Verdict::Alive => Ok(claims),
        Verdict::Dead => Err(InvalidToken("the token was revoked")),
        Verdict::Unknown => shared.introspector.ask(token).await.map(|_| claims),
    }
}

/// The header of a JWT; `None` for an opaque token.
fn jwt(token: &str) -> Option<Header> {
    (token.split('.').count() == 3).then(|| decode_header(token).ok()).flatten()
}

/// The claims of a JWT that the issuer signed for us and that has not expired, and the key that signed it.
async fn verified(shared: &Shared, token: &str, header: &Header) -> Result<(Claims, String), Refusal> {
    let typ = header.typ.as_deref().unwrap_or_default().to_ascii_lowercase();
    if !TYP.contains(&typ.as_str()) || header.crit.is_some() {
        return Err(InvalidToken("the token is no access token"));
    }
    let kid = header.kid.as_deref().ok_or(InvalidToken("the token does not name its key"))?;
    let key = shared.keys.find(kid).await?.ok_or(InvalidToken("the token's key is not the issuer's"))?;
    let validation = validation(shared, key.algorithm);
    let decoded = decode::<Claims>(token, &key.decoding, &validation);
    let claims = decoded.map_err(|_| InvalidToken("the token is not the issuer's, not for this resource server, or expired"))?;
    Ok((claims.claims, kid.to_owned()))
}

/// The key says the algorithm, not the token.
fn validation(shared: &Shared, algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_issuer(&[&shared.settings.issuer]);
    validation.set_audience(&[&shared.settings.audience]);
    validation.leeway = shared.settings.leeway.as_secs();
    validation.validate_nbf = true;
    validation
}
