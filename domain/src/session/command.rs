//! What can be asked of a session.

use crate::{Sealed, Timestamp};

use super::{LogoutNotice, SessionEnd, SignIn};

/// A request to change a browser sign-in.
#[derive(Clone, Debug)]
pub enum SessionCommand {
    /// `browser` is the sealed JSON of the browser's address and name.
    Start {
        sign_in: SignIn,
        browser: Option<Sealed>,
        at: Timestamp,
    },
    /// The same user signed in again in the same browser: the cookie changes, what the session holds lives on.
    Reauthenticate {
        sign_in: SignIn,
        at: Timestamp,
    },
    End {
        reason: SessionEnd,
        at: Timestamp,
    },
    /// A client was told of the end, or will not be. The session itself may stand: its user's end is its end too.
    RecordNotice {
        notice: LogoutNotice,
        at: Timestamp,
    },
}
