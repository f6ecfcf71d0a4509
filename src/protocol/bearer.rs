//! Access tokens in the Authorization header (RFC 6750 section 2.1, RFC 9449 section 7.1), and where OpenID Connect has it so in a form
//! (RFC 6750 section 2.2). In a URL they are never taken: URLs end in logs.

use domain::{Confirmation, Timestamp, session::ContextClass};

use super::{ErrorCode, OAuthError, Parameters};

/// A token longer than this is nobody's, in bytes.
const MAX_TOKEN: usize = 16_384;

/// By which scheme a token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Whoever holds it may use it, or whoever shows the certificate that it is bound to.
    Bearer,
    /// With a proof that its bearer holds the key that it is bound to.
    Dpop,
}

impl Scheme {
    /// The one that a token is for, by what it is bound to.
    #[must_use]
    pub const fn of(confirmation: Option<&Confirmation>) -> Self {
        match confirmation {
            // What binds it to a certificate is the connection: its scheme stays the same (RFC 8705 section 3).
            None | Some(Confirmation::CertificateThumbprint(_)) => Self::Bearer,
            Some(Confirmation::KeyThumbprint(_)) => Self::Dpop,
        }
    }

    /// As it stands in headers and as `token_type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

/// A token, as it is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented<'a> {
    pub scheme: Scheme,
    pub token: &'a str,
}

/// The token of an Authorization header's value; `None` where there is no header or another scheme.
///
/// # Errors
/// `invalid_token` where what follows the scheme is no token.
pub fn read(authorization: Option<&[u8]>) -> Result<Option<Presented<'_>>, OAuthError> {
    let Some(header) = authorization else { return Ok(None) };
    let malformed = || invalid_token("malformed_bearer", "the Authorization header holds no access token");
    let header = str::from_utf8(header).map_err(|_| malformed())?;
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    let known = [Scheme::Bearer, Scheme::Dpop].into_iter().find(|known| scheme.eq_ignore_ascii_case(known.name()));
    let Some(scheme) = known else { return Ok(None) };
    let token = token.trim();
    if is_token(token) { Ok(Some(Presented { scheme, token })) } else { Err(malformed()) }
}

/// The token of a header or of a form's `access_token`; `None` where neither holds one.
///
/// # Errors
/// `invalid_request` where both do, `invalid_token` where what is there is no token.
pub fn read_either<'a>(authorization: Option<&'a [u8]>, in_form: Option<&'a str>) -> Result<Option<Presented<'a>>, OAuthError> {
    match (read(authorization)?, in_form) {
        (Some(_), Some(_)) => Err(OAuthError::invalid_request("token_twice", "the access token was sent in two ways")),
        (None, Some(token)) if !is_token(token) => Err(invalid_token("malformed_bearer", "access_token is no access token")),
        (None, Some(token)) => Ok(Some(Presented { scheme: Scheme::Bearer, token })),
        (in_header, None) => Ok(in_header),
    }
}

fn is_token(text: &str) -> bool {
    let of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    !text.is_empty() && text.len() <= MAX_TOKEN && text.bytes().all(of_token)
}

/// The token gives no access (RFC 6750 section 3.1).
#[must_use]
pub fn invalid_token(rule: &'static str, description: &str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidToken, rule, description)
}

/// How somebody must have signed in for what a resource guards (RFC 9470).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demanded {
    /// Any of these contexts, or a surer one; none where any will do.
    pub contexts: Vec<ContextClass>,
    /// How long ago it may have been, in seconds.
    pub max_age: Option<u32>,
}

impl Demanded {
    /// Reads it out of a request's parameters `acr_values` and `max_age`.
    ///
    /// # Errors
    /// `invalid_request` where they are not of a form that can be demanded.
    pub fn read(parameters: &Parameters) -> Result<Self, OAuthError> {
        let named = |name| {
            ContextClass::named(name)
                .ok_or_else(|| OAuthError::invalid_request("unknown_acr", "acr_values names what no sign-in here has"))
        };
        let contexts = parameters.get("acr_values").unwrap_or_default().split_ascii_whitespace().map(named);
        let max_age = parameters.get("max_age").map(|text| {
            text.parse().map_err(|_| OAuthError::invalid_request("bad_max_age", "max_age must be a number of seconds"))
        });
        Ok(Self { contexts: contexts.collect::<Result<_, _>>()?, max_age: max_age.transpose()? })
    }

