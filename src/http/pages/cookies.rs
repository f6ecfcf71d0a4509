//! Our cookies: bound to this host by the prefix `__Host-` (RFC 6265bis section 4.1.3.2); plain names only over http on loopback.

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie as Written, SameSite, time::Duration};

/// The cookies there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cookie {
    /// The signed-in session.
    Session,
    /// The sessions of other accounts in this browser, with `~` between them.
    Others,
    /// The browser, before anybody has signed in: the sign-in form's token is bound to it.
    Browser,
    /// What the next page tells: the key of a sentence.
    Notice,
}

/// Whether browsers keep our cookies for https alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Https(pub(super) bool);

impl Cookie {
    const fn name(self, https: Https) -> &'static str {
        match (self, https.0) {
            (Self::Session, true) => "__Host-grantlog",
            (Self::Session, false) => "grantlog",
            (Self::Others, true) => "__Host-grantlog-others",
            (Self::Others, false) => "grantlog-others",
            (Self::Browser, true) => "__Host-grantlog-browser",
            (Self::Browser, false) => "grantlog-browser",
            (Self::Notice, true) => "__Host-grantlog-notice",
            (Self::Notice, false) => "grantlog-notice",
        }
    }

    /// The value that the browser sends.
    pub(super) fn read(self, headers: &HeaderMap, https: Https) -> Option<String> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let cookies = lines.flat_map(Written::split_parse).filter_map(Result::ok);
        let name = self.name(https);
        cookies.filter(|cookie| cookie.name() == name).map(|cookie| cookie.value().to_owned()).find(|value| !value.is_empty())
    }

    /// `Set-Cookie` for a value of ours: base64url, dots and tildes. `lifetime` in seconds; `None`: until the browser is closed.
    pub(super) fn set(self, https: Https, value: &str, lifetime: Option<u32>) -> HeaderValue {
        let mut cookie = Written::new(self.name(https), value.to_owned());
        cookie.set_path("/");
        cookie.set_http_only(true);
        cookie.set_same_site(SameSite::Lax);
        cookie.set_secure(https.0);
        if let Some(seconds) = lifetime {
            cookie.set_max_age(Duration::seconds(i64::from(seconds)));
        }
        HeaderValue::from_str(&cookie.to_string()).expect("the values of our cookies are ASCII")
    }

    /// `Set-Cookie` that takes the cookie away.
    pub(super) fn clear(self, https: Https) -> HeaderValue {
        self.set(https, "", Some(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_for_this_host_and_no_script() {
        let set = Cookie::Session.set(Https(true), "a.b", Some(60));
        assert_eq!(set, "__Host-grantlog=a.b; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60");
        assert_eq!(Cookie::Browser.set(Https(false), "x", None), "grantlog-browser=x; HttpOnly; SameSite=Lax; Path=/");
    }

    #[test]
    fn over_https_a_cookie_without_the_prefix_counts_for_nothing() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("grantlog=planted; a=b"));
        assert_eq!(Cookie::Session.read(&headers, Https(true)), None);
        assert_eq!(Cookie::Session.read(&headers, Https(false)), Some("planted".to_owned()));
    }
}
