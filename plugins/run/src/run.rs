//! `run`: create and run a new container from an image.
//! Engine API `POST /containers/create` and what follows it: attach, wait, start.

use std::io::Write;

use attach::{Events, Signals};
use byname::{Context, ExitStatus, MaybeState, State, Usual, command};
use docker_cli::{Docker, errors};
use engine_client::models::ContainerCreateResponse;
use engine_client::{Client, ConfigFile, CreateContainerOptions, CredentialStore, Error};
use image_reference::{Image, Reference};

use crate::container_id_file::ContainerIdFile;
use crate::options::{Options, UsualOptions};
use crate::plan::Plan;
use crate::session::{self, Created};
use crate::stage::Stage;
use crate::values::pull_policy::PullPolicy;
use crate::wording::Wording;
use crate::{api_socket, deprecated, gate, pull};

/// Create and run a new container from an image
///
/// Options end at the image; everything behind it is the command and its arguments. The status is that of the container, 125
/// if it could not be run, 126 or 127 if its command cannot be executed or found.
#[command(
    "run",
    alias = "container run",
    category = "Containers",
    usage = "[OPTIONS] IMAGE [COMMAND] [ARG...]"
)]
fn run(
    cx: &mut Context,
    Docker(Usual(options, _)): Docker<Usual<UsualOptions, Options>>,
    client: State<Client>,
    configuration: MaybeState<ConfigFile>,
) -> anyhow::Result<ExitStatus> {
    let wording = Wording::of(cx);
    for warning in deprecated::warnings(&options) {
        writeln!(cx.err(), "{warning}")?;
    }
    if let Some(text) = gate::check(&options, &client).map_err(|error| wording.engine(&error))? {
        return Err(errors::bare(text));
    }
    let mut plan = Plan::new(&options, &client, configuration.get(), cx, &wording)?;
    // As long as no signal is caught, one ends the wait for an engine that says nothing.
    client.version().map_err(|error| wording.engine(&error))?;

    let mut events = Events::new()?;
    let stage = Stage::new(plan.sig_proxy, events.sender());
    let on_signal = stage.clone();
    let _signals = Signals::forward(&events.sender(), move |name| on_signal.signal(name))?;

    let mut cidfile = match &plan.cidfile {
        Some(path) => Some(ContainerIdFile::create(path).map_err(|text| wording.unstarted(text))?),
        None => None,
    };
    let credentials = if plan.use_api_socket {
        let body = &mut plan.container.body;
        api_socket::prepare(body, cx, &client, &stage, &mut events, &wording)?
    } else {
        None
    };
    let preparation = Preparation {
        client: &client,
        plan: &plan,
        stage: &stage,
        wording: &wording,
    };
    let response = preparation.create(cx, &mut events)?;
    let container = Created::new(&client, &response.id, plan.rm);
    for warning in &response.warnings {
        writeln!(cx.err(), "WARNING: {}", terminal::printable_lines(warning))?;
    }
    if let Some(cidfile) = &mut cidfile {
        cidfile
            .write(container.id())
            .map_err(|text| wording.unstarted(text))?;
    }

    if let Some(credentials) = credentials {
        // The container is worth something without them.
        let copied = api_socket::copy(credentials, &client, container.id(), &stage, &mut events)?;
        if let Err(error) = copied {
            writeln!(
                cx.err(),
                "WARNING: injecting docker config.json into container failed: \
                 copying config.json into container failed: {}",
                terminal::printable_lines(&error.to_string())
            )?;
        }
    }

    if plan.detach {
        session::detached(cx, container, &stage, &mut events, &wording)
    } else {
        session::attached(cx, container, &plan, &stage, events, &wording)
    }
}

/// What it takes to make the container.
struct Preparation<'a> {
    client: &'a Client,
    plan: &'a Plan,
    stage: &'a Stage,
    wording: &'a Wording,
}

impl Preparation<'_> {
    /// Creates the container. An image that the engine does not have is pulled, and the container created once more.
    fn create(
        &self,
        cx: &mut Context,
        events: &mut Events,
    ) -> anyhow::Result<ContainerCreateResponse> {
        let Preparation { plan, wording, .. } = self;
        let reference = match &plan.image {
            Some(Image::Named(reference)) => Some(reference),
            Some(Image::Id(_)) | None => None,
        };
        if let (PullPolicy::Always, Some(reference)) = (plan.pull, reference) {
            self.pull(cx, events, reference)?;
        }
        let first = self.request(events)?;
        let created = match (first, reference) {
            // A missing network has the same status; that costs a pull, and the second answer is the one reported.
            (Err(error), Some(reference))
                if error.status() == Some(404) && plan.pull == PullPolicy::Missing =>
            {
                if !plan.quiet {
                    writeln!(
                        cx.err(),
                        "Unable to find image '{}' locally",
                        reference.familiar()
                    )?;
                }
                self.pull(cx, events, reference)?;
                self.request(events)?
            }
            (first, _) => first,
        };
        created.map_err(|error| wording.engine(&error))
    }

    fn pull(
        &self,
        cx: &mut Context,
        events: &mut Events,
        reference: &Reference,
    ) -> anyhow::Result<()> {
        let Preparation {
            client,
            plan,
            stage,
            wording,
        } = self;
        let credentials = cx.optional_state::<CredentialStore>()?;
        let err = (!plan.quiet).then(|| cx.streams().err.clone());
        pull::pull(
            client,
            reference,
            plan.platform.as_deref(),
            credentials.as_deref(),
            err,
            stage,
            events,
            wording,
        )
    }

    /// Asks the engine to create the container, unless the user has asked to end. A request that is on its way is not
    /// left before it is answered, or the container that it makes would be nobody's; only the third signal does.
    fn request(
        &self,
        events: &mut Events,
    ) -> anyhow::Result<Result<ContainerCreateResponse, Error>> {
        let Preparation {
            client,
            plan,
            stage,
            ..
        } = self;
        if let Some(signal) = stage.asked_to_end() {
            return Err(errors::interrupted(signal));
        }
        let options = CreateContainerOptions {
            name: plan.name.clone(),
            platform: plan.platform.clone(),
        };
        let answer = events.perform(|| client.create_container(&options, &plan.container));
        let answer = answer.ok_or_else(errors::forced)?;
        match (&answer, stage.asked_to_end()) {
            (Err(_), Some(signal)) => Err(errors::interrupted(signal)),
            _ => Ok(answer),
        }
    }
}
