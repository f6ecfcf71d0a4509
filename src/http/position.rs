//! Read-your-writes: a read that names a position waits until this node knows that much, or says that it does not in time.

use crate::{
    protocol::{OAuthError, Parameters},
    state::App,
};

/// Waits for the parameter `min_position`, if it is there.
///
/// # Errors
/// `invalid_request` for what is no position, `temporarily_unavailable` when it was not reached in time.
pub(super) async fn reach(app: &App, parameters: &Parameters) -> Result<(), OAuthError> {
    let Some(asked) = parameters.get("min_position") else { return Ok(()) };
    let position: i64 = asked.parse().map_err(|_| {
        OAuthError::invalid_request("malformed_position", "min_position must be a position of the log").saw("min_position", asked)
    })?;
    if app.log.wait_for(position, app.settings.read_deadline()).await {
        return Ok(());
    }
    let behind = OAuthError { description: format!("the log has not reached position {position}"), ..OAuthError::unavailable() };
    Err(OAuthError { rule: "position_not_reached", ..behind }.saw("min_position", position).saw("head", app.log.known_head()))
}
