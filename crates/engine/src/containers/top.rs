//! The processes of a container, as `ps` shows them.

use std::collections::{HashMap, HashSet};
use std::process::{Command, Stdio};
use std::{fs, io};

use bollard_stubs::models::ContainerTopResponse;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use rustix::fs::fstat;

use super::Container;
use crate::state::Directory;
use crate::{Engine, Error, Result};

/// What is shown unless something else is asked for, and needs no program.
const DEFAULT: &str = "-ef";

const TITLES: [&str; 8] = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"];

/// The processes of a container, by their numbers on the machine. Anything but `-ef` is asked of the machine's `ps`.
///
/// # Errors
///
/// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if the container does not run, and
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) if `ps` refuses its arguments.
pub(crate) fn top(
    engine: &Engine,
    reference: &str,
    arguments: Option<&str>,
) -> Result<ContainerTopResponse> {
    let container = Container::find(engine, reference)?;
    container.check_running()?;
    let members = members(&container)?;
    let (titles, processes) = match arguments {
        None | Some("" | DEFAULT) => (TITLES.map(str::to_owned).to_vec(), full_listing(&members)),
        Some(arguments) => of_program(arguments, &members)?,
    };
    Ok(ContainerTopResponse {
        titles: Some(titles),
        processes: Some(processes),
    })
}

/// A process that was proven to be the container's, by its number.
type Member = (i32, Directory);

/// The container's processes: those of its cgroup, or where there is none, its first process and all that it started. A
/// number is not enough for that: between being listed and being looked at it may become another process's.
fn members(container: &Container) -> Result<Vec<Member>> {
    let mut members = match container.cgroup()? {
        Some(cgroup) => {
            let list = || -> Result<Vec<i32>> {
                let pids = cgroup.pids()?;
                Ok(pids.iter().map(|pid| pid.as_raw_nonzero().get()).collect())
            };
            opened(list()?, list)?
        }
        None => Vec::new(),
    };
    if members.is_empty() {
        let first = container.state.process.open();
        // It has ended, and its monitor is about to say so.
        let first = first.map_err(|_| container.not_running())?;
        let number = container.state.process.number();
        let list = || Ok(descendants(number));
        members = opened(list()?, list)?;
        if !first.is_alive() {
            return Err(container.not_running());
        }
    }
    members.sort_unstable_by_key(|(pid, _)| *pid);
    Ok(members)
}

/// Those of the listed processes that are what they were listed as: they are listed again when they are held, and what is
/// held shows that one process or nothing.
fn opened(listed: Vec<i32>, again: impl Fn() -> Result<Vec<i32>>) -> Result<Vec<Member>> {
    let opened: Vec<Member> = listed
        .into_iter()
        .filter_map(|pid| Some((pid, Directory::open(pid).ok()?)))
        .collect();
    let still: HashSet<i32> = again()?.into_iter().collect();
    let is_still = |(pid, _): &Member| still.contains(pid);
    Ok(opened.into_iter().filter(is_still).collect())
}

/// A process that is there and all that it started, by their numbers.
fn descendants(first: i32) -> Vec<i32> {
    let parents: HashMap<i32, i32> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid: i32| Some((pid, Stat::read(&Directory::open(pid).ok()?)?.parent)))
        .collect();
    let descends = |mut pid: i32| {
        // Numbers are reused while they are read, so that a circle is possible.
        for _ in 0..parents.len() {
            if pid == first {
                return true;
            }
            match parents.get(&pid) {
                // The kernel's own processes have none.
                Some(&parent) if parent > 0 => pid = parent,
                _ => return false,
            }
        }
        false
    };
    parents
        .keys()
        .copied()
        .filter(|&pid| descends(pid))
        .collect()
}

/// What `ps -ef` shows.
fn full_listing(members: &[Member]) -> Vec<Vec<String>> {
    let users = users();
    let now = Timestamp::now();
    members
        .iter()
        // One that has ended meanwhile is none of them.
        .filter_map(|member| line(member, &users, now))
        .collect()
}

