//! Where this engine's answers are of another shape than dockerd's on purpose, and why.

/// One deliberate difference.
pub(super) struct Exception {
    /// The label of the question.
    pub(super) answer: &'static str,
    /// The place in it; a `*` at its end stands for all that begins so.
    pub(super) place: &'static str,
    /// Why it is so.
    pub(super) why: &'static str,
    /// Whether it depends on the machine or on the moment.
    pub(super) varies: bool,
}

const fn always(answer: &'static str, place: &'static str, why: &'static str) -> Exception {
    Exception {
        answer,
        place,
        why,
        varies: false,
    }
}

const fn sometimes(answer: &'static str, place: &'static str, why: &'static str) -> Exception {
    Exception {
        varies: true,
        ..always(answer, place, why)
    }
}

#[rustfmt::skip] // A line an exception.
pub(super) const EXCEPTIONS: &[Exception] = &[
    sometimes("version", ".Platform.Name", "packagers of dockerd leave it empty"),
    always("version", ".Components[].Details.BuildTime", "builds can be repeated, so none knows when it was made"),
    always("version", ".BuildTime", "builds can be repeated, so none knows when it was made"),
    always("version", ".Components[].Details.GitCommit", "the version says it"),
    always("version", ".GitCommit", "the version says it"),
    always("version", ".Components[].Details.GoVersion", "there is no Go in it"),
    always("version", ".GoVersion", "there is no Go in it"),
    always("info", ".Runtimes.io.containerd.*", "there is no containerd that would bring runtimes"),
    always("info", ".ContainerdCommit.*", "there is no containerd"),
    always("info", ".RuncCommit.*", "there is no runc"),
    sometimes("info", ".InitCommit.*", "there is no docker-init"),
    sometimes("info", ".Warnings", "machines lack different things"),
    sometimes("info", ".OSVersion", "a distribution may have no number"),
    sometimes("containers", "[].Mounts[].Source", "dockerd 20.10 forgets in lists where some volumes lie"),
    sometimes("container", ".ExecIDs", "dockerd shows the health check that runs at this moment; nobody started it"),
    sometimes("container", ".State.Health.*", "the health check that runs at this moment has not ended"),
    always("container", ".HostConfig.RestartPolicy.Name", "Docker 29 says \"no\" where nothing was said"),
    always("container", ".HostConfig.Runtime", "dockerd 20.10 decides at the start; here there is one, as for Docker 29"),
    always("container", ".NetworkSettings.SandboxID", "the network of a container that ended is gone"),
    always("container", ".NetworkSettings.SandboxKey", "the network of a container that ended is gone"),
    always("stats", ".os_type", "Docker 29 tells it in every version"),
    always("stats of none", ".os_type", "Docker 29 tells it in every version"),
    sometimes("stats", ".memory_stats.stats.*", "the kernel's names are as the kernel has them; dockerd knows those of some year"),
    sometimes("stats", ".memory_stats.failcnt", "how often a limit was reached is left out where it never was"),
    sometimes("stats", ".blkio_stats.io_serv*", "a container may have used no disk"),
    always("image", ".DockerVersion", "deprecated since 1.51; Docker 29 sets it no more"),
    always("volume made", ".Labels", "Docker 29 labels a volume that nobody named"),
];
