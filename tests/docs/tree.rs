//! Checks what the book and README say about the tree: paths, functions and types, lines of code, crates.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The directories whose paths and definitions the book may speak of.
const PLACES: [&str; 6] = [".cargo", ".ci", "crates", "docs", "plugins", "tests"];

/// The pages on which a single name in code style, such as `Context` or `check_attaching`, is one of ours.
const CODE_PAGES: [&str; 1] = ["walk-through.md"];

/// Names on those pages that are others'.
const FOREIGN: [&str; 5] = ["CmdRun", "ExitCode", "anyhow", "clap", "std"];

/// The repository, by its files.
struct Tree {
    root: PathBuf,
    /// Each source file, by its path in the repository, and its text.
    sources: BTreeMap<String, String>,
    /// Each other file and directory.
    paths: Vec<String>,
}

impl Tree {
    fn read() -> Tree {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut tree = Tree {
            root,
            sources: BTreeMap::new(),
            paths: Vec::new(),
        };
        for place in PLACES {
            tree.add(place);
        }
        tree
    }

    fn add(&mut self, path: &str) {
        let full = self.root.join(path);
        self.paths.push(path.to_owned());
        if full.is_dir() {
            for entry in std::fs::read_dir(&full).expect("a directory is read") {
                let name = entry.expect("an entry is read").file_name();
                let name = name.to_str().expect("a name is text");
                if name != "target" {
                    self.add(&format!("{path}/{name}"));
                }
            }
        } else if path.ends_with(".rs") {
            let text = std::fs::read_to_string(&full).expect("a source file is read");
            self.sources.insert(path.to_owned(), text);
        }
    }

    /// Whether there is a file or directory of this name; a `*` is any one component.
    fn has_path(&self, path: &str) -> bool {
        let wanted: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        let is_from_the_root = PLACES.contains(&wanted[0]);
        self.paths.iter().any(|found| {
            let found: Vec<&str> = found.split('/').collect();
            let Some(first) = found.len().checked_sub(wanted.len()) else {
                return false;
            };
            (!is_from_the_root || first == 0)
                && std::iter::zip(&wanted, &found[first..]).all(|(a, b)| *a == "*" || a == b)
        })
    }

    /// Whether something of this name is defined in a source file that `is_candidate` accepts.
    fn defines(&self, name: &str, is_candidate: impl Fn(&str, &str) -> bool) -> bool {
        self.sources
            .iter()
            .filter(|(path, text)| is_candidate(path, text))
            .any(|(_, text)| definitions(text).any(|found| found == name))
    }

    /// Whether `path` (`name`, `module::name`, `Type::name`) names something that is defined here.
    fn has_item(&self, path: &str) -> bool {
        match path.rsplit_once("::") {
            None => self.defines(path, |_, _| true) || self.is_module(path),
            Some((owner, name)) => {
                let owner = owner.rsplit("::").next().expect("an owner");
                self.defines(name, |path, text| {
                    in_module(path, owner)
                        || definitions(text).any(|found| found == owner)
                        || implements(text, owner)
                })
            }
        }
    }

    fn is_module(&self, name: &str) -> bool {
        self.sources.keys().any(|path| in_module(path, name))
    }
}

/// Whether a source file is the module of that name, or the crate.
fn in_module(path: &str, name: &str) -> bool {
    let directory = name.replace('_', "-");
    path.ends_with(&format!("/{name}.rs"))
        || path.contains(&format!("/{name}/"))
        || path.contains(&format!("/{directory}/src/"))
}

/// Whether a source file has an `impl` of that type.
fn implements(text: &str, name: &str) -> bool {
    text.lines()
        .filter(|line| line.starts_with("impl"))
        .any(|line| words(line).any(|word| word == name))
}

/// The names that a source file defines: functions, types, constants, macros and enum variants.
fn definitions(text: &str) -> impl Iterator<Item = &str> {
    const KEYWORDS: [&str; 9] = [
        "fn",
        "struct",
        "enum",
        "trait",
        "type",
        "const",
        "static",
        "mod",
        "macro_rules",
    ];
    text.lines().flat_map(|line| {
        let mut previous = "";
        words(line).filter(move |word| {
            let defines = KEYWORDS.contains(&previous);
            previous = word;
            defines
        })
    })
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
}

/// A page of the book, or README.
struct Page {
    name: String,
    text: String,
}

