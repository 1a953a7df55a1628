//! `exec`: start a process in a running container. Engine API `POST /containers/{id}/exec` and what follows it.

use attach::{Attached, Attachment, Events, OutputEnd, Signals};
use byname::{Context, ExitStatus, MaybeState, State, StatusError, command};
use clap::Args;
use docker_cli::{Docker, attaching, env_file, environment, errors};
use engine_client::models::ExecConfig;
use engine_client::{ApiVersion, Client, ConfigFile, StartExec};
use terminal::DetachKeys;

#[derive(Args)]
struct Exec {
    /// Run the process in the background
    #[arg(short, long)]
    detach: bool,
    /// Keys that detach from a process with a terminal [default: ctrl-p,ctrl-q]
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,
    /// Set an environment variable: NAME=VALUE, or NAME alone to copy it from the environment
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = environment::parse)]
    env: Vec<String>,
    /// Read environment variables from a file, before those of --env
    #[arg(long = "env-file", value_name = "FILE")]
    env_files: Vec<String>,
    /// Attach standard input
    #[arg(short, long)]
    interactive: bool,
    /// Give the process all privileges
    #[arg(long)]
    privileged: bool,
    /// Give the process a terminal
    #[arg(short, long)]
    tty: bool,
    /// User of the process: NAME or UID, with a group behind a colon
    #[arg(short, long, value_name = "USER")]
    user: Option<String>,
    /// Directory of the process
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<String>,
    /// Container, by name or ID, and behind it the command with its arguments
    #[arg(
        required = true,
        num_args = 2..,
        trailing_var_arg = true,
        allow_hyphen_values = false,
        value_name = "CONTAINER"
    )]
    words: Vec<String>,
}

/// Execute a command in a running container
///
/// Options end at the container; everything behind it is the command and its arguments. The status is that of the
/// command, 126 or 127 if it cannot be executed or found.
#[command(
    "exec",
    alias = "container exec",
    category = "Containers",
    usage = "[OPTIONS] CONTAINER COMMAND [ARG...]"
)]
fn exec(
    cx: &mut Context,
    Docker(args): Docker<Exec>,
    client: State<Client>,
    configuration: MaybeState<ConfigFile>,
) -> anyhow::Result<ExitStatus> {
    let [container, command @ ..] = args.words.as_slice() else {
        return Err(errors::bare("exec needs a container and a command"));
    };
    let detach_keys = attaching::detach_keys(args.detach_keys.as_deref(), configuration.get())
        .map_err(errors::bare)?;
    let stdin = args.interactive && !args.detach;
    attaching::check_terminal(cx.streams(), stdin, args.tty)?;
    let size = cx.streams().out.as_fd().and_then(terminal::size);
    let knows_size = client.version().map_err(errors::bare)? >= ApiVersion::new(1, 42);
    let size = size.filter(|_| args.tty && knows_size);
    let process = ExecConfig {
        attach_stdin: Some(stdin),
        attach_stdout: Some(!args.detach),
        attach_stderr: Some(!args.detach),
        console_size: size.map(|size| vec![size.rows.into(), size.columns.into()]),
        detach_keys: detach_keys.as_ref().map(|keys| keys.as_str().to_owned()),
        tty: Some(args.tty),
        env: Some(variables(&args, cx)?).filter(|list| !list.is_empty()),
        cmd: Some(command.to_vec()),
        privileged: Some(args.privileged),
        user: args.user,
        working_dir: args.workdir,
    };
    let id = client
        .create_exec(container, &process)
        .map_err(errors::bare)?;
    let start = StartExec {
        tty: args.tty,
        console_size: size.map(|size| [size.rows, size.columns]),
    };
    if args.detach {
        client
            .start_exec_detached(&id, &start)
            .map_err(errors::bare)?;
        return Ok(ExitStatus::Success);
    }
    attached(cx, &client, id, &start, stdin, detach_keys)
}

/// Passes the process's streams on until its end, and returns its status.
fn attached(
    cx: &mut Context,
    client: &Client,
    id: String,
    start: &StartExec,
    stdin: bool,
    detach_keys: Option<DetachKeys>,
) -> anyhow::Result<ExitStatus> {
    let mut events = Events::new().map_err(errors::session)?;
    let signals = Signals::leave(&events.sender()).map_err(errors::session)?;
    let left = |signals: &Signals| {
        let signal = signals
            .received()
            .and_then(|signal| u8::try_from(signal).ok());
        let status = signal.map_or(ExitStatus::Failure, ExitStatus::Signal);
        anyhow::Error::from(StatusError::silent(status))
    };
    let hijacked = events.perform(|| client.start_exec(&id, start));
    let hijacked = hijacked.ok_or_else(|| left(&signals))?;
    let hijacked = hijacked.map_err(errors::bare)?;
    let attachment = Attachment {
        client,
        id: &id,
        attached: Attached {
            tty: start.tty,
            stdin,
            stdout: true,
            stderr: true,
            detach_keys,
        },
        streams: cx.streams(),
        environment: cx.environment(),
    };
    let end = attachment.process(hijacked, &mut events);
    match end.map_err(errors::session)? {
        OutputEnd::Ended => {}
        OutputEnd::Detached => return Ok(ExitStatus::Success),
        _ => return Err(left(&signals)),
    }
    let process = client.inspect_exec(&id).map_err(errors::bare)?;
    match process.exit_code {
        Some(code) if process.running != Some(true) => Ok(ExitStatus::from_code(code)),
        // It has closed its output and goes on.
        _ => Ok(ExitStatus::Success),
    }
}

/// The variables of the files and then the given ones. One that is given without a value has that of ours, and where there
/// is none stays as it is, which takes it from the process.
fn variables(args: &Exec, cx: &Context) -> anyhow::Result<Vec<String>> {
    let lookup = environment::lookup(cx.environment());
    let mut variables = env_file::read_all(&args.env_files, "--env-file", env_file::read, lookup)
        .map_err(errors::bare)?;
    variables.extend(environment::resolve(&args.env, lookup).map_err(errors::bare)?);
    Ok(variables)
}
