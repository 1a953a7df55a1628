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
        corpus("layer", super::layer);
        corpus("compressed", super::compressed);
        corpus("manifest", super::manifest);
        corpus("image_config", super::image_config);
        corpus("challenge", super::challenge);
    }
}
