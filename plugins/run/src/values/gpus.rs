//! GPUs, as in `--gpus all` or `--gpus '"device=0,1",capabilities=utility'`.

use engine_client::models::DeviceRequest;

use super::{InvalidValue, csv, integer, label};

/// The capability that makes it a request for GPUs.
const GPU: &str = "gpu";
/// The count that stands for all there are.
const ALL: i64 = -1;

/// Parses comma-separated fields `KEY=VALUE`, of which the count may stand without its key. Without a count and devices
/// one GPU is asked for.
pub(crate) fn parse(text: &str) -> Result<DeviceRequest, InvalidValue> {
    let mut request = DeviceRequest::default();
    let mut seen = Vec::new();
    let fields = csv::record(text)?;
    for field in &fields {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (field.as_str(), None),
        };
        if seen.contains(&key) {
            return Err(InvalidValue::new(format!(
                "gpu request key '{key}' can be specified only once"
            )));
        }
        seen.push(key);
        let Some(value) = value else {
            // The count is given now, so a field that names it is one too many.
            seen.push("count");
            request.count = Some(count(key)?);
            continue;
        };
        let list = || value.split(',').map(str::to_owned);
        match key {
            "driver" => request.driver = Some(value.to_owned()).filter(|name| !name.is_empty()),
            "count" => request.count = Some(count(value)?),
            "device" => request.device_ids = Some(list().collect()),
            "capabilities" => {
                request.capabilities = Some(vec![list().chain([GPU.to_owned()]).collect()]);
            }
            "options" => {
                let options = csv::record(value)
                    .map_err(|error| error.within("failed to read gpu options"))?;
                request.options = Some(label::map(options));
            }
            _ => {
                return Err(InvalidValue::new(format!(
                    "unexpected key '{key}' in '{field}'"
                )));
            }
        }
    }
    if request.count.is_none() && request.device_ids.is_none() {
        request.count = Some(1);
    }
    request
        .capabilities
        .get_or_insert_with(|| vec![vec![GPU.to_owned()]]);
    request.options.get_or_insert_default();
    Ok(request)
}

fn count(text: &str) -> Result<i64, InvalidValue> {
    if text == "all" {
        return Ok(ALL);
    }
    integer::parse_decimal_field(text).map_err(|error| {
        error.within(format!(
            "invalid count ({text}): value must be either \"all\" or an integer"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(count: Option<i64>, devices: &[&str], capabilities: &[&str]) -> DeviceRequest {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        DeviceRequest {
            driver: None,
            count,
            device_ids: Some(devices)
                .filter(|devices| !devices.is_empty())
                .map(texts),
            capabilities: Some(vec![texts(capabilities)]),
            options: Some([].into()),
        }
    }

    #[test]
    fn counts_devices_and_capabilities() {
        for (text, expected) in [
            ("all", request(Some(-1), &[], &["gpu"])),
            ("2", request(Some(2), &[], &["gpu"])),
            ("-1", request(Some(-1), &[], &["gpu"])),
            ("count=all", request(Some(-1), &[], &["gpu"])),
            ("count=+3", request(Some(3), &[], &["gpu"])),
            ("driver=", request(Some(1), &[], &["gpu"])),
            ("device=0", request(None, &["0"], &["gpu"])),
            ("device=", request(None, &[""], &["gpu"])),
            (
                "\"device=0,GPU-3a\"",
                request(None, &["0", "GPU-3a"], &["gpu"]),
            ),
            ("2,device=0", request(Some(2), &["0"], &["gpu"])),
            (
                "all,\"capabilities=utility,compute\"",
                request(Some(-1), &[], &["utility", "compute", "gpu"]),
            ),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn drivers_and_options() {
        let expected = DeviceRequest {
            driver: Some("nvidia".to_owned()),
            options: Some(
                [("a", "b"), ("c", "")]
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .into(),
            ),
            ..request(Some(1), &[], &["gpu"])
        };
        assert_eq!(parse("driver=nvidia,\"options=a=b,c\""), Ok(expected));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, message) in [
            ("", "EOF"),
            (
                "count=1,count=2",
                "gpu request key 'count' can be specified only once",
            ),
            (
                "all,count=2",
                "gpu request key 'count' can be specified only once",
            ),
            (
                "all,all",
                "gpu request key 'all' can be specified only once",
            ),
            ("foo=bar", "unexpected key 'foo' in 'foo=bar'"),
            ("=", "unexpected key '' in '='"),
            (
                "x",
                "invalid count (x): value must be either \"all\" or an integer: invalid syntax",
            ),
            (
                "count=",
                "invalid count (): value must be either \"all\" or an integer: invalid syntax",
            ),
            (
                "device=0,1x",
                "invalid count (1x): value must be either \"all\" or an integer: invalid syntax",
            ),
            (
                "99999999999999999999",
                "invalid count (99999999999999999999): value must be either \"all\" or an integer: value out of range",
            ),
            ("options=", "failed to read gpu options: EOF"),
            (
                "device=\"0,1\"",
                "parse error on line 1, column 8: bare \" in non-quoted-field",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_request_asks_for_gpus(text in "(all|[0-9]|device=[0-9]|driver=x|capabilities=a|options=b|,|\"){0,5}|.*") {
            if let Ok(request) = parse(&text) {
                assert!(request.count.is_some() || request.device_ids.is_some());
                assert!(request.capabilities.is_some_and(|all| all[0].ends_with(&[GPU.to_owned()])));
            }
        }
    }
}
