//! Every route on one page. A handler extracts, lets `protocol` check, dispatches a command, and answers from its events.

mod answer;
mod around;
mod audit;
mod authorization_request;
mod bearer_auth;
mod client_auth;
mod device_authorization;
mod dpop;
mod error;
mod exchange;
mod form;
mod health;
mod introspect;
mod json_object;
mod jwks;
mod limits;
mod metadata;
mod metrics;
mod pages;
mod par;
mod position;
mod register;
mod resource;
mod revocations;
mod revoke;
mod sender;
mod serve;
mod source;
mod token;
mod transparency;
mod userinfo;

use axum::{
    Router,
    http::{HeaderName, Method, header},
    middleware,
    routing::{MethodRouter, get, post},
};
pub use serve::{Listeners, serve};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{Any, CorsLayer},
};

use crate::{protocol::resource_metadata, state::App};

/// The header of every answer to a command: the log position that holds what it did.
pub const POSITION: HeaderName = HeaderName::from_static("grantlog-position");

/// The whole server.
pub fn router(app: App) -> Router {
    let routes = for_programs(&app).merge(for_people(&app)).route("/metrics", get(metrics::show));
    whole(routes, app)
}

/// Where client certificates are asked for: without what people see, whose browsers would ask them for one.
fn router_for_programs(app: App) -> Router {
    whole(for_programs(&app), app)
}

fn for_programs(app: &App) -> Router<App> {
    Router::new()
        .merge(for_scripts_of_any_origin())
        .merge(with_and_without_slash("/o/introspect", introspection(app)))
        .merge(with_and_without_slash("/o/revocations", get(revocations::get)))
        .merge(with_and_without_slash("/o/revocations/snapshot", get(revocations::snapshot)))
        .merge(for_auditors())
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
}

fn whole(routes: Router<App>, app: App) -> Router {
    routes
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(
            ServiceBuilder::new()
                .layer(CatchPanicLayer::custom(error::panicked))
                .layer(middleware::from_fn_with_state(around::Around::new(app.clone()), around::every_request)),
        )
        .with_state(app)
}

/// What browser applications call from their own origin. No cookie counts here, so that every origin may.
fn for_scripts_of_any_origin() -> Router<App> {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static(dpop::DPOP),
            // Clients of the Model Context Protocol send it with each request, also when they look for the issuer.
            HeaderName::from_static("mcp-protocol-version"),
        ])
        .expose_headers([header::WWW_AUTHENTICATE, header::RETRY_AFTER, POSITION, HeaderName::from_static(dpop::DPOP_NONCE)]);
    Router::new()
        .merge(with_and_without_slash("/o/token", post(token::post)))
        .merge(with_and_without_slash("/o/device-authorization", post(device_authorization::post)))
        .merge(with_and_without_slash("/o/par", post(par::post)))
        .merge(with_and_without_slash("/o/revoke_token", post(revoke::post)))
        .merge(with_and_without_slash("/o/userinfo", get(userinfo::get).post(userinfo::post)))
        .merge(with_and_without_slash("/o/register", post(register::post)))
        .merge(with_and_without_slash("/o/register/{client_id}", get(register::get).put(register::put).delete(register::delete)))
        .merge(with_and_without_slash("/o/.well-known/jwks.json", get(jwks::get)))
        .merge(with_and_without_slash("/o/.well-known/openid-configuration", get(metadata::of_openid)))
        .merge(with_and_without_slash("/o/.well-known/oauth-authorization-server", get(metadata::get)))
        .route("/.well-known/oauth-authorization-server/o", get(metadata::get))
        .route("/.well-known/oauth-authorization-server", get(metadata::get))
        .merge(with_and_without_slash(resource_metadata::PATH, get(metadata::of_resource)))
        .route("/transparency/checkpoint", get(transparency::checkpoint))
        .route("/transparency/cosigned", get(transparency::cosigned))
        .route("/transparency/key", get(transparency::key))
        .route("/transparency/tile/{*path}", get(transparency::tile))
        .merge(with_and_without_slash("/api/resource", get(resource::get)))
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(cors)
}

