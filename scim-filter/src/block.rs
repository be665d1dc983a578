//! What matters in a block of JSON text, a bit for each byte.

pub(crate) const BLOCK: usize = 64;

const ROW: usize = 16;

#[cfg(not(target_feature = "sse2"))]
pub(crate) use portable::find;

/// Where in a block what is.
#[derive(Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) quotes: u64,
    pub(crate) brackets: u64,
    pub(crate) colons: u64,
    pub(crate) backslash: bool,
}

/// Finds it.
#[cfg(target_feature = "sse2")]
#[inline]
pub(crate) fn find(block: &[u8; BLOCK]) -> Found {
    use safe_arch::{
        cmp_eq_mask_i8_m128i, load_unaligned_m128i, m128i, move_mask_i8_m128i, set_splat_i8_m128i,
    };
    let is = |row, byte: u8| cmp_eq_mask_i8_m128i(row, set_splat_i8_m128i(byte.cast_signed()));
    let bits = |found| u64::from(move_mask_i8_m128i(found) as u16);
    let (mut quotes, mut brackets, mut colons, mut backslashes) = (0, 0, 0, m128i::default());
    for (row, shift) in block.as_chunks::<ROW>().0.iter().zip([0, 16, 32, 48]) {
        let row = load_unaligned_m128i(row);
        // `[` and `]` differ from `{` and `}` in this bit.
        let curly = row | set_splat_i8_m128i(0x20);
        quotes |= bits(is(row, b'"')) << shift;
        brackets |= bits(is(curly, b'{') | is(curly, b'}')) << shift;
        colons |= bits(is(row, b':')) << shift;
        backslashes |= is(row, b'\\');
    }
    Found { quotes, brackets, colons, backslash: bits(backslashes) != 0 }
}

/// The same where no instruction gathers the bits of comparisons.
#[cfg(any(not(target_feature = "sse2"), test))]
mod portable {
    use super::{BLOCK, Found, ROW};

    /// Finds it.
    ///
    /// Written as comparisons of rows of bytes with bytes, each of which is one instruction; gathering
    /// the bits of the results would take many, so each row's are put into columns of their own, and
    /// exchanged with the rows in the end.
    #[inline]
    pub(crate) fn find(block: &[u8; BLOCK]) -> Found {
        let (mut quotes, mut brackets, mut colons) = ([0; ROW], [0; ROW], [0; ROW]);
        for (row, columns) in block.as_chunks::<ROW>().0.iter().zip(&COLUMNS) {
            let found = quotes.iter_mut().zip(&mut brackets).zip(&mut colons);
            for (((quote, bracket), colon), (byte, column)) in found.zip(row.iter().zip(columns)) {
                // `[` and `]` differ from `{` and `}` in this bit.
                let curly = *byte | 0x20;
                *quote |= ones(*byte == b'"') & column;
                *bracket |= (ones(curly == b'{') | ones(curly == b'}')) & column;
                *colon |= ones(*byte == b':') & column;
            }
        }
        Found {
            quotes: in_order(quotes),
            brackets: in_order(brackets),
            colons: in_order(colons),
            backslash: block.iter().fold(false, |found, byte| found | (*byte == b'\\')),
        }
    }

    /// The column of each byte: two for each row, one for each half of it.
    const COLUMNS: [[u8; ROW]; BLOCK / ROW] = {
        let mut columns = [[0; ROW]; BLOCK / ROW];
        let mut at = 0;
        while at < BLOCK {
            #[expect(clippy::indexing_slicing, reason = "evaluated when this is compiled")]
            {
                columns[at / ROW][at % ROW] = 1 << (at / 8);
            }
            at += 1;
        }
        columns
    };

    #[inline]
    fn ones(yes: bool) -> u8 {
        if yes { 0xff } else { 0 }
    }

    /// The bits in the order of the bytes of the block.
    #[inline]
    fn in_order(columns: [u8; ROW]) -> u64 {
        let halves = u128::from_le_bytes(columns);
        let mut square = halves as u64 | (halves >> 64) as u64;
        // A square of 8 by 8 bits: rows and columns are exchanged bit by bit, then in squares of four
        // bits, then of sixteen.
        for (shift, bits) in
            [(7, 0x00aa_00aa_00aa_00aa), (14, 0x0000_cccc_0000_cccc), (28, 0x0000_0000_f0f0_f0f0)]
        {
            let differ = (square ^ square >> shift) & bits;
            square ^= differ ^ differ << shift;
        }
        square
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The plain twin.
    fn plainly(block: &[u8; BLOCK]) -> Found {
        let bits = |wanted: &[u8]| {
            block.iter().rev().fold(0, |bits, byte| bits << 1 | u64::from(wanted.contains(byte)))
        };
        Found {
            quotes: bits(b"\""),
            brackets: bits(b"[]{}"),
            colons: bits(b":"),
            backslash: block.contains(&b'\\'),
        }
    }

    #[test]
    fn every_byte_at_every_place() {
        for at in 0..BLOCK {
            for byte in 0..=255 {
                let mut block = [b' '; BLOCK];
                block[at] = byte;
                assert_eq!((find(&block), portable::find(&block)), (plainly(&block), plainly(&block)));
            }
        }
    }

    proptest! {
        #[test]
        fn any_block(block in prop::collection::vec(prop::sample::select(br#""\[]{}:;|~ a"#.to_vec()), BLOCK)) {
            let block = block.first_chunk::<BLOCK>().unwrap();
            prop_assert_eq!(find(block), plainly(block));
            prop_assert_eq!(portable::find(block), plainly(block));
        }
    }
}
