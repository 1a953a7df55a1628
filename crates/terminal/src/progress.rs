//! Renders the progress of a pull as text.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::duration::human_seconds;
use crate::quantity::human_size;
use crate::{printable, printable_lines};

/// Ids that are kept at once. No image has as many layers, and an engine that sends new ones without end shall not
/// fill the memory.
const LINES_MAX: usize = 10_000;

/// Characters in a bar that is full.
const BAR: usize = 50;

/// One message of a progress stream, as the engine sent it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgressLine<'a> {
    /// What the message is about, a layer for example; empty if it is about the whole.
    pub id: &'a str,
    /// What is being done.
    pub status: &'a str,
    /// Output that is relayed whole; empty for a pull.
    pub stream: &'a str,
    /// The message's `progressDetail`. An empty object is there (`Some` of zeroes) and means a line that is about to
    /// make progress; a message without it is not part of the bars.
    pub detail: Option<ProgressDetail<'a>>,
}

/// How far something has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgressDetail<'a> {
    /// What is done, in `units`.
    pub current: i64,
    /// What there is to do, in `units`; 0 if nobody knows.
    pub total: i64,
    /// When it started, in seconds since 1970; 0 if nobody knows.
    pub start_unix: i64,
    /// Show the bar and no numbers.
    pub hide_counts: bool,
    /// What is counted; empty for bytes.
    pub units: &'a str,
}

/// Renders progress messages: on a terminal a line for each id that is written over and over, elsewhere one line for
/// each change of status.
///
/// The text is to be written as it is, in order, and without anything else between two messages. It is that of
/// Docker's client, except that control characters from the engine are left out: see [`printable()`].
///
/// ```
/// use std::time::SystemTime;
/// use terminal::{Progress, ProgressLine};
///
/// let mut progress = Progress::new(None);
/// let line = ProgressLine { id: "latest", status: "Pulling from library/busybox", ..ProgressLine::default() };
/// assert_eq!(progress.line(&line, SystemTime::now()), "latest: Pulling from library/busybox\n");
/// ```
#[derive(Debug)]
pub struct Progress {
    terminal_width: Option<u16>,
    /// The line of each id, counted from the first of the block.
    lines: HashMap<String, usize>,
}

impl Progress {
    /// Starts with no lines. The width is that of the terminal in characters; `None` means that there is no terminal.
    /// For a terminal that does not tell its width, Docker's client takes 200.
    pub fn new(terminal_width: Option<u16>) -> Progress {
        Progress {
            terminal_width,
            lines: HashMap::new(),
        }
    }

    /// Takes note of another width, when the window was resized. Nothing changes if there is no terminal.
    pub fn resize(&mut self, terminal_width: u16) {
        if let Some(width) = &mut self.terminal_width {
            *width = terminal_width;
        }
    }

    /// Returns the text to write for `line` at the time `now`, which may be none at all.
    pub fn line(&mut self, line: &ProgressLine<'_>, now: SystemTime) -> String {
        match self.terminal_width {
            Some(width) => self.on_terminal(line, width, now),
            None => plain(line),
        }
    }

    fn on_terminal(&mut self, line: &ProgressLine<'_>, width: u16, now: SystemTime) -> String {
        let mut text = String::new();
        let mut lines_up = 0;
        match line.detail {
            Some(_) if !line.id.is_empty() => {
                if self.lines.len() >= LINES_MAX && !self.lines.contains_key(line.id) {
                    self.lines.clear();
                }
                let next = self.lines.len();
                let number = *self.lines.entry(line.id.to_owned()).or_insert_with(|| {
                    text.push('\n');
                    next
                });
                lines_up = self.lines.len() - number;
                text.push_str(&format!("\x1b[{lines_up}A"));
            }
            // What is no progress scrolls, so the lines above can no longer be reached.
            _ => self.lines.clear(),
        }
        let bar_line = line.detail.filter(|_| line.stream.is_empty());
        if bar_line.is_some() {
            text.push_str("\x1b[2K\r");
        }
        push_id(&mut text, line.id);
        match (bar_line, line.stream) {
            (Some(detail), _) => {
                text.push_str(&printable(line.status));
                text.push(' ');
                text.push_str(&bar(&detail, width, now));
                text.push('\r');
            }
            (None, "") => {
                text.push_str(&printable(line.status));
                text.push('\n');
            }
            (None, stream) => text.push_str(&printable_lines(stream)),
        }
        if lines_up > 0 {
            text.push_str(&format!("\x1b[{lines_up}B"));
        }
        text
    }
}

/// A message where there is no terminal: without one, progress would be thousands of lines, so it is left out.
fn plain(line: &ProgressLine<'_>) -> String {
    if line.detail.is_some_and(|d| d.current > 0 || d.total > 0) {
        return String::new();
    }
    let mut text = String::new();
    push_id(&mut text, line.id);
    if line.stream.is_empty() {
        text.push_str(&printable(line.status));
        text.push('\n');
    } else {
        text.push_str(&printable_lines(line.stream));
    }
    text
}

