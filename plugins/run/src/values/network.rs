//! The network of the container, as in `--network host`.

use super::InvalidValue;

/// Chooses the network mode. None given is `default`; a mode or the name of one network is taken as it stands.
///
/// The long form (`name=NET,alias=...`) and several networks are not built yet, so both are refused: taking the text
/// for a name would start a container with another network than was asked for.
pub(crate) fn mode(networks: &[String]) -> Result<String, InvalidValue> {
    match networks {
        [] => Ok("default".to_owned()),
        [network] if network.is_empty() => Err(InvalidValue::new("no name set for network")),
        [network] if network.contains('=') => Err(InvalidValue::new(format!(
            "network {network:?}: options of a network are not supported"
        ))),
        [network] => Ok(network.clone()),
        [first, rest @ ..] if rest.contains(first) => Err(InvalidValue::new(format!(
            "network {first:?} is specified multiple times"
        ))),
        _ => Err(InvalidValue::new(format!(
            "more than one network is not supported: {}",
            networks.join(", ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_as_it_stands() {
        for (given, expected) in [
            (vec![], "default"),
            (vec!["host"], "host"),
            (vec!["container:x"], "container:x"),
            (vec!["Foo"], "Foo"),
            (vec!["a,b"], "a,b"),
        ] {
            let given: Vec<String> = given.into_iter().map(String::from).collect();
            assert_eq!(mode(&given).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_is_not_built_is_refused() {
        for (given, message) in [
            (vec![""], "no name set for network"),
            (
                vec!["name=a"],
                "network \"name=a\": options of a network are not supported",
            ),
            (vec!["a", "a"], "network \"a\" is specified multiple times"),
            (
                vec!["a", "b"],
                "more than one network is not supported: a, b",
            ),
        ] {
            let given: Vec<String> = given.into_iter().map(String::from).collect();
            assert_eq!(mode(&given).unwrap_err().to_string(), message);
        }
    }
}
