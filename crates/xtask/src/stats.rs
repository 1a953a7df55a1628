//! Summarizes timings: minimum, median, and the ratio of two interleaved series.

use std::time::Duration;

/// Whole-process times of one program, in the order in which they were taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series(Vec<Duration>);

impl Series {
    /// Adds the next timing.
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// The shortest time: the machine at its quietest.
    pub(crate) fn minimum(&self) -> Duration {
        self.0.iter().copied().min().unwrap_or_default()
    }

    /// The median time; the mean of the two middle ones where their number is even.
    pub(crate) fn median(&self) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        match sorted.len() {
            0 => Duration::ZERO,
            n if n % 2 == 1 => sorted[n / 2],
            n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2,
        }
    }

    /// The median of this series over the median of `other`.
    ///
    /// Both were taken in turn, so what disturbed the machine disturbed both.
    pub(crate) fn ratio_to(&self, other: &Series) -> f64 {
        self.median().as_secs_f64() / other.median().as_secs_f64()
    }
}

/// A time in milliseconds with two decimals, as the tables print it.
pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(milliseconds: &[u64]) -> Series {
        Series(
            milliseconds
                .iter()
                .map(|&ms| Duration::from_millis(ms))
                .collect(),
        )
    }

    #[test]
    fn median_of_odd_even_and_none() {
        assert_eq!(series(&[9, 1, 5]).median(), Duration::from_millis(5));
        assert_eq!(series(&[9, 1, 5, 7]).median(), Duration::from_millis(6));
        assert_eq!(series(&[]).median(), Duration::ZERO);
    }

    #[test]
    fn ratio_is_of_medians() {
        assert_eq!(series(&[10, 30, 20]).ratio_to(&series(&[5, 100, 10])), 2.0);
    }
}
