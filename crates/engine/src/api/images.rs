//! `/images`: everything about images.

use std::io::Write;
use std::thread;

use hyper::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::body::BodyWriter;
use super::call::Call;
use super::filters::Filters;
use super::history::{self, Shape};
use super::router;
use crate::image::{
    Credentials, Import, ListOptions, Message, Output, Platform, PullRequest, pipe,
};
use crate::{Error, Result};

/// The name of an image may have slashes, so it is all between the first segment and the operation.
pub(super) async fn route(mut call: Call<'_>) -> Result<Answer> {
    let path: Vec<String> = call.path.clone();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let images = call.engine.images();
    let query = &call.query;
    match (call.method.as_str(), path.as_slice()) {
        ("GET", ["images", "json"]) => {
            // There are no images here that only serve others as layers, so `all` is what is shown in any case.
            list(&call)
        }
        ("POST", ["images", "create"]) => match call.query.get("fromSrc") {
            None => pull(&call),
            Some(_) => import(&mut call).await,
        },
        ("POST", ["images", "load"]) => load(&mut call).await,
        ("POST", ["images", "prune"]) => {
            let pruned = images.prune(&Filters::parse(query.get("filters"))?)?;
            Answer::json(&json!({
                // Nothing is null, which the model leaves out.
                "ImagesDeleted": pruned.images_deleted.filter(|images| !images.is_empty()),
                "SpaceReclaimed": pruned.space_reclaimed,
            }))
        }
        ("GET", ["images", name @ .., "json"]) if !name.is_empty() => {
            let platform = platform(query.get("platform"))?;
            if query.flag("manifests") && platform.is_some() {
                return Err(Error::invalid(
                    "conflicting options: manifests and platform options cannot both be set",
                ));
            }
            let image = images.inspect(&name.join("/"), platform.as_deref())?;
            history::answer(call.version, Shape::Image, &image)
        }
        ("GET", ["images", name @ .., "history"]) if !name.is_empty() => {
            let platform = platform(query.get("platform"))?;
            Answer::json(&images.history(&name.join("/"), platform.as_deref())?)
        }
        ("POST", ["images", name @ .., "tag"]) if !name.is_empty() => {
            let repository = query.get("repo").unwrap_or_default();
            images.tag(&name.join("/"), repository, query.get("tag"))?;
            Ok(Answer::empty(StatusCode::CREATED))
        }
        ("DELETE", ["images", name @ ..]) if !name.is_empty() => {
            let name = name.join("/");
            let platforms: Vec<&str> = query.all("platforms").collect();
            match platforms.as_slice() {
                [] => {}
                [one] => drop(images.resolve(&name, platform(Some(one))?.as_deref())?),
                _ => return Err(Error::invalid("multiple platforms are not supported")),
            }
            Answer::json(&images.remove(&name, query.flag("force"))?)
        }
        _ => Err(router::missing(&call)),
    }
}

fn list(call: &Call<'_>) -> Result<Answer> {
    let query = &call.query;
    let mut filters = Filters::parse(query.get("filters"))?;
    // Old clients give a pattern of names apart.
    if let Some(pattern) = query.get("filter")
        && !filters.has("reference")
    {
        filters.add("reference", pattern);
    }
    if query.flag("identity") && !query.flag("manifests") {
        return Err(Error::invalid(
            "conflicting options: identity requires manifests=1",
        ));
    }
    let options = ListOptions {
        filters,
        shared_size: query.flag("shared-size"),
    };
    let list = call.engine.images().list(&options)?;
    history::answer(call.version, Shape::ImageSummary, &list)
}

/// A platform as parameters have it: an object of the OCI's, or the words of people.
fn platform(value: Option<&str>) -> Result<Option<String>> {
    let Some(text) = value.filter(|text| text.starts_with('{')) else {
        return Ok(value.map(str::to_owned));
    };
    let invalid = |why: String| Error::invalid(format!("failed to parse platform: {why}"));
    let object: Value = serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
    let part = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let (os, architecture, variant) = (part("os"), part("architecture"), part("variant"));
    if os.is_empty() || architecture.is_empty() {
        return Err(Error::invalid("both OS and Architecture must be provided"));
    }
    Ok(Some(Platform::new(os, architecture, variant).to_string()))
}

/// A pull. What the registry refuses is the answer's status; what fails later is the last line of its body.
fn pull(call: &Call<'_>) -> Result<Answer> {
    let query = &call.query;
    let image = query.get("fromImage").unwrap_or_default();
    let tag = query.get("tag").unwrap_or_default();
    let image = if tag.is_empty() {
        // Docker pulls every tag of a name without one.
        if !has_version(image) {
            return Err(Error::not_implemented(
                "the embedded engine does not pull all tags of a repository (--all-tags): name one",
            ));
        }
        image.to_owned()
    } else {
        let separator = if tag.contains(':') { '@' } else { ':' };
        format!("{}{separator}{tag}", without_version(image))
    };
    let auth = call.headers.get("X-Registry-Auth");
    let auth = auth.map(|value| String::from_utf8_lossy(value.as_bytes()));
    let request = PullRequest {
        image,
        platform: query.get("platform").map(str::to_owned),
        credentials: Credentials::parse(auth.as_deref().unwrap_or_default()),
    };
    let pull = call.engine.images().pull(&request)?;
    Answer::stream("application/json", move |mut writer| {
        let canceller = pull.canceller();
        let result = pull.run(&mut |message| {
            if line(&mut writer, &message).is_err() {
                // Nobody is there any more who wanted it.
                canceller.cancel();
            }
        });
        if let Err(error) = result {
            failure(&mut writer, &error);
        }
    })
}

