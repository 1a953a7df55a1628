//! Pulling: an image from a registry into the store.
//!
//! The configuration comes first. It says which layers the image has before compression, so those that are here are known
//! before anything large is asked for. The others come side by side and get their names from the lowest to the highest.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use image_reference::{Image as Parsed, Reference};

use super::config::Config;
use super::digest::{Digest, chain};
use super::file::Durability;
use super::layer::{GLANCE, Making, NewLayer};
use super::lock::Lock;
use super::message::Message;
use super::names::{check_repository, with_digest};
use super::platform::Platform;
use super::receive::{Expected, Received, receive};
use super::registry::blob::BlobReader;
use super::registry::manifest::{Blob, Document, Manifest, choose};
use super::registry::{Canceller, Credentials, Registry, Site};
use super::store::{LONGEST_CONFIG, Store};
use super::{sync, unpack};
use crate::configuration::Configuration;
use crate::{Error, ErrorKind, Result};

/// How many layers come at a time, as with Docker.
const AT_A_TIME: usize = 3;
/// How long there is nothing new of one layer at least.
const BETWEEN: Duration = Duration::from_millis(100);

/// What to pull.
#[derive(Clone, Debug)]
pub struct PullRequest {
    /// Name with tag or digest.
    pub image: String,
    /// The platform, as `linux/arm64`; this machine's without one.
    pub platform: Option<String>,
    /// Who asks for it.
    pub credentials: Credentials,
}

/// A pull for which the registry has something.
#[derive(Debug)]
pub struct Pull {
    store: Store,
    registry: Arc<Registry>,
    reference: Reference,
    /// What the registry has under the name, an index perhaps.
    digest: Digest,
    source: Source,
    pin: Arc<Lock>,
}

#[derive(Debug)]
enum Source {
    /// An image that is here already.
    Here(Digest),
    Manifest(Manifest),
}

/// What happens to a layer, for the one thread that tells it.
enum Event {
    Told(usize, Told),
    Arrived(usize, Box<Arrival>),
    Failed(Error),
}

enum Told {
    Waits,
    Comes(u64),
    IsThere,
    Retries(Duration),
}

enum Arrival {
    /// Somebody else was faster.
    Here,
    New(NewLayer, Received),
}

/// The layers of a pull.
struct Layers<'a> {
    pull: &'a Pull,
    blobs: &'a [Blob],
    diff_ids: &'a [Digest],
    chain: &'a [Digest],
    /// Those that are not here.
    wanted: Vec<usize>,
    next: AtomicUsize,
}

impl Store {
    /// Asks a registry for an image. Nothing has changed when this fails.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`] for what is no name or platform, [`ErrorKind::NotFound`] if the registry has no
    /// such image or none for the platform, [`ErrorKind::Unauthorized`] if it wants other credentials, and
    /// [`ErrorKind::System`] if it does not answer.
    pub fn pull(&self, request: &PullRequest) -> Result<Pull> {
        let reference = match Parsed::parse(&request.image)
            .map_err(|error| Error::invalid(error.to_string()))?
        {
            Parsed::Named(reference) => reference,
            Parsed::Id(_) => {
                return Err(Error::invalid(
                    "invalid reference format: an image cannot be pulled by its ID",
                ));
            }
        };
        check_repository(&reference)?;
        let platform = match request.platform.as_deref() {
            None | Some("") => Platform::own()?,
            Some(platform) => Platform::parse(platform)?,
        };
        // What a pull left that was killed takes room that this one may need.
        self.collect_unfinished()?;
        let pin = self.pin()?;
        let (registry, (digest, document)) =
            self.find_registry(&reference, &request.credentials)?;
        let known = self.names.get(&with_digest(&reference, &digest)?)?;
        let known = match known {
            Some(id) => self.image(&id, &pin)?,
            None => None,
        };
        let source = match known {
            Some(image) if platform.rank(&image.config().platform()).is_some() => {
                Source::Here(image.id().clone())
            }
            _ => Source::Manifest(match document {
                Document::Image(manifest) => manifest,
                Document::Index(offers) => {
                    let offer = choose(&offers, &platform)?;
                    match registry.manifest(&offer.digest.to_string())?.1 {
                        Document::Image(manifest) => manifest,
                        Document::Index(_) => {
                            return Err(Error::invalid(
                                "invalid image manifest: an index has another index as an image",
                            ));
                        }
                    }
                }
            }),
        };
        Ok(Pull {
            store: self.clone(),
            registry: Arc::new(registry),
            reference,
            digest,
            source,
            pin,
        })
    }
}

