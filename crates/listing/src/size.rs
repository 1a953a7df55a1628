//! Human-readable sizes.

/// The units, each a thousand times the one before.
const UNITS: [&str; 9] = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];

/// The size with three significant digits in the largest unit that leaves at least one before the point, as Docker
/// prints sizes: `0B`, `999B`, `1.5kB`, `126MB`.
#[must_use]
pub fn human_size(bytes: u64) -> String {
    human(bytes, 3)
}

/// The same with four digits: `1.234kB`.
#[must_use]
pub fn precise_human_size(bytes: u64) -> String {
    human(bytes, 4)
}

fn human(bytes: u64, digits: i32) -> String {
    #[expect(clippy::cast_precision_loss, reason = "few digits are shown")]
    let mut size = bytes as f64;
    let mut unit = 0;
    // Half of the last digit of a number that is written with as many before the point.
    let half = |before: i32| 0.5 / 10_f64.powi(digits - before);
    // Rounded up to the next unit already where the digits cannot say it: 999.6 kB is 1 MB.
    while size >= 1000.0 - half(3) && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    let before = match size {
        size if size < 10.0 - half(1) => 1,
        size if size < 100.0 - half(2) => 2,
        _ => 3,
    };
    let decimals = usize::try_from(digits - before).unwrap_or_default();
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
    fn or_four() {
        for (bytes, expected) in [
            (0, "0B"),
            (999, "999B"),
            (1_234, "1.234kB"),
            (12_345, "12.35kB"),
            (123_450_000, "123.5MB"),
            (999_960, "1MB"),
        ] {
            assert_eq!(precise_human_size(bytes), expected);
        }
    }

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
