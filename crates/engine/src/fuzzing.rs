//! The bodies of the fuzz targets in `fuzz/`, which a test runs over their corpora too. They panic on what is wrong.

/// The user and the lists of users and groups of an image, separated by the byte 255.
pub fn user(data: &[u8]) {
    crate::spec::fuzz::user(data);
}

/// A bind of a request.
pub fn bind(data: &[u8]) {
    crate::spec::fuzz::bind(data);
}

/// A seccomp profile.
pub fn seccomp(data: &[u8]) {
    crate::seccomp::fuzz(data);
}

/// The query of a request.
pub fn query(data: &[u8]) {
    crate::api::fuzz::query(data);
}

/// The parameter `filters` of a request.
pub fn filters(data: &[u8]) {
    crate::api::fuzz::filters(data);
}

/// The body of a request for a container.
pub fn new_container(data: &[u8]) {
    crate::containers::fuzz::new_container(data);
}

/// A part of the body of a request, whose keys are in any case.
pub fn json(data: &[u8]) {
    crate::json::fuzz(data);
}

/// The archive of a layer.
pub fn layer(data: &[u8]) {
    crate::image::fuzz::layer(data);
}

/// A compressed layer.
pub fn compressed(data: &[u8]) {
    crate::image::fuzz::compressed(data);
}

/// A manifest or an index of a registry.
pub fn manifest(data: &[u8]) {
    crate::image::fuzz::manifest(data);
}

/// The configuration of an image.
pub fn image_config(data: &[u8]) {
    crate::image::fuzz::config(data);
}

/// The header by which a registry says how it wants to be asked.
pub fn challenge(data: &[u8]) {
    crate::image::fuzz::challenge(data);
}

/// Everything that is decided about a container from its request.
pub fn request(data: &[u8]) {
    crate::containers::fuzz::request(data);
}

/// How many lines from its end, and the file of a log.
pub fn log(data: &[u8]) {
    crate::containers::fuzz::log(data);
}

/// A moment as clients name it.
pub fn moment(data: &[u8]) {
    crate::containers::fuzz::moment(data);
}

/// A line of `/proc/PID/stat`, or the table of `ps`.
pub fn process(data: &[u8]) {
    crate::containers::fuzz::process(data);
}

/// An archive of images.
pub fn archive(data: &[u8]) {
    crate::image::fuzz::archive(data);
}

/// Changes of an image's configuration, a line each.
pub fn changes(data: &[u8]) {
    crate::image::fuzz::changes(data);
}

/// A pattern of names and a text, a line each.
pub fn pattern(data: &[u8]) {
    crate::image::fuzz::pattern(data);
}

/// The machine's `/etc/resolv.conf`.
pub fn resolv_conf(data: &[u8]) {
    crate::network::fuzz(data);
}

/// `/etc/passwd`, `/etc/subuid` and `/proc/PID/uid_map`.
pub fn subordinate(data: &[u8]) {
    crate::user_namespace::fuzz(data);
}

/// The engine's configuration file.
pub fn configuration(data: &[u8]) {
    crate::configuration::fuzz(data);
}

/// Files of containers and networks, and what is said to monitors.
pub fn stored(data: &[u8]) {
    crate::state::fuzz(data);
}

#[cfg(test)]
mod tests {
    /// Runs one target over its corpus.
    fn corpus(name: &str, target: fn(&[u8])) {
        harness::corpus(env!("CARGO_MANIFEST_DIR"), name, target);
    }

    #[test]
    fn corpora_pass() {
        corpus("user", super::user);
        corpus("bind", super::bind);
        corpus("seccomp", super::seccomp);
        corpus("query", super::query);
        corpus("filters", super::filters);
        corpus("new_container", super::new_container);
        corpus("json", super::json);
        corpus("layer", super::layer);
        corpus("compressed", super::compressed);
        corpus("manifest", super::manifest);
        corpus("image_config", super::image_config);
        corpus("challenge", super::challenge);
        corpus("request", super::request);
        corpus("log", super::log);
        corpus("moment", super::moment);
        corpus("process", super::process);
        corpus("archive", super::archive);
        corpus("changes", super::changes);
        corpus("pattern", super::pattern);
        corpus("resolv_conf", super::resolv_conf);
        corpus("subordinate", super::subordinate);
        corpus("configuration", super::configuration);
        corpus("stored", super::stored);
    }
}
