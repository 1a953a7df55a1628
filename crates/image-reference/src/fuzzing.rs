//! The bodies of the fuzz targets; a test also runs them over the corpus.

use crate::{Image, platform};

/// What is shown to people is read as the same image.
pub fn reference(data: &[u8]) {
    if let Ok(Image::Named(reference)) = Image::parse(text(data)) {
        assert_eq!(
            Image::parse(&reference.familiar()),
            Ok(Image::Named(reference))
        );
    }
}

/// A platform has two or three parts, in lower case.
pub fn platform(data: &[u8]) {
    if let Ok(platform) = platform::normalize(text(data)) {
        assert!((2..=3).contains(&platform.split('/').count()), "{platform}");
        assert_eq!(platform, platform.to_lowercase());
    }
}

fn text(data: &[u8]) -> &str {
    str::from_utf8(data).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_corpora_are_survived() {
        let directory = env!("CARGO_MANIFEST_DIR");
        harness::corpus(directory, "reference", super::reference);
        harness::corpus(directory, "platform", super::platform);
    }
}
