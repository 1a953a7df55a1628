//! Image platforms, as in `--platform linux/arm64`, by containerd's rules, which are Docker's.

use crate::invalid::InvalidName;

const SYSTEMS: [&str; 17] = [
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "windows",
    "zos",
];
const ARCHITECTURES: [&str; 24] = [
    "386",
    "amd64",
    "amd64p32",
    "arm",
    "armbe",
    "arm64",
    "arm64be",
    "loong64",
    "mips",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "mipsle",
    "ppc",
    "ppc64",
    "ppc64le",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "wasm",
];

/// Parses `OS[/ARCHITECTURE[/VARIANT]]` or `ARCHITECTURE`; returns it complete and in its normal form.
///
/// # Errors
/// The text of containerd on what is wrong with it.
pub fn normalize(text: &str) -> Result<String, InvalidName> {
    let invalid = |what: String| InvalidName::new(format!("{what}: invalid argument"));
    if text.contains('*') {
        return Err(invalid(format!("{text:?}: wildcards not yet supported")));
    }
    let parts: Vec<&str> = text.splitn(4, '/').collect();
    for (number, part) in parts.iter().enumerate() {
        if number == 0 && !is_system(part) {
            return Err(invalid(format!(
                "{part:?} is an invalid OS component of {text:?}: OSAndVersion specifier component must match \
                 \"^([A-Za-z0-9_-]+)(?:\\(([A-Za-z0-9_.-]*)\\))?$\""
            )));
        }
        if number > 0 && !is_component(part) {
            return Err(invalid(format!(
                "{part:?} is an invalid component of {text:?}: platform specifier component must match \
                 \"^[A-Za-z0-9_.-]+$\""
            )));
        }
    }
    let lower: Vec<String> = parts.iter().map(|part| part.to_ascii_lowercase()).collect();
    // A version of the system, as in `windows(10.0.17763)`, is not part of what the engine is asked for.
    let first = lower[0].split('(').next().unwrap_or_default();
    let system = if first == "macos" { "darwin" } else { first };
    let (system, architecture, variant) = match lower.as_slice() {
        [_] if SYSTEMS.contains(&system) => (system, own_architecture().to_owned(), String::new()),
        [_] => {
            let (architecture, variant) = normal_architecture(system, "");
            if !ARCHITECTURES.contains(&architecture.as_str()) {
                return Err(invalid(format!(
                    "{text:?}: unknown operating system or architecture"
                )));
            }
            ("linux", architecture, without_default(variant))
        }
        [_, architecture] => {
            let (architecture, variant) = normal_architecture(architecture, "");
            (system, architecture, without_default(variant))
        }
        [_, architecture, variant] => {
            let (architecture, variant) = normal_architecture(architecture, variant);
            let is_bare_arm64 = architecture == "arm64" && variant.is_empty();
            (
                system,
                architecture,
                if is_bare_arm64 {
                    "v8".to_owned()
                } else {
                    variant
                },
            )
        }
        _ => {
            return Err(invalid(format!(
                "{text:?}: cannot parse platform specifier"
            )));
        }
    };
    let parts = [system, &architecture, &variant];
    Ok(parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("/"))
}

fn is_system(text: &str) -> bool {
    let (name, version) = match text.split_once('(') {
        Some((name, rest)) => (name, rest.strip_suffix(')')),
        None => (text, Some("")),
    };
    let is_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    !name.is_empty()
        && name.bytes().all(is_word)
        && version.is_some_and(|version| version.is_empty() || is_component(version))
}

