//! Whether JSON text is what a writer would make of its value.

use std::ops::Range;

use crate::value::{HARD_DEPTH, Value, plain_len};

/// A walk through JSON text that has no white space, and no character escaped that need not be, or otherwise
/// than a writer escapes it. Where there is anything else, each of its functions is `None`.
///
/// It does not recurse, and reads each byte once.
pub(super) struct Scan<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Scan<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// How far the walk is.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// Passes over `byte`, if it comes next.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Passes over `byte`.
    pub(super) fn expect(&mut self, byte: u8) -> Option<()> {
        self.eat(byte).then_some(())
    }

    /// Passes over a string in which nothing is escaped, and tells where it is without its quotes.
    pub(super) fn plain_string(&mut self) -> Option<Range<usize>> {
        self.expect(b'"')?;
        let begin = self.at;
        self.at += plain_len(self.text.get(begin..)?);
        let plain = begin..self.at;
        self.expect(b'"')?;
        Some(plain)
    }

    /// Passes over a value.
    pub(super) fn value(&mut self) -> Option<()> {
        // Whether what is open is an object, the innermost by the lowest bit; otherwise it is an array.
        let (mut objects, mut depth) = (0_u128, 1);
        loop {
            match self.byte()? {
                b'"' => self.rest_of_string()?,
                open @ (b'{' | b'[') => {
                    let is_object = open == b'{';
                    if !self.eat(if is_object { b'}' } else { b']' }) {
                        objects = objects << 1 | u128::from(is_object);
                        depth += 1;
                        if depth > HARD_DEPTH {
                            return None;
                        }
                        if is_object {
                            self.name()?;
                        }
                        continue;
                    }
                }
                b't' => self.literal(b"rue")?,
                b'f' => self.literal(b"alse")?,
                b'n' => self.literal(b"ull")?,
                b'-' | b'0'..=b'9' => self.rest_of_number()?,
                _ => return None,
            }
            loop {
                if depth == 1 {
                    return Some(());
                }
                match (self.byte()?, objects & 1 == 1) {
                    (b',', true) => {
                        self.name()?;
                        break;
                    }
                    (b',', false) => break,
                    (b'}', true) | (b']', false) => {
                        objects >>= 1;
                        depth -= 1;
                    }
                    _ => return None,
                }
            }
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.text.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// The name of a member up to its value.
    fn name(&mut self) -> Option<()> {
        self.expect(b'"')?;
        self.rest_of_string()?;
        self.expect(b':')
    }

    fn rest_of_string(&mut self) -> Option<()> {
        loop {
            self.at += plain_len(self.text.get(self.at..)?);
            match self.byte()? {
                b'"' => return Some(()),
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
    }

    /// What is behind a backslash: the short form where there is one, and `\u` for other control characters alone.
    fn escape(&mut self) -> Option<()> {
        match self.byte()? {
            b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                self.literal(b"00")?;
                match (self.byte()?, self.byte()?) {
                    (b'0', b'0'..=b'7' | b'b' | b'e' | b'f') | (b'1', b'0'..=b'9' | b'a'..=b'f') => Some(()),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn rest_of_number(&mut self) -> Option<()> {
        let begin = self.at - 1;
        let is_part = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        self.at += self.text.get(self.at..)?.iter().take_while(is_part).count();
        let number = self.text.get(begin..self.at)?;
        // There are many ways to write a number, and few numbers.
        let written = Value::from_slice(number, &crate::value::JsonLimits::default()).ok()?.to_vec();
        (written == number).then_some(())
    }

    fn literal(&mut self, rest: &[u8]) -> Option<()> {
        let found = self.text.get(self.at..)?.starts_with(rest);
        self.at += rest.len();
        found.then_some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;

    fn is_canonical(text: &str) -> bool {
        let mut scan = Scan::new(text.as_bytes());
        scan.value().is_some() && scan.is_at_end()
    }

    #[test]
    fn what_a_writer_would_write_otherwise_is_found() {
        let same = [
            "null",
            "true",
            "false",
            "0",
            "-1",
            "18446744073709551615",
            "1.5",
            "1e+300",
            "-0.0",
            "\"\"",
            "[]",
            "{}",
            r#"[[],{},[{"a":{}}],"b"]"#,
            r#""\u0000\u0007\b\t\n\u000b\f\r\u000e\u001f\u0010 \"\\/é𝄞""#,
            r#"{"\n":[1,2,{"":null}]}"#,
        ];
        let not = [
            "",
            " 1",
            "1 ",
            "nul",
            "nulll",
            "01",
            "-0",
            "1.50",
            "1E3",
            "1e2",
            "1e300",
            "+1",
            "18446744073709551616",
            "-",
            "1e999",
            "\"",
            "\"\\",
            r#""\/""#,
            r#""\u0041""#,
            r#""\u000A""#,
            r#""\u001F""#,
            r#""\u0009""#,
            r#""\u0008""#,
            r#""\u000c""#,
            r#""\u00""#,
            r#""\x""#,
            "\"\n\"",
            "[1, 2]",
            "[1,]",
            "[,1]",
            "[1",
            "[1}",
            r#"{"a" :1}"#,
            r#"{"a": 1}"#,
            r#"{"a":1,}"#,
            r#"{"a"}"#,
            "{1:2}",
            r#"{"a":1]"#,
            r#"{"a":1"#,
            "[] []",
            "]",
            "}",
            ",",
        ];
        for text in same {
            assert!(is_canonical(text), "{text}");
        }
        for text in not {
            assert!(!is_canonical(text), "{text}");
        }
        // As deep as a tree can be, and no deeper; a million levels are no recursion.
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(is_canonical(&nested(HARD_DEPTH)));
        assert!(!is_canonical(&nested(HARD_DEPTH + 1)) && !is_canonical(&nested(1_000_000)));
    }

    fn values() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            ".{0,12}|[ -~\u{0}-\u{20}]{0,12}".prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 30, 4, |inner| {
            let name = "[a-z]{1,6}|[ -~\u{0}-\u{20}]{0,3}";
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                proptest::collection::vec((name, inner), 0..4).prop_map(|members| {
                    // No two names that differ in case alone.
                    let named = members.into_iter().enumerate();
                    Json::Object(named.map(|(at, (name, value))| (format!("{at}{name}"), value)).collect())
                }),
            ]
        })
    }

    proptest! {
        /// A text is passed exactly if what is read of it is written so again.
        #[test]
        fn a_text_is_canonical_that_is_written_again(
            value in values(), at in any::<proptest::sample::Index>(), byte in prop_oneof![any::<u8>(), 0x20_u8..0x7f],
        ) {
            let text = Value::from(value).to_vec();
            prop_assert!(is_canonical(std::str::from_utf8(&text).unwrap()));
            let mut other = text;
            let at = at.index(other.len());
            other[at] = byte;
            if let Ok(other) = std::str::from_utf8(&other) {
                let read = Value::from_slice(other.as_bytes(), &crate::value::JsonLimits { max_depth: 100 });
                let again = read.map(|value| value.to_vec() == other.as_bytes()).unwrap_or(false);
                // A name that is there twice within an object is not looked for.
                if again || !has_doubles(other) {
                    prop_assert_eq!(is_canonical(other), again, "{}", other);
                }
            }
        }
    }

    fn has_doubles(text: &str) -> bool {
        let limits = crate::value::JsonLimits { max_depth: 100 };
        Value::from_slice(text.as_bytes(), &limits).is_err_and(|error| error.message.contains("given twice"))
    }

    #[test]
    fn what_serde_writes_is_canonical() {
        let value = json!({"a": [1, -2.5, {"b": "\u{1}\u{8}\"\\\u{7f}\u{2028}"}], "c": null});
        assert!(is_canonical(&value.to_string()));
    }
}