impl Store {
    /// The first registry that has what is wanted, and what that is. A mirror that has it not, or does not answer, is passed
    /// over.
    fn find_registry(
        &self,
        reference: &Reference,
        credentials: &Credentials,
    ) -> Result<(Registry, (Digest, Document))> {
        let configuration = Configuration::of(self.layout())?;
        let mut failure = Error::system("there is no registry to ask");
        for site in Site::all(reference, &configuration) {
            let registry = Registry::new(&site, reference.clone(), credentials);
            match registry.manifest(reference.version()) {
                Ok(found) => return Ok((registry, found)),
                Err(error) => {
                    if site.is_mirror {
                        log::warn!("mirror: {error}");
                    }
                    failure = error;
                }
            }
        }
        Err(failure)
    }
}

impl Pull {
    /// A handle that ends the pull from another thread.
    pub fn canceller(&self) -> Canceller {
        Canceller::new(&self.registry)
    }

    /// Gets what is missing, tells about it, and gives the image its names.
    ///
    /// # Errors
    ///
    /// Those of the registry and of the system. What is complete by then stays; the name means what it meant before.
    pub fn run(self, tell: &mut dyn FnMut(Message)) -> Result<()> {
        let done = self.get(tell);
        let store = self.store.clone();
        // Nothing is collected as long as somebody pulls.
        drop(self);
        let collected = store.collect_if_marked();
        done.and(collected)
    }

    fn get(&self, tell: &mut dyn FnMut(Message)) -> Result<()> {
        let reference = &self.reference;
        let what = match (reference.digest(), reference.tag()) {
            (None, Some(tag)) => tag.to_owned(),
            (digest, _) => format!("{}@{}", reference.repository(), digest.unwrap_or_default()),
        };
        tell(Message::of(
            &what,
            format!("Pulling from {}", reference.path()),
        ));
        let before = self.store.names.get(reference)?;
        let id = match &self.source {
            Source::Here(id) => id.clone(),
            Source::Manifest(manifest) => self.fetch(manifest, tell)?,
        };
        let names = &self.store.names;
        names.set_digest(reference, &self.digest, &id, Durability::Lazy)?;
        if reference.digest().is_none() {
            names.set_tag(reference, &id, Durability::Lazy)?;
        }
        tell(Message::status(format!("Digest: {}", self.digest)));
        let familiar = reference.familiar();
        tell(Message::status(match before {
            Some(before) if before == id => format!("Status: Image is up to date for {familiar}"),
            _ => format!("Status: Downloaded newer image for {familiar}"),
        }));
        sync::begin(&self.store.layers)
    }

    /// Makes the image of a manifest, as far as it is not here.
    fn fetch(&self, manifest: &Manifest, tell: &mut dyn FnMut(Message)) -> Result<Digest> {
        let id = &manifest.config.digest;
        let image = self.store.image(id, &self.pin)?;
        let (bytes, config) = match image {
            Some(image) => (None, image.config().clone()),
            None => {
                let bytes = self.registry.small_blob(&manifest.config, LONGEST_CONFIG)?;
                let config = Config::parse(&bytes)?;
                (Some(bytes), config)
            }
        };
        if config.os != "linux" && !config.os.is_empty() {
            return Err(Error::new(
                ErrorKind::InvalidParameter,
                format!(
                    "image operating system {:?} cannot be used on this platform",
                    config.os
                ),
            ));
        }
        let diff_ids = &config.rootfs.diff_ids;
        if diff_ids.len() != manifest.layers.len() {
            return Err(Error::invalid(
                "layers from manifest don't match image configuration",
            ));
        }
        let chain = chain(diff_ids);
        let mut wanted = Vec::new();
        for (number, (name, blob)) in chain.iter().zip(&manifest.layers).enumerate() {
            let is_here = self.store.layers.get(name)?.is_some();
            tell(Message::line(
                blob.digest.short(),
                match is_here {
                    true => "Already exists",
                    false => "Pulling fs layer",
                },
            ));
            if !is_here {
                wanted.push(number);
            }
        }
        let layers = Layers {
            pull: self,
            blobs: &manifest.layers,
            diff_ids,
            chain: &chain,
            wanted,
            next: AtomicUsize::new(0),
        };
        layers.fetch(tell)?;
        if let Some(bytes) = bytes {
            self.store.add(&bytes, Durability::Lazy)?;
        }
        Ok(id.clone())
    }
}