fn pages(tree: &Tree) -> Vec<Page> {
    let book = std::fs::read_dir(tree.root.join("docs/src")).expect("the book is read");
    let mut files: Vec<PathBuf> = book
        .map(|entry| entry.expect("an entry is read").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    files.push(tree.root.join("README.md"));
    files.sort();
    files
        .into_iter()
        .map(|path| Page {
            name: path
                .file_name()
                .expect("a name")
                .to_str()
                .expect("text")
                .to_owned(),
            text: std::fs::read_to_string(&path).expect("a page is read"),
        })
        .collect()
}

impl Page {
    /// What stands in code style in the prose, fenced blocks left out.
    fn spans(&self) -> Vec<&str> {
        let mut is_fenced = false;
        let mut spans = Vec::new();
        for line in self.text.lines() {
            if line.trim_start().starts_with("```") {
                is_fenced = !is_fenced;
            } else if !is_fenced {
                spans.extend(line.split('`').skip(1).step_by(2));
            }
        }
        spans
    }
}

/// What a span in code style claims to be in the tree.
enum Claim<'a> {
    Path(&'a str),
    Item(&'a str),
}

impl<'a> Claim<'a> {
    fn of(span: &'a str, is_code_page: bool) -> Option<Claim<'a>> {
        let is_path_text = |c: char| c.is_ascii_alphanumeric() || "/._-*".contains(c);
        if span.chars().all(is_path_text) {
            let first = span.split('/').next().unwrap_or_default();
            let is_rooted = span.contains('/') && PLACES.contains(&first);
            let is_source = [".rs", ".c", ".sh", ".py"]
                .iter()
                .any(|end| span.ends_with(end));
            let is_directory = is_code_page && span.ends_with('/');
            if is_rooted || is_source || is_directory {
                return Some(Claim::Path(span));
            }
        }
        // `client.create_container`, `.main()`, `Dispatcher::builder("tool")`, `cx.state::<Client>()`
        let name = span.split(['(', '<']).next().unwrap_or_default();
        let name = name.strip_suffix("::").unwrap_or(name);
        let is_call = name.len() < span.len();
        let name = name.rsplit('.').next().unwrap_or_default();
        let is_identifier = !name.is_empty()
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name
                .split("::")
                .all(|part| !part.is_empty() && words(part).eq([part]));
        if !is_identifier {
            return None;
        }
        let has_owner = name.contains("::");
        let is_method = is_call && span.contains('.');
        let is_type = name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.contains(|c: char| c.is_ascii_lowercase());
        let is_snake = name.contains('_') && !name.contains(|c: char| c.is_ascii_uppercase());
        let is_name_of_code = is_code_page && (is_type || is_snake || is_call);
        (has_owner || is_method || is_name_of_code).then_some(Claim::Item(name))
    }
}

#[test]
fn what_the_book_says_is_in_the_tree_is_there() {
    let tree = Tree::read();
    let mut missing = Vec::new();
    let mut checked = 0;
    for page in pages(&tree) {
        let is_code_page = CODE_PAGES.contains(&page.name.as_str());
        for span in page.spans() {
            let is_there = match Claim::of(span, is_code_page) {
                None => continue,
                Some(Claim::Path(path)) => tree.has_path(path),
                Some(Claim::Item(item)) => {
                    let first = item.split("::").next().expect("a first part");
                    FOREIGN.contains(&first) || tree.has_item(item)
                }
            };
            checked += 1;
            if !is_there {
                missing.push(format!("{}: `{span}`", page.name));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "not in the tree:\n{}",
        missing.join("\n")
    );
    assert!(checked > 50, "only {checked} claims were found");
}

/// A fenced block behind `<!-- from FILE -->` is a part of that file. The file is named as from the page.
#[test]
fn code_on_a_page_is_the_code_of_its_file() {
    let tree = Tree::read();
    let mut blocks = 0;
    for page in pages(&tree) {
        assert!(
            !page.text.contains("{{#include"),
            "{} shows a directive where it is read outside of the book",
            page.name
        );
        let directory = if page.name == "README.md" {
            "."
        } else {
            "docs/src"
        };
        for part in page.text.split("<!-- from ").skip(1) {
            let (file, rest) = part
                .split_once(" -->\n")
                .expect("a file and the end of the comment");
            let block = rest.split("```").nth(1).expect("a fenced block");
            let (_, block) = block.split_once('\n').expect("a block has lines");
            let source = std::fs::read_to_string(tree.root.join(directory).join(file))
                .unwrap_or_else(|error| panic!("{}: {file}: {error}", page.name));
            assert!(
                source.contains(block),
                "{}: {file} does not have these lines:\n{block}",
                page.name
            );
            blocks += 1;
        }
    }
    assert!(blocks > 1, "the pages show code of the examples");
}

#[test]
fn readme_lists_every_crate() {
    let tree = Tree::read();
    let readme = std::fs::read_to_string(tree.root.join("README.md")).expect("README is read");
    for place in ["crates", "plugins"] {
        for entry in std::fs::read_dir(tree.root.join(place)).expect("crates are listed") {
            let name = entry.expect("an entry is read").file_name();
            let name = format!("{place}/{}", name.to_str().expect("a name is text"));
            assert!(
                readme.contains(&format!("| `{name}`")) || readme.contains(&format!(", `{name}`")),
                "README's table lacks {name}"
            );
        }
    }
}
