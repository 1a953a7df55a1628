//! Pulling the image, with its progress on standard error.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use byname::Output;
use engine_client::{Canceller, Client, CreateImage, CredentialStore, Error, ImageProgressLine};
use terminal::{Progress, ProgressDetail, ProgressLine};

use crate::errors::{self, Wording};
use crate::image::Reference;
use crate::stage::Stage;

/// The width that Docker's client assumes of a terminal that does not tell its own.
const UNKNOWN_WIDTH: u16 = 200;

/// Pulls an image, with the user's credentials if there are any; progress goes to `err`, if there is one. A signal that
/// asks to end breaks it off, and ends a credential helper that runs.
pub(crate) fn pull(
    client: &Client,
    reference: &Reference,
    platform: Option<&str>,
    credentials: Option<&CredentialStore>,
    err: Option<Output>,
    stage: &Stage,
    wording: &Wording,
) -> anyhow::Result<()> {
    let mut image = CreateImage {
        from_image: reference.repository(),
        tag: Some(reference.version().to_owned()),
        platform: platform.map(str::to_owned),
        registry_auth: None,
    };
    let registry = reference.registry().to_owned();
    let client = client.clone();
    let store = credentials.cloned();
    let breaker = Breaker::default();
    let held = breaker.clone();
    let work = move || {
        if let Some(store) = &store {
            image.registry_auth = Some(store.get(&registry)?.registry_auth());
        }
        receive(&client, &image, err, &held)
    };
    match stage.perform(work)? {
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

/// The progress as it is shown.
struct Bars {
    out: Output,
    progress: Progress,
}

impl Bars {
    fn new(out: Output) -> Bars {
        let progress = Progress::new(out.is_terminal().then(|| width(&out)));
        Bars { out, progress }
    }

    fn show(&mut self, line: &ImageProgressLine) {
        if line.aux.is_some() {
            return;
        }
        if self.out.is_terminal() {
            self.progress.resize(width(&self.out));
        }
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (id, status, stream) = (text(&line.id), text(&line.status), text(&line.stream));
        let units = line
            .progress_detail
            .as_ref()
            .map(|detail| text(&detail.units))
            .unwrap_or_default();
        let detail = line.progress_detail.as_ref().map(|detail| ProgressDetail {
            current: detail.current.unwrap_or_default(),
            total: detail.total.unwrap_or_default(),
            start_unix: detail.start.unwrap_or_default(),
            hide_counts: detail.hide_counts.unwrap_or_default(),
            units: &units,
        });
        let shown = ProgressLine {
            id: &id,
            status: &status,
            stream: &stream,
            detail,
        };
        // Nobody may be reading it; the pull is worth something all the same.
        let _ = self
            .out
            .write_all(self.progress.line(&shown, SystemTime::now()).as_bytes());
    }
}

fn width(out: &Output) -> u16 {
    out.as_fd()
        .and_then(terminal::size)
        .map(|size| size.columns)
        .filter(|width| *width > 0)
        .unwrap_or(UNKNOWN_WIDTH)
}
