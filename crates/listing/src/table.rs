//! Aligns tab-separated lines in columns.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

use crate::format::Cut;
use crate::identifier::ellipsis;

/// Blanks between two columns.
const GAP: usize = 3;

/// A column that another follows takes at least as much where there is room, as in Docker's tables.
const SMALLEST: usize = 10 - GAP;

/// A column is not cut to less than this: narrower than that it says nothing.
const NARROWEST: usize = 6;

/// Aligns the cells of lines at their tabs. With a width, the widest columns are cut until the lines fit into it, or
/// until no column can be cut further; `cut` says when one is, by its header in the first line.
pub(crate) fn align(lines: &[String], width: Option<usize>, cut: impl Fn(&str) -> Cut) -> String {
    let rows: Vec<Vec<Cow<'_, str>>> = lines
        .iter()
        .map(|line| line.split('\t').map(visible).collect())
        .collect();
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut widths = vec![0; count];
    for row in &rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = cell.width().max(*widest);
        }
    }
    let mut roomy = widths.clone();
    if let Some((_, followed)) = roomy.split_last_mut() {
        for width in followed {
            *width = SMALLEST.max(*width);
        }
    }
    if width.is_none_or(|width| total(&roomy) <= width) {
        widths = roomy;
    } else if let Some(width) = width {
        let headers = rows.first().into_iter().flatten().map(|header| cut(header));
        let cuts: Vec<Cut> = headers
            .chain(std::iter::repeat(Cut::First))
            .take(count)
            .collect();
        for stage in [Cut::First, Cut::Last] {
            fit(&mut widths, width, |column| cuts[column] <= stage);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (index, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let cell = ellipsis(cell, *width);
            line.push_str(&cell);
            // What follows the last column is nothing, so it is not padded.
            if index + 1 < row.len() {
                let padding = width - cell.width() + GAP;
                line.extend(std::iter::repeat_n(' ', padding));
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// What columns of these widths take, with the gaps between them.
fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// Takes from the widest columns that may be cut, one blank at a time, what the line is too long by.
fn fit(widths: &mut [usize], width: usize, may_be_cut: impl Fn(usize) -> bool) {
    loop {
        let total = total(widths);
        let widest = widths
            .iter_mut()
            .enumerate()
            .filter(|(column, _)| may_be_cut(*column))
            .map(|(_, width)| width)
            .max();
        match widest {
            Some(widest) if total > width && *widest > NARROWEST => *widest -= 1,
            _ => return,
        }
    }
}

/// The cell without what would break its line or steer a terminal: names, labels and commands are other people's.
fn visible(cell: &str) -> Cow<'_, str> {
    if cell.contains(['\n', '\r']) {
        let one_line = cell.replace(['\n', '\r'], " ");
        return Cow::Owned(terminal::printable(&one_line).into_owned());
    }
    terminal::printable(cell)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn align(lines: &[String], width: Option<usize>) -> String {
        super::align(lines, width, |header| match header {
            "ID" => Cut::Never,
            "NAME" => Cut::Last,
            _ => Cut::First,
        })
    }

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|&line| line.to_owned()).collect()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let text = align(&lines(&["NAME\tID", "a-long-name\t1", "語\t2"]), None);
        assert_eq!(text, "NAME          ID\na-long-name   1\n語            2\n");
    }

    #[test]
    fn nothing_follows_the_last_cell() {
        assert_eq!(align(&lines(&["A\t", "b\t\t"]), None), "A\nb\n");
    }

    #[test]
    fn the_widest_column_gives_way() {
        let text = align(
            &lines(&["ID\tCOMMAND", "1\t0123456789abcdefghijkl"]),
            Some(20),
        );
        assert_eq!(text, "ID   COMMAND\n1    0123456789abcd…\n");
        let text = align(&lines(&["0123456789abc\t0123456789abc"]), Some(4));
        assert_eq!(text, "01234…   01234…\n");
    }

    #[test]
    fn names_give_way_last_and_ids_never() {
        let table = lines(&[
            "ID\tCOMMAND\tNAME",
            "0123456789ab\t0123456789\ta-long-name-of-20-chr",
        ]);
        let shown = |width| align(&table, Some(width)).lines().nth(1).map(str::to_owned);
        for (width, expected) in [
            (50, "0123456789ab   0123456789   a-long-name-of-20-chr"),
            (46, "0123456789ab   012345…   a-long-name-of-20-chr"),
            (40, "0123456789ab   01234…   a-long-name-of-…"),
            (10, "0123456789ab   01234…   a-lon…"),
        ] {
            assert_eq!(shown(width).as_deref(), Some(expected), "{width}");
        }
    }

    #[test]
    fn a_cell_cannot_leave_its_line() {
        assert_eq!(align(&lines(&["a\nb\x1b[2J\tc"]), None), "a b[2J    c\n");
    }

    proptest! {
        #[test]
        fn a_table_has_a_line_for_each(rows in proptest::collection::vec("\\PC{0,12}(\t\\PC{0,12}){0,4}", 0..8)) {
            let text = align(&rows, Some(40));
            prop_assert_eq!(text.lines().count(), rows.len());
        }
    }
}
