//! Human-readable sizes.

/// The units, each a thousand times the one before.
const UNITS: [&str; 9] = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];

/// The size with three significant digits in the largest unit that leaves at least one before the point, as Docker
/// prints sizes: `0B`, `999B`, `1.5kB`, `126MB`.
#[must_use]
pub fn human_size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut size = bytes as f64;
    let mut unit = 0;
    // Rounded up to the next unit already where three digits cannot say it: 999.6 kB is 1 MB.
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    let decimals = match size {
        size if size < 9.995 => 2,
        size if size < 99.95 => 1,
        _ => 0,
    };
    let mut text = format!("{size:.decimals$}");
    if text.contains('.') {
        let end = text.trim_end_matches('0').trim_end_matches('.').len();
        text.truncate(end);
    }
    text + UNITS[unit]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn three_digits_are_shown() {
        for (bytes, expected) in [
            (0, "0B"),
            (1, "1B"),
            (999, "999B"),
            (1000, "1kB"),
            (1024, "1.02kB"),
            (1500, "1.5kB"),
            (9_996, "10kB"),
            (99_960, "100kB"),
            (999_400, "999kB"),
            (999_600, "1MB"),
            (125_900_000, "126MB"),
            (u64::MAX, "18.4EB"),
        ] {
            assert_eq!(human_size(bytes), expected, "{bytes}");
        }
    }

    proptest! {
        #[test]
        fn sizes_are_short(bytes in any::<u64>()) {
            let text = human_size(bytes);
            prop_assert!(text.len() <= 6, "{}", text);
            prop_assert!(text.ends_with('B'));
        }
    }
}
