//! Who the process of a session will be: user, group and supplementary groups, from names or numbers (PA-18).
//!
//! The trap: a user need not have an entry anywhere (containers, P-b7), so nothing of an entry is taken for granted: not the name, not the group,
//! not the home. And an unknown *name* is never a guess at somebody else.
//!
//! Names are asked of the system's databases, getpwnam_r(3): that may take as long as these like (a directory service), so it is done where a process is
//! described, once, and not where one is waited for.

use std::ffi::CString;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::stat::lstat;
use nix::unistd::{Gid, Group, Uid, User, getegid, geteuid, getgrouplist, getgroups};

use super::Arguments;
use super::switching::{self, Account, Accounts, Wish};
use crate::error::{Error, Result, Status};

/// A user with its groups.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// All groups, as the kernel wants them.
    pub groups: Vec<u32>,
    /// What it is called, if it has a name.
    pub name: Option<String>,
    /// What its group is called, if that has a name.
    pub group: Option<String>,
    /// Its home, if it is known.
    pub home: Option<PathBuf>,
    /// Its shell, if it is known.
    pub shell: Option<PathBuf>,
    /// What was strange about it, each a sentence.
    pub warnings: Vec<String>,
    /// Whether it is another one than the host.
    pub switch: bool,
}

/// "Not found" has several numbers, by getpwnam(3).
fn known<T>(found: nix::Result<Option<T>>, argument: &'static str, text: &str) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(found),
        Err(Errno::ENOENT | Errno::ESRCH | Errno::EBADF | Errno::EPERM) => Ok(None),
        Err(errno) => Err(Error::system("getpwnam", errno, format!("{argument}: cannot look up {text:?}"))),
    }
}

/// A number that can be an id: the last one means "no change" to the kernel.
fn number(text: &str) -> Option<u32> {
    Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit())).and_then(|text| text.parse().ok()).filter(|id| *id != u32::MAX)
}

fn unknown(argument: &'static str, text: &str) -> Error {
    Error::new(Status::NotFound, argument, format!("{argument}: there is no {argument} {text:?}"))
}

fn cannot(step: &'static str) -> impl FnOnce(Errno) -> Error {
    move |errno| Error::system(step, errno, "cannot list the groups of the session's user")
}

fn raw(groups: Vec<Gid>) -> Vec<u32> {
    groups.into_iter().map(Gid::as_raw).collect()
}

impl Owner {
    /// Whom the arguments name by `user` and `group`; without these the host's own.
    pub fn of(arguments: &Arguments) -> Result<Self> {
        let named = |name| arguments.text(name).filter(|text| !text.is_empty());
        let mut owner = match (named("user"), named("default_user")) {
            (user, Some(default)) if geteuid().is_root() => return Self::by_the_rules(arguments, user, default),
            (Some(text), _) => Self::user(text)?,
            (None, _) => Self::host()?,
        };
        if let Some(text) = named("group") {
            owner.gid = owner.group(text)?;
        }
        owner.finished()
    }

    /// Root has rules for who it may be (`switching.rs`).
    fn by_the_rules(arguments: &Arguments, user: Option<&str>, default_user: &str) -> Result<Self> {
        let named = |name| arguments.text(name).filter(|text| !text.is_empty());
        let startup_file = named("startup_file").map(|file| Path::new(named("app_root").unwrap_or("/")).join(file));
        let startup_file = startup_file.and_then(|path| lstat(&path).ok()).map(|facts| Account { uid: facts.st_uid, gid: facts.st_gid });
        let wish = Wish { user, group: named("group"), startup_file, default_user, default_group: named("default_group") };
        let account = switching::decide(&wish, &System).map_err(|why| Error::new(Status::NotFound, "user", why))?;
        let mut owner = Self::with_id(account.uid, account.gid)?;
        owner.gid = account.gid;
        owner.finished()
    }

