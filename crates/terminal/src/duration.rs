//! Human-readable durations.

/// Returns whole seconds in the notation of Docker's client: `9s`, `1m5s`, `2h0m0s`.
pub(crate) fn human_seconds(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, minutes) => format!("{minutes}m{rest}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{rest}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_units_come_when_needed() {
        for (seconds, text) in [
            (0, "0s"),
            (9, "9s"),
            (60, "1m0s"),
            (65, "1m5s"),
            (3600, "1h0m0s"),
            (90_061, "25h1m1s"),
        ] {
            assert_eq!(human_seconds(seconds), text);
        }
    }
}
