//! Progress: the first byte is the terminal's width (0 for none), then come messages: a byte of flags, three numbers
//! of eight bytes, and a line of text split at tabs into id, status, stream and units. Nothing panics, and the only
//! control characters in the output are the renderer's own.

use std::time::{Duration, UNIX_EPOCH};

use terminal::{Progress, ProgressDetail, ProgressLine};

pub(crate) fn run(data: &[u8]) {
    let Some((&width, mut rest)) = data.split_first() else {
        return;
    };
    let mut progress = Progress::new((width > 0).then_some(u16::from(width)));
    let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    while let Some((&flags, behind)) = rest.split_first() {
        let (numbers, behind) = behind.split_at(behind.len().min(24));
        let end = behind.iter().position(|&byte| byte == b'\n');
        let text = String::from_utf8_lossy(&behind[..end.unwrap_or(behind.len())]);
        rest = end.map_or(&[], |end| &behind[end + 1..]);

        let mut texts = text.split('\t');
        let mut text = || texts.next().unwrap_or_default();
        let line = ProgressLine {
            id: text(),
            status: text(),
            stream: text(),
            detail: (flags & 1 != 0).then(|| ProgressDetail {
                current: number(numbers, 0),
                total: number(numbers, 1),
                start_unix: number(numbers, 2),
                hide_counts: flags & 2 != 0,
                units: text(),
            }),
        };
        check(&progress.line(&line, now));
    }
}

fn number(bytes: &[u8], index: usize) -> i64 {
    let bytes = bytes.get(index * 8..index * 8 + 8);
    bytes.map_or(0, |bytes| {
        i64::from_le_bytes(bytes.try_into().expect("eight bytes"))
    })
}

fn check(text: &str) {
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c == '\x1b' {
            assert_eq!(rest.next(), Some('['), "{text:?}");
            let sequence: String = rest
                .by_ref()
                .skip_while(char::is_ascii_digit)
                .take(1)
                .collect();
            assert!(["A", "B", "K"].contains(&&*sequence), "{text:?}");
        } else {
            assert!(!c.is_control() || "\r\n".contains(c), "{text:?}");
        }
    }
}
