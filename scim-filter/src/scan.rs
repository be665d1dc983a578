//! Finding the end of what a JSON string holds as it is.

use memchr::memchr2;

/// How many bytes of `text` come before the first quote, backslash or control character.
///
/// Nearly all strings are shorter than a search by vector instructions costs to begin; they go by
/// in words, in which all three are looked for at once.
pub(crate) fn plain(text: &[u8]) -> usize {
    const SHORT: usize = 64;
    let (head, far) = text.split_at_checked(SHORT).unwrap_or((text, &[]));
    let mut at = 0;
    let (words, tail) = head.as_chunks::<8>();
    for word in words {
        let found = first_end(u64::from_le_bytes(*word));
        if found < 8 {
            return at + found;
        }
        at += word.len();
    }
    if far.is_empty() {
        return at + tail.iter().position(|byte| ends(*byte)).unwrap_or(tail.len());
    }
    let plain = far.get(..memchr2(b'"', b'\\', far).unwrap_or(far.len())).unwrap_or_default();
    // Folding instead of searching, so that it is done many bytes at a time.
    let control = plain.iter().fold(false, |found, byte| found | (*byte < 0x20));
    at + if control { plain.iter().position(|byte| *byte < 0x20).unwrap_or_default() } else { plain.len() }
}

fn ends(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The lowest byte of `word` that [`ends`], or 8.
///
/// Subtracting from a byte that is smaller borrows into its highest bit. A borrow may go on into
/// the bytes above, so only the lowest one found is certain, which is the one that counts.
fn first_end(word: u64) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    let below = |word: u64, limit: u64| word.wrapping_sub(limit * ONES) & !word & HIGH;
    let is = |byte: u8| below(word ^ (u64::from(byte) * ONES), 1);
    (below(word, 0x20) | is(b'"') | is(b'\\')).trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The plain twin.
    fn plainly(text: &[u8]) -> usize {
        text.iter().position(|byte| ends(*byte)).unwrap_or(text.len())
    }

    #[test]
    fn finds_every_byte_at_every_place() {
        for length in [0, 1, 7, 8, 9, 20, 63, 64, 65, 90] {
            for at in 0..=length {
                for byte in 0..=255 {
                    for filler in [b'a', 0xff, 0x80] {
                        let mut text = vec![filler; length];
                        if let Some(place) = text.get_mut(at) {
                            *place = byte;
                        }
                        // A second one behind the first must not be found before it.
                        if let Some(last) = text.last_mut().filter(|_| byte % 2 == 0) {
                            *last = b'"';
                        }
                        assert_eq!(plain(&text), plainly(&text), "{text:?}");
                    }
                }
            }
        }
    }
}
