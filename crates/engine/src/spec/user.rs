//! Whom a container's process runs as: names and numbers looked up in the container's own files.

use std::os::fd::BorrowedFd;

use super::rootfs_file;
use crate::{Error, Result};

/// The largest id that Docker takes.
const MAXIMUM_ID: u32 = i32::MAX as u32;

/// A user with its groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user.
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
    /// The supplementary groups. The primary one is always among them, so that a file which denies its group
    /// something denies it here too.
    pub groups: Vec<u32>,
    /// The home directory; `/` where none is known.
    pub home: String,
}

impl User {
    /// Looks up `USER`, `USER:GROUP` (names or numbers, empty for root) and the additional groups in the container
    /// whose root directory is `root`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) if there is no such user or group.
    pub fn look_up(root: BorrowedFd<'_>, user: &str, additional: &[String]) -> Result<User> {
        let passwd = rootfs_file::read(root, "/etc/passwd")?;
        // Most containers run as root without a group, and many images have a long list of groups.
        let group = rootfs_file::read(root, "/etc/group")?;
        find(&passwd, &group, user, additional)
    }
}

/// A line of `/etc/passwd`.
struct Account<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

/// A line of `/etc/group`.
struct Group<'a> {
    name: &'a str,
    gid: u32,
    members: &'a str,
}

/// One half of `USER:GROUP`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word<'a> {
    /// Nothing is said.
    Empty,
    /// An id, whatever the files say: an image may have an account *named* `1000` with id 0 (CVE-2016-3697).
    Id(u32),
    Name(&'a str),
}

impl<'a> Word<'a> {
    /// Reads a word. Digits are a number, with a sign and with leading zeros too, as Docker reads them. A number that no
    /// id can be is an error and never a name (CVE-2026-46680).
    fn parse(word: &'a str) -> Result<Word<'a>> {
        let (negative, digits) = match word.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, word.strip_prefix('+').unwrap_or(word)),
        };
        if word.is_empty() {
            return Ok(Word::Empty);
        }
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Word::Name(word));
        }
        match id(digits) {
            Some(id) if !negative || id == 0 => Ok(Word::Id(id)),
            _ => Err(Error::invalid(format!(
                "uids and gids must be in range 0-{MAXIMUM_ID}: {word:?} is not"
            ))),
        }
    }
}

/// Decides who a process runs as: the one place where a user's or an image's words become ids.
fn find(passwd: &[u8], group: &[u8], user: &str, additional: &[String]) -> Result<User> {
    let (user, wanted_group) = user.split_once(':').unwrap_or((user, ""));
    let user = Word::parse(user)?;
    let account = accounts(passwd).find(|account| match user {
        Word::Empty => account.uid == 0,
        Word::Id(id) => account.uid == id,
        Word::Name(name) => account.name == name,
    });
    let (uid, primary, home) = match (&account, user) {
        (Some(account), _) => (account.uid, account.gid, account.home),
        (None, Word::Empty) => (0, 0, ""),
        (None, Word::Id(uid)) => (uid, 0, ""),
        (None, Word::Name(name)) => {
            return Err(Error::invalid(format!(
                "unable to find user {name}: no matching entries in passwd file"
            )));
        }
    };

    let mut groups = Vec::new();
    match (Word::parse(wanted_group)?, &account) {
        (Word::Empty, None) => groups.push(primary),
        (Word::Empty, Some(account)) => {
            groups.push(primary);
            groups.extend(memberships(group, account.name));
        }
        (wanted, _) => groups.push(group_id(group, wanted).ok_or_else(|| {
            Error::invalid(format!(
                "unable to find group {wanted_group}: no matching entries in group file"
            ))
        })?),
    }
    let gid = groups[0];
    for name in additional {
        groups.push(group_id(group, Word::parse(name)?).ok_or_else(|| {
            Error::invalid(format!(
                "Unable to find group {name}: no matching entries in group file"
            ))
        })?);
    }

    let mut unique = Vec::new();
    for group in groups {
        if !unique.contains(&group) {
            unique.push(group);
        }
    }
    Ok(User {
        uid,
        gid,
        groups: unique,
        home: if home.is_empty() { "/" } else { home }.to_owned(),
    })
}

/// The group that a word means; an id need not be in the file.
fn group_id(group: &[u8], wanted: Word<'_>) -> Option<u32> {
    match wanted {
        Word::Empty => None,
        Word::Id(id) => Some(id),
        Word::Name(name) => groups(group)
            .find(|group| group.name == name)
            .map(|group| group.gid),
    }
}