    /// Whether everybody may come, however they signed in.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.contexts.is_empty() && self.max_age.is_none()
    }

    /// What a challenge tells of it, to be asked for at the authorization endpoint (section 3).
    #[must_use]
    pub fn to_challenge(&self) -> String {
        let mut told = String::new();
        if !self.contexts.is_empty() {
            let names = self.contexts.iter().map(|context| context.as_str()).collect::<Vec<_>>();
            told += &format!(r#", acr_values="{}""#, names.join(" "));
        }
        if let Some(max_age) = self.max_age {
            told += &format!(r#", max_age="{max_age}""#);
        }
        told
    }

    /// Checks the sign-in that a token stands on.
    ///
    /// # Errors
    /// `insufficient_user_authentication` (section 3).
    pub fn check(&self, signed_in: Option<(Option<ContextClass>, Timestamp)>, now: Timestamp) -> Result<(), OAuthError> {
        let refused =
            |rule, description: &str| Err(OAuthError::new(ErrorCode::InsufficientUserAuthentication, rule, description));
        let Some((context, auth_time)) = signed_in else {
            return refused("nobody_signed_in", "the token stands on no sign-in");
        };
        if self.contexts.iter().min().is_some_and(|least| context < Some(*least)) {
            return refused("weak_sign_in", "a surer sign-in is needed");
        }
        if self.max_age.is_some_and(|max_age| now.seconds_since(auth_time) > i64::from(max_age)) {
            return refused("old_sign_in", "a more recent sign-in is needed");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn presented(scheme: Scheme, token: &str) -> Result<Option<Presented<'_>>, OAuthError> {
        Ok(Some(Presented { scheme, token }))
    }

    #[test]
    fn the_scheme_is_bearer_or_dpop_in_any_case() {
        assert_eq!(read(Some(b"bEARER abc.DEF-_~+/=")), presented(Scheme::Bearer, "abc.DEF-_~+/="));
        assert_eq!(read(Some(b"DPOP abc")), presented(Scheme::Dpop, "abc"));
        assert_eq!(read(Some(b"Basic abc")), Ok(None));
        assert_eq!(read(None), Ok(None));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for bad in [&b"Bearer"[..], b"Bearer ", b"Bearer a b", b"Bearer \xff", b"Bearer a\"b"] {
            assert_eq!(read(Some(bad)).expect_err("refused").rule, "malformed_bearer");
        }
        assert_eq!(read_either(None, Some("a b")).expect_err("refused").rule, "malformed_bearer");
    }

    #[test]
    fn a_sign_in_is_as_sure_and_as_recent_as_demanded() {
        use ContextClass::{OneFactor, TwoFactors};
        let read = |query: &str| Demanded::read(&Parameters::parse(query.as_bytes()).unwrap());
        let demanded = read("acr_values=urn:grantlog:acr:2fa&max_age=60").unwrap();
        assert_eq!(demanded, Demanded { contexts: vec![TwoFactors], max_age: Some(60) });
        let at = Timestamp::from_unix;
        let refused = |signed_in, now| demanded.check(signed_in, at(now)).err().map(|error| error.rule);
        assert_eq!(refused(Some((Some(TwoFactors), at(0))), 60), None);
        assert_eq!(refused(Some((Some(TwoFactors), at(0))), 61), Some("old_sign_in"));
        assert_eq!(refused(Some((Some(OneFactor), at(0))), 1), Some("weak_sign_in"));
        assert_eq!(refused(Some((None, at(0))), 1), Some("weak_sign_in"));
        assert_eq!(refused(None, 1), Some("nobody_signed_in"));
        assert_eq!(demanded.to_challenge(), r#", acr_values="urn:grantlog:acr:2fa", max_age="60""#);
        assert!(read("").unwrap().is_nothing());
        assert_eq!(read("acr_values=gold").unwrap_err().rule, "unknown_acr");
        assert_eq!(read("max_age=-1").unwrap_err().rule, "bad_max_age");
    }

    #[test]
    fn a_token_is_sent_in_one_way() {
        assert_eq!(read_either(None, None), Ok(None));
        assert_eq!(read_either(Some(b"DPoP a"), None), presented(Scheme::Dpop, "a"));
        assert_eq!(read_either(Some(b"Basic b"), Some("a")), presented(Scheme::Bearer, "a"));
        assert_eq!(read_either(Some(b"Bearer a"), Some("a")).expect_err("refused").rule, "token_twice");
    }
}
