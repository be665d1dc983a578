//! Finding the end of what a JSON string holds as it is.

use memchr::memchr2;

/// How many bytes of `text` come before the first quote, backslash or control character.
///
/// Nearly all strings are shorter than a search by wide vector instructions costs to begin; they
/// go by in blocks that fit a narrow one.
#[inline]
pub(crate) fn plain(text: &[u8]) -> usize {
    let (blocks, tail) = text.as_chunks::<16>();
    let (near, beyond) = blocks.split_at_checked(4).unwrap_or((blocks, &[]));
    let mut at = 0;
    for block in near {
        // Folding instead of searching, so that all bytes are looked at at once.
        if block.iter().fold(false, |found, byte| found | ends(*byte)) {
            return at + first_end(block);
        }
        at += block.len();
    }
    if beyond.is_empty() {
        at + tail.iter().position(|byte| ends(*byte)).unwrap_or(tail.len())
    } else {
        at + far(text.get(at..).unwrap_or_default())
    }
}

/// The same, for text that is likely to be long.
#[cold]
fn far(text: &[u8]) -> usize {
    let end = memchr2(b'"', b'\\', text).unwrap_or(text.len());
    let plain = text.get(..end).unwrap_or_default();
    let lowest = plain.iter().fold(b' ', |lowest, byte| lowest.min(*byte));
    if lowest < b' ' { plain.iter().position(|byte| *byte < b' ').unwrap_or(end) } else { end }
}

/// Whether `byte` is a quote, a backslash or a control character.
///
/// Flipping the second bit swaps the space with the quote, which puts it next to the control characters.
fn ends(byte: u8) -> bool {
    (byte ^ 2 <= b' ') | (byte == b'\\')
}

/// The first byte of `block` that [`ends`], which there must be.
///
/// Subtracting from a byte that is smaller borrows into its highest bit. A borrow may go on into
/// the bytes above, so only the lowest one found is certain, which is the one that counts.
fn first_end(block: &[u8; 16]) -> usize {
    const ONES: u128 = u128::MAX / 0xff;
    const HIGH: u128 = 0x80 * ONES;
    let word = u128::from_le_bytes(*block);
    let low = (word ^ (2 * ONES)).wrapping_sub(0x21 * ONES);
    let backslash = (word ^ (0x5c * ONES)).wrapping_sub(ONES);
    ((low | backslash) & !word & HIGH).trailing_zeros() as usize / 8
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
