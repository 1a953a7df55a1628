//! Checks the options as a whole before the engine is asked for anything.

use std::ffi::OsString;

use byname::Context;
use docker_cli::{attaching, errors, platform};
use engine_client::{Client, ConfigFile, NewContainer};
use image_reference::Image;
use terminal::DetachKeys;

use crate::create::{self, AttachedStreams, Circumstances};
use crate::options::{ImageOptions, Options};
use crate::values::InvalidValue;
use crate::values::pull_policy::{self, PullPolicy};
use crate::wording::Wording;

/// What is to be done for one command line.
#[derive(Debug)]
pub(crate) struct Plan {
    /// None with `--rootfs`.
    pub(crate) image: Option<Image>,
    pub(crate) pull: PullPolicy,
    pub(crate) quiet: bool,
    /// Of the image, in its normal form.
    pub(crate) platform: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) cidfile: Option<String>,
    pub(crate) container: NewContainer,
    /// The container gets the engine's socket and the user's credentials.
    pub(crate) use_api_socket: bool,
    pub(crate) detach: bool,
    /// The engine removes the container after its end.
    pub(crate) rm: bool,
    pub(crate) tty: bool,
    pub(crate) streams: AttachedStreams,
    pub(crate) sig_proxy: bool,
    /// The detach keys as they were given, which the engine is told, and what they are.
    pub(crate) detach_keys: Option<DetachKeys>,
}

impl Plan {
    /// Makes the plan, or words why there can be none.
    pub(crate) fn new(
        options: &Options,
        client: &Client,
        configuration: Option<&ConfigFile>,
        cx: &Context,
        wording: &Wording,
    ) -> anyhow::Result<Plan> {
        let refused = |error: InvalidValue| wording.refused(error);
        let words = utf8(&options.operands.words).map_err(|text| wording.refused(text))?;
        let pull = options.image.pull.as_deref().unwrap_or_default();
        let pull = pull_policy::parse(pull).map_err(refused)?;
        check_rootfs(&options.image).map_err(refused)?;
        let streams = AttachedStreams::of(options);
        let endpoint = client.endpoint().to_string();
        let os_type = if options.devices.devices.is_empty() {
            None
        } else {
            client.os_type().map_err(|error| wording.engine(&error))?
        };
        let circumstances = Circumstances {
            environment: cx.environment(),
            proxies: configuration.and_then(|file| file.proxies_of(&endpoint)),
            console: cx.streams().out.as_fd().and_then(terminal::size),
            os_type,
        };
        let container = create::container(options, &words, &circumstances).map_err(refused)?;
        check_attaching(options, streams, cx)?;
        let detach_keys =
            attaching::detach_keys(options.process.detach_keys.as_deref(), configuration)
                .map_err(errors::bare)?;
        let (image, platform) = if options.image.rootfs {
            (None, None)
        } else {
            let platform = platform::chosen(options.image.platform.as_deref(), cx.environment())
                .map_err(refused)?;
            let image = Image::parse(words.first().map_or("", String::as_str))
                .map_err(|error| refused(InvalidValue::new(error.to_string())))?;
            (Some(image), platform)
        };
        Ok(Plan {
            image,
            pull,
            quiet: options.image.quiet,
            platform,
            name: create::text(&options.lifecycle.name),
            cidfile: create::text(&options.lifecycle.cidfile),
            container,
            use_api_socket: options.storage.use_api_socket,
            detach: options.lifecycle.detach,
            rm: options.lifecycle.rm,
            tty: options.process.tty,
            streams,
            sig_proxy: options.process.sig_proxy,
            detach_keys,
        })
    }
}

/// The image and the command as text.
fn utf8(words: &[OsString]) -> Result<Vec<String>, String> {
    words
        .iter()
        .map(|word| {
            word.to_str()
                .map(str::to_owned)
                .ok_or_else(|| docker_cli::not_utf8(word))
        })
        .collect()
}

/// What says which image to get, and how, says nothing of a directory.
fn check_rootfs(options: &ImageOptions) -> Result<(), InvalidValue> {
    let given = [
        (options.pull.is_some(), "--pull"),
        (options.platform.is_some(), "--platform"),
        (options.quiet, "--quiet"),
    ];
    match given.into_iter().find(|(is_given, _)| *is_given) {
        Some((_, option)) if options.rootfs => Err(InvalidValue::new(format!(
            "conflicting options: {option} is about the image, and with --rootfs there is none"
        ))),
        _ => Ok(()),
    }
}

/// Checks that what is attached to can be. These refusals are without a frame, as Docker prints them.
fn check_attaching(
    options: &Options,
    streams: AttachedStreams,
    cx: &Context,
) -> anyhow::Result<()> {
    if options.lifecycle.detach && !options.process.attach.is_empty() {
        let text = "conflicting options: cannot specify both --attach and --detach";
        return Err(errors::bare(text));
    }
    attaching::check_terminal(cx.streams(), streams.stdin, options.process.tty)
}
