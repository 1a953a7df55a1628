//! Docker's client beside ours, on the same engine: the same line has the same status, the same output, and the same said
//! about it.

use harness::{Engine, Outcome, Program};

use crate::{Container, engine, first_line, tool};

/// Docker's client and ours.
pub(crate) struct Clients {
    docker: Program,
    tool: Program,
}

/// Both clients on that engine. Nothing, after a line that names the test, on a machine without Docker's.
pub(crate) fn client(engine: &Engine, test: &str) -> Option<Clients> {
    if harness::find_program("docker").is_none() {
        return harness::left_out(test, "a Docker client (Debian: docker.io)");
    }
    Some(Clients {
        docker: Program::new("docker").with_env("DOCKER_HOST", engine.host()),
        tool: tool(engine),
    })
}

impl Clients {
    /// Runs each line with both, its words for containers replaced by their names, and returns what differs.
    pub(crate) fn compare(
        &self,
        lines: impl IntoIterator<Item = String>,
        names: &[(&str, &Container<'_>)],
    ) -> Vec<String> {
        let compared = lines.into_iter().filter_map(|line| {
            let named = names.iter().fold(line.clone(), |line, (word, container)| {
                line.replace(word, &container.name)
            });
            let words = shlex::split(&named).expect("a line that a shell reads");
            let run = |program: &Program| {
                let outcome = program.run(&words);
                (outcome.code, outcome.out(), said(&outcome, names))
            };
            let (theirs, ours) = (run(&self.docker), run(&self.tool));
            (theirs != ours).then(|| format!("{line}\n  docker: {theirs:?}\n  tool:   {ours:?}"))
        });
        compared.collect()
    }
}

/// The first line of what a client says, without what differs between versions of Docker's: who says it, and how the
/// command is quoted.
fn said(outcome: &Outcome, names: &[(&str, &Container<'_>)]) -> String {
    let mut line = first_line(outcome);
    for (word, container) in names {
        line = line.replace(&container.id, word);
    }
    let line = line.trim_end_matches('.');
    for part in [" requires ", " accepts no "] {
        if let Some(at) = line.find(part)
            && line.ends_with(['s', 't'])
        {
            return line[at..].replace("exactly ", "");
        }
    }
    let prefixes = ["Error response from daemon: ", "Error: "];
    let rest = prefixes.iter().find_map(|prefix| line.strip_prefix(prefix));
    rest.unwrap_or(line).to_owned()
}

/// Mistakes in lines of all commands but `run` and `exec`, whose own tests have theirs.
const MISTAKES: &str = "\
ps extra
ps --nope
ps -Z
ps -a=maybe
ps --filter
attach
attach BOX BOX
attach --sig-proxy=perhaps BOX
container inspect
container inspect --size=2 BOX
kill
kill --signal
logs
logs BOX BOX
logs --follow=yes BOX
logs --tail
rename
rename BOX
rename a b c
restart
restart -Z BOX
restart --nope BOX
rm
rm --force=2 BOX
rm -fZ BOX
start
start --attach=x BOX
start --detach-keys
stop
stop -Z
wait
wait --nope BOX
pull
pull a b
pull --platform
images a b
images --quiet=perhaps
rmi
rmi --nope x
tag
tag busybox
tag a b c
load x
load -Z
image inspect
image inspect --nope x
volume create a b
volume create --name a b
volume create --name
volume create -Z
volume inspect
volume inspect --format
volume ls x
volume ls --quiet=2
volume rm
volume rm --force=x v
version x
version --nope
info x
info --format
inspect
inspect --size=x BOX";

/// Lines with booleans as scripts write them, whose output is the same for both clients.
const BOOLEANS: &str = "\
ps -q --no-trunc=true --filter name=BOX
ps -q --no-trunc --quiet=1 --latest=false --filter name=BOX
ps --quiet=false -aq=true --no-trunc --filter name=BOX
logs --follow=false --timestamps=0 BOX
logs -f=F -t=false --tail -1 BOX
container inspect --size=false --format '{{.Name}}' BOX
inspect -s=0 --format '{{.State.Status}}' BOX
images --quiet=true --no-trunc=true busybox
images -q=t --digests=0 --no-trunc busybox
volume ls --quiet=true --filter name=none-of-this-name
rm --force=false BOX
rm --volumes=0 nosuch
start --attach=false BOX
stop -t 0 nosuch
rmi --force=false --no-prune=0 nosuch:1";

#[test]
fn mistakes_are_told_as_dockers_client_tells_them() {
    let engine = engine!();
    let test = "docker::mistakes_are_told_as_dockers_client_tells_them";
    let Some(clients) = client(engine, test) else {
        return;
    };
    let container = Container::idle(engine);
    let lines = MISTAKES.lines().map(str::to_owned);
    let different = clients.compare(lines, &[("BOX", &container)]);
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn booleans_are_given_as_scripts_give_them() {
    let engine = engine!();
    let test = "docker::booleans_are_given_as_scripts_give_them";
    let Some(clients) = client(engine, test) else {
        return;
    };
    let container = Container::idle(engine);
    let lines = BOOLEANS.lines().map(str::to_owned);
    let different = clients.compare(lines, &[("BOX", &container)]);
    assert!(different.is_empty(), "{}", different.join("\n"));
}
