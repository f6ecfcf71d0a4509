//! QR codes as pictures in a page, and in a terminal.

use qrcode::{
    QrCode,
    render::{svg, unicode::Dense1x2},
};

/// The least that a side is long, in pixels.
const SIDE: u32 = 220;

/// A picture of a text as an SVG element: nothing is loaded, so that the policy of our pages allows it. `None` for a text that is too long.
pub(super) fn svg(text: &str) -> Option<String> {
    let picture = QrCode::new(text).ok()?.render::<svg::Color<'_>>().min_dimensions(SIDE, SIDE).build();
    // The prologue of a file has no place within a page.
    picture.find("<svg").map(|start| picture[start..].to_owned())
}

/// The same in letters, for light text on a dark ground.
pub(super) fn letters(text: &str) -> Option<String> {
    let picture = QrCode::new(text).ok()?;
    Some(picture.render().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_one_element_without_style_or_script() {
        let picture = svg("otpauth://totp/a:b?secret=AAAA").unwrap();
        assert!(picture.starts_with("<svg") && picture.ends_with("</svg>"), "{picture}");
        assert!(!picture.contains("style") && !picture.contains("script") && !picture.contains("href"), "{picture}");
        assert_eq!(svg(&"a".repeat(4_000)), None);
    }

    #[test]
    fn a_terminal_shows_it_in_letters() {
        let picture = letters("https://id.example/o/device/?user_code=WDJB-MJHT").unwrap();
        assert!(picture.lines().count() > 10 && picture.chars().all(|c| " \n\u{2580}\u{2584}\u{2588}".contains(c)), "{picture}");
    }
}
