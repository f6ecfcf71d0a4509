//! A mail as it arrived: its headers, and what it says as plain text and as HTML.

use base64::{Engine, engine::general_purpose::STANDARD};

/// A mail that a server took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub to: String,
    /// As it came over the wire.
    pub raw: String,
}

impl Mail {
    /// A header's value; several lines of it in one.
    #[must_use]
    pub fn header(&self, name: &str) -> String {
        let (headers, _) = self.raw.split_once("\r\n\r\n").expect("a mail has a body");
        header(headers, name)
    }

    /// The subject, decoded (RFC 2047).
    #[must_use]
    pub fn subject(&self) -> String {
        let words = self.header("Subject").replace("?= =?", "?==?");
        let decoded = words.split_inclusive("?=").map(|word| {
            let Some((before, coded)) = word.split_once("=?utf-8?b?") else { return word.to_owned() };
            let coded = coded.trim_end_matches("?=");
            format!("{before}{}", utf8(STANDARD.decode(coded).expect("it is base64")))
        });
        decoded.collect()
    }

    /// What it says as plain text.
    #[must_use]
    pub fn text(&self) -> String {
        self.part("text/plain")
    }

    /// What it says as HTML.
    #[must_use]
    pub fn html(&self) -> String {
        self.part("text/html")
    }

    /// Where its link leads, without the server's address.
    #[must_use]
    pub fn link(&self) -> String {
        let text = self.text();
        let url = text.split_whitespace().find(|word| word.starts_with("http://")).expect("it has a link");
        url.splitn(4, '/').nth(3).map(|path| format!("/{path}")).expect("the link has a path")
    }

    fn part(&self, media_type: &str) -> String {
        let boundary = self.header("Content-Type").split_once("boundary=\"").expect("it has parts").1.replace('"', "");
        let boundary = format!("--{boundary}");
        let parts = self.raw.split(&boundary).filter_map(|part| part.split_once("\r\n\r\n"));
        let mut of_type = parts.filter(|(headers, _)| header(headers, "Content-Type").starts_with(media_type));
        let (headers, body) = of_type.next().expect("it has this part");
        match header(headers, "Content-Transfer-Encoding").as_str() {
            "base64" => utf8(STANDARD.decode(body.replace("\r\n", "")).expect("it is base64")),
            "quoted-printable" => quoted_printable(body),
            "7bit" => body.to_owned(),
            other => panic!("{other}"),
        }
    }
}

fn header(headers: &str, name: &str) -> String {
    let unfolded = headers.replace("\r\n ", " ").replace("\r\n\t", " ");
    let mut lines = unfolded.split("\r\n").filter_map(|line| line.split_once(": "));
    lines.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).unwrap_or_default()
}

/// RFC 2045 section 6.7.
fn quoted_printable(text: &str) -> String {
    let text = text.replace("=\r\n", "");
    let (mut bytes, mut rest) = (Vec::new(), text.as_str());
    while let Some((before, after)) = rest.split_once('=') {
        bytes.extend_from_slice(before.as_bytes());
        bytes.push(u8::from_str_radix(&after[..2], 16).expect("it is a byte"));
        rest = &after[2..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    utf8(bytes)
}

fn utf8(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("it is UTF-8")
}