/// The groups that have this user as a member.
fn memberships<'a>(group: &'a [u8], user: &'a str) -> impl Iterator<Item = u32> + 'a {
    groups(group)
        .filter(move |group| group.members.split(',').any(|member| member == user))
        .map(|group| group.gid)
}

fn accounts(passwd: &[u8]) -> impl Iterator<Item = Account<'_>> {
    lines(passwd).filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let _password = fields.next()?;
        let uid = id(fields.next()?)?;
        let gid = id(fields.next()?)?;
        let _comment = fields.next();
        let home = fields.next().unwrap_or_default();
        // A home that is no path would be an environment entry of the image's choice.
        let home = if home.starts_with('/') { home } else { "" };
        Some(Account {
            name,
            uid,
            gid,
            home,
        })
    })
}

fn groups(group: &[u8]) -> impl Iterator<Item = Group<'_>> {
    lines(group).filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let _password = fields.next()?;
        let gid = id(fields.next()?)?;
        Some(Group {
            name,
            gid,
            members: fields.next().unwrap_or_default(),
        })
    })
}

/// Lines that are text, and no comments; one that is not is nobody's.
fn lines(content: &[u8]) -> impl Iterator<Item = &str> {
    content
        .split(|&byte| byte == b'\n')
        .filter_map(|line| str::from_utf8(line).ok())
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#') && !line.contains('\0'))
}

fn id(number: &str) -> Option<u32> {
    number
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| number.parse().ok())
        .flatten()
        .filter(|&id| id <= MAXIMUM_ID)
}

