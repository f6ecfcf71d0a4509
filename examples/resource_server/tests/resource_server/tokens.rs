//! Whom it lets in, and what it tells the others (RFC 6750 section 3, RFC 9068 section 4).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use support::{Kind, both_stores};

use crate::notes::{Place, Way};

both_stores!(
    it_knows_who_comes_and_what_they_may,
    without_a_token_it_says_how_to_come_again,
    a_token_that_was_changed_or_made_up_is_refused,
    a_token_for_another_or_out_of_its_time_is_refused,
    an_opaque_token_is_asked_about_each_time,
    a_refresh_token_and_an_id_token_open_nothing,
);

async fn it_knows_who_comes_and_what_they_may(kind: Kind) {
    let place = Place::start(kind, Way::Http).await;
    let Place { app, notes, application, .. } = &place;
    let (reader, writer) = (app.grant(application, "read").await, app.grant(application, "read write").await);
    notes.write(&writer.access, "milk").await.assert_status(201);
    let read = notes.read(&reader.access).await.assert_status(200).json();
    let user = app.user.to_string();
    assert_eq!(read, json!({"reader": user, "application": application.identifier, "notes": [{"by": user, "text": "milk"}]}));
    let refused = notes.write(&reader.access, "more").await.assert_status(403);
    let challenge = refused.header("www-authenticate");
    assert!(challenge.contains("error=\"insufficient_scope\"") && challenge.contains("scope=\"write\""), "{challenge}");
}

async fn without_a_token_it_says_how_to_come_again(kind: Kind) {
    let place = Place::start(kind, Way::Http).await;
    let token = place.token().await;
    let in_url = place.notes.read_by_url(&token).await;
    assert_eq!(in_url.assert_status(401).header("www-authenticate"), "Bearer");
    let none = place.notes.request(|request| request).await;
    assert_eq!(none.assert_status(401).header("www-authenticate"), "Bearer");
    let other = place.notes.request(|request| request.basic_auth("mika", Some("secret"))).await;
    assert_eq!(other.assert_status(401).header("www-authenticate"), "Bearer");
    let twice = place.notes.request(|request| request.bearer_auth(&token).header("authorization", "Bearer other")).await;
    assert!(twice.assert_status(400).header("www-authenticate").contains("invalid_request"));
    let empty = place.notes.request(|request| request.header("authorization", "Bearer ")).await;
    assert!(empty.assert_status(400).header("www-authenticate").contains("invalid_request"));
}

fn part(token: &str, number: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(number).unwrap()).unwrap()).unwrap()
}

fn encoded(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

async fn a_token_that_was_changed_or_made_up_is_refused(kind: Kind) {
    let place = Place::start(kind, Way::Http).await;
    let token = place.token().await;
    let (header, claims, signature) = (part(&token, 0), part(&token, 1), token.rsplit('.').next().unwrap());
    let with = |mut part: Value, member: &str, value: Value| {
        part[member] = value;
        encoded(&part)
    };
    for forged in [
        format!("{}.{}.{signature}", encoded(&header), with(claims.clone(), "scope", json!("read write admin"))),
        format!("{}.{}.{signature}", with(header.clone(), "alg", json!("HS256")), encoded(&claims)),
        format!("{}.{}.", with(header.clone(), "alg", json!("none")), encoded(&claims)),
        format!("{}.{}.{signature}", with(header.clone(), "typ", json!("JWT")), encoded(&claims)),
        format!("{}.{}.{signature}", with(header.clone(), "crit", json!(["exp"])), encoded(&claims)),
        format!("{}.{}.{signature}", with(header.clone(), "kid", json!("made-up")), encoded(&claims)),
        format!("{}.{}.{signature}", with(header, "kid", Value::Null), encoded(&claims)),
        format!("{token}x"),
        "invented".to_owned(),
        "a.b.c".to_owned(),
    ] {
        let refused = place.notes.read(&forged).await.assert_status(401);
        assert!(refused.header("www-authenticate").contains("invalid_token"), "{refused:?}");
    }
    place.notes.lets_in(&token).await;
}

async fn a_token_for_another_or_out_of_its_time_is_refused(kind: Kind) {
    let place = Place::start(kind, Way::Http).await;
    let elsewhere = "https://elsewhere.example";
    let metadata = json!({"grant_types": ["client_credentials"], "scope": "read", "resources": [elsewhere]});
    let client = place.app.client(metadata).await;
    let form = [("grant_type", "client_credentials"), ("resource", elsewhere)];
    let for_another = place.app.post_as(&client, "/o/token/", &form).await.assert_status(200).tokens().access;
    place.notes.read(&for_another).await.assert_status(401);
    place.app.app.clock.advance(-2 * 3600);
    let expired = place.token().await;
    place.notes.read(&expired).await.assert_status(401);
}

async fn an_opaque_token_is_asked_about_each_time(kind: Kind) {
    let place = Place::start(kind, Way::Http).await;
    let metadata = json!({"grant_types": ["client_credentials"], "scope": "read", "access_token_format": "opaque"});
    let client = place.app.client(metadata).await;
    let token = place.app.token_of(&client, "read").await.access;
    let read = place.notes.read(&token).await.assert_status(200).json();
    assert_eq!(read["application"], client.identifier.as_str());
    place.app.revoke(&client, &token).await.assert_status(200);
    place.notes.read(&token).await.assert_status(401);
}

async fn a_refresh_token_and_an_id_token_open_nothing(kind: Kind) {
    let place = Place::start(kind, Way::Http).await;
    let redirect_uris = [support::REDIRECT_URI];
    for algorithm in ["ES256", "EdDSA", "RS256", "PS256"] {
        let metadata = json!({
            "redirect_uris": redirect_uris, "grant_types": ["authorization_code", "refresh_token"], "scope": "openid read",
            "id_token_signed_response_alg": algorithm,
        });
        let client = place.app.client(metadata).await;
        let tokens = place.app.grant(&client, "openid read").await;
        for other in [tokens.refresh_token(), tokens.id_token()] {
            let refused = place.notes.read(other).await.assert_status(401);
            assert!(refused.header("www-authenticate").contains("invalid_token"), "{refused:?}");
        }
    }
}
