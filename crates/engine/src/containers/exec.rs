//! Processes that join a container.

use bollard_stubs::models::{ExecConfig, ExecInspectResponse, ProcessConfig};
use serde_json::{Value, json};

use super::Container;
use super::inspect::unwritable;
use super::name::new_id;
use crate::monitor::protocol::{Request, Size};
use crate::state::{Exec, Recorded, Store};
use crate::{Engine, Error, Result, monitor};

/// Writes down a process that shall join a container; its id is the result.
///
/// # Errors
///
/// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if the container does not run.
pub(crate) fn create_exec(engine: &Engine, reference: &str, config: ExecConfig) -> Result<String> {
    let container = Container::find(engine, reference)?;
    container.check_running()?;
    container.check_not_paused("exec")?;
    if config
        .cmd
        .as_ref()
        .and_then(|words| words.first())
        .is_none_or(String::is_empty)
    {
        return Err(Error::invalid("No exec command specified"));
    }
    let exec = Exec {
        id: new_id()?,
        container: container.id().to_owned(),
        config,
        running: false,
        process: Recorded::default(),
        exit_code: None,
    };
    Store::new(engine.layout()).create_exec(&exec)?;
    Ok(exec.id)
}

/// The joining process of that full id, and its container, which has to run.
///
/// # Errors
///
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none, and
/// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if it was started already, or the container does not run.
pub(crate) fn exec_of(engine: &Engine, id: &str) -> Result<Exec> {
    let exec = Store::new(engine.layout()).exec(id)?;
    if exec.running {
        return Err(Error::conflict(format!(
            "Error: Exec command {id} is already running"
        )));
    }
    if exec.exit_code.is_some() {
        return Err(Error::conflict(format!(
            "Error: Exec command {id} has already run"
        )));
    }
    let container = Container::of_id(engine, &exec.container)?;
    container.check_running()?;
    container.check_not_paused("exec")?;
    Ok(exec)
}

/// All that is known of a joining process.
///
/// # Errors
///
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none of that id.
pub(crate) fn inspect_exec(engine: &Engine, id: &str) -> Result<Value> {
    let exec = Store::new(engine.layout()).exec(id)?;
    let container = Container::of_id(engine, &exec.container)?;
    // A monitor that was killed left it as it was.
    let running = exec.running && container.state.is_running();
    let mut words = exec.config.cmd.unwrap_or_default().into_iter();
    let exit_code = exec.exit_code;
    let response = ExecInspectResponse {
        can_remove: Some(false),
        detach_keys: Some(exec.config.detach_keys.unwrap_or_default()),
        id: Some(exec.id),
        running: Some(running),
        exit_code,
        process_config: Some(ProcessConfig {
            tty: Some(exec.config.tty.unwrap_or(false)),
            entrypoint: words.next(),
            arguments: Some(words.collect()),
            privileged: Some(exec.config.privileged.unwrap_or(false)),
            user: exec.config.user,
        }),
        open_stdin: Some(exec.config.attach_stdin.unwrap_or(false)),
        open_stderr: Some(exec.config.attach_stderr.unwrap_or(false)),
        open_stdout: Some(exec.config.attach_stdout.unwrap_or(false)),
        container_id: Some(exec.container),
        pid: Some(exec.process.number().into()),
    };
    let mut shown = serde_json::to_value(response).map_err(unwritable)?;
    // The model leaves out what is null, by which clients know that there is none yet.
    shown["ExitCode"] = json!(exit_code);
    Ok(shown)
}

/// Sets the size of a joining process's terminal.
///
/// # Errors
///
/// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if it does not run.
pub(crate) fn resize_exec(engine: &Engine, id: &str, size: Size) -> Result<()> {
    let exec = Store::new(engine.layout()).exec(id)?;
    let request = Request::ExecResize { id: exec.id, size };
    monitor::request(engine.layout(), &exec.container, &request).map(drop)
}
