//! `/admin/users/<id>/second-factors/remove/`: an administrator takes away what somebody lost by which they signed in: one passkey, or all.

use axum::{extract::Path, response::Response};
use domain::{PasskeyId, UserId};

use crate::{
    dispatch::{Refusal, SecondFactorRefusal},
    http::{answer::at_position, error::Refused},
    protocol::OAuthError,
};

use super::{super::applications::nothing_here, AdministratorForm, users::path_of};

/// An administrator's own need what everybody's need: they are under Account.
pub(in crate::http) async fn remove_second_factors(Path(id): Path<String>, form: AdministratorForm) -> Result<Response, Refused> {
    let id: UserId = id.parse().map_err(|_| nothing_here())?;
    let visitor = &form.0.signed_in.visitor;
    if id == form.0.signed_in.session.user_id {
        let description = "an administrator removes what they sign in with under Account, with their password";
        return Err(OAuthError::invalid_request("own_account", description).into());
    }
    let dispatch = &visitor.app.dispatch;
    let removed = match form.0.parameters.get("passkey") {
        Some(passkey) => {
            let passkey: PasskeyId = passkey.parse().map_err(|_| nothing_here())?;
            dispatch.remove_passkey(form.actor(), id, passkey).await
        }
        None => dispatch.remove_second_factors(form.actor(), id).await,
    };
    match removed {
        Ok(done) => Ok(at_position(visitor.redirect_with_notice(&path_of(id), "notice.second_factors_removed"), done.position)),
        Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(Refusal::Rule(
            SecondFactorRefusal::Rule(_)
            | SecondFactorRefusal::WrongCode
            | SecondFactorRefusal::WrongPasskey
            | SecondFactorRefusal::Spent
            | SecondFactorRefusal::BadName(_),
        )) => Err(nothing_here()),
    }
}
