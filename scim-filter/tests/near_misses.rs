//! Texts that come near to something else: to a mistake that has a hint, to a URI, to a word, to the
//! end of a string. What they are refused for, where, and what they are not taken for.

use scim_filter::{Filter, ParseErrorKind as K, PatchPath};

#[test]
fn no_hint_where_nothing_was_mistaken() {
    for (text, kind, piece) in [
        // Not percent-encoded: two hexadecimal digits would have to follow.
        ("a pr %zz", K::ExpectedLogic, "%zz"),
        ("a pr %az", K::ExpectedLogic, "%az"),
        ("a pr %za", K::ExpectedLogic, "%za"),
        // No choice of a value, which stands in brackets.
        ("1 eq 2", K::ExpectedAttribute, "1"),
        ("* pr", K::ExpectedAttribute, "*"),
        // No quote begins here.
        ("= \"x\"", K::ExpectedAttribute, "="),
        (") pr", K::ExpectedAttribute, ")"),
        ("a eq )", K::ExpectedValue, ")"),
        ("a eq =", K::ExpectedValue, "="),
        // No comparison in the manner of JSON.
        ("urn:a: pr", K::InvalidAttribute, "urn:a:"),
        ("a: b", K::InvalidAttribute, "a:"),
        // One sub-attribute at most, but that is not what is wrong.
        ("a.b. pr", K::InvalidAttribute, "a.b."),
        ("name._x pr", K::InvalidAttribute, "name._x"),
        // `and` and `or` as names of attributes.
        ("(and)", K::ExpectedOperator, ")"),
        ("(or )", K::ExpectedOperator, ")"),
        // Numbers that are not finished.
        ("id eq 1e", K::InvalidNumber, "1e"),
        ("id eq 1E", K::InvalidNumber, "1E"),
        ("score eq 1.", K::InvalidNumber, "1."),
        ("score eq -", K::InvalidNumber, "-"),
        ("a eq \"", K::UnterminatedString, "\""),
        // Words that begin as others do.
        ("a pr android pr", K::ExpectedLogic, "android"),
        ("a pr orb", K::ExpectedLogic, "orb"),
    ] {
        let error = Filter::parse(text).unwrap_err();
        assert_eq!((*error.kind(), text.get(error.span())), (kind, Some(piece)), "{text}");
        assert_eq!(error.hint(), None, "{text}");
    }
}

#[test]
fn hints_of_each_form_of_a_mistake() {
    for (text, hint) in [
        ("id eq 12ab", "strings are written in double quotes"),
        ("id eq 1-2-3", "strings are written in double quotes"),
        ("a pr \"x\"", "`pr` takes no value"),
        ("a pr 5", "`pr` takes no value"),
        ("a pr true", "`pr` takes no value"),
        ("a pr eq", "`pr` takes no value"),
        ("a eq \"x'", "a string ends with `\"`, as it began"),
        ("a.b.c pr", "a path names an attribute and one sub-attribute at most"),
        ("a pr %2f", "the text is still percent-encoded"),
        ("(a)", "an attribute alone is no condition, and a boolean is compared with `true`"),
    ] {
        assert_eq!(Filter::parse(text).unwrap_err().hint(), Some(hint), "{text}");
    }
    for text in ["a[1]", "a[*]", "a[]"] {
        let hint = Filter::parse(text).unwrap_err().hint();
        assert_eq!(hint, Some("values are chosen by what they hold, as in `emails[type eq \"work\"]`"));
    }
}

#[test]
fn what_is_nearly_a_uri() {
    for (text, kind, piece) in [
        // A `%` that encodes nothing.
        ("urn:a:b%zz pr", K::InvalidAttribute, "urn:a:b%zz"),
        ("urn:a%2:b pr", K::InvalidAttribute, "urn:a%2:b"),
        // A scheme begins with a letter, and ends with a colon.
        ("1urn:x:name pr", K::ExpectedAttribute, "1urn:x:name"),
        ("a.1/x:y:z pr", K::InvalidAttribute, "a.1/x:y:z"),
        ("urn:x:name. pr", K::InvalidAttribute, "urn:x:name."),
        ("urn:x:.name pr", K::InvalidAttribute, "urn:x:.name"),
    ] {
        let error = Filter::parse(text).unwrap_err();
        assert_eq!((*error.kind(), text.get(error.span())), (kind, Some(piece)), "{text}");
    }
}

#[test]
fn behind_the_brackets_of_a_path() {
    for (text, kind, piece) in [
        ("emails[type pr].", K::ExpectedAttribute, ""),
        ("emails[type pr].é", K::ExpectedAttribute, "é"),
        ("emails[type pr].1a", K::InvalidAttribute, "1a"),
        ("emails[type pr].a.b", K::ExpectedEnd, ".b"),
        ("emails[type pr]x", K::ExpectedEnd, "x"),
    ] {
        let error = PatchPath::parse(text).unwrap_err();
        assert_eq!((*error.kind(), text.get(error.span())), (kind, Some(piece)), "{text}");
    }
}

#[test]
fn strings_that_do_not_end_well() {
    // A control character is wrong in a string, but without a quote there is none.
    for (text, kind, piece) in [
        ("a eq \"x\u{1}y", K::UnterminatedString, "\"x\u{1}y"),
        ("a eq \"x\u{1}y\"", K::ControlCharacter, "\u{1}"),
        ("a eq \"x\u{1}\\\"", K::ControlCharacter, "\u{1}"),
    ] {
        let error = Filter::parse(text).unwrap_err();
        assert_eq!((*error.kind(), text.get(error.span())), (kind, Some(piece)), "{text:?}");
    }
    // What is escaped in vain is quoted whole, however many bytes its UTF-8 has.
    for c in ['q', 'é', '€', '😀'] {
        let text = format!("a eq \"\\{c}\"");
        let error = Filter::parse(&text).unwrap_err();
        assert_eq!(error.to_string(), format!("`\\{c}` is not a JSON escape, at byte 6"));
    }
}

/// However long the string is, and whatever stands before the control character.
#[test]
fn a_control_character_is_found_where_it_is() {
    for length in [0, 1, 15, 16, 17, 63, 64, 65, 100, 1_000] {
        for filler in [" ", "a", "~", "é"] {
            let before = filler.repeat(length);
            let text = format!("a eq \"{before}\u{1f}{before}\"");
            let error = Filter::parse(&text).unwrap_err();
            assert_eq!(*error.kind(), K::ControlCharacter);
            assert_eq!(error.span().start, 6 + before.len(), "{length} times {filler:?}");
            // A space is none.
            assert!(Filter::parse(&format!("a eq \"{before} {before}\"")).is_ok());
        }
    }
}
