//! What strangers wrote, as a page or a mail shows it: bounded, on one line, and without characters that turn text around. Templates escape it.

/// A text of at most so many characters, without control characters and the controls of the bidirectional algorithm (UAX 9
/// section 2), which show nothing and let a name pose as another.
#[must_use]
pub(crate) fn shown(text: &str, characters: usize) -> String {
    let visible = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !c.is_control() && !is_invisible(*c));
    let mut cut: String = visible.clone().take(characters).collect();
    if visible.count() > characters {
        cut.push('\u{2026}');
    }
    cut.trim().to_owned()
}

const fn is_invisible(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_invisible_is_shown() {
        assert_eq!(shown("a\u{202e}b\u{2066}c\u{200f}\u{7}\n d\u{feff}", 20), "abc  d");
        assert_eq!(shown("\u{3042}\u{3044}", 20), "\u{3042}\u{3044}");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(shown("abcdef", 3), "abc\u{2026}");
        assert_eq!(shown("abc", 3), "abc");
    }
}
