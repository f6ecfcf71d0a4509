//! Where a page sends people back to: a path of this site by construction, never another's URL.

use std::fmt;

/// The longest that is taken, in bytes.
const MAX_LENGTH: usize = 2048;

/// A path, perhaps with a query, of this site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReturnPath(String);

impl ReturnPath {
    /// Takes `/...`: one slash and no second (nor a backslash, which browsers take for one), and printable ASCII without backslashes.
    #[must_use]
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?;
        let own = !rest.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        (own && text.len() <= MAX_LENGTH).then(|| Self(text.to_owned()))
    }

    /// The path and query.
    #[must_use]
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReturnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_this_site_is_taken() {
        for path in ["/", "/account/", "/o/applications/?page=2#x"] {
            assert_eq!(ReturnPath::parse(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn what_leads_elsewhere_is_not() {
        let long = format!("/{}", "a".repeat(MAX_LENGTH));
        for path in [
            "",
            "account",
            "//evil.example",
            "/\\evil.example",
            "/a\\b",
            "https://evil.example",
            "/a b",
            "/\n/x",
            "/\u{e9}",
            &long,
        ] {
            assert_eq!(ReturnPath::parse(path), None, "{path}");
        }
    }
}
