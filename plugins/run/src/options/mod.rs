//! The options of `run`, grouped as in its help.
//!
//! A group is a struct, its doc comments are the help. Values that Docker checks while it reads the command line have
//! their type here; the others are text until the container's configuration is made of them, since their errors are
//! reported in another form.

mod devices;
mod environment;
mod health;
mod image;
mod lifecycle;
mod logging;
mod network;
mod process;
mod resources;
mod security;
mod storage;
mod windows;

use std::ffi::OsString;

use clap::Args;

pub(crate) use devices::DeviceOptions;
pub(crate) use environment::EnvironmentOptions;
pub(crate) use health::HealthOptions;
pub(crate) use image::ImageOptions;
pub(crate) use lifecycle::LifecycleOptions;
pub(crate) use logging::LoggingOptions;
pub(crate) use network::NetworkOptions;
pub(crate) use process::ProcessOptions;
pub(crate) use resources::ResourceOptions;
pub(crate) use security::SecurityOptions;
pub(crate) use storage::StorageOptions;
pub(crate) use windows::WindowsOptions;

/// What the command line of `run` says.
#[derive(Debug, Clone, Default, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) operands: Operands,
    #[command(flatten)]
    pub(crate) lifecycle: LifecycleOptions,
    #[command(flatten)]
    pub(crate) image: ImageOptions,
    #[command(flatten)]
    pub(crate) process: ProcessOptions,
    #[command(flatten)]
    pub(crate) environment: EnvironmentOptions,
    #[command(flatten)]
    pub(crate) storage: StorageOptions,
    #[command(flatten)]
    pub(crate) network: NetworkOptions,
    #[command(flatten)]
    pub(crate) resources: ResourceOptions,
    #[command(flatten)]
    pub(crate) devices: DeviceOptions,
    #[command(flatten)]
    pub(crate) security: SecurityOptions,
    #[command(flatten)]
    pub(crate) health: HealthOptions,
    #[command(flatten)]
    pub(crate) logging: LoggingOptions,
    #[command(flatten)]
    pub(crate) windows: WindowsOptions,
    /// Print help
    // Declared here because its usual letter is the host name's.
    #[arg(long, action = clap::ArgAction::Help, help_heading = "Help")]
    help: Option<bool>,
}

/// What stands behind the options.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Operands {
    /// Image to run, or with --rootfs a directory, and behind it the command with its arguments
    // One list: with a positional of its own for the image, options behind it would still be taken for ours, and a
    // `--` in the command would get lost.
    #[arg(
        required = true,
        trailing_var_arg = true,
        value_name = "IMAGE",
        help_heading = "Arguments"
    )]
    pub(crate) words: Vec<OsString>,
}

/// The options that most command lines get by with; the others take more than half of the time that parsing does.
#[derive(Debug, Clone, Default, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct UsualOptions {
    #[command(flatten)]
    operands: Operands,
    #[command(flatten)]
    lifecycle: LifecycleOptions,
    #[command(flatten)]
    image: ImageOptions,
    #[command(flatten)]
    process: ProcessOptions,
    #[command(flatten)]
    environment: EnvironmentOptions,
    #[command(flatten)]
    storage: StorageOptions,
    #[command(flatten)]
    network: NetworkOptions,
}

