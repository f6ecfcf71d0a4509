//! `/o/applications/`: the applications that the signed-in person registered. Another's is not there, not even for administrators, who
//! have pages of their own.

mod change;
mod entered;
mod fields;
mod form;
mod list;
mod new_secret;
mod show;

use axum::http::StatusCode;
pub(in crate::http) use change::{ask_to_disable, disable, enable, rotate};
use domain::{
    ClientId,
    client::{Client, ClientError, Registration},
};
pub(in crate::http) use form::{edit, register, register_form, update};
pub(in crate::http) use list::list;
pub(in crate::http) use show::show;

use crate::{
    dispatch::{Loaded, Refusal},
    http::error::Refused,
    protocol::OAuthError,
};

use super::signed_in::SignedIn;

/// Where the list is.
const PATH: &str = "/o/applications/";

/// The page of one application.
fn path_of(id: ClientId) -> String {
    format!("{PATH}{id}/")
}

/// An application of the signed-in person.
struct Owned(Loaded<Client>);

impl Owned {
    /// Finds it by what stands in the path.
    ///
    /// # Errors
    /// 404 where it is nobody's or another's.
    async fn find(signed_in: &SignedIn, id: &str) -> Result<Self, Refused> {
        let id: ClientId = id.parse().map_err(|_| nothing_here())?;
        let client = signed_in.visitor.app.dispatch.client_by_id(id).await?;
        let owner = client.state.registration().and_then(|registration| registration.owner);
        if owner == Some(signed_in.session.user_id) { Ok(Self(client)) } else { Err(nothing_here()) }
    }

    fn id(&self) -> ClientId {
        ClientId::new(self.0.id)
    }

    fn registration(&self) -> &Registration {
        self.0.state.registration().expect("a client with an owner is registered")
    }
}

/// 404: what is not there, and what is another's, look the same.
pub(super) fn nothing_here() -> Refused {
    Refused::with_status(OAuthError::invalid_request("no_such_page", "there is nothing here"), StatusCode::NOT_FOUND)
}

/// A command that cannot be carried out, told on a page of its own.
pub(super) fn refused(refusal: Refusal<ClientError>) -> Refused {
    match refusal {
        Refusal::Unavailable(unavailable) => unavailable.into(),
        Refusal::Rule(ClientError::Unknown) => nothing_here(),
        Refusal::Rule(
            error @ (ClientError::Exists
            | ClientError::InvalidRedirectUri(_)
            | ClientError::InvalidMetadata(_)
            | ClientError::PublicClient
            | ClientError::NoSecret
            | ClientError::UnknownSecret
            | ClientError::DisabledByOperator
            | ClientError::Deregistered
            | ClientError::NotOfADocument
            | ClientError::WrongRegistrationToken),
        ) => OAuthError::invalid_request("client_refused", error.to_string()).into(),
    }
}
