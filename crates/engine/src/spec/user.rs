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

fn find(passwd: &[u8], group: &[u8], user: &str, additional: &[String]) -> Result<User> {
    let (wanted, wanted_group) = match user.split_once(':') {
        Some((user, group)) => (user, group),
        None => (user, ""),
    };
    let number = id(wanted);

    // A name comes before a number: an account may be called 1000.
    let account = if wanted.is_empty() {
        accounts(passwd).find(|account| account.uid == 0)
    } else {
        accounts(passwd).find(|account| account.name == wanted || Some(account.uid) == number)
    };
    let (uid, mut gid, home) = match (&account, number) {
        (Some(account), _) => (account.uid, account.gid, account.home),
        (None, _) if wanted.is_empty() => (0, 0, ""),
        (None, Some(uid)) => (uid, 0, ""),
        (None, None) if is_number(wanted) => return Err(out_of_range()),
        (None, None) => {
            return Err(Error::invalid(format!(
                "unable to find user {wanted}: no matching entries in passwd file"
            )));
        }
    };

    let mut groups = Vec::new();
    if !wanted_group.is_empty() {
        gid = group_id(group, wanted_group)?.ok_or_else(|| {
            Error::invalid(format!(
                "unable to find group {wanted_group}: no matching entries in group file"
            ))
        })?;
    } else if let Some(account) = &account {
        groups.extend(
            self::groups(group)
                .filter(|group| {
                    group
                        .members
                        .split(',')
                        .any(|member| member == account.name)
                })
                .map(|group| group.gid),
        );
    }
    for name in additional {
        groups.push(
            group_id(group, name)?
                .ok_or_else(|| Error::invalid(format!("Unable to find group {name}")))?,
        );
    }

    let mut unique = vec![gid];
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

/// The group of that name or number; a number need not be in the file.
fn group_id(group: &[u8], wanted: &str) -> Result<Option<u32>> {
    let number = id(wanted);
    if let Some(found) =
        groups(group).find(|group| group.name == wanted || Some(group.gid) == number)
    {
        return Ok(Some(found.gid));
    }
    if number.is_none() && is_number(wanted) {
        return Err(out_of_range());
    }
    Ok(number)
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

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn out_of_range() -> Error {
    Error::invalid(format!("uids and gids must be in range 0-{MAXIMUM_ID}"))
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
    if let Ok(user) = find(passwd, group, user, &["staff".to_owned()]) {
        assert!(user.uid <= MAXIMUM_ID && user.gid <= MAXIMUM_ID);
        assert!(user.groups.first() == Some(&user.gid));
        assert!(user.home.starts_with('/') && !user.home.contains(['\0', '\n', ':']));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n# a comment\nbroken\nwww:x:33:33::/var/www:/bin/false\n\
        1000:x:7:8:a name of digits:/seven:\nuser:x:1000:1000:::\nodd:x:12:12::relative:\nbig:x:4294967295:0::/:\n";
    const GROUP: &str =
        "root:x:0:\nwww:x:33:\naudio:x:29:www,user\nvideo:x:44:user\nbad:x:x:user\n";

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
            ("1000", &[], 7, 8, &[8], "/seven"),
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
            ("root", &["none"], "Unable to find group none"),
            (
                "4294967295",
                &[],
                "uids and gids must be in range 0-2147483647",
            ),
            (
                "2147483648",
                &[],
                "uids and gids must be in range 0-2147483647",
            ),
            (
                "0:2147483648",
                &[],
                "uids and gids must be in range 0-2147483647",
            ),
            ("-1", &[], "uids and gids must be in range 0-2147483647"),
        ] {
            let error = look(user, additional).expect_err(user);
            assert_eq!(error.to_string(), message);
            assert_eq!(error.status(), 400);
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

        #[test]
        fn any_text_is_survived(user in "[a-z0-9:]{0,6}", passwd in "([a-z0-9:/-]{0,20}\n){0,5}", group in "([a-z0-9:,]{0,20}\n){0,5}") {
            fuzz(&[user.as_bytes(), passwd.as_bytes(), group.as_bytes()].join(&0xff));
        }
    }
}
