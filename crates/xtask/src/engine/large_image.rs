//! The image that is pulled: as large as those of language run-times, made of words so that it compresses as programs do.

use std::path::PathBuf;

use anyhow::{anyhow, bail};
use harness::{Image, Registry};

use super::world::{Program, World};
use crate::timing::Subject;

/// Layers of the image.
pub(super) const LAYERS: usize = 4;
/// Files in all of them.
pub(super) const FILES: usize = 11_500;
/// The files have 38 KiB on average: 436 MB in all.
const KIBIBYTE: usize = 1024;
/// Different words in the files.
const WORDS: usize = 1320;

/// The image in a registry.
pub(super) struct LargeImage {
    reference: String,
    length: usize,
    compressed: usize,
    _registry: Registry,
}

impl LargeImage {
    /// Makes the image and puts it into a registry of its own.
    pub(super) fn put() -> anyhow::Result<LargeImage> {
        let registry =
            Registry::start().map_err(|missing| anyhow!("this benchmark needs {missing}"))?;
        let mut words = Words::new();
        let mut length = 0;
        let layers: Vec<Image> = (0..LAYERS)
            .map(|layer| {
                let numbers = (0..FILES).filter(|number| number % LAYERS == layer);
                numbers.fold(Image::bare(), |image, number| {
                    let content = words.text((1 + number * 7919 % 75) * KIBIBYTE);
                    length += content.len();
                    let path = format!("opt/{layer}/{}/{number}", number / 200);
                    image.with_file(&path, 0o644, content)
                })
            })
            .collect();
        let (reference, compressed) = registry.push_layers(&layers, "large:1");
        Ok(LargeImage {
            reference,
            length,
            compressed,
            _registry: registry,
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "no decimal is shown")]
    pub(super) fn megabytes(&self) -> f64 {
        self.length as f64 / 1e6
    }

    #[expect(clippy::cast_precision_loss, reason = "no decimal is shown")]
    pub(super) fn compressed_megabytes(&self) -> f64 {
        self.compressed as f64 / 1e6
    }

    /// The command that pulls it.
    pub(super) fn pull(
        &self,
        world: &World,
        engine: Program,
        round: usize,
    ) -> anyhow::Result<Subject> {
        Ok(match engine {
            // File systems skip what was deleted a moment ago, so each pull has a root of its own.
            Program::Tool => {
                world
                    .tool_at(&self.root(world, round))
                    .args(["pull", "--quiet", &self.reference])
            }
            Program::Docker => {
                world.forget_peak()?;
                world.docker().args(["pull", "--quiet", &self.reference])
            }
            Program::Podman => world.podman().args(["pull", "--quiet", &self.reference]),
            _ => bail!("{} pulls nothing", engine.name()),
        })
    }

    /// What took the memory: the daemon, if there is one.
    pub(super) fn peak_of(&self, world: &World, engine: Program, own: u64) -> anyhow::Result<u64> {
        match engine {
            Program::Docker => world.peak_of_dockerd(),
            _ => Ok(own),
        }
    }

    /// Removes it again.
    pub(super) fn forget(
        &self,
        world: &World,
        engine: Program,
        round: usize,
    ) -> anyhow::Result<()> {
        let remove = match engine {
            // Its files are being written to the disk still, so the engine is asked, too.
            Program::Tool => world.tool_at(&self.root(world, round)),
            Program::Docker => world.docker(),
            _ => world.podman(),
        };
        super::run(&remove.args(["rmi", "--force", &self.reference]))
    }

    fn root(&self, world: &World, round: usize) -> PathBuf {
        world.directory().join(format!("pull-{round}"))
    }
}

/// Text of words in no order, the same in every run.
struct Words {
    state: u64,
    words: Vec<Vec<u8>>,
}

impl Words {
    fn new() -> Words {
        let mut made = Words {
            state: 0x9e37_79b9_7f4a_7c15,
            words: Vec::new(),
        };
        for _ in 0..WORDS {
            let length = 4 + made.below(12);
            let word = (0..length).map(|_| made.next().to_le_bytes()[0]).collect();
            made.words.push(word);
        }
        made
    }

    /// Xorshift, after Marsaglia.
    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or(0) % limit
    }

    fn text(&mut self, length: usize) -> Vec<u8> {
        let mut text = Vec::with_capacity(length + 16);
        while text.len() < length {
            let word = self.below(WORDS);
            text.extend_from_slice(&self.words[word]);
        }
        text.truncate(length);
        text
    }
}