impl Layers<'_> {
    fn fetch(&self, tell: &mut dyn FnMut(Message)) -> Result<()> {
        for number in self.wanted.iter().skip(AT_A_TIME) {
            tell(Message::line(self.id(*number), "Waiting"));
        }
        thread::scope(|scope| {
            let (sender, events) = channel();
            for _ in 0..AT_A_TIME.min(self.wanted.len()) {
                let sender = sender.clone();
                thread::Builder::new()
                    .name("layer".to_owned())
                    .spawn_scoped(scope, move || self.work(&sender))
                    .map_err(|error| Error::io("start a thread", error))?;
            }
            drop(sender);
            let mut arrived = BTreeMap::new();
            let mut due = self.wanted.iter().copied().peekable();
            let mut foreign = false;
            let mut failure = None;
            // It ends when all workers have, whether they are done or were stopped.
            for event in events {
                let outcome = match event {
                    Event::Told(number, told) => {
                        if failure.is_none() {
                            tell(self.message(number, &told));
                        }
                        Ok(())
                    }
                    Event::Failed(error) => Err(error),
                    Event::Arrived(number, arrival) => {
                        if let Arrival::New(_, received) = &*arrival {
                            foreign |= received.unpacked.is_foreign;
                        }
                        arrived.insert(number, *arrival);
                        let mut finished = Ok(());
                        // A layer may look at those below it, so it has to wait for them.
                        while let Some(number) = due.peek().copied()
                            && let Some(arrival) = arrived.remove(&number)
                            && failure.is_none()
                        {
                            due.next();
                            finished = self.finish(number, arrival);
                            if finished.is_err() {
                                break;
                            }
                            tell(Message::line(self.id(number), "Pull complete"));
                        }
                        finished
                    }
                };
                if let Err(error) = outcome
                    && failure.is_none()
                {
                    failure = Some(error);
                    self.pull.registry.cancel();
                }
            }
            if foreign && failure.is_none() {
                tell(Message::status(
                    "Files of other users in this image are yours here: only root can give files away",
                ));
            }
            failure.map_or(Ok(()), Err)
        })
    }

    /// Fetches layers until none is left or something fails.
    fn work(&self, events: &Sender<Event>) {
        loop {
            let next = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(number) = self.wanted.get(next).copied() else {
                return;
            };
            let event = match self.fetch_one(number, events) {
                Ok(arrival) => Event::Arrived(number, Box::new(arrival)),
                Err(error) => Event::Failed(error),
            };
            let failed = matches!(event, Event::Failed(_));
            // The receiver waits for all workers, so it is there.
            let _ = events.send(event);
            if failed {
                return;
            }
        }
    }

    fn fetch_one(&self, number: usize, events: &Sender<Event>) -> Result<Arrival> {
        let told = |told| {
            let _ = events.send(Event::Told(number, told));
        };
        let registry = &*self.pull.registry;
        let mut waits = false;
        let layer = loop {
            registry.check_cancelled()?;
            match self.pull.store.layers.make(&self.chain[number])? {
                Making::Done => return Ok(Arrival::Here),
                Making::Ours(layer) => break layer,
                Making::Elsewhere => {
                    if !waits {
                        told(Told::Waits);
                    }
                    waits = true;
                    thread::sleep(GLANCE);
                }
            }
        };
        let blob = &self.blobs[number];
        let pausing = |pause| told(Told::Retries(pause));
        let last = std::cell::Cell::new(Instant::now());
        let progress = |count| {
            registry.check_cancelled()?;
            if last.get().elapsed() >= BETWEEN {
                last.set(Instant::now());
                told(Told::Comes(count));
            }
            Ok(())
        };
        let expected = Expected {
            blob: Some((&blob.digest, blob.size)),
            diff_id: Some(&self.diff_ids[number]),
        };
        let received = receive(
            BlobReader::new(registry, blob, &pausing),
            layer.files()?.as_fd(),
            expected,
            unpack::Options::default(),
            &progress,
        )?;
        told(Told::IsThere);
        Ok(Arrival::New(layer, received))
    }

    fn finish(&self, number: usize, arrival: Arrival) -> Result<()> {
        if let Arrival::New(layer, received) = arrival {
            layer.finish(&received.diff_id, &received.unpacked, &self.chain[..number])?;
        }
        Ok(())
    }

    fn message(&self, number: usize, told: &Told) -> Message {
        let (id, total) = (self.id(number), self.blobs[number].size);
        match told {
            Told::Waits => Message::line(id, "Waiting"),
            Told::Comes(count) => Message::progress(id, "Downloading", *count, total),
            Told::IsThere => Message::line(id, "Download complete"),
            Told::Retries(pause) => {
                let seconds = pause.as_secs();
                let plural = if seconds == 1 { "" } else { "s" };
                Message::line(id, format!("Retrying in {seconds} second{plural}"))
            }
        }
    }

    fn id(&self, number: usize) -> &str {
        self.blobs[number].digest.short()
    }
}