/// What the log says, and the end of what it shows, for clients with the scope `audit` (and `audit_revoke`).
fn for_auditors() -> Router<App> {
    Router::new()
        .merge(with_and_without_slash("/audit/grants", get(audit::grants)))
        .merge(with_and_without_slash("/audit/grants/{id}", get(audit::grant)))
        .merge(with_and_without_slash("/audit/tokens", post(audit::token)))
        .merge(with_and_without_slash("/audit/clients/{id}", get(audit::client)))
        .merge(with_and_without_slash("/audit/users/{id}", get(audit::user)))
        .merge(with_and_without_slash("/audit/who", get(audit::who)))
        .merge(with_and_without_slash("/audit/diff", get(audit::diff)))
        .merge(with_and_without_slash("/audit/proof", get(audit::proof)))
        .merge(with_and_without_slash("/audit/check-token", post(audit::check_token)))
        .merge(with_and_without_slash("/audit/revoke", post(audit::revoke)))
}

/// What people see: an error is told on a page.
fn for_people(app: &App) -> Router<App> {
    Router::new()
        .merge(with_and_without_slash("/o/authorize", get(pages::authorize::get).post(pages::authorize::post)))
        .merge(with_and_without_slash("/o/authorize/continue", get(pages::authorize::go_on)))
        .merge(with_and_without_slash("/o/authorize/decision", post(pages::consent::decide)))
        .merge(with_and_without_slash("/sign-in", get(pages::sign_in::get).post(pages::sign_in::post)))
        .merge(with_and_without_slash("/sign-in/code", post(pages::sign_in::post_code)))
        .merge(with_and_without_slash("/sign-in/passkey", post(pages::sign_in::post_passkey)))
        .merge(with_and_without_slash("/sign-in/account", post(pages::sign_in::choose)))
        .merge(with_and_without_slash("/o/logout", get(pages::sign_out::get).post(pages::sign_out::post)))
        .merge(with_and_without_slash("/o/logout/decision", post(pages::sign_out::decide)))
        .merge(with_and_without_slash("/o/logout/done", get(pages::signed_out::done)))
        .merge(with_and_without_slash("/account", get(pages::account::get)))
        .merge(with_and_without_slash("/account/sessions/end", post(pages::account_sessions::end_all)))
        .merge(with_and_without_slash("/account/sessions/{id}/end", post(pages::account_sessions::end_one)))
        .merge(with_and_without_slash("/account/password", post(pages::account::change_password)))
        .merge(devices())
        .merge(second_factor())
        .merge(mails())
        .merge(applications())
        .merge(administration())
        .merge(with_and_without_slash("/setup/{link}", get(pages::setup::get).post(pages::setup::post)))
        .merge(with_and_without_slash("/o/logo/{id}", get(pages::logo::get)))
        .route("/static/style.css", get(pages::style::style))
        .route("/static/icon.svg", get(pages::style::icon))
        .route("/static/passkey.js", get(pages::style::passkey))
        .layer(middleware::from_fn_with_state(app.clone(), pages::problem::tell))
}

/// Where people let devices in, under django-oauth-toolkit's paths.
fn devices() -> Router<App> {
    use pages::device;
    let confirm = get(device::confirm).post(device::decide);
    Router::new()
        .merge(with_and_without_slash("/o/device", get(device::enter).post(device::entered)))
        .merge(with_and_without_slash("/o/device/qr", get(device::qr)))
        .merge(with_and_without_slash("/o/device-confirm/{client_id}/{user_code}", confirm))
        .merge(with_and_without_slash("/o/device-grant-status/{client_id}/{user_code}", get(device::status)))
}

/// What people prove beside their password.
fn second_factor() -> Router<App> {
    use pages::{passkeys, second_factor};
    Router::new()
        .merge(with_and_without_slash("/account/second-factor", get(second_factor::get).post(second_factor::confirm)))
        .merge(with_and_without_slash("/account/second-factor/new", post(second_factor::begin)))
        .merge(with_and_without_slash("/account/second-factor/codes", post(second_factor::new_codes)))
        .merge(with_and_without_slash("/account/second-factor/off", post(second_factor::turn_off)))
        .merge(with_and_without_slash("/account/passkeys", post(passkeys::enrol)))
        .merge(with_and_without_slash("/account/passkeys/new", post(passkeys::begin)))
        .merge(with_and_without_slash("/account/passkeys/{id}", get(passkeys::show)))
        .merge(with_and_without_slash("/account/passkeys/{id}/rename", post(passkeys::rename)))
        .merge(with_and_without_slash("/account/passkeys/{id}/remove", post(passkeys::remove)))
}

