//! The characters that no user name has.

/// The first character of `name` that RFC 7613 §3.2 forbids in a user name and nobody has in theirs: one
/// that controls, turns the direction of text, or cannot be seen, so that two names would look the same.
///
/// What the class of identifiers (RFC 8264 §4.2) leaves out besides, spaces and symbols, is in the names that
/// identity providers send. U+200C and U+200D join and part letters, and are in names (RFC 5892 A.1, A.2).
pub(super) fn forbidden(name: &str) -> Option<char> {
    name.chars().find(|c| !c.is_ascii_graphic() && (c.is_control() || is_invisible(*c)))
}

fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_has_in_a_name() {
        for name in [
            "bjensen@example.com",
            "Zoë O'Hara",
            "i❤u",
            "ｂob",
            "नमस्ते",
            "علی\u{200c}رضا",
            "A\u{30a}sa",
            "a\u{a0}b",
        ] {
            assert_eq!(forbidden(name), None, "{name}");
        }
        for c in [
            '\0', '\t', '\n', '\u{7f}', '\u{85}', '\u{ad}', '\u{200b}', '\u{202e}', '\u{2028}', '\u{2066}',
            '\u{feff}',
        ] {
            assert_eq!(forbidden(&format!("a{c}b\u{202e}")), Some(c), "{c:?}");
        }
    }
}
