//! The programs under comparison, each with its own state, and the image that all of them have.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, anyhow, bail, ensure};
use harness::{Engine, Image};
use serde_json::Value;

use super::podman::Podman;
use super::{IMAGE, run};
use crate::memory;
use crate::stats::Series;
use crate::timing::{Subject, in_turn, in_turn_after};

/// A program under measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    Bare,
    Bubblewrap,
    Runc,
    Tool,
    Docker,
    Podman,
}

impl Program {
    /// Those that have images and containers, ours first.
    pub(super) const ENGINES: [Program; 3] = [Program::Tool, Program::Docker, Program::Podman];

    pub(super) fn name(self) -> &'static str {
        match self {
            Program::Bare => "bare program",
            Program::Bubblewrap => "bubblewrap",
            Program::Runc => "runc",
            Program::Tool => "tool",
            Program::Docker => "docker",
            Program::Podman => "podman",
        }
    }
}

/// What a container has for a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    None,
    Host,
    Bridge,
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Network::None => "none",
            Network::Host => "host",
            Network::Bridge => "bridge",
        })
    }
}

/// All programs, ready.
pub(super) struct World {
    tool: PathBuf,
    bare: PathBuf,
    dockerd: Engine,
    podman: Podman,
    directory: tempfile::TempDir,
}

impl World {
    /// Builds our programs, starts a private dockerd, and gives everybody the image.
    pub(super) fn set_up(root: &Path) -> anyhow::Result<World> {
        let tool = crate::tool::build(root, "tool", "tool")?;
        let bare = crate::tool::build(root, "xtask", "bare")?;
        let dockerd = Engine::dockerd().map_err(|error| anyhow!("this benchmark needs {error}"))?;
        let directory = tempfile::tempdir().context("no directory for the benchmark")?;
        let podman = Podman::set_up(&directory.path().join("podman"))?;
        let world = World {
            tool,
            bare,
            dockerd,
            podman,
            directory,
        };
        let archive = world.path("busybox.tar");
        fs::write(&archive, Image::busybox().archive(IMAGE))?;
        world.podman.load(&archive)?;
        run(&world
            .tool()
            .args(["load", "--quiet", "--input"])
            .args([&archive]))?;
        world.make_layer()?;
        world.make_bundle(Network::None)?;
        world.make_bundle(Network::Host)?;
        for program in ["docker", "podman", "runc", "bwrap"] {
            println!("{}", version(program)?);
        }
        println!();
        Ok(world)
    }

    /// The image's files as a directory, for programs that know no images.
    fn make_layer(&self) -> anyhow::Result<()> {
        let layer = self.path("layer");
        fs::create_dir(&layer)?;
        let volume = format!("{}:/to", layer.display());
        let copy = "cp -a /bin /etc /root /tmp /to && mkdir /to/proc /to/dev /to/sys";
        let words = [
            "run",
            "--rm",
            "--network",
            "none",
            "-v",
            &volume,
            IMAGE,
            "sh",
            "-c",
            copy,
        ];
        run(&self.tool().args(words))
    }

