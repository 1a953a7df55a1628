//! Human-readable byte counts.

/// Returns `bytes` in SI units with four significant digits and no trailing zeros: `1.024kB`, `12.35MB`, `100B`.
pub(crate) fn human_size(bytes: i64) -> String {
    const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    // The rounding is that of a binary floating-point number, as in Docker's client; counts below 2^53 are exact.
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let integer_digits = match value {
        v if v < 10.0 => 1,
        v if v < 100.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.*}", 4 - integer_digits);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}{}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_four_significant_digits() {
        for (bytes, text) in [
            (0, "0B"),
            (1, "1B"),
            (100, "100B"),
            (999, "999B"),
            (1_000, "1kB"),
            (1_024, "1.024kB"),
            (1_000_000, "1MB"),
            (10_000, "10kB"),
            (12_345_678, "12.35MB"),
            (123_456_789, "123.5MB"),
            (999_960, "1000kB"),
            (9_999_600, "10MB"),
            (2_220_000, "2.22MB"),
            (5_000_000_000_000, "5TB"),
            (i64::MAX, "9.223EB"),
        ] {
            assert_eq!(human_size(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn a_negative_count_is_printed_as_it_is() {
        assert_eq!(human_size(-5), "-5B");
    }
}
