//! What JSON strings have as it is, eight bytes at a time.

/// How many bytes come before the first that JSON has an escape for in a string, or that ends one
/// (RFC 8259 §7): a control character, a quote or a backslash.
pub(crate) fn plain_len(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        if let Some(byte) = escaped_byte(u64::from_le_bytes(*word)) {
            return index * 8 + byte;
        }
    }
    let mut last = [b' '; 8];
    last.iter_mut().zip(rest).for_each(|(place, byte)| *place = *byte);
    let in_last = escaped_byte(u64::from_le_bytes(last)).unwrap_or(rest.len());
    words.len() * 8 + in_last
}

/// The first of eight bytes that is a control character, a quote or a backslash: by the highest bit of each,
/// which the subtraction of more than it has sets, unless it was set.
fn escaped_byte(word: u64) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    let below = |word: u64, byte: u64| word.wrapping_sub(byte * ONES) & !word;
    let is = |byte: u8| below(word ^ (u64::from(byte) * ONES), 1);
    // A borrow from one byte to the next comes of one that is found itself, so the first is right.
    let found = (below(word, 0x20) | is(b'"') | is(b'\\')) & HIGH;
    (found != 0).then(|| found.trailing_zeros() as usize / 8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_what_a_look_at_each_byte_finds(bytes in proptest::collection::vec(
            prop_oneof![6 => any::<u8>(), 6 => 0x1e_u8..0x24, 4 => 0x5a_u8..0x5f, 20 => b'a'..=b'z'], 0..40,
        )) {
            let plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
            let expected = bytes.iter().position(|byte| !plain(byte)).unwrap_or(bytes.len());
            prop_assert_eq!(plain_len(&bytes), expected);
        }
    }
}
