//! What goes out beside the stream: the signed watermark, and the signed checkpoints of the tree over the log.

use futures_util::StreamExt;
use grantlog::follow::relay::Watermark;
use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use support::{Kind, NatsServer, TestApp, both_stores, traffic::history};

use crate::stream::{caught_up, read, relaying};

both_stores!(a_signed_watermark_says_how_far_a_subscriber_knows_all, every_checkpoint_of_the_tree_over_the_log_is_published,);

async fn every_checkpoint_of_the_tree_over_the_log_is_published(kind: Kind) {
    let nats = NatsServer::start();
    let (app, _relay) = relaying(kind, &nats).await;
    let mut checkpoints = async_nats::connect(nats.url()).await.unwrap().subscribe("grantlog.checkpoint").await.unwrap();
    for _ in 0..2 {
        history(&app).await;
        app.app.transparency.turn().await.unwrap();
        let signed = app.app.transparency.checkpoint().await.unwrap().unwrap();
        let published = loop {
            let heard = String::from_utf8(checkpoints.next().await.unwrap().payload.to_vec()).unwrap();
            if heard == signed {
                break heard;
            }
        };
        assert_eq!(published.lines().nth(1).unwrap(), app.app.log.known_head().to_string());
    }
}

async fn a_signed_watermark_says_how_far_a_subscriber_knows_all(kind: Kind) {
    let nats = NatsServer::start();
    let (app, _relay) = relaying(kind, &nats).await;
    let mut watermarks = async_nats::connect(nats.url()).await.unwrap().subscribe("grantlog.watermark").await.unwrap();
    history(&app).await;
    caught_up(&app.app).await;
    let head = app.app.log.head().await.unwrap();
    let mark = loop {
        let mark = verified(&app, &watermarks.next().await.unwrap().payload).await;
        if mark.position == head {
            break mark;
        }
    };
    assert_eq!((mark.head, mark.iss, mark.epoch), (head, app.url("/o"), app.app.log.epoch().to_string()));
    let last = read(&nats, "grantlog.revocation.>").await.pop().unwrap();
    assert_eq!(mark.revocation.to_string(), last.body["position"]);
    assert!(mark.iat >= last.body["data"]["at"].as_i64().unwrap());
    assert!(read(&nats, "").await.iter().all(|message| message.subject != "grantlog.watermark"));
}

/// What a watermark says, checked as a subscriber does: by the published keys.
async fn verified(app: &TestApp, token: &[u8]) -> Watermark {
    let token = std::str::from_utf8(token).unwrap();
    let keys: JwkSet = serde_json::from_value(app.get("/o/.well-known/jwks.json").await.json()).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("grantlog-watermark+jwt"));
    let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut validation = Validation::new(header.alg);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    jsonwebtoken::decode(token, &key, &validation).unwrap().claims
}
