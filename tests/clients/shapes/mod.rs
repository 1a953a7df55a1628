//! The shape of every JSON answer of the engine inside of `tool` against that of dockerd's to the same question about the
//! same objects: keys, types, and what is null or empty.
//!
//! Values are the engines' own. A key that dockerd has and this engine lacks breaks clients, as does null where they expect
//! a list; a key that only this engine has is named, too, for it is one that the version of the API does not know.

mod difference;
mod exceptions;
mod world;

use harness::{Engine, Kind};
use serde_json::Value;

use difference::{Difference, differences};
use exceptions::EXCEPTIONS;
use world::World;

/// The versions that the oldest measure speaks; what changed later is in the engine's own tests.
const VERSIONS: [&str; 2] = ["1.40", "1.41"];

#[test]
fn every_answer_has_the_shape_of_dockerds() {
    let mut told = Vec::new();
    let mut used = vec![false; EXCEPTIONS.len()];
    for version in VERSIONS {
        let (Some(measure), Some(ours)) = (world(Kind::Dockerd), world(Kind::Embedded)) else {
            return;
        };
        let questions = measure.questions().into_iter().zip(ours.questions());
        for (question, own) in questions {
            let expected = measure.ask(version, &question);
            let answer = ours.ask(version, &own);
            let mut found = Vec::new();
            if expected.status != answer.status {
                found.push(format!(
                    "is {} and dockerd's {}: {} {}",
                    answer.status,
                    expected.status,
                    answer.text(),
                    expected.text()
                ));
            }
            let types = [&expected, &answer].map(|answer| answer.header("Content-Type"));
            if types[0] != types[1] {
                found.push(format!(
                    "is of the type {:?}, and dockerd's {:?}",
                    types[1], types[0]
                ));
            }
            let bodies = [&expected, &answer].map(|answer| match answer.body.is_empty() {
                true => Value::Null,
                false => answer.json(),
            });
            for difference in differences(&bodies[0], &bodies[1]) {
                match exception(question.label, &difference) {
                    Some(index) => used[index] = true,
                    None => found.push(difference.to_string()),
                }
            }
            let request = format!("{version} {}: {} {}", question.label, own.method, own.path);
            told.extend(found.into_iter().map(|found| format!("{request}: {found}")));
        }
    }
    for (exception, used) in EXCEPTIONS.iter().zip(used) {
        if !used && !exception.varies {
            told.push(format!(
                "the exception {} {} ({}) is none any more",
                exception.answer, exception.place, exception.why
            ));
        }
    }
    assert!(
        told.is_empty(),
        "{} differences:\n{}",
        told.len(),
        told.join("\n")
    );
}

/// An engine of that kind with the objects; `None` where there cannot be one.
fn world(kind: Kind) -> Option<World> {
    let test = "shapes::every_answer_has_the_shape_of_dockerds";
    if matches!(Kind::under_test(), Kind::Rootless | Kind::Podman) {
        eprintln!(
            "left out with {}: {test}: the measure is root's",
            Kind::under_test().name()
        );
        return None;
    }
    match Engine::start(kind) {
        Ok(engine) if engine.has_bridge() => Some(World::new(engine)),
        Ok(_) => harness::left_out(test, "the rights to make a bridge"),
        Err(error) => harness::left_out(test, &error.to_string()),
    }
}

/// The exception that a difference is.
fn exception(label: &str, difference: &Difference) -> Option<usize> {
    EXCEPTIONS.iter().position(|exception| {
        let is_place = match exception.place.strip_suffix('*') {
            Some(begin) => difference.place.starts_with(begin),
            None => difference.place == exception.place,
        };
        exception.answer == label && is_place
    })
}
