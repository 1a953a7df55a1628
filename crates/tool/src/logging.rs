//! Logs to standard error.

use std::io::Write;

use log::LevelFilter;

/// The level of this name, in any case of letters; Docker's names, some of which the `log` crate knows not.
pub(crate) fn level(name: &str) -> anyhow::Result<LevelFilter> {
    Ok(match name.to_ascii_lowercase().as_str() {
        "trace" => LevelFilter::Trace,
        "debug" => LevelFilter::Debug,
        "info" => LevelFilter::Info,
        "warn" | "warning" => LevelFilter::Warn,
        "error" => LevelFilter::Error,
        // What ends the program is printed as the command's error, whatever is logged.
        "fatal" | "panic" => LevelFilter::Off,
        _ => anyhow::bail!("unable to parse logging level: {name}"),
    })
}

/// Logs from here on, everything up to this level.
pub(crate) fn start(level: LevelFilter) {
    let mut logger = env_logger::Builder::new();
    logger.filter_level(level);
    // ureq shows headers and bodies, and these may hold credentials; our own lines about requests hold neither.
    logger
        .filter_module("ureq", LevelFilter::Off)
        .filter_module("ureq_proto", LevelFilter::Off);
    logger.format(|line, record| {
        writeln!(
            line,
            "{}: {}",
            record.level().as_str().to_ascii_lowercase(),
            terminal::printable_lines(&record.args().to_string())
        )
    });
    // There is one logger in a process; if another has been started, it stays.
    let _ = logger.try_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_dockers() {
        assert_eq!(level("WARNING").expect("a level"), LevelFilter::Warn);
        assert_eq!(level("fatal").expect("a level"), LevelFilter::Off);
        let error = level("loud").expect_err("no level");
        assert_eq!(error.to_string(), "unable to parse logging level: loud");
    }
}
