//! The standards' members that the metadata has no field for: known by name, checked by type, kept. All others are dropped. What protects
//! something in a way that nothing here does is refused.

use std::{collections::HashSet, hash::Hash};

use serde_json::Value;

use crate::redirect_uri;

use super::{
    ClientError, ClientMetadata, GrantType, SigningAlgorithm, certificate, logout_uris,
    metadata_check::{MUST_BE_HTTPS, check_count, check_name, invalid},
    openid::{ID_TOKEN_ALG, SECTOR_URI, SUBJECT_TYPE, USERINFO_ALG},
    protection::{
        ASSERTION_ALG, AUTHORIZATION_ALG, CERTIFICATE_BOUND, DPOP_BOUND, INTROSPECTION_ALG, PUSHED, REQUEST_ALG, REQUEST_URIS,
        SIGNED_REQUEST,
    },
};

/// What a member's value must be.
#[derive(Clone, Copy)]
enum Kind {
    Name,
    Text,
    Flag,
    Seconds,
    Https,
    /// Something that is called, or opened in a browser, when people sign out.
    Callable,
    Texts,
    /// What is fetched.
    Fetchables,
    SubjectType,
    /// The name of an algorithm, and never `none`.
    Algorithm,
    /// The name of one that the issuer signs with.
    OurAlgorithm,
    /// What protects something in a way that the issuer does not: to keep it would let the client believe that it is done.
    Undone,
}

/// RFC 7591, OpenID Connect Registration, Session, Front- and Back-Channel Logout, RFC 8705, 9101, 9126, 9396, 9449, 9701 and JARM.
const MEMBERS: &[(&str, Kind)] = &[
    ("authorization_details_types", Kind::Texts),
    ("authorization_encrypted_response_alg", Kind::Undone),
    ("authorization_encrypted_response_enc", Kind::Undone),
    (AUTHORIZATION_ALG, Kind::OurAlgorithm),
    ("backchannel_logout_session_required", Kind::Flag),
    (logout_uris::BACK_CHANNEL, Kind::Callable),
    ("contacts", Kind::Texts),
    ("default_acr_values", Kind::Texts),
    ("default_max_age", Kind::Seconds),
    (DPOP_BOUND, Kind::Flag),
    ("frontchannel_logout_session_required", Kind::Flag),
    (logout_uris::FRONT_CHANNEL, Kind::Callable),
    ("id_token_encrypted_response_alg", Kind::Undone),
    ("id_token_encrypted_response_enc", Kind::Undone),
    (ID_TOKEN_ALG, Kind::OurAlgorithm),
    ("initiate_login_uri", Kind::Https),
    ("introspection_encrypted_response_alg", Kind::Undone),
    ("introspection_encrypted_response_enc", Kind::Undone),
    (INTROSPECTION_ALG, Kind::OurAlgorithm),
    ("request_object_encryption_alg", Kind::Algorithm),
    ("request_object_encryption_enc", Kind::Algorithm),
    (REQUEST_ALG, Kind::OurAlgorithm),
    (REQUEST_URIS, Kind::Fetchables),
    ("require_auth_time", Kind::Flag),
    (PUSHED, Kind::Flag),
    (SIGNED_REQUEST, Kind::Flag),
    (SECTOR_URI, Kind::Https),
    (SUBJECT_TYPE, Kind::SubjectType),
    (certificate::SAN_DNS, Kind::Text),
    (certificate::SAN_EMAIL, Kind::Text),
    (certificate::SAN_IP, Kind::Text),
    (certificate::SAN_URI, Kind::Text),
    (certificate::SUBJECT_DN, Kind::Text),
    (CERTIFICATE_BOUND, Kind::Flag),
    (ASSERTION_ALG, Kind::OurAlgorithm),
    ("userinfo_encrypted_response_alg", Kind::Undone),
    ("userinfo_encrypted_response_enc", Kind::Undone),
    (USERINFO_ALG, Kind::OurAlgorithm),
];

/// Members that may be given once more for a language, as `client_name#ja` (RFC 7591 section 2.2).
const TRANSLATED: &[(&str, Kind)] = &[
    ("client_name", Kind::Name),
    ("client_uri", Kind::Https),
    ("logo_uri", Kind::Https),
    ("policy_uri", Kind::Https),
    ("tos_uri", Kind::Https),
];