fn push_id(text: &mut String, id: &str) {
    if !id.is_empty() {
        text.push_str(&printable(id));
        text.push_str(": ");
    }
}

/// The bar, the numbers and the remaining time, each where there is room and reason for it.
fn bar(detail: &ProgressDetail<'_>, width: u16, now: SystemTime) -> String {
    let &ProgressDetail { current, total, .. } = detail;
    let units = printable(detail.units);
    if current <= 0 && total <= 0 {
        return String::new();
    }
    if total <= 0 {
        return match &*units {
            "" => format!("{:>8}", human_size(current)),
            units => format!("{current} {units}"),
        };
    }
    let filled = filled(current, total);
    let mut text = String::new();
    if width > 110 {
        text.push_str(&format!(
            "[{}>{}] ",
            "=".repeat(filled),
            " ".repeat(BAR - filled)
        ));
    }
    // A total that is less than what is done was a guess, and is not shown.
    let known = current <= total;
    if !detail.hide_counts {
        text.push_str(&match (&*units, known) {
            ("", true) => format!("{:>8}/{}", human_size(current), human_size(total)),
            ("", false) => format!("{:>8}", human_size(current)),
            (units, true) => format!("{current}/{total} {units}"),
            (units, false) => format!("{current} {units}"),
        });
    }
    if width > 50
        && filled < BAR
        && let Some(left) = time_left(detail, now)
    {
        text.push(' ');
        text.push_str(&human_seconds(left.as_secs()));
    }
    text
}

/// How many of the bar's characters are filled: half of the whole per cents, as many an engine's guess may say.
fn filled(current: i64, total: i64) -> usize {
    let percent = i128::from(current) * 100 / i128::from(total);
    usize::try_from(percent / 2).unwrap_or(0).min(BAR)
}

