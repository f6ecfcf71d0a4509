//! Parameters of a request (RFC 6749 sections 3.1, 3.2 and appendix B): each at most once, in valid UTF-8; an empty one counts as left out.

use std::collections::HashSet;

use percent_encoding::percent_decode;
use url::form_urlencoded;

use super::OAuthError;

/// The parameters that may stand several times (RFC 8707 section 2, RFC 8693 section 2.1).
const REPEATABLE: [&str; 2] = ["resource", "audience"];
/// Parameters of one request at most.
const MAX_PARAMETERS: usize = 200;

/// The parameters of a request, in the order they were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads `application/x-www-form-urlencoded` bytes: a form's body or a URL's query.
    ///
    /// # Errors
    /// `invalid_request` for a parameter that stands twice, for what is not UTF-8, and for a NUL character.
    pub fn parse(encoded: &[u8]) -> Result<Self, OAuthError> {
        let mut pairs = Vec::new();
        for pair in encoded.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
                Some(place) => (&pair[..place], &pair[place + 1..]),
                None => (pair, &b""[..]),
            };
            pairs.push((decode(name)?, decode(value)?));
        }
        Self::of(pairs)
    }

    /// Takes parameters that came otherwise.
    ///
    /// # Errors
    /// As [`Parameters::parse`].
    pub fn of(pairs: Vec<(String, String)>) -> Result<Self, OAuthError> {
        let parameters = Self(pairs);
        parameters.check()?;
        Ok(parameters)
    }

    fn check(&self) -> Result<(), OAuthError> {
        if self.0.len() > MAX_PARAMETERS {
            return Err(OAuthError::invalid_request("too_many_parameters", "the request has too many parameters"));
        }
        let mut seen = HashSet::new();
        for (name, value) in &self.0 {
            if name.contains('\0') || value.contains('\0') {
                return Err(
                    OAuthError::invalid_request("nul_character", "a parameter holds a NUL character").saw("parameter", name)
                );
            }
            if !seen.insert(name) && !REPEATABLE.contains(&name.as_str()) {
                return Err(
                    OAuthError::invalid_request("parameter_twice", format!("{name} was sent twice")).saw("parameter", name)
                );
            }
        }
        Ok(())
    }

    /// A parameter's value; `None` where it was left out or empty (RFC 6749 section 3.1).
    #[must_use]
    pub fn get<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// All values of a parameter that may be repeated; empty ones count as left out.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(own, value)| own == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The same, with a parameter where it was left out.
    #[must_use]
    pub fn with_default(&self, name: &str, value: &str) -> Self {
        let mut all = self.clone();
        if all.get(name).is_none() {
            all.0.retain(|(own, _)| own != name);
            all.0.push((name.to_owned(), value.to_owned()));
        }
        all
    }

    /// All of them, in the form in which they are sent.
    #[must_use]
    pub fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    /// A parameter that must be there.
    ///
    /// # Errors
    /// `invalid_request` that names it.
    pub fn required(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.get(name)
            .ok_or_else(|| OAuthError::invalid_request("parameter_missing", format!("{name} is missing")).saw("parameter", name))
    }
}

/// A name or a value (the URL standard's form encoding): `+` is a space.
fn decode(encoded: &[u8]) -> Result<String, OAuthError> {
    let spaced: Vec<u8> = encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let text = percent_decode(&spaced).decode_utf8();
    text.map(std::borrow::Cow::into_owned)
        .map_err(|_| OAuthError::invalid_request("not_utf_8", "the request holds bytes that are not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(encoded: &[u8]) -> &'static str {
        Parameters::parse(encoded).expect_err("it is refused").rule
    }

    #[test]
    fn parameters_are_decoded() {
        let parameters = Parameters::parse(b"a=b+c%2Bd&e=%E3%81%82&f&&=x").unwrap();
        assert_eq!(parameters.get("a"), Some("b c+d"));
        assert_eq!(parameters.get("e"), Some("\u{3042}"));
        assert_eq!(parameters.encode(), "a=b+c%2Bd&e=%E3%81%82&f=&=x");
    }

    #[test]
    fn an_empty_parameter_counts_as_left_out() {
        let parameters = Parameters::parse(b"a=&b").unwrap();
        assert_eq!((parameters.get("a"), parameters.get("b"), parameters.get("c")), (None, None, None));
        assert_eq!(parameters.required("a").unwrap_err().rule, "parameter_missing");
    }

    #[test]
    fn a_parameter_that_stands_twice_is_refused() {
        assert_eq!(rule(b"a=1&b=2&a=1"), "parameter_twice");
        assert_eq!(rule(b"a=&a="), "parameter_twice");
        let parameters = Parameters::parse(b"resource=a&resource=b").unwrap();
        assert_eq!(parameters.all("resource").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn what_is_not_utf_8_and_nul_are_refused() {
        assert_eq!(rule(b"a=%ff"), "not_utf_8");
        assert_eq!(rule(b"\xff=a"), "not_utf_8");
        assert_eq!(rule(b"a=%00"), "nul_character");
    }
}
