//! Limits of single block devices, as in `--device-read-bps /dev/sda:1mb` or `--blkio-weight-device /dev/sda:200`.

use engine_client::models::{ResourcesBlkioWeightDevice, ThrottleDevice};

use super::{InvalidValue, byte_size};

/// Parses `DEVICE:SIZE`, bytes a second.
pub(crate) fn parse_byte_rate(text: &str) -> Result<ThrottleDevice, InvalidValue> {
    let (path, rate) = parts(text)?;
    let rate = byte_size::parse(rate).map_err(|_| {
        invalid_rate(
            text,
            "<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb",
        )
    })?;
    Ok(throttle(path, rate))
}

/// Parses `DEVICE:NUMBER`, operations a second.
pub(crate) fn parse_operation_rate(text: &str) -> Result<ThrottleDevice, InvalidValue> {
    let (path, rate) = parts(text)?;
    let rate = unsigned(rate)
        .ok_or_else(|| invalid_rate(text, "<number>. Number must be a positive integer"))?;
    Ok(throttle(path, rate))
}

/// Parses `DEVICE:WEIGHT`, a weight from 10 to 1000, or 0 for none.
pub(crate) fn parse_weight(text: &str) -> Result<ResourcesBlkioWeightDevice, InvalidValue> {
    let (path, weight) = parts(text)?;
    let weight = unsigned(weight)
        .and_then(|weight| usize::try_from(weight).ok())
        .filter(|weight| matches!(weight, 0 | 10..=1000))
        .ok_or_else(|| InvalidValue::new(format!("invalid weight for device: {text}")))?;
    Ok(ResourcesBlkioWeightDevice {
        path: Some(path.to_owned()),
        weight: Some(weight),
    })
}

/// The device and what is said of it.
fn parts(text: &str) -> Result<(&str, &str), InvalidValue> {
    match text.split_once(':') {
        Some((path, value)) if path.starts_with("/dev/") => Ok((path, value)),
        Some((path, _)) if !path.is_empty() => Err(InvalidValue::new(format!(
            "bad format for device path: {text}"
        ))),
        _ => Err(InvalidValue::new(format!("bad format: {text}"))),
    }
}

/// Decimal digits and nothing else. The API's description gives these numbers 63 bits.
fn unsigned(text: &str) -> Option<i64> {
    let is_decimal = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_decimal)
}

fn invalid_rate(text: &str, format: &str) -> InvalidValue {
    InvalidValue::new(format!(
        "invalid rate for device: {text}. The correct format is <device-path>:{format}"
    ))
}

fn throttle(path: &str, rate: i64) -> ThrottleDevice {
    ThrottleDevice {
        path: Some(path.to_owned()),
        rate: Some(rate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_in_bytes() {
        for (text, path, rate) in [
            ("/dev/sda:0", "/dev/sda", 0),
            ("/dev/sda:1kb", "/dev/sda", 1024),
            ("/dev/sda:1.5 MiB", "/dev/sda", 1_572_864),
            ("/dev/:7", "/dev/", 7),
        ] {
            assert_eq!(parse_byte_rate(text), Ok(throttle(path, rate)), "{text}");
        }
    }

    #[test]
    fn rates_in_operations() {
        for (text, rate) in [
            ("/dev/sda:0", 0),
            ("/dev/sda:010", 10),
            ("/dev/sda:9223372036854775807", i64::MAX),
        ] {
            assert_eq!(
                parse_operation_rate(text),
                Ok(throttle("/dev/sda", rate)),
                "{text}"
            );
        }
    }

    #[test]
    fn weights() {
        for (text, weight) in [
            ("/dev/sda:0", 0),
            ("/dev/sda:10", 10),
            ("/dev/sda:1000", 1000),
        ] {
            let expected = ResourcesBlkioWeightDevice {
                path: Some("/dev/sda".to_owned()),
                weight: Some(weight),
            };
            assert_eq!(parse_weight(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        type Parse = fn(&str) -> Result<(), InvalidValue>;
        let parsers: [Parse; 3] = [
            |text| parse_byte_rate(text).map(drop),
            |text| parse_operation_rate(text).map(drop),
            |text| parse_weight(text).map(drop),
        ];
        for parse in parsers {
            for text in ["", "/dev/sda", ":1", ":"] {
                let message = format!("bad format: {text}");
                assert_eq!(parse(text).unwrap_err().to_string(), message);
            }
            for text in ["sda:1", "/dev:1", "/x:"] {
                let message = format!("bad format for device path: {text}");
                assert_eq!(parse(text).unwrap_err().to_string(), message);
            }
        }
        for text in ["/dev/a:", "/dev/a:-1", "/dev/a:x", "/dev/a:1:2"] {
            let message = format!(
                "invalid rate for device: {text}. The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb"
            );
            assert_eq!(parse_byte_rate(text).unwrap_err().to_string(), message);
        }
        for text in [
            "/dev/a:",
            "/dev/a:-1",
            "/dev/a:+1",
            "/dev/a:1kb",
            "/dev/a:1_0",
        ] {
            let message = format!(
                "invalid rate for device: {text}. The correct format is <device-path>:<number>. Number must be a positive integer"
            );
            assert_eq!(parse_operation_rate(text).unwrap_err().to_string(), message);
        }
        for text in [
            "/dev/a:",
            "/dev/a:9",
            "/dev/a:1001",
            "/dev/a:+10",
            "/dev/a:x",
        ] {
            let message = format!("invalid weight for device: {text}");
            assert_eq!(parse_weight(text).unwrap_err().to_string(), message);
        }
    }

    proptest::proptest! {
        #[test]
        fn every_rate_and_weight_reads_back(path in "/dev/[a-z0-9/]{1,8}", rate in 0..i64::MAX, weight in 10_usize..=1000) {
            assert_eq!(parse_operation_rate(&format!("{path}:{rate}")), Ok(throttle(&path, rate)));
            let parsed = parse_weight(&format!("{path}:{weight}")).unwrap();
            assert_eq!((parsed.path, parsed.weight), (Some(path), Some(weight)));
        }

        #[test]
        fn no_rate_is_negative(text in "/dev/a:[-+0-9.a-z ]{0,12}|.*") {
            for parsed in [parse_byte_rate(&text), parse_operation_rate(&text)].into_iter().flatten() {
                assert!(parsed.rate.is_some_and(|rate| rate >= 0), "{text}");
            }
        }
    }
}
