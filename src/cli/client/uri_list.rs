//! Several URIs in one argument, separated by commas. A URI may hold commas of its own: only one before the next URI's scheme separates.

/// The URIs of a list.
pub(super) fn split_uris(text: &str) -> Vec<String> {
    let mut uris: Vec<String> = Vec::new();
    for part in text.split(',') {
        match uris.last_mut() {
            Some(last) if !begins_with_scheme(part.trim()) => {
                last.push(',');
                last.push_str(part);
            }
            Some(_) | None => uris.push(part.trim().to_owned()),
        }
    }
    uris
}

/// RFC 3986 section 3.1.
fn begins_with_scheme(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else { return false };
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|own| own.is_ascii_alphanumeric() || matches!(own, '+' | '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_separates_only_before_another_uri() {
        assert_eq!(split_uris("https://a/cb"), ["https://a/cb"]);
        assert_eq!(split_uris("https://a/cb,com.example:/cb"), ["https://a/cb", "com.example:/cb"]);
        assert_eq!(split_uris("https://a/cb?x=1,2,https://b/cb"), ["https://a/cb?x=1,2", "https://b/cb"]);
        assert_eq!(split_uris("https://a/cb, https://b/cb"), ["https://a/cb", "https://b/cb"]);
    }
}