    /// What follows from user and group.
    fn finished(mut self) -> Result<Self> {
        self.switch = self.uid != geteuid().as_raw() || self.gid != getegid().as_raw();
        if self.switch && !geteuid().is_root() {
            let who = (self.uid, self.gid, geteuid(), getegid());
            return Err(Error::new(
                Status::Permission,
                "user",
                format!(
                    "user: a process of user {} and group {} can be started by root alone, and this is user {} and group {}",
                    who.0, who.1, who.2, who.3
                ),
            ));
        }
        self.groups = self.all_groups()?;
        self.group = known(Group::from_gid(Gid::from_raw(self.gid)), "group", "")?.map(|group| group.name);
        Ok(self)
    }

    fn user(text: &str) -> Result<Self> {
        if let Some(user) = known(User::from_name(text), "user", text)? {
            return Ok(Self::from_entry(user));
        }
        let uid = number(text).ok_or_else(|| unknown("user", text))?;
        Self::with_id(uid, uid)
    }

    fn host() -> Result<Self> {
        let mut owner = Self::with_id(geteuid().as_raw(), getegid().as_raw())?;
        owner.gid = getegid().as_raw();
        // That it has no entry is nobody's mistake.
        owner.warnings.clear();
        Ok(owner)
    }

    /// By number, with or without an entry; without one in this group.
    fn with_id(uid: u32, gid: u32) -> Result<Self> {
        if let Some(user) = known(User::from_uid(Uid::from_raw(uid)), "user", &uid.to_string())? {
            return Ok(Self::from_entry(user));
        }
        let warning =
            format!("user: {uid} has no entry among the users; its group is {gid}, if none is given, and it has no home and no shell");
        Ok(Self { uid, gid, groups: Vec::new(), name: None, group: None, home: None, shell: None, warnings: vec![warning], switch: false })
    }

    fn from_entry(user: User) -> Self {
        let some = |path: PathBuf| Some(path).filter(|path| path.is_absolute());
        Self {
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
            groups: Vec::new(),
            name: Some(user.name),
            group: None,
            home: some(user.dir),
            shell: some(user.shell),
            warnings: Vec::new(),
            switch: false,
        }
    }

    fn group(&mut self, text: &str) -> Result<u32> {
        if let Some(group) = known(Group::from_name(text), "group", text)? {
            return Ok(group.gid.as_raw());
        }
        let gid = number(text).ok_or_else(|| unknown("group", text))?;
        if known(Group::from_gid(Gid::from_raw(gid)), "group", text)?.is_none() {
            self.warnings.push(format!("group: {gid} has no entry among the groups"));
        }
        Ok(gid)
    }

    fn all_groups(&self) -> Result<Vec<u32>> {
        if !self.switch {
            return Self::groups_of_the_host();
        }
        match self.name.as_deref().map(CString::new) {
            Some(Ok(name)) => getgrouplist(&name, Gid::from_raw(self.gid)).map(raw).map_err(cannot("getgrouplist")),
            _ => Ok(vec![self.gid]),
        }
    }

    /// The supplementary groups of this process.
    pub fn groups_of_the_host() -> Result<Vec<u32>> {
        getgroups().map(raw).map_err(cannot("getgroups"))
    }
}

/// The users and groups of this machine; what cannot be looked up is not there.
struct System;

impl Accounts for System {
    fn user(&self, name: &str) -> Option<Account> {
        Owner::user(name).ok().map(|owner| Account { uid: owner.uid, gid: owner.gid })
    }

    fn user_with(&self, uid: u32) -> Option<Account> {
        let user = User::from_uid(Uid::from_raw(uid)).ok().flatten()?;
        Some(Account { uid, gid: user.gid.as_raw() })
    }

    fn group(&self, name: &str) -> Option<u32> {
        Group::from_name(name).ok().flatten().map(|group| group.gid.as_raw()).or_else(|| number(name))
    }

