//! openidconnect against the running server: a person signs in, tokens are refreshed and revoked, and what must be is refused.
#![cfg(test)]

mod application;
mod browser;
mod grantlog;

use application::{Application, BYE, REDIRECT_URI, refused};
use openidconnect::{
    AccessTokenHash, ClaimsVerificationError, Nonce, OAuth2TokenResponse, RedirectUrl, RefreshToken, SignatureVerificationError,
    TokenResponse,
};

use crate::browser::Browser;

#[tokio::test]
async fn a_person_signs_in_and_the_application_knows_who_it_is() {
    let user = grantlog::new_user();
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA"] {
        let application = Application::register(&["--id-token-signed-response-alg", algorithm]).await;
        let visit = application.visit(&Browser::new(), &user).await;
        let tokens = visit.tokens().await.expect("the code is good");
        let claims = visit.claims(&tokens).expect("the ID token is good");
        let id_token = tokens.id_token().expect("there is one");
        let verifier = application.client.id_token_verifier();
        let (algorithm, key) = (id_token.signing_alg().expect("known"), id_token.signing_key(&verifier).expect("published"));
        let hash = AccessTokenHash::from_token(tokens.access_token(), algorithm, key).expect("it can be hashed");
        assert_eq!(claims.access_token_hash(), Some(&hash));
        let told = application.userinfo(&tokens, claims.subject()).await.expect("the token is good");
        assert_eq!(told.preferred_username().map(|name| name.as_str()), Some(user.name.as_str()));
    }
}

#[tokio::test]
async fn tokens_are_refreshed_and_revoked() {
    let application = Application::register(&[]).await;
    let visit = application.visit(&Browser::new(), &grantlog::new_user()).await;
    let first = visit.tokens().await.expect("the code is good");
    let second = application.refresh(refresh_token(&first)).await.expect("the refresh token is good");
    assert_ne!(refresh_token(&second).secret(), refresh_token(&first).secret());
    // A refreshed ID token has no nonce.
    let no_nonce = |nonce: Option<&Nonce>| nonce.map_or(Ok(()), |_| Err("a nonce".to_owned()));
    let subject = application.claims(&second, no_nonce).expect("the ID token is good").subject().clone();
    assert_eq!(&subject, visit.claims(&first).expect("the ID token is good").subject());
    application.userinfo(&second, &subject).await.expect("the token is good");

    application.revoke(refresh_token(&second)).await;
    assert!(application.userinfo(&second, &subject).await.is_err());
    assert_eq!(refused(application.refresh(refresh_token(&second)).await), "invalid_grant");
}

#[tokio::test]
async fn a_person_is_signed_out_and_comes_back() {
    let application = Application::register(&[]).await;
    let (browser, user) = (Browser::new(), grantlog::new_user());
    let visit = application.visit(&browser, &user).await;
    let tokens = visit.tokens().await.expect("the code is good");
    let left = browser.open(application.way_out(&tokens)).await;
    assert_eq!(left.url.as_str(), format!("{BYE}?state=out"));
    assert_eq!(refused(application.refresh(refresh_token(&tokens)).await), "invalid_grant");
    assert!(browser.open(application.ask().url).await.has("login"), "the person is not signed in any more");
}

#[tokio::test]
async fn a_wrong_secret_is_refused() {
    let application = Application::register(&[]).await.with_secret("wrong");
    let visit = application.visit(&Browser::new(), &grantlog::new_user()).await;
    assert_eq!(refused(visit.tokens().await), "invalid_client");
}

#[tokio::test]
async fn a_wrong_verifier_is_refused() {
    let application = Application::register(&[]).await;
    let (browser, user) = (Browser::new(), grantlog::new_user());
    let other = application.visit(&browser, &user).await;
    let visit = application.visit(&browser, &user).await;
    assert_eq!(refused(visit.tokens_with(&other.verifier).await), "invalid_grant");
}

#[tokio::test]
async fn a_replayed_code_is_refused_and_ends_what_it_gave() {
    let application = Application::register(&[]).await;
    let visit = application.visit(&Browser::new(), &grantlog::new_user()).await;
    let tokens = visit.tokens().await.expect("the code is good");
    let subject = visit.claims(&tokens).expect("the ID token is good").subject().clone();
    assert_eq!(refused(visit.tokens().await), "invalid_grant");
    assert!(application.userinfo(&tokens, &subject).await.is_err());
}

#[tokio::test]
async fn a_foreign_redirect_uri_is_a_page_and_no_redirect() {
    let mut application = Application::register(&[]).await;
    application.client = application.client.set_redirect_uri(RedirectUrl::new(format!("{REDIRECT_URI}/other")).expect("a URL"));
    let page = Browser::new().open(application.ask().url).await;
    assert_eq!((page.status, page.has("error")), (400, true));
}

#[tokio::test]
async fn an_id_token_of_another_sign_in_or_for_another_application_is_refused() {
    let application = Application::register(&[]).await;
    let other = Application::register(&[]).await;
    let (browser, user) = (Browser::new(), grantlog::new_user());
    let visit = application.visit(&browser, &user).await;
    let earlier = application.visit(&browser, &user).await.tokens().await.expect("the code is good");
    assert!(matches!(visit.claims(&earlier), Err(ClaimsVerificationError::InvalidNonce(_))));
    let theirs = other.visit(&browser, &user).await.tokens().await.expect("the code is good");
    assert!(matches!(visit.claims(&theirs), Err(ClaimsVerificationError::InvalidAudience(_))));
}

#[tokio::test]
async fn an_id_token_that_was_tampered_with_is_refused() {
    let application = Application::register(&[]).await;
    let visit = application.visit(&Browser::new(), &grantlog::new_user()).await;
    let mut told = serde_json::to_value(visit.tokens().await.expect("the code is good")).expect("JSON");
    let signed = told["id_token"].as_str().expect("there is one").to_owned();
    let (content, signature) = signed.rsplit_once('.').expect("a signature");
    told["id_token"] = format!("{content}.{}", signature.chars().rev().collect::<String>()).into();
    let tampered = serde_json::from_value(told).expect("tokens");
    let refusal = visit.claims(&tampered);
    assert!(
        matches!(refusal, Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::CryptoError(_)))),
        "{refusal:?}"
    );
}

fn refresh_token(tokens: &application::Tokens) -> &RefreshToken {
    tokens.refresh_token().expect("there is one")
}