fn line(member: &Member, users: &HashMap<u32, String>, now: Timestamp) -> Option<Vec<String>> {
    let (pid, directory) = member;
    let stat = Stat::read(directory)?;
    let uid = fstat(directory).ok()?.st_uid;
    let ticks = rustix::param::clock_ticks_per_second().max(1);
    let seconds = stat.ticks / ticks;
    let started = started(stat.started, ticks, now)?;
    let age = now.duration_since(started).as_secs().max(1);
    let percent = i64::try_from(seconds).unwrap_or(0).saturating_mul(100) / age;
    Some(vec![
        users.get(&uid).cloned().unwrap_or_else(|| uid.to_string()),
        pid.to_string(),
        stat.parent.to_string(),
        percent.min(99).to_string(),
        start_in_words(started, now),
        terminal(stat.terminal),
        format!(
            "{:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        ),
        command(directory).unwrap_or_else(|| format!("[{}]", stat.name)),
    ])
}

/// What `/proc/PID/stat` tells (proc_pid_stat(5)).
struct Stat {
    name: String,
    parent: i32,
    terminal: i32,
    /// Time on processors, in clock ticks.
    ticks: u64,
    /// When it started, in clock ticks since the machine did.
    started: u64,
}

impl Stat {
    fn read(directory: &Directory) -> Option<Stat> {
        let text = directory.read("stat").ok()?;
        Stat::parse(&String::from_utf8_lossy(&text))
    }

    /// A name may have anything in it, parentheses too.
    fn parse(text: &str) -> Option<Stat> {
        let (begin, rest) = text.rsplit_once(')')?;
        let name = begin.split_once('(')?.1;
        // The first of them is field 3.
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3).copied();
        let number = |index: usize| field(index)?.parse::<u64>().ok();
        Some(Stat {
            name: name.to_owned(),
            parent: field(4)?.parse().ok()?,
            terminal: field(7)?.parse().ok()?,
            ticks: number(14)? + number(15)?,
            started: number(22)?,
        })
    }
}

fn started(ticks_since_boot: u64, ticks: u64, now: Timestamp) -> Option<Timestamp> {
    let uptime = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let age = uptime.tv_sec - i64::try_from(ticks_since_boot / ticks).ok()?;
    Timestamp::from_second(now.as_second() - age.max(0)).ok()
}

/// The time of today, or the day.
fn start_in_words(started: Timestamp, now: Timestamp) -> String {
    let zone = TimeZone::system();
    let local = |moment: Timestamp| -> ZonedDateTime { moment.to_zoned_datetime(zone.clone()) };
    let started = local(started);
    match started.date() == local(now).date() {
        true => started.strftime("%H:%M").to_string(),
        false => started.strftime("%b%d").to_string(),
    }
}

/// A terminal by its number: those of containers are pseudoterminals.
fn terminal(number: i32) -> String {
    let device = u64::from(number.cast_unsigned());
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    match major {
        0 => "?".to_owned(),
        136..=143 => format!("pts/{}", (major - 136) * 256 + minor),
        4 => format!("tty{minor}"),
        _ => "?".to_owned(),
    }
}

/// The command line; nothing for a process that has none any more, as one that ended and was not waited for.
fn command(directory: &Directory) -> Option<String> {
    let words = directory.read("cmdline").ok()?;
    let text = String::from_utf8_lossy(&words);
    let text = text.trim_end_matches('\0').replace('\0', " ");
    (!text.is_empty()).then_some(text)
}

/// Names of the machine's users: a container's own are its image's business.
fn users() -> HashMap<u32, String> {
    let text = fs::read_to_string("/etc/passwd").unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let uid = fields.nth(1)?.parse().ok()?;
            Some((uid, name.to_owned()))
        })
        .collect()
}

/// The table of the machine's `ps`, less the processes of others.
fn of_program(arguments: &str, members: &[Member]) -> Result<(Vec<String>, Vec<Vec<String>>)> {
    let output = Command::new("ps")
        .args(arguments.split_ascii_whitespace())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::not_implemented(format!(
                "the embedded engine does not do top with \"{arguments}\" where there is no ps"
            )),
            _ => Error::io("run ps", error),
        })?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(Error::invalid(format!("ps: {}", text.trim())));
    }
    // What has ended since may have given its number to one that was shown.
    let pids = members
        .iter()
        .filter(|(_, directory)| directory.read("stat").is_ok())
        .map(|(pid, _)| *pid)
        .collect();
    of_table(&String::from_utf8_lossy(&output.stdout), &pids)
}

