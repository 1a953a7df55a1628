//! The arrows between the crates, and between the modules of a crate; most say which must not exist.
//!
//! What a crate depends on says what it can know. Only normal and build dependencies count: a crate's tests may use
//! whatever they need.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// The crates that know nothing of containers, nor of each other beyond what stands here.
const BASES: [(&str, &[&str]); 8] = [
    ("byname", &["byname-macros", "printable"]),
    ("byname-macros", &[]),
    ("docker-types", &["listing", "printable", "terminal"]),
    ("image-reference", &[]),
    ("listing", &["printable", "terminal"]),
    ("printable", &[]),
    ("reexec", &[]),
    ("terminal", &["printable"]),
];

/// All crates of the workspace, with every other one that they reach.
struct Crates {
    plugins: BTreeSet<String>,
    reached: BTreeMap<String, BTreeSet<String>>,
}

impl Crates {
    fn read() -> Crates {
        let metadata = MetadataCommand::new()
            .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
            .other_options(["--locked".to_owned(), "--offline".to_owned()])
            .no_deps()
            .exec()
            .expect("cargo metadata");
        let packages = metadata.workspace_packages();
        let names: BTreeSet<&str> = packages
            .iter()
            .map(|package| package.name.as_str())
            .collect();
        let direct: BTreeMap<&str, BTreeSet<&str>> = packages
            .iter()
            .map(|package| (package.name.as_str(), depends_on(package, &names)))
            .collect();
        let plugins = packages
            .iter()
            .filter(|package| {
                package
                    .manifest_path
                    .components()
                    .any(|part| part.as_str() == "plugins")
            })
            .map(|package| package.name.to_string())
            .collect();
        let reached = names
            .iter()
            .map(|name| ((*name).to_owned(), closure(name, &direct)))
            .collect();
        Crates { plugins, reached }
    }

    /// Every crate of the workspace that `name` depends on, directly or not.
    fn of(&self, name: &str) -> &BTreeSet<String> {
        self.reached
            .get(name)
            .unwrap_or_else(|| panic!("there is a crate {name}"))
    }

    fn exists(&self, name: &str) -> bool {
        self.reached.contains_key(name)
    }
}

fn depends_on<'a>(package: &Package, names: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Development)
        .filter_map(|dependency| names.get(dependency.name.as_str()).copied())
        .collect()
}

fn closure(name: &str, direct: &BTreeMap<&str, BTreeSet<&str>>) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![name];
    while let Some(next) = open.pop() {
        for dependency in &direct[next] {
            if reached.insert((*dependency).to_owned()) {
                open.push(dependency);
            }
        }
    }
    reached
}

#[test]
fn the_bases_stand_on_nothing_of_ours() {
    let crates = Crates::read();
    for (base, allowed) in BASES {
        let allowed: BTreeSet<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(crates.of(base), &allowed, "{base}");
    }
}

#[test]
fn a_plugin_depends_on_no_plugin_and_on_no_engine() {
    let crates = Crates::read();
    assert!(
        crates.plugins.contains("tool-run"),
        "the plugins are found: {:?}",
        crates.plugins
    );
    for plugin in &crates.plugins {
        let reached = crates.of(plugin);
        let others: Vec<&String> = reached.intersection(&crates.plugins).collect();
        assert!(others.is_empty(), "{plugin} depends on {others:?}");
        assert!(
            !reached.contains("engine"),
            "{plugin} depends on the engine, and not only on its API"
        );
    }
}

#[test]
fn the_client_and_the_engine_know_the_api_and_not_each_other() {
    let crates = Crates::read();
    assert!(!crates.of("engine-client").contains("engine"));
    if crates.exists("engine") {
        assert!(!crates.of("engine").contains("engine-client"));
    }
    assert!(
        crates.of("engine-client").is_empty(),
        "{:?}",
        crates.of("engine-client")
    );
}

