//! `/admin/users/`: all users, found by their exact sign-in name (nothing else of them can be searched: it is sealed); one of them at
//! `/admin/users/<id>/`, to lock or unlock them.

use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};
use domain::{UserId, user::UserError};
use futures_util::future::try_join_all;
use projections::{
    Page,
    account::{self, AccountRow},
    consent,
    session::{self, SessionRow},
};

use crate::{
    dispatch::{Refusal, UserRefusal},
    http::{answer::at_position, error::Refused, form::Query},
    log::Unavailable,
    protocol::OAuthError,
    state::App,
};

use super::{
    super::{
        application::initial,
        applications::nothing_here,
        authorized_tokens::{Access, all_of},
        frame::Frame,
        language::Language,
        moment::Moment,
        paging::Paging,
        passkeys::PasskeyView,
        person::names_in,
    },
    Administrator, AdministratorForm, searched,
};

const PATH: &str = "/admin/users/";
/// How many of a user's sign-ins are read, and of their consents shown.
const MAX_SESSIONS: u32 = 200;
const MAX_CONSENTS: u32 = 50;

#[derive(Template)]
#[template(path = "admin_users.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<UserView>,
    search: String,
    next: Option<String>,
    further: bool,
}

#[derive(Template)]
#[template(path = "admin_user.html")]
struct UserPage {
    frame: Frame,
    user: UserView,
    sessions: Vec<SessionView>,
    all: Vec<Access>,
    authenticator: bool,
    passkeys: Vec<PasskeyView>,
    /// Whether it is the administrator's own account.
    own: bool,
    token: String,
}

/// A user as administrators see them.
struct UserView {
    id: String,
    /// What they sign in with; that they are erased, where nothing of it is left.
    username: String,
    name: Option<String>,
    initial: String,
    active: bool,
    locked: bool,
    administrator: bool,
    created: Moment,
}

/// A sign-in that stands.
struct SessionView {
    since: Moment,
    until: Moment,
}

pub(in crate::http) async fn users(
    Administrator(signed_in): Administrator,
    Query(parameters): Query,
) -> Result<Response, Refused> {
    let (app, language) = (&signed_in.visitor.app, signed_in.visitor.language);
    let paging = Paging::read(&parameters, &app.settings.limits)?;
    let mut rows = match &paging.search {
        Some(name) => named(app, name).await?,
        None => account::list(app.log.db(), paging.page()).await.map_err(Unavailable::from)?,
    };
    let next = paging.next(&mut rows, PATH, |row| &row.id);
    let rows = try_join_all(rows.into_iter().map(|row| UserView::new(app, row, language))).await?;
    let (frame, search, further) = (signed_in.frame(), searched(&parameters), paging.is_further());
    Ok(signed_in.visitor.page(StatusCode::OK, &ListPage { frame, rows, search, next, further }, None))
}

/// The user with this sign-in name.
async fn named(app: &App, name: &str) -> Result<Vec<AccountRow>, Unavailable> {
    match app.dispatch.user_named(name).await? {
        Some(id) => Ok(account::find(app.log.db(), &[id.to_string()]).await?),
        None => Ok(Vec::new()),
    }
}

/// `GET /admin/users/<id>/`
pub(in crate::http) async fn user(Administrator(signed_in): Administrator, Path(id): Path<String>) -> Result<Response, Refused> {
    let id: UserId = id.parse().map_err(|_| nothing_here())?;
    let (app, language, key) = (&signed_in.visitor.app, signed_in.visitor.language, id.to_string());
    let (db, now) = (app.log.db(), app.clock.now());
    let row = account::find(db, std::slice::from_ref(&key)).await.map_err(Unavailable::from)?.pop().ok_or_else(nothing_here)?;
    let page = |limit| Page { after: None, limit };
    let sessions = session::of_user(db, &key, page(MAX_SESSIONS)).await.map_err(Unavailable::from)?;
    let consents = consent::of_user(db, &key, page(MAX_CONSENTS)).await.map_err(Unavailable::from)?;
    let passkeys = app.dispatch.passkeys(id).await?;
    let template = UserPage {
        frame: signed_in.frame(),
        user: UserView::new(app, row, language).await?,
        sessions: sessions.iter().filter(|row| row.is_active(now)).map(|row| SessionView::new(row, language)).collect(),
        all: all_of(app, consents, language).await?,
        authenticator: app.dispatch.second_factors(id).await?.authenticator,
        passkeys: passkeys.iter().map(|passkey| PasskeyView::new(passkey, language)).collect(),
        own: id == signed_in.session.user_id,
        token: signed_in.form_token(),
    };
    Ok(signed_in.visitor.page(StatusCode::OK, &template, None))
}

