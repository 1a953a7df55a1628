//! Engines, registries, images and pseudo-terminals for the tests.
