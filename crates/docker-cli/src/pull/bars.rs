//! Shows the progress of a pull.

use std::io::Write;
use std::time::SystemTime;

use byname::Output;
use engine_client::ImageProgressLine;
use terminal::{Progress, ProgressDetail, ProgressLine};

/// The width that Docker's client assumes of a terminal that does not tell its own.
const UNKNOWN_WIDTH: u16 = 200;

/// The progress of a pull as it is shown: bars on a terminal, else lines.
#[derive(Debug)]
pub struct Bars {
    out: Output,
    progress: Progress,
}

impl Bars {
    /// Shows it here.
    pub fn new(out: Output) -> Bars {
        let progress = Progress::new(out.is_terminal().then(|| width(&out)));
        Bars { out, progress }
    }

    /// Shows one message.
    pub fn show(&mut self, line: &ImageProgressLine) {
        if line.aux.is_some() {
            return;
        }
        if self.out.is_terminal() {
            self.progress.resize(width(&self.out));
        }
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (id, status, stream) = (text(&line.id), text(&line.status), text(&line.stream));
        let units = line
            .progress_detail
            .as_ref()
            .map(|detail| text(&detail.units))
            .unwrap_or_default();
        let detail = line.progress_detail.as_ref().map(|detail| ProgressDetail {
            current: detail.current.unwrap_or_default(),
            total: detail.total.unwrap_or_default(),
            start_unix: detail.start.unwrap_or_default(),
            hide_counts: detail.hide_counts.unwrap_or_default(),
            units: &units,
        });
        let shown = ProgressLine {
            id: &id,
            status: &status,
            stream: &stream,
            detail,
        };
        // Nobody may be reading it; the pull is worth something all the same.
        let _ = self
            .out
            .write_all(self.progress.line(&shown, SystemTime::now()).as_bytes());
    }
}

fn width(out: &Output) -> u16 {
    out.as_fd()
        .and_then(terminal::size)
        .map(|size| size.columns)
        .filter(|width| *width > 0)
        .unwrap_or(UNKNOWN_WIDTH)
}