/// `POST /admin/users/<id>/lock/`: all that was issued to them is dead. Nobody locks themselves out.
pub(in crate::http) async fn lock_user(Path(id): Path<String>, form: AdministratorForm) -> Result<Response, Refused> {
    let id: UserId = id.parse().map_err(|_| nothing_here())?;
    let visitor = &form.0.signed_in.visitor;
    if id == form.0.signed_in.session.user_id {
        return Err(OAuthError::invalid_request("own_account", "an administrator cannot lock their own account").into());
    }
    let done = visitor.app.dispatch.lock_user(form.actor(), id).await.map_err(refused)?;
    Ok(at_position(visitor.redirect_with_notice(&path_of(id), "notice.user_locked"), done.position))
}

/// `POST /admin/users/<id>/unlock/`
pub(in crate::http) async fn unlock_user(Path(id): Path<String>, form: AdministratorForm) -> Result<Response, Refused> {
    let id: UserId = id.parse().map_err(|_| nothing_here())?;
    let visitor = &form.0.signed_in.visitor;
    let done = visitor.app.dispatch.unlock_user(form.actor(), id).await.map_err(refused)?;
    Ok(at_position(visitor.redirect_with_notice(&path_of(id), "notice.user_unlocked"), done.position))
}

pub(super) fn path_of(id: UserId) -> String {
    format!("{PATH}{id}/")
}

fn refused(refusal: Refusal<UserRefusal>) -> Refused {
    match refusal {
        Refusal::Unavailable(unavailable) => unavailable.into(),
        Refusal::Rule(UserRefusal::Rule(UserError::Unknown | UserError::Erased)) => nothing_here(),
        Refusal::Rule(
            rule @ (UserRefusal::Rule(
                UserError::Exists
                | UserError::HasAuthenticator
                | UserError::HasPasskey
                | UserError::TooManyPasskeys
                | UserError::UnknownPasskey
                | UserError::NoSecondFactor
                | UserError::UnknownRecoveryCode,
            )
            | UserRefusal::NameTaken
            | UserRefusal::Password(_)
            | UserRefusal::BadName
            | UserRefusal::WrongPassword
            | UserRefusal::TooManyTries { .. }
            | UserRefusal::SetupLink
            | UserRefusal::PasswordLink
            | UserRefusal::EmailLink
            | UserRefusal::BadEmail),
        ) => OAuthError::invalid_request("user_refused", rule.to_string()).into(),
    }
}

impl UserView {
    async fn new(app: &App, row: AccountRow, language: &'static Language) -> Result<Self, Unavailable> {
        let id: UserId = row.id.parse().map_err(|_| Unavailable)?;
        let (username, name) = names_in(app, id, &row.profile).await?;
        let erased = language.say("admin.erased");
        Ok(Self {
            id: row.id,
            initial: initial(&username),
            name: name.filter(|name| *name != username),
            username: if username.is_empty() { erased.to_owned() } else { username },
            active: row.state == "active",
            locked: row.state == "locked",
            administrator: row.administrator,
            created: Moment::new(row.created_at, language),
        })
    }
}

impl SessionView {
    fn new(row: &SessionRow, language: &'static Language) -> Self {
        Self { since: Moment::new(row.auth_time, language), until: Moment::new(row.expires_at, language) }
    }
}