    fn has_group(&self, gid: u32) -> bool {
        Group::from_gid(Gid::from_raw(gid)).ok().flatten().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(user: Option<&str>, group: Option<&str>) -> Result<Owner> {
        let mut arguments = Arguments::default();
        arguments.set("user", user).unwrap();
        arguments.set("group", group).unwrap();
        Owner::of(&arguments)
    }

    // covers: PA-18
    #[test]
    fn without_names_it_is_the_host() {
        let host = owner(None, None).unwrap();
        assert_eq!((host.uid, host.gid, host.switch), (geteuid().as_raw(), getegid().as_raw(), false));
        assert!(host.warnings.is_empty());
    }

    // covers: PA-18
    #[test]
    fn a_name_that_nobody_has_is_an_error_that_names_it() {
        for (user, group, argument, name) in [
            (Some("no-such-user"), None, "user", "no-such-user"),
            (None, Some("no-such-group"), "group", "no-such-group"),
            (Some("-1"), None, "user", "-1"),
        ] {
            let error = owner(user, group).unwrap_err();
            assert_eq!((error.status, error.step), (Status::NotFound, argument));
            assert!(error.message.contains(name), "{}", error.message);
        }
        assert_eq!(owner(Some("4294967295"), None).unwrap_err().status, Status::NotFound, "that id means no change");
    }

    // covers: PA-18, D-16
    #[test]
    fn a_switch_is_roots_and_knows_the_groups() {
        let nobody = owner(Some("nobody"), None);
        if !geteuid().is_root() {
            assert_eq!(nobody.unwrap_err().status, Status::Permission);
            return;
        }
        let nobody = nobody.unwrap();
        assert!(nobody.switch && nobody.uid != 0 && nobody.gid != 0 && nobody.groups.contains(&nobody.gid));
        assert_eq!(nobody.name.as_deref(), Some("nobody"));
        let by_number = owner(Some(&nobody.uid.to_string()), None).unwrap();
        assert_eq!(by_number, nobody, "an entry is found by its number");
        assert_eq!(owner(Some("nobody"), Some("0")).unwrap().gid, 0);
    }

    // covers: PA-49
    #[test]
    fn the_owner_of_the_startup_file_is_that_of_its_name() {
        if !geteuid().is_root() {
            return;
        }
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("target"), "").unwrap();
        std::os::unix::fs::symlink("target", home.path().join("config.ru")).unwrap();
        let nobody = User::from_name("nobody").unwrap().unwrap();
        let daemon = User::from_name("daemon").unwrap().unwrap();
        let (uid, gid) = (Some(nobody.uid.as_raw()), Some(nobody.gid.as_raw()));
        std::os::unix::fs::lchown(home.path().join("config.ru"), uid, gid).unwrap();
        let mut arguments = Arguments::default();
        let root = home.path().to_str().unwrap();
        for (name, text) in [("app_root", root), ("startup_file", "config.ru"), ("default_user", "daemon"), ("group", "!STARTUP_FILE!")] {
            arguments.set(name, Some(text)).unwrap();
        }
        let owner = Owner::of(&arguments).unwrap();
        assert_eq!((owner.uid, owner.gid, owner.switch), (nobody.uid.as_raw(), nobody.gid.as_raw(), true));
        arguments.set("user", Some("root")).unwrap();
        arguments.set("group", None).unwrap();
        let owner = Owner::of(&arguments).unwrap();
        assert_eq!((owner.uid, owner.gid), (daemon.uid.as_raw(), daemon.gid.as_raw()));
        arguments.set("default_user", Some("no-such-user")).unwrap();
        assert!(Owner::of(&arguments).unwrap_err().message.contains("no-such-user"));
    }

    // covers: P-b7, PA-18, D-16
    #[test]
    fn a_number_without_an_entry_is_a_user_with_a_warning() {
        if !geteuid().is_root() {
            return;
        }
        let stranger = owner(Some("3999999001"), None).unwrap();
        assert_eq!((stranger.uid, stranger.gid, &stranger.groups[..]), (3_999_999_001, 3_999_999_001, &[3_999_999_001][..]));
        assert_eq!((stranger.name, stranger.home, stranger.shell, stranger.warnings.len()), (None, None, None, 1));
        let both = owner(Some("3999999001"), Some("3999999002")).unwrap();
        assert_eq!((both.gid, both.warnings.len()), (3_999_999_002, 2));
    }
}
