//! Tables of text, for people at a terminal.

use std::fmt;

/// Writes `rows`, the first of which is the header, in aligned columns, a line each.
pub(crate) fn write<const N: usize>(f: &mut fmt::Formatter<'_>, rows: &[[String; N]]) -> fmt::Result {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            // Not by a width in the format, of which there may be no more than 65,535.
            let padding = width - cell.chars().count() + 2;
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', padding));
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}