/// An image out of the body.
async fn import(call: &mut Call<'_>) -> Result<Answer> {
    let text = |name: &str| call.query.get(name).unwrap_or_default().to_owned();
    if text("fromSrc") != "-" {
        return Err(Error::not_implemented(
            "the embedded engine does not import from an address: fetch the archive and import it from \"-\"",
        ));
    }
    let import = Import {
        repository: text("repo"),
        tag: text("tag"),
        message: Some(text("message"))
            .filter(|message| !message.is_empty())
            .unwrap_or_else(|| "Imported from -".to_owned()),
        changes: call.query.all("changes").map(str::to_owned).collect(),
        platform: text("platform"),
    };
    let images = call.engine.images();
    let id = with_body(call, move |body| images.import(body, &import)).await?;
    let message = Message {
        status: Some(id.to_string()),
        ..Message::default()
    };
    Answer::json(&message)
}

/// Images out of an archive in the body, which is whole before the answer begins.
async fn load(call: &mut Call<'_>) -> Result<Answer> {
    let quiet = call.query.flag("quiet");
    let platform = platform(call.query.get("platform"))?;
    let images = call.engine.images();
    let archive = with_body(call, move |body| images.receive_archive(body)).await?;
    Answer::stream("application/json", move |mut writer| {
        // Who left in the meantime gets what was asked for all the same.
        let result = archive.load(platform.as_deref(), quiet, &mut |message| {
            let _ = line(&mut writer, &message);
        });
        if let Err(error) = result {
            failure(&mut writer, &error);
        }
    })
}

/// Has another thread read the body, which this one hands on to it.
async fn with_body<T: Send + 'static>(
    call: &mut Call<'_>,
    read: impl FnOnce(Output) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (input, body) = pipe();
    let reading = thread::Builder::new()
        .name("body".to_owned())
        .spawn(move || read(body))
        .map_err(|error| Error::io("start a thread", error))?;
    let mut sent = Ok(());
    loop {
        match call.body_piece().await {
            Ok(Some(piece)) => {
                if input.send(piece.to_vec()).is_err() {
                    break;
                }
            }
            Ok(None) => {
                // The reader may be done with it, for better or for worse.
                let _ = input.end();
                break;
            }
            Err(error) => {
                sent = Err(error);
                drop(input);
                break;
            }
        }
    }
    let read = reading
        .join()
        .map_err(|_| Error::system("a thread that read the body stopped"))?;
    sent.and(read)
}

/// Whether a name has a tag or a digest.
fn has_version(image: &str) -> bool {
    without_version(image).len() < image.len()
}

fn without_version(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or_default();
    match image.rsplit_once(':') {
        // The colon of a port has a slash behind it.
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}

/// The last line of a stream that did not end well, in both forms that clients look for.
#[derive(Serialize)]
struct Failure<'a> {
    #[serde(rename = "errorDetail")]
    detail: Detail<'a>,
    error: &'a str,
}

#[derive(Serialize)]
struct Detail<'a> {
    message: &'a str,
}

fn failure(writer: &mut BodyWriter, error: &Error) {
    let text = error.to_string();
    let detail = Detail { message: &text };
    // If nobody is there, nobody wants to know.
    let _ = line(
        writer,
        &Failure {
            detail,
            error: &text,
        },
    );
}

fn line(writer: &mut BodyWriter, value: &impl Serialize) -> std::io::Result<()> {
    let mut text = serde_json::to_vec(value)?;
    text.extend_from_slice(b"\r\n");
    writer.write_all(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_tag() {
        for (image, name) in [
            ("busybox", "busybox"),
            ("busybox:1", "busybox"),
            ("host:5000/a/b", "host:5000/a/b"),
            ("host:5000/a/b:1", "host:5000/a/b"),
            ("a@sha256:0", "a"),
            ("a:1@sha256:0", "a"),
        ] {
            assert_eq!(without_version(image), name);
            assert_eq!(has_version(image), image != name);
        }
    }

    #[test]
    fn a_platform_is_an_object_or_words() {
        let read = |text| platform(Some(text)).map_err(|error| error.to_string());
        assert_eq!(read("linux/arm64"), Ok(Some("linux/arm64".to_owned())));
        assert_eq!(
            read(r#"{"architecture":"arm","os":"linux","variant":"v7"}"#),
            Ok(Some("linux/arm/v7".to_owned()))
        );
        assert_eq!(platform(None).expect("none"), None);
        for (text, part) in [
            ("{", "failed to parse platform"),
            (r#"{"os":"linux"}"#, "both OS and Architecture"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn an_error_is_told_twice() {
        let failure = Failure {
            detail: Detail { message: "no" },
            error: "no",
        };
        let text = serde_json::to_string(&failure).expect("JSON");
        assert_eq!(text, r#"{"errorDetail":{"message":"no"},"error":"no"}"#);
    }
}
