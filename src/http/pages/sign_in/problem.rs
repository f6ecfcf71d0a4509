//! Why a page of the sign-in is shown again, and in which words.

use axum::http::StatusCode;

use crate::{dispatch::SignInRefusal, http::pages::visitor::Visitor};

/// Why a sign-in page is shown again.
pub(super) enum Problem {
    FormExpired,
    Wrong,
    WrongCode,
    WrongPasskey,
    PasskeyWentBack,
    Locked,
    TooMany { retry_after: u32 },
}

impl From<SignInRefusal> for Problem {
    fn from(refusal: SignInRefusal) -> Self {
        match refusal {
            SignInRefusal::WrongCredentials | SignInRefusal::Session(_) => Self::Wrong,
            SignInRefusal::WrongCode => Self::WrongCode,
            SignInRefusal::WrongPasskey => Self::WrongPasskey,
            SignInRefusal::PasskeyWentBack => Self::PasskeyWentBack,
            SignInRefusal::Spent => Self::FormExpired,
            SignInRefusal::Locked => Self::Locked,
            SignInRefusal::TooManyTries { retry_after } => Self::TooMany { retry_after },
        }
    }
}

impl Problem {
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::FormExpired | Self::Locked | Self::PasskeyWentBack => StatusCode::FORBIDDEN,
            Self::Wrong | Self::WrongCode | Self::WrongPasskey => StatusCode::BAD_REQUEST,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    pub(super) fn words(&self, visitor: &Visitor) -> String {
        match self {
            Self::FormExpired => visitor.language.say("sign_in.form_expired").to_owned(),
            Self::Wrong => visitor.language.say("sign_in.wrong").to_owned(),
            Self::WrongCode => visitor.language.say("sign_in.wrong_code").to_owned(),
            Self::WrongPasskey => visitor.language.say("passkey.wrong").to_owned(),
            Self::PasskeyWentBack => visitor.language.say("passkey.refused").to_owned(),
            Self::Locked => visitor.language.say("sign_in.locked").to_owned(),
            Self::TooMany { retry_after } => visitor.language.fill("sign_in.too_many", "minutes", retry_after.div_ceil(60)),
        }
    }
}