fn is_component(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

fn normal_architecture(architecture: &str, variant: &str) -> (String, String) {
    let (architecture, variant) = match (architecture, variant) {
        ("i386", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", ""),
        ("aarch64" | "arm64", "9" | "9.0" | "v9.0") => ("arm64", "v9"),
        ("aarch64", variant) => ("arm64", variant),
        ("armhf", _) => ("arm", "v7"),
        ("armel", _) => ("arm", "v6"),
        ("arm", "" | "7") => ("arm", "v7"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "6") => ("arm", "v6"),
        ("arm", "8") => ("arm", "v8"),
        other => other,
    };
    (architecture.to_owned(), variant.to_owned())
}

/// `v7` is what `arm` means where no variant is given.
fn without_default(variant: String) -> String {
    if variant == "v7" {
        String::new()
    } else {
        variant
    }
}

/// The architecture of this program in the words of Go.
fn own_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
        "powerpc64" => "ppc64",
        "loongarch64" => "loong64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_completed_and_made_normal() {
        for (text, platform) in [
            ("linux/amd64", "linux/amd64"),
            ("Linux/AMD64", "linux/amd64"),
            ("amd64", "linux/amd64"),
            ("x86_64", "linux/amd64"),
            ("x86-64", "linux/amd64"),
            ("arm64", "linux/arm64"),
            ("aarch64", "linux/arm64"),
            ("arm", "linux/arm"),
            ("armhf", "linux/arm"),
            ("armel", "linux/arm/v6"),
            ("i386", "linux/386"),
            ("s390x", "linux/s390x"),
            ("wasm", "linux/wasm"),
            ("linux/arm", "linux/arm"),
            ("linux/armhf", "linux/arm"),
            ("linux/armel", "linux/arm/v6"),
            ("linux/armv7", "linux/armv7"),
            ("linux/arm/7", "linux/arm/v7"),
            ("linux/arm/v6", "linux/arm/v6"),
            ("linux/arm/8", "linux/arm/v8"),
            ("linux/ARM/V7", "linux/arm/v7"),
            ("linux/arm/x", "linux/arm/x"),
            ("linux/arm64/v8", "linux/arm64/v8"),
            ("linux/arm64/8", "linux/arm64/v8"),
            ("linux/arm64/v8.0", "linux/arm64/v8"),
            ("linux/arm64/v8.1", "linux/arm64/v8.1"),
            ("linux/arm64/v9.0", "linux/arm64/v9"),
            ("linux/amd64/v1", "linux/amd64"),
            ("linux/x86-64/v1", "linux/amd64"),
            ("linux/amd64/v2", "linux/amd64/v2"),
            ("linux/386/x", "linux/386/x"),
            ("foo/bar", "foo/bar"),
            ("arm/v6", "arm/v6"),
            ("windows(10.0.1)/amd64", "windows/amd64"),
            ("linux()/amd64", "linux/amd64"),
            ("macOS/arm64", "darwin/arm64"),
        ] {
            assert_eq!(normalize(text).as_deref(), Ok(platform), "{text}");
        }
        for (text, system) in [
            ("linux", "linux"),
            ("macos", "darwin"),
            ("js", "js"),
            ("linux(x)", "linux"),
        ] {
            assert_eq!(
                normalize(text),
                Ok(format!("{system}/{}", own_architecture()))
            );
        }
    }

    #[test]
    fn what_is_no_platform_is_told_why() {
        for (text, message) in [
            (
                "foo/bar/baz/q",
                "\"foo/bar/baz/q\": cannot parse platform specifier: invalid argument",
            ),
            (
                "foo",
                "\"foo\": unknown operating system or architecture: invalid argument",
            ),
            (
                "linux/*",
                "\"linux/*\": wildcards not yet supported: invalid argument",
            ),
        ] {
            assert_eq!(normalize(text).unwrap_err().to_string(), message);
        }
        for (text, start) in [
            ("", "\"\" is an invalid OS component of \"\": "),
            ("a b", "\"a b\" is an invalid OS component of \"a b\": "),
            ("a.b/c", "\"a.b\" is an invalid OS component of \"a.b/c\": "),
            (
                "linux(/amd64",
                "\"linux(\" is an invalid OS component of \"linux(/amd64\": ",
            ),
            ("linux/", "\"\" is an invalid component of \"linux/\": "),
            ("a/b c", "\"b c\" is an invalid component of \"a/b c\": "),
        ] {
            let message = normalize(text).unwrap_err().to_string();
            assert!(message.starts_with(start), "{message}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_normal_platform_of_two_parts_stays(text in "(linux|windows)/(arm|arm64|amd64|i386|x)") {
            let once = normalize(&text).unwrap();
            assert_eq!(normalize(&once), Ok(once));
        }

        #[test]
        fn no_text_panics(text in "[a-z0-9/()*. ]{0,20}|.*") {
            let _ = normalize(&text);
        }
    }
}