/// The time that is left if it goes on as it went so far; `None` if that cannot be told.
fn time_left(detail: &ProgressDetail<'_>, now: SystemTime) -> Option<Duration> {
    let done = u128::try_from(detail.current).ok().filter(|&n| n > 0)?;
    let left = u128::try_from(detail.total.checked_sub(detail.current)?).ok()?;
    let start = u64::try_from(detail.start_unix).ok().filter(|&s| s > 0)?;
    let start = UNIX_EPOCH.checked_add(Duration::from_secs(start))?;
    // A clock that differs from the engine's counts as a start right now.
    let spent = now.duration_since(start).unwrap_or_default();
    let nanoseconds = (spent.as_nanos() / done).checked_mul(left)?;
    Some(Duration::from_secs(
        u64::try_from(nanoseconds / 1_000_000_000).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn layer<'a>(id: &'a str, status: &'a str, current: i64, total: i64) -> ProgressLine<'a> {
        ProgressLine {
            id,
            status,
            detail: Some(ProgressDetail {
                current,
                total,
                ..ProgressDetail::default()
            }),
            ..ProgressLine::default()
        }
    }

    fn status<'a>(id: &'a str, status: &'a str) -> ProgressLine<'a> {
        ProgressLine {
            id,
            status,
            ..ProgressLine::default()
        }
    }

    fn render(width: Option<u16>, lines: &[ProgressLine<'_>]) -> String {
        let mut progress = Progress::new(width);
        lines.iter().map(|l| progress.line(l, at(0))).collect()
    }

    #[test]
    fn without_a_terminal_progress_is_skipped() {
        assert_eq!(
            render(
                None,
                &[
                    status("latest", "Pulling from bb"),
                    layer("a1", "Pulling fs layer", 0, 0),
                    layer("a1", "Downloading", 10, 100),
                    layer("a1", "Downloading", 0, 100),
                    layer("a1", "Extracting", 3, 0),
                    layer("a1", "Pull complete", 0, 0),
                    status("", "Digest: sha256:12"),
                ]
            ),
            "latest: Pulling from bb\na1: Pulling fs layer\na1: Pull complete\nDigest: sha256:12\n"
        );
    }

    #[test]
    fn on_a_terminal_each_id_has_its_line() {
        assert_eq!(
            render(
                Some(80),
                &[
                    status("latest", "Pulling from bb"),
                    layer("a1", "Pulling fs layer", 0, 0),
                    layer("b2", "Waiting", 0, 0),
                    layer("a1", "Downloading", 1_000, 2_000),
                    status("", "Digest: sha256:12"),
                    layer("a1", "Again", 0, 0),
                ]
            ),
            concat!(
                "latest: Pulling from bb\n",
                "\n\x1b[1A\x1b[2K\ra1: Pulling fs layer \r\x1b[1B",
                "\n\x1b[1A\x1b[2K\rb2: Waiting \r\x1b[1B",
                "\x1b[2A\x1b[2K\ra1: Downloading      1kB/2kB\r\x1b[2B",
                "Digest: sha256:12\n",
                "\n\x1b[1A\x1b[2K\ra1: Again \r\x1b[1B",
            )
        );
    }

    #[test]
    fn progress_without_an_id_overwrites_the_current_line() {
        assert_eq!(
            render(Some(80), &[layer("", "Working", 0, 0)]),
            "\x1b[2K\rWorking \r"
        );
    }

    #[test]
    fn a_stream_is_relayed() {
        let line = ProgressLine {
            stream: "Step 1\n",
            ..ProgressLine::default()
        };
        assert_eq!(render(Some(80), &[line]), "Step 1\n");
        assert_eq!(render(None, &[line]), "Step 1\n");
    }

    fn detail(current: i64, total: i64) -> ProgressDetail<'static> {
        ProgressDetail {
            current,
            total,
            ..ProgressDetail::default()
        }
    }

    #[test]
    fn the_bar_appears_above_110_columns() {
        let numbers = " 12.35MB/100MB";
        assert_eq!(bar(&detail(12_345_678, 100_000_000), 110, at(0)), numbers);
        assert_eq!(
            bar(&detail(12_345_678, 100_000_000), 111, at(0)),
            format!("[======>{}] {numbers}", " ".repeat(44))
        );
        assert_eq!(
            bar(&detail(100, 100), 200, at(0)),
            format!("[{}>]     100B/100B", "=".repeat(50))
        );
    }

    #[test]
    fn a_total_that_was_too_small_is_not_shown() {
        assert_eq!(
            bar(&detail(300, 100), 200, at(0)),
            format!("[{}>]     300B", "=".repeat(50))
        );
        assert_eq!(bar(&detail(300, 0), 200, at(0)), "    300B");
    }

    #[test]
    fn units_and_hidden_counts() {
        let mut d = detail(3, 10);
        d.units = "files";
        assert_eq!(bar(&d, 100, at(0)), "3/10 files");
        d.current = 12;
        assert_eq!(bar(&d, 100, at(0)), "12 files");
        d.total = 0;
        assert_eq!(bar(&d, 100, at(0)), "12 files");
        let mut d = detail(3, 10);
        d.hide_counts = true;
        assert_eq!(bar(&d, 100, at(0)), "");
    }

    #[test]
    fn the_remaining_time_appears_above_50_columns() {
        let mut d = detail(20, 100);
        d.start_unix = 1_000;
        assert_eq!(bar(&d, 50, at(1_030)), "     20B/100B");
        assert_eq!(bar(&d, 51, at(1_030)), "     20B/100B 2m0s");
        // The engine's clock is ahead of ours.
        assert_eq!(bar(&d, 51, at(900)), "     20B/100B 0s");
        // Done, or as good as done.
        d.current = 100;
        assert_eq!(bar(&d, 51, at(1_030)), "    100B/100B");
    }

    #[test]
    fn a_hostile_engine_does_not_drive_the_terminal() {
        let line = ProgressLine {
            id: "a\x1b[2J",
            status: "b\u{9b}1A\x07\r\n",
            detail: Some(ProgressDetail {
                current: 1,
                total: 2,
                units: "\x1bc",
                ..ProgressDetail::default()
            }),
            ..ProgressLine::default()
        };
        assert_eq!(
            render(Some(80), &[line]),
            "\n\x1b[1A\x1b[2K\ra[2J: b1A 1/2 c\r\x1b[1B"
        );
    }

    #[test]
    fn the_lines_kept_are_bounded() {
        let mut progress = Progress::new(Some(80));
        for n in 0..=2 * LINES_MAX {
            let id = n.to_string();
            progress.line(&layer(&id, "x", 0, 0), at(0));
            assert!(progress.lines.len() <= LINES_MAX);
        }
    }

    #[test]
    fn a_resize_matters_on_a_terminal_only() {
        let mut progress = Progress::new(Some(80));
        progress.resize(120);
        assert!(progress.line(&layer("a", "x", 1, 2), at(0)).contains('['));
        let mut progress = Progress::new(None);
        progress.resize(120);
        assert_eq!(progress.line(&layer("a", "x", 1, 2), at(0)), "");
    }

    proptest! {
        /// No number that fits in the message breaks the arithmetic.
        #[test]
        fn any_numbers_render(
            current in any::<i64>(), total in any::<i64>(), start_unix in any::<i64>(),
            width in any::<u16>(), now in any::<u32>(),
        ) {
            let d = ProgressDetail { current, total, start_unix, ..ProgressDetail::default() };
            prop_assert!(bar(&d, width, at(now.into())).len() < 200);
        }
    }
}