#[test]
fn only_the_tool_gathers_plugins_and_nothing_depends_on_it() {
    let crates = Crates::read();
    for (name, reached) in &crates.reached {
        assert!(!reached.contains("tool"), "{name} depends on tool");
        // The project's own errands, which are shipped to nobody, start engines too.
        let outside_of_tests = reached.contains("harness") && name != "xtask";
        assert!(
            !outside_of_tests,
            "{name} depends on harness outside of its tests"
        );
        if name != "tool" {
            let plugins: Vec<&String> = reached.intersection(&crates.plugins).collect();
            assert!(plugins.is_empty(), "{name} depends on {plugins:?}");
        }
    }
    assert!(
        crates.plugins.is_subset(crates.of("tool")),
        "every plugin is linked"
    );
}

/// The crates with more than ten modules, and in each the modules that may import one another. In byname each of three is
/// defined by the others: a command has a handler, a handler gets a context, and a context builds state whose builders get a
/// context.
const CIRCLES: [(&str, &[&str]); 4] = [
    ("byname", &["command", "context", "state"]),
    ("docker-cli", &[]),
    ("engine-client", &[]),
    ("tool", &[]),
];

#[test]
fn inside_a_crate_modules_import_only_what_stands_below_them() {
    for (name, allowed) in CIRCLES {
        let allowed: BTreeSet<String> = allowed.iter().map(|module| (*module).to_owned()).collect();
        let expected: Vec<_> = (!allowed.is_empty())
            .then_some(allowed)
            .into_iter()
            .collect();
        let found = circles(&modules(name));
        assert_eq!(found, expected, "the circles of modules in {name}");
    }
}

/// Every top-level module of a crate, with those that its files name behind `crate::`.
fn modules(package: &str) -> BTreeMap<String, BTreeSet<String>> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../{package}/src"));
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut directories = vec![src.clone()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).expect("a directory of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let below = path.strip_prefix(&src).expect("a path below src");
            let module = below.components().next().expect("a component").as_os_str();
            let module = Path::new(module).with_extension("").display().to_string();
            let text = fs::read_to_string(&path).expect("a source file");
            // Tests may use what they need, as those of a crate may.
            let (code, _) = text
                .split_once("#[cfg(test)]\nmod tests")
                .unwrap_or((&text, ""));
            files.entry(module).or_default().push_str(code);
        }
    }
    files.remove("lib");
    let names: BTreeSet<String> = files.keys().cloned().collect();
    let imported = |text: &str| -> BTreeSet<String> {
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let code = lines.collect::<Vec<_>>().join("\n");
        let paths = code.split("crate::").skip(1);
        let firsts = paths.flat_map(|rest| {
            // `use crate::{a, b};` names several.
            let list = match rest.strip_prefix('{') {
                Some(list) => list.split_once("};").map_or(list, |(list, _)| list),
                None => rest
                    .split(|c: char| !is_of_a_name(c))
                    .next()
                    .unwrap_or(rest),
            };
            list.split(|c: char| !is_of_a_name(c)).map(str::to_owned)
        });
        firsts.filter(|first| names.contains(first)).collect()
    };
    files
        .iter()
        .map(|(module, text)| (module.clone(), imported(text)))
        .collect()
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The sets of two or more modules that each reach one another.
fn circles(modules: &BTreeMap<String, BTreeSet<String>>) -> Vec<BTreeSet<String>> {
    let direct: BTreeMap<&str, BTreeSet<&str>> = modules
        .iter()
        .map(|(module, named)| (module.as_str(), named.iter().map(String::as_str).collect()))
        .collect();
    let reached: BTreeMap<&str, BTreeSet<String>> = direct
        .keys()
        .map(|module| (*module, closure(module, &direct)))
        .collect();
    let found: BTreeSet<BTreeSet<String>> = reached
        .iter()
        .filter(|(module, names)| names.contains(**module))
        .map(|(module, names)| {
            let back = |name: &&String| reached[name.as_str()].contains(*module);
            names.iter().filter(back).cloned().collect()
        })
        .filter(|circle: &BTreeSet<String>| circle.len() > 1)
        .collect();
    found.into_iter().collect()
}
