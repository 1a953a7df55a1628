//! Capabilities, as in `--cap-add net_admin`.

/// The one name that stands for every capability and gets no prefix.
const ALL: &str = "ALL";

/// Brings the names to the form of the kernel, `CAP_NAME`, each one once and in order. Whether there is such a
/// capability is for the engine to say: it knows the kernel.
pub(crate) fn normalize(names: &[String]) -> Vec<String> {
    let mut all: Vec<String> = names.iter().map(|name| normal(name)).collect();
    all.sort();
    all.dedup();
    all
}

fn normal(name: &str) -> String {
    let upper = name.to_uppercase();
    if upper == ALL || upper.starts_with("CAP_") {
        upper
    } else {
        format!("CAP_{upper}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upper_case_prefixed_once_sorted() {
        for (names, expected) in [
            (vec!["sys_admin", "b"], vec!["CAP_B", "CAP_SYS_ADMIN"]),
            (
                vec!["net_raw", "NET_RAW", "CAP_NET_RAW"],
                vec!["CAP_NET_RAW"],
            ),
            (vec!["b", "all"], vec!["ALL", "CAP_B"]),
            (vec!["cap_all"], vec!["CAP_ALL"]),
            (vec![""], vec!["CAP_"]),
            (vec![], vec![]),
        ] {
            let names: Vec<String> = names.into_iter().map(String::from).collect();
            assert_eq!(normalize(&names), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn normal_names_stay(names: Vec<String>) {
            let once = normalize(&names);
            assert_eq!(normalize(&once), once);
        }
    }
}