impl From<UsualOptions> for Options {
    fn from(usual: UsualOptions) -> Options {
        let UsualOptions {
            operands,
            lifecycle,
            image,
            process,
            environment,
            storage,
            network,
        } = usual;
        Options {
            operands,
            lifecycle,
            image,
            process,
            environment,
            storage,
            network,
            ..Options::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parser() -> clap::Command {
        docker_cli::parser::<Options>().no_binary_name(true)
    }

    pub(crate) fn parse(words: &[&str]) -> Result<Options, clap::Error> {
        use clap::FromArgMatches as _;
        Options::from_arg_matches(&parser().try_get_matches_from(words)?)
    }

    fn parsed(line: &str) -> Options {
        parse(&line.split(' ').collect::<Vec<_>>())
            .unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    #[test]
    fn clap_accepts_the_parser() {
        parser().debug_assert();
    }

    /// What the parser that is tried first makes of the words, if it takes them.
    fn usual(words: &[&str]) -> Option<Options> {
        use clap::FromArgMatches as _;
        let parser = docker_cli::parser::<UsualOptions>().no_binary_name(true);
        let matches = parser.try_get_matches_from(words).ok()?;
        let options = UsualOptions::from_arg_matches(&matches).ok()?;
        Some(options.into())
    }

    #[test]
    fn usual_options_are_parsed_without_the_others() {
        let line = "-itd --rm --name x -e A=1 -v /a:/b -p 80:80 --network host -u 1 img -m 1g";
        let words: Vec<&str> = line.split(' ').collect();
        assert!(usual(&words).is_some());
        for line in [
            "--help",
            "-m 1g img",
            "--privileged img",
            "--rm",
            "--nope img",
            "",
        ] {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert!(usual(&words).is_none(), "{line}");
        }
    }

    proptest::proptest! {
        /// Whatever the parser of the usual options takes, it takes as the whole one does.
        #[test]
        fn usual_options_are_what_they_are_among_all(
            words in proptest::collection::vec(proptest::sample::select(WORDS), 0..8)
        ) {
            if let Some(usual) = usual(&words) {
                let all = parse(&words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
                proptest::prop_assert_eq!(format!("{usual:?}"), format!("{all:?}"));
            }
        }
    }

    /// Pieces of command lines.
    const WORDS: &[&str] = &[
        "img",
        "-",
        "--",
        "-i",
        "-it",
        "-itd=false",
        "--rm",
        "--rm=0",
        "--rm=x",
        "-d",
        "--name",
        "--name=x",
        "-e",
        "-eA",
        "A=1",
        "-v",
        "/a:/b",
        "-p80",
        "-p",
        "80:80",
        "--network",
        "host",
        "--net=none",
        "-m",
        "1g",
        "--cpus=2",
        "--privileged",
        "-h",
        "-hx",
        "--help",
        "--sig-proxy=false",
        "--init",
        "--init=false",
        "-w",
        "-u=1",
        "--tmpfs",
        "--nope",
        "-Z",
        "--read-only",
        "-l",
        "-a",
        "stdout",
        "--stop-timeout=3",
        "--quiet",
        "-q",
    ];

    #[test]
    fn everything_behind_the_image_is_the_command() {
        for (line, words) in [
            ("-d img -d --rm", vec!["img", "-d", "--rm"]),
            ("img -- a", vec!["img", "--", "a"]),
            ("-- img -- a", vec!["img", "--", "a"]),
            ("--rm -- -img --name x", vec!["-img", "--name", "x"]),
            ("img --help", vec!["img", "--help"]),
            ("img --nope -Z", vec!["img", "--nope", "-Z"]),
            ("- x", vec!["-", "x"]),
            ("--rm false", vec!["false"]),
        ] {
            assert_eq!(parsed(line).operands.words, words, "{line}");
        }
        assert!(parsed("-d img").lifecycle.detach);
        assert!(!parsed("img -d").lifecycle.detach);
    }

    #[test]
    fn booleans_take_a_value_behind_an_equals_sign_only() {
        for (line, interactive, tty, rm) in [
            ("img", false, false, false),
            ("-it img", true, true, false),
            ("-ti --rm img", true, true, true),
            ("-it=false img", true, false, false),
            ("-i=F -t=1 --rm=True img", false, true, true),
            ("--rm --rm=false img", false, false, false),
            ("--rm=0 --rm img", false, false, true),
        ] {
            let options = parsed(line);
            let given = (
                options.process.interactive,
                options.process.tty,
                options.lifecycle.rm,
            );
            assert_eq!(given, (interactive, tty, rm), "{line}");
        }
        assert!(parsed("img").process.sig_proxy);
        assert!(!parsed("--sig-proxy=false img").process.sig_proxy);
        assert!(parsed("--sig-proxy img").process.sig_proxy);
        assert_eq!(parsed("img").process.init, None);
        assert_eq!(parsed("--init=false img").process.init, Some(false));
        assert_eq!(parsed("--init img").process.init, Some(true));
    }

    #[test]
    fn values_stand_in_every_place() {
        for line in ["--name=x img", "--name x img", "--name y --name x img"] {
            assert_eq!(parsed(line).lifecycle.name.as_deref(), Some("x"), "{line}");
        }
        for line in [
            "-wx img",
            "-w x img",
            "-w=x img",
            "-itw x img",
            "-itwx img",
            "--workdir x img",
        ] {
            assert_eq!(parsed(line).process.workdir.as_deref(), Some("x"), "{line}");
        }
        for (line, value) in [
            ("--name -x img", "-x"),
            ("--name -- img", "--"),
            ("--name=-- img", "--"),
        ] {
            let options = parsed(line);
            assert_eq!(options.lifecycle.name.as_deref(), Some(value), "{line}");
            assert_eq!(options.operands.words, ["img"], "{line}");
        }
        assert_eq!(parsed("--name= img").lifecycle.name.as_deref(), Some(""));
        assert_eq!(
            parsed("--memory-swap -1 img").resources.memory_swap,
            Some(-1)
        );
        assert_eq!(parsed("-eA=B=C img").environment.env, ["A=B=C"]);
        assert_eq!(parsed("-e=A=B -e B img").environment.env, ["A=B", "B"]);
    }

    #[test]
    fn lists_repeat_and_scalars_override() {
        let options = parsed("-e A -p 1 -e B -p 2,3 -u a -u b img");
        assert_eq!(options.environment.env, ["A", "B"]);
        assert_eq!(options.network.publish, ["1", "2,3"]);
        assert_eq!(options.process.user.as_deref(), Some("b"));
    }

    #[test]
    fn h_is_the_hostname_and_names_are_not_abbreviated() {
        assert_eq!(parsed("-h x img").network.hostname.as_deref(), Some("x"));
        assert!(parse(&["--hostn", "x", "img"]).is_err());
        assert!(
            parse(&["--help"])
                .is_err_and(|error| error.kind() == clap::error::ErrorKind::DisplayHelp)
        );
    }

    #[test]
    fn every_option_says_what_it_is() {
        for arg in parser().get_arguments() {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(
                !help.is_empty() && !help.ends_with('.'),
                "{}: {help:?}",
                arg.get_id()
            );
            assert!(arg.get_help_heading().is_some(), "{}", arg.get_id());
        }
    }
}