fn of_table(text: &str, pids: &HashSet<i32>) -> Result<(Vec<String>, Vec<Vec<String>>)> {
    let mut lines = text.lines();
    let titles: Vec<String> = lines
        .next()
        .unwrap_or_default()
        .split_ascii_whitespace()
        .map(str::to_owned)
        .collect();
    let column = titles
        .iter()
        .position(|title| title == "PID")
        .ok_or_else(|| Error::invalid("Couldn't find PID field in ps output"))?;
    let processes = lines
        .filter_map(|line| {
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            let pid = words.get(column)?.parse().ok()?;
            // The last column has the rest of the line.
            let last = titles.len() - 1;
            let mut cells: Vec<String> = words
                .iter()
                .take(last)
                .map(|&word| word.to_owned())
                .collect();
            cells.push(words.get(last..).unwrap_or_default().join(" "));
            pids.contains(&pid).then_some(cells)
        })
        .collect();
    Ok((titles, processes))
}

/// The body of this module's fuzz target: what the kernel tells of a process, whose name is the container's choice, and what
/// `ps` prints of it.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(stat) = Stat::parse(&text) {
        let _ = terminal(stat.terminal);
        if let Some(started) = started(stat.started, 100, Timestamp::now()) {
            let _ = start_in_words(started, Timestamp::now());
        }
    }
    if let Ok((titles, processes)) = of_table(&text, &(0..100).collect()) {
        assert!(processes.iter().all(|cells| cells.len() <= titles.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_processes_may_have_anything_in_them() {
        let text = "42 (a) (b) c) S 7 42 42 34816 42 4194304 1 0 0 0 120 30 0 0 20 0 1 0 5000 1 1";
        let stat = Stat::parse(text).expect("a line");
        assert_eq!(stat.name, "a) (b) c");
        assert_eq!((stat.parent, stat.ticks, stat.started), (7, 150, 5000));
        assert_eq!(terminal(stat.terminal), "pts/0");
        assert!(Stat::parse("42 (a").is_none());
        assert!(Stat::parse("42 (a) S 1").is_none());
    }

    #[test]
    fn this_process_is_listed() {
        let own = i32::try_from(std::process::id()).expect("a number");
        let ended = || -> Member {
            let mut child = Command::new("true").spawn().expect("a child");
            let pid = i32::try_from(child.id()).expect("a number");
            let member = (pid, Directory::open(pid).expect("it was not waited for"));
            child.wait().expect("its end");
            member
        };
        let itself = (own, Directory::open(own).expect("this process"));
        let lines = full_listing(&[itself, ended()]);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].len(), TITLES.len());
        assert_eq!(lines[0][1], own.to_string());
        assert!(descendants(own).contains(&own));
    }

    /// What a container has for a number that has no process: everything on the machine descends from that.
    #[test]
    fn nobody_descends_from_no_process() {
        assert_eq!(descendants(0), Vec::<i32>::new());
        assert_eq!(descendants(-1), Vec::<i32>::new());
    }

    #[test]
    fn what_is_not_listed_twice_is_not_the_containers() {
        let own = i32::try_from(std::process::id()).expect("a number");
        let members = opened(vec![own, 1, i32::MAX], || Ok(vec![own, i32::MAX]));
        let pids: Vec<i32> = members
            .expect("a list")
            .iter()
            .map(|(pid, _)| *pid)
            .collect();
        assert_eq!(pids, [own]);
    }

    #[test]
    fn a_table_keeps_the_containers_lines() {
        let text = "  PID USER COMMAND\n    1 root init\n   42 me   sh -c  a b\n";
        let (titles, lines) = of_table(text, &HashSet::from([42])).expect("a table");
        assert_eq!(titles, ["PID", "USER", "COMMAND"]);
        assert_eq!(lines, [["42", "me", "sh -c a b"]]);
        assert!(of_table("USER COMMAND\n", &HashSet::new()).is_err());
    }
}
