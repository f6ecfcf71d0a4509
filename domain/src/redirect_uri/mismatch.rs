//! In which part a request's redirect URI differs, in words: for the page and for `grantlog explain`.

use super::parts::Parts;

/// How a redirect URI differs from the nearest registered one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    #[error("the client has registered none")]
    NoneRegistered,
    #[error("it holds white space or a control character")]
    Character,
    #[error("it is no absolute URI with its scheme in lower case")]
    NotAbsolute,
    #[error("it differs from a registered one in upper and lower case")]
    Case,
    #[error("it differs from a registered one in what is percent-encoded")]
    Encoding,
    #[error("it differs from a registered one in a slash at the end")]
    TrailingSlash,
    #[error("it has a fragment")]
    Fragment,
    #[error("it has a user name")]
    Userinfo,
    #[error("its scheme differs from the nearest registered one's")]
    Scheme,
    #[error("its host differs from the nearest registered one's")]
    Host,
    #[error("its port differs from the nearest registered one's: it may for native clients at 127.0.0.1 and [::1] alone")]
    Port,
    #[error("its path differs from the nearest registered one's")]
    Path,
    #[error("its query differs from the nearest registered one's")]
    Query,
}

impl Mismatch {
    /// Of a URI that equals none of the registered ones.
    pub(super) fn between(registered: &[String], presented: &str) -> Self {
        if registered.is_empty() {
            return Self::NoneRegistered;
        }
        if presented.chars().any(|character| character.is_whitespace() || character.is_control()) {
            return Self::Character;
        }
        if registered.iter().any(|own| own.eq_ignore_ascii_case(presented)) {
            return Self::Case;
        }
        if registered.iter().any(|own| decoded(own) == decoded(presented)) {
            return Self::Encoding;
        }
        if registered.iter().any(|own| own.trim_end_matches('/') == presented.trim_end_matches('/')) {
            return Self::TrailingSlash;
        }
        let Some(presented) = Parts::of(presented) else {
            return Self::NotAbsolute;
        };
        let nearest = registered.iter().filter_map(|own| Parts::of(own)).map(|own| differences(&own, &presented));
        nearest.min_by_key(Vec::len).and_then(|differences| differences.first().copied()).unwrap_or(Self::Path)
    }
}

fn differences(registered: &Parts<'_>, presented: &Parts<'_>) -> Vec<Mismatch> {
    let differs = [
        (registered.userinfo != presented.userinfo, Mismatch::Userinfo),
        (registered.fragment != presented.fragment, Mismatch::Fragment),
        (registered.scheme != presented.scheme, Mismatch::Scheme),
        (registered.host != presented.host, Mismatch::Host),
        (registered.port != presented.port, Mismatch::Port),
        (registered.path != presented.path, Mismatch::Path),
        (registered.query != presented.query, Mismatch::Query),
    ];
    differs.into_iter().filter(|(differs, _)| *differs).map(|(_, part)| part).collect()
}

/// The bytes that a URI stands for, to find out whether two differ in their encoding alone.
fn decoded(uri: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(uri.len());
    let mut rest = uri.as_bytes();
    while let [first, after @ ..] = rest {
        let encoded = if *first == b'%' { after.get(..2).and_then(hexadecimal) } else { None };
        bytes.push(encoded.unwrap_or(*first));
        rest = if encoded.is_some() { &after[2..] } else { after };
    }
    bytes
}

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let text = str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?;
    u8::from_str_radix(text, 16).ok()
}
