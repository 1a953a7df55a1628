//! `/containers`: everything about containers.

use hyper::header::TRANSFER_ENCODING;
use serde_json::json;

use super::answer::Answer;
use super::call::Call;
use super::filters::Filters;
use super::history::{self, Shape};
use super::{hijack, router};
use crate::containers::{
    self, Container, InspectOptions, ListOptions, LogsOptions, NewContainer, PruneOptions,
    RemoveOptions, StatsOptions,
};
use crate::monitor::protocol::{Attach, Condition, Request, Size};
use crate::{Error, Result, monitor};

pub(super) async fn route(mut call: Call<'_>) -> Result<Answer> {
    let path: Vec<String> = call.path.clone();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let engine = call.engine;
    let query = call.query.clone();
    match (call.method.as_str(), path.as_slice()) {
        ("GET", ["containers", "json"]) => list(&call),
        ("POST", ["containers", "create"]) => create(&mut call).await,
        ("POST", ["containers", "prune"]) => {
            let filters = Filters::parse(query.get("filters"))?;
            let pruned = containers::prune(engine, &PruneOptions { filters })?;
            Answer::json(&json!({
                // Nothing is null, which the model leaves out.
                "ContainersDeleted": pruned.containers_deleted.filter(|ids| !ids.is_empty()),
                "SpaceReclaimed": pruned.space_reclaimed,
            }))
        }
        ("GET", ["containers", name, "json"]) => {
            let options = InspectOptions {
                size: query.flag("size"),
            };
            let container = containers::inspect(engine, name, options)?;
            history::answer(call.version, Shape::Container, &container)
        }
        ("POST", ["containers", name, "start"]) => {
            if query.get("checkpoint").is_some() {
                return Err(Error::not_implemented(
                    "the embedded engine does not do --checkpoint",
                ));
            }
            containers::start(engine, name)?;
            Ok(Answer::no_content())
        }
        ("POST", ["containers", name, "stop"]) => {
            let timeout = query.number("t")?;
            containers::stop(engine, name, query.get("signal"), timeout)?;
            Ok(Answer::no_content())
        }
        ("POST", ["containers", name, "restart"]) => {
            let timeout = query.number("t")?;
            containers::restart(engine, name, query.get("signal"), timeout)?;
            Ok(Answer::no_content())
        }
        ("POST", ["containers", name, "kill"]) => {
            containers::kill(engine, name, query.get("signal"))?;
            Ok(Answer::no_content())
        }
        ("POST", ["containers", name, "pause"]) => {
            containers::pause(engine, name)?;
            Ok(Answer::no_content())
        }
        ("POST", ["containers", name, "unpause"]) => {
            containers::unpause(engine, name)?;
            Ok(Answer::no_content())
        }
        ("POST", ["containers", name, "rename"]) => {
            containers::rename(engine, name, query.get("name").unwrap_or_default())?;
            Ok(Answer::no_content())
        }
        ("POST", ["containers", name, "resize"]) => {
            containers::resize(engine, name, size(&call)?)?;
            Ok(Answer::empty(hyper::StatusCode::OK))
        }
        ("POST", ["containers", name, "wait"]) => wait(&call, name),
        ("POST", ["containers", name, "attach"]) => attach(&call, name),
        ("GET", ["containers", name, "logs"]) => logs(&call, name),
        ("GET", ["containers", name, "stats"]) => stats(&call, name),
        ("GET", ["containers", name, "top"]) => {
            Answer::json(&containers::top(engine, name, query.get("ps_args"))?)
        }
        ("POST", ["containers", name, "exec"]) => super::exec::create(&mut call, name).await,
        ("DELETE", ["containers", name]) => {
            if query.flag("link") {
                return Err(Error::not_implemented(
                    "the embedded engine does not do --link",
                ));
            }
            let options = RemoveOptions {
                force: query.flag("force"),
                volumes: query.flag("v"),
            };
            containers::remove(engine, name, options)?;
            Ok(Answer::no_content())
        }
        _ => Err(router::missing(&call)),
    }
}

fn list(call: &Call<'_>) -> Result<Answer> {
    let query = &call.query;
    let options = ListOptions {
        all: query.flag("all"),
        // docker-py says -1 for no limit.
        limit: query
            .number("limit")?
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(0),
        size: query.flag("size"),
        filters: Filters::parse(query.get("filters"))?,
    };
    let list = containers::list(call.engine, &options)?;
    history::answer(call.version, Shape::ContainerSummary, &list)
}

