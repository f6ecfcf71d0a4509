//! Whatever ends a token, over either way: it is refused within milliseconds.

use std::time::Duration;

use domain::client::SigningAlgorithm;
use grantlog::log::Actor;
use support::{
    Kind, USER, both_stores,
    traffic::{grant, sign_in},
};

use crate::notes::{Place, Way};

both_stores!(
    each_kind_of_revocation_is_refused_as_soon_as_it_is_told,
    what_was_revoked_before_it_started_is_refused,
    what_it_knows_is_enough_to_let_in_and_to_refuse,
);

/// Longer than the news ever takes, and shorter than a token lives.
const SOON: Duration = Duration::from_secs(20);

/// Something that ends a token which was good.
#[derive(Clone, Copy, Debug)]
enum End {
    Token,
    Grant,
    Consent,
    Session,
    User,
    Client,
    Key,
}

impl End {
    const ALL: [Self; 7] = [Self::Token, Self::Grant, Self::Consent, Self::Session, Self::User, Self::Client, Self::Key];
}

async fn each_kind_of_revocation_is_refused_as_soon_as_it_is_told(kind: Kind) {
    for way in Way::ALL {
        let place = Place::start(kind, way).await;
        for end in End::ALL {
            let took = ended(&place, end).await;
            println!(
                "{kind:?}, {way:?}: refused {:.1} ms after the end of the {end:?} was acknowledged",
                took.as_secs_f64() * 1e3
            );
            assert!(took < SOON);
            place.notes.until_whole(true).await;
        }
    }
}

/// Ends a token, and gives how long it is let in after that.
async fn ended(place: &Place, end: End) -> Duration {
    let Place { app, application, notes, .. } = place;
    let dispatch = &app.app.dispatch;
    let session = sign_in(&app.app, USER).await.session;
    let tokens = grant(app, application, &session).await;
    notes.lets_in(&tokens.access).await;
    match end {
        End::Token => place.revoke(&tokens.access).await,
        End::Grant => place.revoke(tokens.refresh_token()).await,
        End::Consent => app.withdraw_consent(application).await,
        End::Session => drop(dispatch.sign_out(&session).await.unwrap()),
        End::User => {
            dispatch.lock_user(Actor::Operator, app.user).await.unwrap();
            let took = notes.until_refused(&tokens.access).await;
            dispatch.unlock_user(Actor::Operator, app.user).await.unwrap();
            return took;
        }
        End::Client => {
            app.disable(application.id).await;
            let took = notes.until_refused(&tokens.access).await;
            dispatch.enable_client(Actor::Operator, application.id).await.unwrap();
            notes.lets_in(&place.token().await).await;
            return took;
        }
        End::Key => {
            let old = dispatch.key_set().await.unwrap().active(SigningAlgorithm::ES256).unwrap().kid.clone();
            dispatch.rotate_keys(Actor::Operator, SigningAlgorithm::ES256).await.unwrap();
            dispatch.retire_key(Actor::Operator, &old).await.unwrap();
            let took = notes.until_refused(&tokens.access).await;
            notes.lets_in(&place.token().await).await;
            return took;
        }
    }
    notes.until_refused(&tokens.access).await
}

async fn what_was_revoked_before_it_started_is_refused(kind: Kind) {
    for way in Way::ALL {
        let place = Place::start(kind, way).await;
        let token = place.token().await;
        place.revoke(&token).await;
        let later = place.another().await;
        later.until_whole(true).await;
        later.read(&token).await.assert_status(401);
        later.lets_in(&place.token().await).await;
    }
}

/// The issuer is gone; another node goes on telling.
async fn what_it_knows_is_enough_to_let_in_and_to_refuse(kind: Kind) {
    let place = Place::start(kind, Way::Http).await;
    place.wire.lead_to(place.app.another_node_serving().await);
    let (alive, dead) = (place.token().await, place.token().await);
    place.notes.lets_in(&alive).await;
    place.revoke(&dead).await;
    place.notes.until_refused(&dead).await;
    let Place { app, notes, wire: _wire, .. } = place;
    let _store = app.stop().await;
    notes.until_whole(true).await;
    notes.lets_in(&alive).await;
    notes.read(&dead).await.assert_status(401);
}
