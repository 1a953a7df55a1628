//! Any names and any words: what resolves is what the rules say, and a dispatch always ends with a sound answer.
//!
//! The fuzz target and a test that runs it over the corpus share this file.

use std::collections::HashMap;
use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};

use byname::{Alias, Command, Context, Dispatcher, ExitStatus, Registry, Resolution, testing};

/// What the handler ends with, so that it can be told from every answer of the dispatcher.
const RAN: ExitStatus = ExitStatus::Code(77);

/// Lines are names, `name=alias` with an alias; behind an empty line, lines are argv.
pub(crate) fn check(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let declared: Vec<&[u8]> = lines
        .by_ref()
        .take_while(|line| !line.is_empty())
        .take(16)
        .collect();
    let args: Vec<OsString> = lines.take(16).map(os_string).collect();
    let commands = declared
        .iter()
        .filter_map(|line| command(std::str::from_utf8(line).ok()?));
    let Ok(registry) = Registry::from_commands(commands) else {
        return;
    };

    let resolution = registry.resolve(&args);
    if let Resolution::Command(found) = &resolution {
        let typed: Vec<&str> = args[..found.words]
            .iter()
            .map(|word| word.to_str().expect("a word is UTF-8"))
            .collect();
        assert!(!typed.is_empty());
        let joined = typed.join(" ").to_ascii_lowercase();
        let name = found.name();
        // Letter for letter the same, but that a typed hyphen may stand for a space.
        assert_eq!(joined.len(), name.len());
        assert!(
            joined
                .bytes()
                .zip(name.bytes())
                .all(|(typed, name)| typed == name || (typed, name) == (b'-', b' '))
        );
        let is_own = name == found.command.name()
            || found
                .command
                .get_aliases()
                .iter()
                .any(|alias| alias.name() == name);
        assert!(is_own);
    }
    let runs = matches!(resolution, Resolution::Command(_));

    // Here the first words may be global options, so the answers differ if the words begin with one.
    let begins_with_option = args
        .first()
        .is_some_and(|word| word.as_encoded_bytes().starts_with(b"-"));
    let dispatcher = Dispatcher::builder("tool")
        .version("tool 1")
        .registry(registry)
        .build();
    let outcome = testing::run(&dispatcher, args);
    if !begins_with_option {
        assert_eq!(outcome.status == RAN, runs);
    }
    match outcome.status {
        RAN => {}
        ExitStatus::Success => assert!(outcome.stderr.is_empty() && !outcome.stdout.is_empty()),
        ExitStatus::Usage => {
            assert!(outcome.stderr.starts_with("Error: ") && outcome.stdout.is_empty())
        }
        other => panic!("{other:?}: {}", outcome.stderr),
    }
    let is_printable = |text: &str| text.chars().all(|c| c == '\n' || !c.is_control());
    assert!(
        is_printable(&outcome.stdout) && is_printable(&outcome.stderr),
        "{}",
        outcome.stderr
    );
}

fn ran(_: &mut Context) -> anyhow::Result<ExitStatus> {
    Ok(RAN)
}

/// Commands live for ever, so each line makes its own only once.
fn command(line: &str) -> Option<&'static Command> {
    static MADE: Mutex<Option<HashMap<String, &'static Command>>> = Mutex::new(None);
    let (name, alias) = line
        .split_once('=')
        .map_or((line, None), |(name, alias)| (name, Some(alias)));
    if !is_legal(name) || !alias.is_none_or(is_legal) {
        return None;
    }
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let made = made.get_or_insert_default();
    Some(made.entry(line.to_owned()).or_insert_with(|| {
        let leak = |text: &str| -> &'static str { String::leak(text.to_owned()) };
        let aliases: Vec<Alias> = alias
            .map(|alias| Alias::visible(leak(alias)))
            .into_iter()
            .collect();
        Box::leak(Box::new(
            Command::new(leak(name), "Run it", ran, byname::origin!())
                .raw_words()
                .aliases(aliases.leak()),
        ))
    }))
}

fn is_legal(name: &str) -> bool {
    name.split([' ', '-']).all(|part| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

#[cfg(unix)]
fn os_string(bytes: &[u8]) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec())
}

#[cfg(not(unix))]
fn os_string(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}
