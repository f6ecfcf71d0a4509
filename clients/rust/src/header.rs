//! Headers that are good for nothing where they come twice: one of them may be somebody else's.

use http::{HeaderMap, header::AsHeaderName};

/// The value of a header that stands there once.
pub(crate) fn only(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    let mut all = headers.get_all(name).iter();
    all.next().filter(|_| all.next().is_none())?.to_str().ok()
}
