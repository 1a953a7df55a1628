//! `/exec`: processes that join a container.

use bollard_stubs::models::{ExecConfig, ExecStartConfig};
use hyper::StatusCode;

use super::answer::Answer;
use super::call::Call;
use super::{containers as api_containers, hijack, history, router};
use crate::monitor::protocol::{Request, Size};
use crate::{Error, Result, containers, monitor};

pub(super) async fn route(mut call: Call<'_>) -> Result<Answer> {
    let path: Vec<String> = call.path.clone();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match (call.method.as_str(), path.as_slice()) {
        ("POST", ["exec", id, "start"]) => start(&mut call, id).await,
        ("GET", ["exec", id, "json"]) => Answer::json(&containers::inspect_exec(call.engine, id)?),
        ("POST", ["exec", id, "resize"]) => {
            containers::resize_exec(call.engine, id, api_containers::size(&call)?)?;
            Ok(Answer::empty(StatusCode::OK))
        }
        _ => Err(router::missing(&call)),
    }
}

/// `POST /containers/{id}/exec`.
pub(super) async fn create(call: &mut Call<'_>, name: &str) -> Result<Answer> {
    let mut config: ExecConfig = call.json().await?;
    if call.version < history::CONSOLE_SIZE {
        config.console_size = None;
    }
    let id = containers::create_exec(call.engine, name, config)?;
    // The model would write it in lower case.
    Answer::created(&serde_json::json!({ "Id": id }))
}

async fn start(call: &mut Call<'_>, id: &str) -> Result<Answer> {
    let config: ExecStartConfig = call.json_or_default().await?;
    let exec = containers::exec_of(call.engine, id)?;
    // Whether there are frames is this call's to say, as with Docker, whatever the process was made with.
    let tty = config.tty.unwrap_or(false);
    let detach = config.detach.unwrap_or(false);
    let size = config
        .console_size
        .filter(|_| tty && call.version >= history::CONSOLE_SIZE);
    let request = Request::ExecStart {
        id: exec.id,
        detach,
        tty,
        size: console_size(size.or(exec.config.console_size).as_deref())?,
    };
    let (monitor, _) = monitor::request(call.engine.layout(), &exec.container, &request)?;
    match detach {
        true => Ok(Answer::empty(StatusCode::OK)),
        false => hijack::hand_over(call, monitor, tty),
    }
}

/// `[height, width]`.
fn console_size(size: Option<&[usize]>) -> Result<Option<Size>> {
    let number = |number: usize| {
        u16::try_from(number).map_err(|_| Error::invalid(format!("invalid console size {number}")))
    };
    match size {
        None | Some([]) => Ok(None),
        Some(&[height, width]) => Ok(Some(Size {
            height: number(height)?,
            width: number(width)?,
        })),
        Some(_) => Err(Error::invalid("the console size is not two numbers")),
    }
}
