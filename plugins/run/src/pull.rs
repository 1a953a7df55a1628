//! Pulls the image, with progress on standard error, until the user interrupts it.

use std::sync::{Arc, Mutex, PoisonError};

use attach::Events;
use byname::Output;
use docker_cli::errors;
use docker_cli::pull::{Bars, request};
use engine_client::{Canceller, Client, CreateImage, CredentialStore, Error};
use image_reference::Reference;

use crate::stage::Stage;
use crate::wording::Wording;

/// Pulls an image, with the user's credentials if there are any; progress goes to `err`, if there is one. A signal that
/// asks to end breaks it off, and ends a credential helper that runs.
#[expect(
    clippy::too_many_arguments,
    reason = "each is another part of the command"
)]
pub(crate) fn pull(
    client: &Client,
    reference: &Reference,
    platform: Option<&str>,
    credentials: Option<&CredentialStore>,
    err: Option<Output>,
    stage: &Stage,
    events: &mut Events,
    wording: &Wording,
) -> anyhow::Result<()> {
    let (reference, platform) = (reference.clone(), platform.map(str::to_owned));
    let client = client.clone();
    let store = credentials.cloned();
    let breaker = Breaker::default();
    let held = breaker.clone();
    let work = move || {
        let image = request(&reference, platform, store.as_ref())?;
        receive(&client, &image, err, &held)
    };
    match stage.perform_aside(events, work)? {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(wording.engine(&error)),
        Err(signal) => {
            breaker.break_off();
            if let Some(store) = credentials {
                store.cancel();
            }
            Err(errors::interrupted(signal))
        }
    }
}

fn receive(
    client: &Client,
    image: &CreateImage,
    err: Option<Output>,
    breaker: &Breaker,
) -> Result<(), Error> {
    let lines = client.create_image(image)?;
    if !breaker.hold(lines.canceller()) {
        return Ok(());
    }
    let mut bars = err.map(Bars::new);
    for line in lines {
        let line = line?;
        if let Some(bars) = &mut bars {
            bars.show(&line);
        }
    }
    Ok(())
}

/// Breaks a pull off, whether it has begun or not.
#[derive(Debug, Clone, Default)]
struct Breaker {
    state: Arc<Mutex<BreakerState>>,
}

#[derive(Debug, Default)]
struct BreakerState {
    canceller: Option<Canceller>,
    is_broken: bool,
}

impl Breaker {
    /// Takes the pull that has begun. Returns whether it is still wanted.
    fn hold(&self, canceller: Canceller) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.canceller = Some(canceller);
        !state.is_broken
    }

    fn break_off(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_broken = true;
        if let Some(canceller) = &state.canceller {
            canceller.cancel();
        }
    }
}