/// The body of the fuzz target: whatever an image has for files, ids are in range and a home is a path.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let mut parts = data.splitn(3, |&byte| byte == 0xff);
    let user = str::from_utf8(parts.next().unwrap_or_default()).unwrap_or_default();
    let (passwd, group) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let Ok(found) = find(passwd, group, user, &["staff".to_owned()]) else {
        return;
    };
    assert!(found.uid <= MAXIMUM_ID && found.gid <= MAXIMUM_ID);
    assert!(found.groups.first() == Some(&found.gid));
    assert!(found.home.starts_with('/') && !found.home.contains(['\0', '\n', ':']));
    let (user, group) = user.split_once(':').unwrap_or((user, ""));
    for (word, id) in [(user, found.uid), (group, found.gid)] {
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !word.is_empty() && is_number(word) {
            assert_eq!(word.parse(), Ok(id), "a number is an id");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n# a comment\nbroken\nwww:x:33:33::/var/www:/bin/false\n\
        1000:x:0:0:a name of digits:/seven:\n4294967296:x:0:0::/:\nuser:x:1000:1000:::\nodd:x:12:12::relative:\nbig:x:4294967295:0::/:\n";
    const GROUP: &str = "root:x:0:\n1000:x:0:1000\n2000:x:42:\n+7:x:0:\nwww:x:33:\naudio:x:29:www,user\nvideo:x:44:user\nbad:x:x:user\n";

    fn look(user: &str, additional: &[&str]) -> Result<User> {
        let additional: Vec<_> = additional.iter().map(|&name| name.to_owned()).collect();
        find(PASSWD.as_bytes(), GROUP.as_bytes(), user, &additional)
    }

    #[test]
    fn users_are_found_as_with_docker() {
        for (user, additional, uid, gid, groups, home) in [
            ("", &[][..], 0, 0, &[0][..], "/root"),
            ("root", &[], 0, 0, &[0], "/root"),
            ("www", &[], 33, 33, &[33, 29], "/var/www"),
            ("33", &[], 33, 33, &[33, 29], "/var/www"),
            (
                "user",
                &["audio", "33", "5000"],
                1000,
                1000,
                &[1000, 29, 44, 33, 5000],
                "/",
            ),
            // A group in the request takes the place of those in the file.
            ("user:video", &[], 1000, 44, &[44], "/"),
            ("user:77", &[], 1000, 77, &[77], "/"),
            // A number is an id, though an account or a group has it for a name.
            ("1000", &[], 1000, 1000, &[1000, 29, 44], "/"),
            ("1000:2000", &["1000"], 1000, 2000, &[2000, 1000], "/"),
            (
                "root:1000",
                &["2000", "+7"],
                0,
                1000,
                &[1000, 2000, 7],
                "/root",
            ),
            ("+33", &[], 33, 33, &[33, 29], "/var/www"),
            ("007:+08", &[], 7, 8, &[8], "/"),
            ("-0:-0", &[], 0, 0, &[0], "/root"),
            ("2147483647", &[], 2147483647, 0, &[0], "/"),
            ("33:", &[], 33, 33, &[33, 29], "/var/www"),
            (":", &[], 0, 0, &[0], "/root"),
            ("4242", &[], 4242, 0, &[0], "/"),
            ("4242:4343", &["video"], 4242, 4343, &[4343, 44], "/"),
            (":video", &[], 0, 44, &[44], "/root"),
            ("odd", &[], 12, 12, &[12], "/"),
        ] {
            let found = look(user, additional).expect(user);
            let expected = User {
                uid,
                gid,
                groups: groups.to_vec(),
                home: home.to_owned(),
            };
            assert_eq!(found, expected, "{user}");
        }
    }

    #[test]
    fn whom_nobody_knows_is_named() {
        for (user, additional, message) in [
            (
                "nobody",
                &[][..],
                "unable to find user nobody: no matching entries in passwd file",
            ),
            (
                "broken",
                &[],
                "unable to find user broken: no matching entries in passwd file",
            ),
            (
                "root:none",
                &[],
                "unable to find group none: no matching entries in group file",
            ),
            (
                "root",
                &["none"],
                "Unable to find group none: no matching entries in group file",
            ),
            (
                "1e3",
                &[],
                "unable to find user 1e3: no matching entries in passwd file",
            ),
            (
                "+",
                &[],
                "unable to find user +: no matching entries in passwd file",
            ),
            (
                " 33",
                &[],
                "unable to find user  33: no matching entries in passwd file",
            ),
            (
                "0:0:0",
                &[],
                "unable to find group 0:0: no matching entries in group file",
            ),
            (
                "root",
                &[""],
                "Unable to find group : no matching entries in group file",
            ),
        ] {
            let error = look(user, additional).expect_err(user);
            assert_eq!(error.to_string(), message);
            assert_eq!(error.status(), 400);
        }
    }

    #[test]
    fn a_number_that_is_no_id_is_never_a_name() {
        for number in [
            "-1",
            "-1000",
            "2147483648",
            "+2147483648",
            "4294967295",
            "4294967296",
            "18446744073709551616",
            "340282366920938463463374607431768211456",
        ] {
            for (user, additional) in [
                (number.to_owned(), &[][..]),
                (format!("0:{number}"), &[]),
                ("0".to_owned(), &[number]),
            ] {
                let error = look(&user, additional).expect_err(&user);
                assert_eq!(
                    error.to_string(),
                    format!("uids and gids must be in range 0-2147483647: {number:?} is not")
                );
                assert_eq!(error.status(), 400);
            }
        }
    }

    #[test]
    fn an_image_without_files_has_root() {
        let user = find(b"", b"", "", &[]).expect("root");
        assert_eq!((user.uid, user.gid, user.home.as_str()), (0, 0, "/"));
    }

    proptest::proptest! {
        #[test]
        fn any_file_is_survived(data in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            fuzz(&data);
        }

        /// Whatever an image's files name, nobody becomes another id than the number that was asked for.
        #[test]
        fn a_number_is_an_id(
            user in proptest::num::u64::ANY, group in 0_u64..5_000_000_000, zeros in "[+]?0{0,3}",
            uid in 0_u32..3, gid in 0_u32..3,
        ) {
            let passwd = format!("{user}:x:{uid}:{gid}::/:\n{zeros}{user}:x:{uid}:{gid}::/:\n");
            let file = format!("{group}:x:{gid}:{user}\n{zeros}{group}:x:{gid}:\n");
            let number = |wanted: u64| u32::try_from(wanted).ok().filter(|&id| id <= MAXIMUM_ID);
            let found = |user: &str, additional: &[String]| {
                find(passwd.as_bytes(), file.as_bytes(), user, additional).ok()
            };
            let wanted = found(&format!("{zeros}{user}"), &[]);
            proptest::prop_assert_eq!(wanted.map(|found| found.uid), number(user));
            let wanted = found(&format!("0:{zeros}{group}"), &[]);
            proptest::prop_assert_eq!(wanted.map(|found| found.gid), number(group));
            let wanted = found("0:0", &[format!("{zeros}{group}")]);
            proptest::prop_assert_eq!(
                wanted.and_then(|found| found.groups.last().copied()),
                number(group)
            );
        }

        #[test]
        fn any_text_is_survived(user in "[a-z0-9:]{0,6}", passwd in "([a-z0-9:/-]{0,20}\n){0,5}", group in "([a-z0-9:,]{0,20}\n){0,5}") {
            fuzz(&[user.as_bytes(), passwd.as_bytes(), group.as_bytes()].join(&0xff));
        }
    }
}
