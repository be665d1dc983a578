//! Which characters are the same but for their width, their case or how they are composed.
//!
//! As RFC 7613 §3.2.2 (UsernameCaseMapped) has it: fullwidth and halfwidth characters are those of
//! ordinary width, case is folded, and the result is in Normalization Form C. Text is decomposed before
//! it is folded, so that texts that are canonically equivalent are equal also where folding alone
//! would not see it (Unicode, D145).

use std::str::Chars;

use unicode_normalization::UnicodeNormalization as _;

/// The characters of the comparison key of `text`, for `take`.
///
/// Most text beyond ASCII is of characters that are folded each by itself, and is not normalised.
pub(crate) fn with_key<R>(text: &str, take: impl FnOnce(&mut dyn Iterator<Item = char>) -> R) -> R {
    if text.chars().all(stands_alone) {
        take(&mut text.chars().flat_map(folded))
    } else {
        take(&mut normal(text.chars()))
    }
}

fn normal(text: Chars<'_>) -> impl Iterator<Item = char> + '_ {
    text.map(of_ordinary_width).nfd().flat_map(folded).nfc()
}

/// The folding of one character: the lower case of its upper case, which maps all that differ
/// only in case to one, but for two characters whose upper case is not their own.
pub(crate) fn folded(c: char) -> impl Iterator<Item = char> + Clone {
    let (upper, dotless) = match c {
        // Its upper case is `I`, that of `i`.
        'ı' => (None, Some('ı')),
        // Has no other upper case, and folds as `ß` does.
        'ẞ' => (Some('ß'), None),
        _ => (Some(c), None),
    };
    upper.into_iter().flat_map(char::to_uppercase).flat_map(char::to_lowercase).chain(dotless)
}

/// Whether what a character becomes depends on it alone, and nothing before it on it: of all that
/// Latin, Cyrillic, Japanese, Chinese and Korean names are usually made of, this is known.
pub(crate) fn stands_alone(c: char) -> bool {
    matches!(c,
        ..'\u{180}'
        | '\u{400}'..='\u{482}'
        | '\u{48a}'..='\u{52f}'
        | '\u{3041}'..='\u{3096}'
        | '\u{30a1}'..='\u{30fa}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}')
}

/// The character that a fullwidth or halfwidth one is (`<wide>` and `<narrow>` in UnicodeData.txt).
fn of_ordinary_width(c: char) -> char {
    let from = |first: char, run: u32| char::from_u32(c as u32 - first as u32 + run).unwrap_or(c);
    match c {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => from('\u{ff01}', 0x21),
        '\u{ff5f}'..='\u{ff60}' => from('\u{ff5f}', 0x2985),
        '\u{ff61}'..='\u{ff9f}' => KATAKANA.get(c as usize - 0xff61).copied().unwrap_or(c),
        '\u{ffa0}' => '\u{3164}',
        '\u{ffa1}'..='\u{ffbe}' => from('\u{ffa1}', 0x3131),
        '\u{ffc2}'..='\u{ffc7}' => from('\u{ffc2}', 0x314f),
        '\u{ffca}'..='\u{ffcf}' => from('\u{ffca}', 0x3155),
        '\u{ffd2}'..='\u{ffd7}' => from('\u{ffd2}', 0x315b),
        '\u{ffda}'..='\u{ffdc}' => from('\u{ffda}', 0x3161),
        '\u{ffe0}'..='\u{ffe1}' => from('\u{ffe0}', 0xa2),
        '\u{ffe2}' => '\u{ac}',
        '\u{ffe3}' => '\u{af}',
        '\u{ffe4}' => '\u{a6}',
        '\u{ffe5}' => '\u{a5}',
        '\u{ffe6}' => '\u{20a9}',
        '\u{ffe8}' => '\u{2502}',
        '\u{ffe9}'..='\u{ffec}' => from('\u{ffe9}', 0x2190),
        '\u{ffed}' => '\u{25a0}',
        '\u{ffee}' => '\u{25cb}',
        _ => c,
    }
}

/// What U+FF61 to U+FF9F are; the last two are the marks of voicing.
const KATAKANA: [char; 63] = [
    '。', '「', '」', '、', '・', 'ヲ', 'ァ', 'ィ', 'ゥ', 'ェ', 'ォ', 'ャ', 'ュ', 'ョ', 'ッ', 'ー', 'ア',
    'イ', 'ウ', 'エ', 'オ', 'カ', 'キ', 'ク', 'ケ', 'コ', 'サ', 'シ', 'ス', 'セ', 'ソ', 'タ', 'チ', 'ツ',
    'テ', 'ト', 'ナ', 'ニ', 'ヌ', 'ネ', 'ノ', 'ハ', 'ヒ', 'フ', 'ヘ', 'ホ', 'マ', 'ミ', 'ム', 'メ', 'モ',
    'ヤ', 'ユ', 'ヨ', 'ラ', 'リ', 'ル', 'レ', 'ロ', 'ワ', 'ン', '\u{3099}', '\u{309a}',
];

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        normal(text.chars()).collect()
    }

    /// What is not normalised is what it would be, whatever stands beside it of its kind.
    #[test]
    fn what_stands_alone_need_not_be_normalised() {
        let mut count = 0;
        for c in ('\0'..=char::MAX).filter(|c| stands_alone(*c)) {
            count += 1;
            assert_eq!(plain(&c.to_string()), folded(c).collect::<String>(), "{c:?}");
            assert!(
                unicode_normalization::is_nfc_quick([c].into_iter())
                    == unicode_normalization::IsNormalized::Yes
            );
            let first = c.nfd().next().map(unicode_normalization::char::canonical_combining_class);
            assert_eq!(first, Some(0), "{c:?}");
        }
        assert!(count > 30_000);
    }

    /// The mapping leaves compatibility alone but for width, and maps all that has one.
    #[test]
    fn width() {
        use unicode_normalization::char::decompose_compatible;
        for c in '\u{ff00}'..='\u{ffef}' {
            let (mut this, mut that) = (String::new(), String::new());
            decompose_compatible(c, |c| this.push(c));
            decompose_compatible(of_ordinary_width(c), |c| that.push(c));
            assert_eq!(this, that, "{c:?}");
            assert_eq!(of_ordinary_width(c) == c, this == c.to_string(), "{c:?}");
        }
        for (c, ordinary) in
            [('\u{3000}', ' '), ('￣', '¯'), ('ｶ', 'カ'), ('ﾡ', 'ㄱ'), ('①', '①'), ('ﬁ', 'ﬁ')]
        {
            assert_eq!(of_ordinary_width(c), ordinary);
        }
    }
}