    /// What runc runs: its own default specification, with our program.
    fn make_bundle(&self, network: Network) -> anyhow::Result<()> {
        let bundle = self.path(&format!("bundle-{network}"));
        fs::create_dir(&bundle)?;
        let status = Command::new("runc")
            .arg("spec")
            .current_dir(&bundle)
            .status()
            .context("runc is not installed")?;
        ensure!(status.success(), "`runc spec` ended with {status}");
        let file = bundle.join("config.json");
        let mut spec: Value = serde_json::from_slice(&fs::read(&file)?)?;
        spec["process"]["terminal"] = false.into();
        spec["process"]["args"] = vec!["/bin/true"].into();
        // A machine may let nobody have more than it has.
        spec["process"]["rlimits"] = Value::Array(Vec::new());
        spec["root"]["path"] = self.path("layer").to_string_lossy().into();
        if network == Network::Host
            && let Some(namespaces) = spec["linux"]["namespaces"].as_array_mut()
        {
            namespaces.retain(|namespace| namespace["type"] != "network");
        }
        Ok(fs::write(file, spec.to_string())?)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn tool(&self) -> Subject {
        self.tool_at(&self.path("embedded"))
    }

    /// `tool` with an engine whose root is that directory.
    pub(super) fn tool_at(&self, root: &Path) -> Subject {
        let host = format!("embedded://{}", root.display());
        Subject::new(Program::Tool.name(), &self.tool).args(["-H", &host])
    }

    pub(super) fn docker(&self) -> Subject {
        Subject::new(Program::Docker.name(), "docker").env("DOCKER_HOST", self.dockerd.host())
    }

    pub(super) fn podman(&self) -> Subject {
        self.podman.subject()
    }

    fn engine(&self, program: Program) -> anyhow::Result<Subject> {
        Ok(match program {
            Program::Tool => self.tool(),
            Program::Docker => self.docker(),
            Program::Podman => self.podman(),
            _ => bail!("{} is no engine", program.name()),
        })
    }

    fn engines(&self) -> anyhow::Result<Vec<Subject>> {
        Program::ENGINES
            .into_iter()
            .map(|engine| self.engine(engine))
            .collect()
    }

    /// The programs that can run `true` with that network, each with the words for it.
    pub(super) fn runs(&self, network: Network) -> Vec<Subject> {
        let layer = self.path("layer");
        let mut all = Vec::new();
        if network != Network::Bridge {
            let bare = Subject::new(Program::Bare.name(), &self.bare)
                .args([network.to_string().as_str()])
                .args([&layer, &self.path("scratch")])
                .args(["/bin/true"]);
            let mut bubblewrap = Subject::new(Program::Bubblewrap.name(), "bwrap").args([
                "--unshare-pid",
                "--unshare-ipc",
                "--unshare-uts",
            ]);
            if network == Network::None {
                bubblewrap = bubblewrap.args(["--unshare-net"]);
            }
            let bubblewrap = bubblewrap
                .args([Path::new("--ro-bind"), layer.as_path(), Path::new("/")])
                .args(["--proc", "/proc", "--dev", "/dev", "/bin/true"]);
            let runc = Subject::new(Program::Runc.name(), "runc")
                .args([Path::new("--root"), self.path("runc").as_path()])
                .args(["run", "--bundle"])
                .args([self.path(&format!("bundle-{network}"))])
                .args([format!("xtask-{network}")]);
            all.extend([bare, bubblewrap, runc]);
        }
        let network = network.to_string();
        let words = ["run", "--rm", "--network", &network, IMAGE, "true"];
        all.extend([self.tool(), self.docker(), self.podman()].map(|engine| engine.args(words)));
        all
    }

    /// Containers that stay: their start, and processes that join them.
    pub(super) fn detached(
        &self,
        rounds: usize,
        mut report: impl FnMut(&str, &[Subject], &[Series]),
    ) -> anyhow::Result<()> {
        let words = sleeper(NAME);
        let subjects: Vec<Subject> = self
            .engines()?
            .into_iter()
            .map(|engine| engine.args(words))
            .collect();
        let times = in_turn_after(&subjects, rounds.max(3), || self.remove_all())?;
        report("run -d --network none sleep", &subjects, &times);
        let subjects: Vec<Subject> = self
            .engines()?
            .into_iter()
            .map(|engine| engine.args(["exec", NAME, "true"]))
            .collect();
        self.remove_all()?;
        for engine in self.engines()? {
            run(&engine.args(words))?;
        }
        let times = in_turn(&subjects, rounds.max(3))?;
        report("exec true", &subjects, &times);
        self.remove_all()
    }

    /// Removes the container that stays, where there is one.
    fn remove_all(&self) -> anyhow::Result<()> {
        for engine in self.engines()? {
            // It need not be there.
            engine.args(["rm", "--force", NAME]).command()?.status()?;
        }
        Ok(())
    }

    /// What a container that runs takes beside its own processes, once alone and once in company.
    pub(super) fn memory(&self) -> anyhow::Result<()> {
        println!(
            "| memory of a container beside its own processes | one, KiB | one of ten, KiB | after exec and logs, KiB |"
        );
        println!("| --- | ---: | ---: | ---: |");
        for program in Program::ENGINES {
            let start = |number: usize| -> anyhow::Result<()> {
                let name = format!("{NAME}-{number}");
                run(&self.engine(program)?.args(sleeper(&name)))
            };
            start(0)?;
            let alone = self.attendants(program, 1)?;
            for number in 1..10 {
                start(number)?;
            }
            let in_company = self.attendants(program, 10)?;
            for number in 0..10 {
                let name = format!("{NAME}-{number}");
                run(&self.engine(program)?.args(["exec", &name, "true"]))?;
                run(&self.engine(program)?.args(["logs", &name]))?;
            }
            let used = self.attendants(program, 10)?;
            println!("| {} | {alone} | {in_company} | {used} |", program.name());
            for number in 0..10 {
                let name = format!("{NAME}-{number}");
                run(&self.engine(program)?.args(["rm", "--force", &name]))?;
            }
        }
        Ok(())
    }

    /// The proportional set size, on average, of the processes that each of so many containers has beside its own.
    fn attendants(&self, program: Program, count: u64) -> anyhow::Result<u64> {
        // What has just been done is to be over.
        std::thread::sleep(std::time::Duration::from_secs(2));
        let name = match program {
            Program::Tool => "tool-monitor",
            Program::Docker => "containerd-shim",
            _ => "conmon",
        };
        // Those of others on this machine name other directories.
        let place = match program {
            Program::Docker => self.dockerd.socket().with_file_name(""),
            _ => self.path(""),
        };
        let mut total = 0;
        for process in memory::processes(name, &place)? {
            total += memory::proportional(process)?;
        }
        Ok(total / count / 1024)
    }

    /// Has the kernel forget the most that dockerd ever took.
    pub(super) fn forget_peak(&self) -> anyhow::Result<()> {
        let file = format!("/proc/{}/clear_refs", self.dockerd_process()?);
        fs::write(&file, "5").with_context(|| format!("write {file}"))
    }

    /// The most that dockerd took since, in bytes.
    pub(super) fn peak_of_dockerd(&self) -> anyhow::Result<u64> {
        memory::high_water_mark_of(self.dockerd_process()?)
    }

    fn dockerd_process(&self) -> anyhow::Result<u32> {
        let place = self.dockerd.socket().with_file_name("");
        let found = memory::processes("dockerd", &place)?;
        found.first().copied().context("dockerd is gone")
    }
}

/// The container that stays.
const NAME: &str = "xtask-stays";

fn version(program: &str) -> anyhow::Result<String> {
    let output = Command::new(program)
        .arg("--version")
        .output()
        .with_context(|| format!("{program} is not installed"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// The words that start a container of that name, which stays.
fn sleeper(name: &str) -> [&str; 9] {
    [
        "run",
        "-d",
        "--network",
        "none",
        "--name",
        name,
        IMAGE,
        "sleep",
        "600",
    ]
}
