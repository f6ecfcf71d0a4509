//! Where a person goes who has signed out, and what they see. Where applications want to hear of it in the browser, they first see a page with
//! a frame of each (OpenID Connect Front-Channel Logout 1.0), which goes on by itself.

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use domain::{Digest, SessionId, client::ClientMetadata};
use projections::{client, grant};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use url::form_urlencoded::Serializer;

use crate::{
    credential::random_secret,
    ephemeral,
    http::{error::Refused, form::Query},
    log::Unavailable,
    protocol::{
        landing,
        logout::{Back, LogoutRequest},
    },
    state::App,
};

use super::{
    frame::{Frame, policy_with_frames, see_other},
    shown::shown,
    visitor::Visitor,
};

/// The page that says so.
const PATH: &str = "/o/logout/done/";
/// The ephemeral kind of what the page needs to know, and for how many seconds it is known.
const KIND: &str = "signed_out";
const KEPT: u32 = 600;
/// The longest place that is shown, in characters.
const MAX_PLACE: usize = 120;
/// Applications that the browser opens at most.
const MAX_FRAMES: usize = 32;
/// For so many seconds the frames may load before the page goes on.
const PATIENCE: u32 = 2;

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutPage {
    frame: Frame,
    onward: Option<Onward>,
    /// What the browser opens, so that applications forget the person.
    told: Vec<String>,
}

/// Where they may go on to.
struct Onward {
    url: String,
    place: String,
}

/// What the page with the frames needs to know.
#[derive(Serialize, Deserialize)]
struct Left {
    sessions: Vec<SessionId>,
    back: Option<Back>,
    ui_locales: Option<String>,
}

/// `GET /o/logout/done/`: with the applications to tell, where somebody signed out just now.
pub(in crate::http) async fn done(visitor: Visitor, Query(parameters): Query) -> Result<Response, Refused> {
    let app = visitor.app.clone();
    let key = Digest::of(parameters.get("left").unwrap_or_default().as_bytes());
    let kept = ephemeral::get(app.log.db(), KIND, key.as_str(), app.clock.now()).await?;
    let Some(left) = kept.and_then(|kept| serde_json::from_str::<Left>(&kept).ok()) else {
        return Ok(show(&visitor, None, Vec::new()));
    };
    let told = frames(&app, &left.sessions).await?;
    Ok(show(&visitor.speaking(left.ui_locales.as_deref()), left.back.as_ref(), told))
}

/// The sessions have ended just now: on to where the client wants them, or to the page that says so.
pub(super) async fn after(app: &App, sessions: &[SessionId], request: &LogoutRequest) -> Result<Response, Refused> {
    if !frames(app, sessions).await?.is_empty() {
        let (back, ui_locales) = (request.back.clone(), request.ui_locales.clone());
        let left = Left { sessions: sessions.to_vec(), back, ui_locales };
        let (handle, until) = (random_secret(), app.clock.now().plus(KEPT));
        let key = Digest::of(handle.expose_secret().as_bytes());
        let kept = serde_json::to_string(&left).expect("it has a JSON form");
        ephemeral::put(app.log.db(), KIND, key.as_str(), &kept, until).await?;
        return Ok(see_other(&format!("{PATH}?left={}", handle.expose_secret())));
    }
    Ok(match &request.back {
        Some(back) => see_other(&back.url()),
        None => see_other(PATH),
    })
}

/// Nobody is signed in. Whoever only names a client, and shows nothing of it, does not send people on: they go by themselves.
pub(super) fn without_session(visitor: &Visitor, request: &LogoutRequest) -> Response {
    match &request.back {
        Some(back) if request.hinted => see_other(&back.url()),
        back => show(visitor, back.as_ref(), Vec::new()),
    }
}

fn show(visitor: &Visitor, back: Option<&Back>, told: Vec<String>) -> Response {
    let onward = back.map(|back| Onward { url: back.url(), place: shown(back.place(), MAX_PLACE) });
    let policy = policy_with_frames(told.iter().map(|uri| landing::source(uri)));
    let template = SignedOutPage { frame: visitor.frame(), onward, told };
    let mut response = visitor.page(StatusCode::OK, &template, None);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    if let (Some(onward), false) = (&template.onward, template.told.is_empty())
        && let Ok(refresh) = HeaderValue::from_str(&format!("{PATIENCE};url={}", onward.url))
    {
        response.headers_mut().insert(header::REFRESH, refresh);
    }
    response
}

/// What the browser opens of the applications of these sign-ins.
async fn frames(app: &App, sessions: &[SessionId]) -> Result<Vec<String>, Unavailable> {
    let mut all = Vec::new();
    for session in sessions {
        all.extend(frames_of(app, *session).await?);
    }
    all.truncate(MAX_FRAMES);
    Ok(all)
}

/// Of each application, with the issuer and the sign-in (section 3).
async fn frames_of(app: &App, session: SessionId) -> Result<Vec<String>, Unavailable> {
    let sid = session.to_string();
    let told = Serializer::new(String::new()).append_pair("iss", &app.settings.issuer()).append_pair("sid", &sid).finish();
    let clients = grant::clients_of_session(app.log.db(), &sid).await?;
    let rows = client::find(app.log.db(), &clients).await?.into_iter().filter(|row| row.state == "enabled");
    let uri = |row: client::ClientRow| {
        let metadata: ClientMetadata = serde_json::from_str(&row.metadata).ok()?;
        metadata.frontchannel_logout_uri().map(|uri| landing::with_query(uri, &told))
    };
    Ok(rows.filter_map(uri).collect())
}