/// The longest text that is kept, in bytes.
const MAX_TEXT_LENGTH: usize = 2048;

impl ClientMetadata {
    /// Without what no standard names, what is null, what stands in a list twice, and a response type whose grant is not asked for
    /// (RFC 7591 section 2: a server ignores the unknown, and may replace values; `code` is the default even where no code can be).
    #[must_use]
    pub fn keep_known(mut self) -> Self {
        self.other.retain(|member, value| !value.is_null() && kind_of(member).is_some());
        keep_first(&mut self.redirect_uris);
        keep_first(&mut self.post_logout_redirect_uris);
        keep_first(&mut self.grant_types);
        keep_first(&mut self.response_types);
        keep_first(&mut self.resources);
        self.access_token_format = self.format_of_access_tokens(None);
        if !self.may_use(GrantType::AuthorizationCode) {
            self.response_types.retain(|response_type| response_type != "code");
        }
        self
    }

    pub(super) fn check_other(&self) -> Result<(), ClientError> {
        check_count("other members", self.other.len())?;
        self.other.iter().try_for_each(|(member, value)| kind_of(member).map_or(Ok(()), |kind| kind.check(member, value)))?;
        self.check_frontchannel()
    }
}

impl Kind {
    fn check(self, member: &str, value: &Value) -> Result<(), ClientError> {
        let (fits, what) = match self {
            Self::Name => {
                let name = value.as_str().ok_or_else(|| invalid(member, "it must be a string"))?;
                return check_name(member, name);
            }
            Self::Text => (is_text(value), "it must be a string"),
            Self::Flag => (value.is_boolean(), "it must be true or false"),
            Self::Seconds => {
                (value.as_u64().is_some_and(|seconds| u32::try_from(seconds).is_ok()), "it must be a number of seconds")
            }
            Self::Https => (is_https(value), MUST_BE_HTTPS),
            Self::Callable => (is_callable(value), logout_uris::MUST_BE_CALLABLE),
            Self::Texts => (is_list_of(is_text, member, value)?, "it must be an array of strings"),
            Self::Fetchables => (is_list_of(is_fetchable, member, value)?, "it must be an array of https URIs"),
            Self::SubjectType => (matches!(value.as_str(), Some("public" | "pairwise")), "it must be public or pairwise"),
            Self::OurAlgorithm => {
                (value.as_str().and_then(SigningAlgorithm::named).is_some(), "it must be one of ES256, EdDSA, RS256, PS256")
            }
            Self::Undone => (false, "this issuer does not do that yet: leave it out"),
            Self::Algorithm => (is_text(value) && value != "none", "it must be the name of an algorithm, and not none"),
        };
        if fits { Ok(()) } else { Err(invalid(member, what)) }
    }
}

fn kind_of(member: &str) -> Option<Kind> {
    let (name, known) = match member.split_once('#') {
        Some((name, language)) if is_language(language) => (name, TRANSLATED),
        Some(_) => return None,
        None => (member, MEMBERS),
    };
    known.iter().find(|(own, _)| *own == name).map(|(_, kind)| *kind)
}

/// The alphabet and length of a BCP 47 tag.
fn is_language(tag: &str) -> bool {
    (1..=35).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() <= MAX_TEXT_LENGTH && !text.chars().any(char::is_control))
}

fn is_https(value: &Value) -> bool {
    value.as_str().is_some_and(redirect_uri::is_https)
}

fn is_callable(value: &Value) -> bool {
    value.as_str().is_some_and(logout_uris::is_callable)
}

/// A fragment may stand there, which says what will be found (OpenID Connect Core section 6.2).
fn is_fetchable(value: &Value) -> bool {
    is_https(value) || is_callable(value)
}

fn is_list_of(is_entry: fn(&Value) -> bool, member: &str, value: &Value) -> Result<bool, ClientError> {
    let Some(entries) = value.as_array() else { return Ok(false) };
    check_count(member, entries.len())?;
    Ok(entries.iter().all(is_entry))
}

fn keep_first<T: Eq + Hash + Clone>(list: &mut Vec<T>) {
    let mut seen = HashSet::new();
    list.retain(|entry| seen.insert(entry.clone()));
}
