//! `tool`: commands found by name, over any container engine.

fn main() {}