/// What people do by a link in a mail, and what lets one go out.
fn mails() -> Router<App> {
    use pages::{account_email, forgotten};
    Router::new()
        .merge(with_and_without_slash("/forgotten-password", get(forgotten::get).post(forgotten::post)))
        .merge(with_and_without_slash("/new-password/{link}", get(forgotten::choose).post(forgotten::set)))
        .merge(with_and_without_slash("/account/email", post(account_email::change)))
        .merge(with_and_without_slash("/account/email/check", post(account_email::check)))
        .merge(with_and_without_slash("/verify-email/{link}", get(account_email::ask).post(account_email::verify)))
}

/// What people registered, and what they let applications do, under django-oauth-toolkit's paths.
fn applications() -> Router<App> {
    use pages::{applications, authorized_tokens};
    let withdraw = get(authorized_tokens::ask_to_withdraw).post(authorized_tokens::withdraw);
    Router::new()
        .merge(with_and_without_slash("/o/applications", get(applications::list)))
        .merge(with_and_without_slash("/o/applications/register", get(applications::register_form).post(applications::register)))
        .merge(with_and_without_slash("/o/applications/{id}", get(applications::show)))
        .merge(with_and_without_slash("/o/applications/{id}/update", get(applications::edit).post(applications::update)))
        .merge(with_and_without_slash(
            "/o/applications/{id}/delete",
            get(applications::ask_to_disable).post(applications::disable),
        ))
        .merge(with_and_without_slash("/o/applications/{id}/enable", post(applications::enable)))
        .merge(with_and_without_slash("/o/applications/{id}/secret", post(applications::rotate)))
        .merge(with_and_without_slash("/o/authorized_tokens", get(authorized_tokens::list)))
        .merge(with_and_without_slash("/o/authorized_tokens/{id}/delete", withdraw))
}

/// For administrators alone.
fn administration() -> Router<App> {
    use pages::admin;
    Router::new()
        .merge(with_and_without_slash("/admin", get(admin::clients)))
        .merge(with_and_without_slash("/admin/audit", get(admin::search_form).post(admin::search)))
        .merge(with_and_without_slash("/admin/audit/changes", get(admin::changes)))
        .merge(with_and_without_slash("/admin/audit/revoke", get(admin::ask_to_revoke).post(admin::revoke)))
        .merge(with_and_without_slash("/admin/audit/grants/{id}", get(admin::grant)))
        .merge(with_and_without_slash("/admin/audit/clients/{id}", get(admin::client_story)))
        .merge(with_and_without_slash("/admin/audit/users/{id}", get(admin::user_story)))
        .merge(with_and_without_slash("/admin/clients/{id}", get(admin::client)))
        .merge(with_and_without_slash("/admin/clients/{id}/disable", post(admin::disable_client)))
        .merge(with_and_without_slash("/admin/clients/{id}/enable", post(admin::enable_client)))
        .merge(with_and_without_slash("/admin/users", get(admin::users)))
        .merge(with_and_without_slash("/admin/users/{id}", get(admin::user)))
        .merge(with_and_without_slash("/admin/users/{id}/second-factors/remove", post(admin::remove_second_factors)))
        .merge(with_and_without_slash("/admin/users/{id}/lock", post(admin::lock_user)))
        .merge(with_and_without_slash("/admin/users/{id}/unlock", post(admin::unlock_user)))
}

/// By GET only where the settings allow it, for old clients: a token in a URL ends in logs.
fn introspection(app: &App) -> MethodRouter<App> {
    let by_post = post(introspect::post);
    if app.settings.clients.introspection_get { by_post.get(introspect::get) } else { by_post }
}

/// django-oauth-toolkit's paths end in a slash; a POST to the one without would be lost in a redirect.
fn with_and_without_slash(path: &str, method: MethodRouter<App>) -> Router<App> {
    Router::new().route(path, method.clone()).route(&format!("{path}/"), method)
}
