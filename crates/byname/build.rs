//! Cargo wants a build script beside `links`, and this one has nothing to do.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
