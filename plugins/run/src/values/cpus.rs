//! A number of CPUs, as in `--cpus 1.5`.

use super::{InvalidValue, integer};

/// The unit of the Engine API: a CPU is 10^9 of it.
const NANO: u32 = 9;

/// Parses a decimal number, an integer with a base prefix or a fraction `a/b`; returns billionths of a CPU.
pub(crate) fn parse(text: &str) -> Result<i64, InvalidValue> {
    let unreadable = || InvalidValue::new(format!("failed to parse {text} as a rational number"));
    let nano = match text.split_once('/') {
        Some((numerator, denominator)) => {
            let numerator = integer::parse_wide(numerator).ok_or_else(unreadable)?;
            let denominator = Some(denominator)
                .filter(|text| text.starts_with(|c: char| c.is_ascii_digit()))
                .and_then(integer::parse_wide)
                .filter(|value| *value > 0)
                .ok_or_else(unreadable)?;
            divide(scale(numerator, NANO.into()), denominator)?
        }
        None => {
            let number = Decimal::parse(text)
                .or_else(|| {
                    Some(Decimal {
                        digits: integer::parse_wide(text)?,
                        exponent: 0,
                    })
                })
                .ok_or_else(unreadable)?;
            number.nano()?
        }
    };
    // Docker sends what overflow makes of a larger number.
    nano.and_then(|nano| i64::try_from(nano).ok())
        .ok_or_else(|| InvalidValue::new("value is out of range"))
}

/// `digits` times ten to the power of `exponent`.
struct Decimal {
    digits: i128,
    exponent: i64,
}

impl Decimal {
    fn parse(text: &str) -> Option<Decimal> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], integer::parse_decimal(&text[at + 1..]).ok()?),
            None => (text, 0),
        };
        let (negative, unsigned) = match mantissa.as_bytes().first()? {
            b'-' => (true, &mantissa[1..]),
            b'+' => (false, &mantissa[1..]),
            _ => (false, mantissa),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all: String = [whole, fraction].concat();
        if all.is_empty() || !all.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        // Zeros at either end carry nothing, and without them a long way of writing a small number fits.
        let significant = all.trim_end_matches('0');
        let dropped = all.len() - significant.len();
        let exponent = exponent
            .saturating_sub(i64::try_from(fraction.len()).ok()?)
            .saturating_add(i64::try_from(dropped).ok()?);
        let significant = significant.trim_start_matches('0');
        if significant.is_empty() {
            return Some(Decimal {
                digits: 0,
                exponent: 0,
            });
        }
        // More digits than fit are either too many or too precise: both are found below, by the exponent.
        let digits: i128 = significant.parse().unwrap_or(i128::MAX);
        Some(Decimal {
            digits: if negative { -digits } else { digits },
            exponent,
        })
    }

    fn nano(&self) -> Result<Option<i128>, InvalidValue> {
        let power = self.exponent.saturating_add(NANO.into());
        // The last digit is not zero, so a negative power leaves a fraction.
        if power < 0 && self.digits != 0 {
            return Err(too_precise());
        }
        Ok(scale(self.digits, power))
    }
}

fn scale(value: i128, power: i64) -> Option<i128> {
    if value == 0 {
        return Some(0);
    }
    value.checked_mul(10_i128.checked_pow(u32::try_from(power).ok()?)?)
}

fn divide(value: Option<i128>, denominator: i128) -> Result<Option<i128>, InvalidValue> {
    match value {
        Some(value) if value % denominator != 0 => Err(too_precise()),
        value => Ok(value.map(|value| value / denominator)),
    }
}

fn too_precise() -> InvalidValue {
    InvalidValue::new("value is too precise")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_and_fractions() {
        for (text, nano) in [
            ("1", 1_000_000_000),
            (".5", 500_000_000),
            ("2.", 2_000_000_000),
            ("0", 0),
            ("0.0e9", 0),
            ("-1", -1_000_000_000),
            ("+1", 1_000_000_000),
            ("1/2", 500_000_000),
            ("0x1/2", 500_000_000),
            ("1/010", 125_000_000),
            ("010", 10_000_000_000),
            ("0x1", 1_000_000_000),
            ("1_0", 10_000_000_000),
            ("1e-9", 1),
            ("10e-10", 1),
            ("1e+2", 100_000_000_000),
            ("1E2", 100_000_000_000),
            ("9223372036", 9_223_372_036_000_000_000),
            (
                "1.0000000000000000000000000000000000000000000000000",
                1_000_000_000,
            ),
        ] {
            assert_eq!(parse(text), Ok(nano), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_named() {
        for text in [
            "", "a", " 1", "1/0", "0.5/2", "1/2/3", "1/-2", "1/+2", "/", ".", "1e", "-", "1 ",
        ] {
            let message = format!("failed to parse {text} as a rational number");
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
        for text in [
            "1/3",
            "1e-10",
            "0.1234567891",
            "0.00000000000000000000000000000000000000000000000000001",
        ] {
            assert_eq!(
                parse(text).unwrap_err().to_string(),
                "value is too precise",
                "{text}"
            );
        }
        for text in [
            "9223372037",
            "1e30",
            "1e999999999999",
            "99999999999999999999999999999999999999999999",
        ] {
            assert_eq!(
                parse(text).unwrap_err().to_string(),
                "value is out of range",
                "{text}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn nine_digits_are_exact(whole in 0_i64..9_000_000_000, nano in 0_i64..1_000_000_000) {
            assert_eq!(parse(&format!("{whole}.{nano:09}")), Ok(whole * 1_000_000_000 + nano));
        }

        #[test]
        fn no_text_panics(text in "[-+]?[0-9._/xe]{0,60}|.*") {
            let _ = parse(&text);
        }
    }
}