async fn create(call: &mut Call<'_>) -> Result<Answer> {
    let mut new = NewContainer::from_json(&call.json_text().await?)?;
    let text = |name: &str| call.query.get(name).unwrap_or_default().to_owned();
    new.name = text("name");
    new.platform = text("platform");
    history::create(call.version, &mut new.body)?;
    let warning = history::mac_address(call.version, new.has_mac_address, &mut new.body)?;
    new.has_shallow_read_only = call.version < history::RECURSIVE_READ_ONLY;
    let mut created = containers::create(call.engine, new)?;
    created.warnings.extend(warning);
    if call.engine.starts_what_it_makes() {
        monitor::spawn_ahead(call.engine.layout(), &created.id);
    }
    Answer::created(&bollard_stubs::models::ContainerCreateResponse {
        id: created.id,
        warnings: created.warnings,
    })
}

/// The size of a terminal: `h` and `w`.
pub(super) fn size(call: &Call<'_>) -> Result<Size> {
    let number = |name: &str| -> Result<u16> {
        let number = call.query.number(name)?.unwrap_or(0);
        u16::try_from(number)
            .map_err(|_| Error::invalid(format!("invalid value {number} for {name}")))
    };
    Ok(Size {
        height: number("h")?,
        width: number("w")?,
    })
}

/// The head of the answer goes out at once: clients start the container when they have it.
fn wait(call: &Call<'_>, name: &str) -> Result<Answer> {
    let condition = match call.query.get("condition") {
        None | Some("not-running") => Condition::NotRunning,
        Some("next-exit") => Condition::NextExit,
        Some("removed") => Condition::Removed,
        Some(other) => return Err(Error::invalid(format!("invalid condition: {other:?}"))),
    };
    let waiting = containers::wait(call.engine, name, condition)?;
    let version = call.version;
    Ok(Answer::later(async move {
        let response = waiting.end().await;
        let response = response.map(|response| {
            let mut response = serde_json::to_value(response)?;
            history::shape(version, Shape::Wait, &mut response);
            serde_json::to_vec(&response)
        });
        match response {
            Ok(Ok(text)) => text,
            // The status is sent; this is the one place left for it.
            other => {
                let message = match other {
                    Err(error) => error.to_string(),
                    Ok(outcome) => format!("{outcome:?}"),
                };
                json!({"StatusCode": 125, "Error": {"Message": message}})
                    .to_string()
                    .into_bytes()
            }
        }
    }))
}

fn attach(call: &Call<'_>, name: &str) -> Result<Answer> {
    if call.headers.contains_key(TRANSFER_ENCODING) {
        return Err(Error::invalid(
            "input for a container cannot be sent in chunks: send it as it is behind the head of the request",
        ));
    }
    let container = Container::find(call.engine, name)?;
    container.check_not_paused("attach")?;
    let query = &call.query;
    let attach = Attach {
        stdin: query.flag("stdin"),
        stdout: query.flag("stdout"),
        stderr: query.flag("stderr"),
        logs: query.flag("logs"),
        stream: query.flag("stream"),
        detach_keys: query.get("detachKeys").unwrap_or_default().to_owned(),
    };
    let request = Request::Attach(attach);
    let (monitor, _) = monitor::request(call.engine.layout(), container.id(), &request)?;
    hijack::hand_over(call, monitor, container.record.tty())
}

fn stats(call: &Call<'_>, name: &str) -> Result<Answer> {
    let options = StatsOptions {
        stream: call.query.flag_or("stream", true),
        one_shot: call.query.flag("one-shot"),
    };
    let stats = containers::stats(call.engine, name, options)?;
    Answer::stream("application/json", move |writer| {
        let reader = writer.clone();
        if let Err(error) = stats.write(writer, || reader.is_closed()) {
            log::debug!("a client left its figures: {error}");
        }
    })
}

fn logs(call: &Call<'_>, name: &str) -> Result<Answer> {
    let query = &call.query;
    match query.get("format") {
        None => {}
        Some("json") => {
            return Err(Error::not_implemented(
                "the embedded engine does not do logs in the format \"json\"",
            ));
        }
        Some(_) => return Err(Error::invalid("unsupported log format")),
    }
    let options = LogsOptions {
        follow: query.flag("follow"),
        stdout: query.flag("stdout"),
        stderr: query.flag("stderr"),
        since: query.get("since").map(str::to_owned),
        until: query.get("until").map(str::to_owned),
        timestamps: query.flag("timestamps"),
        details: query.flag("details"),
        tail: query.get("tail").map(str::to_owned),
    };
    let logs = containers::logs(call.engine, name, &options)?;
    let content_type = hijack::content_type(call.version, logs.tty());
    Answer::stream(content_type, move |writer| {
        let reader = writer.clone();
        if let Err(error) = logs.write(writer, || reader.is_closed()) {
            log::debug!("a client left its logs: {error}");
        }
    })
}
