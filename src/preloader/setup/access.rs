//! Which directory on the way to a path keeps a user out.
//!
//! The trap: mode bits do not tell. There are access lists, security modules, capabilities, file systems with rules of their own. So the kernel is
//! asked as that user: a child that becomes it and enters the directory, with a program behind that cannot be executed, so that nothing
//! ever runs. Who may not enter a directory may not enter those below it by that way either, so few are tried (bisection).
//!
//! Links are followed here, one by one, so that the directory that is named is the one to be mended.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;

use crate::preloader::session::Owner;
use crate::process::belongings::Belongings;
use crate::process::command::{Command, EnvBase, Stdio};
use crate::process::spawn::spawn;
use crate::sys::spawn::Isolation;

/// As many links as the kernel follows (MAXSYMLINKS).
const MOST_LINKS: usize = 40;
/// How many parts of a path are looked at, those of links included: who makes these does not decide how long it takes. Behind that nothing is named.
const MOST_PARTS: usize = 512;
/// Cannot be executed: the kernel says ENOTDIR, whoever asks.
const NOTHING: &str = "/dev/null/nothing";

/// What stands in the way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Obstacle {
    /// The directory that keeps the user out, or what is not there, or is no directory.
    pub path: PathBuf,
    /// What the kernel says there.
    pub errno: Errno,
}

/// The first obstacle on the way to a directory; none: it can be entered now, or it could not be found out.
pub fn obstacle(path: &Path, owner: &Owner) -> Option<Obstacle> {
    let (way, end) = way_to(path);
    let denied = first_denied(&way, |directory| enter(directory, owner));
    denied.map(|(path, errno)| Obstacle { path: path.clone(), errno }).or(end)
}

/// The first of them that cannot be entered, if the last one cannot. Each lies behind the ones before it.
fn first_denied(way: &[PathBuf], enter: impl Fn(&Path) -> Result<(), Errno>) -> Option<(&PathBuf, Errno)> {
    let mut found = None;
    let (mut from, mut to) = (0, way.len());
    while from < to {
        // The last one first: mostly all is well, or not.
        let at = if found.is_none() && to == way.len() { to - 1 } else { from + (to - from) / 2 };
        match enter(&way[at]) {
            Err(errno) => {
                found = Some((&way[at], errno));
                to = at;
            }
            Ok(()) => from = at + 1,
        }
    }
    found
}

/// The directories that are passed, in order and with links resolved, as far as this process can see; and what it meets at the end that is no
/// directory.
fn way_to(path: &Path) -> (Vec<PathBuf>, Option<Obstacle>) {
    let mut way: Vec<PathBuf> = Vec::new();
    let mut here = PathBuf::from("/");
    let mut left: VecDeque<OsString> = parts(path);
    let mut links = 0;
    way.push(here.clone());
    for _ in 0..MOST_PARTS {
        let Some(part) = left.pop_front() else { break };
        if part == ".." {
            here.pop();
            continue;
        }
        let next = here.join(&part);
        let stop = |errno| Some(Obstacle { path: next.clone(), errno });
        let kind = match std::fs::symlink_metadata(&next) {
            Ok(data) => data.file_type(),
            // Who may not look into a directory finds out nothing below it. That is the obstacle, or the target user sees more.
            Err(error) => {
                let errno = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
                way.extend((errno == Errno::EACCES).then(|| next.clone()));
                return (way, stop(errno).filter(|_| errno != Errno::EACCES));
            }
        };
        if kind.is_symlink() {
            links += 1;
            let Ok(target) = std::fs::read_link(&next) else { return (way, stop(Errno::EIO)) };
            if links > MOST_LINKS {
                return (way, stop(Errno::ELOOP));
            }
            if target.is_absolute() {
                here = PathBuf::from("/");
            }
            for part in parts(&target).into_iter().rev() {
                left.push_front(part);
            }
        } else if kind.is_dir() {
            here = next;
            if !way.contains(&here) {
                way.push(here.clone());
            }
        } else {
            return (way, stop(Errno::ENOTDIR));
        }
    }
    (way, None)
}

fn parts(path: &Path) -> VecDeque<OsString> {
    let part = |component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    };
    path.components().filter_map(part).collect()
}

/// Whether that user can enter the directory.
fn enter(directory: &Path, owner: &Owner) -> Result<(), Errno> {
    if !owner.switch {
        // We are the user. What stands behind the directory is looked up in it, which is what has to be permitted.
        let within = std::fs::metadata(directory.join("."));
        return within.map(drop).map_err(|error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw));
    }
    let tried = || {
        let mut command = Command::new(NOTHING)?;
        command.credentials(owner.uid, owner.gid, &owner.groups)?.cwd(directory)?.isolate(Isolation::None)?.env_base(EnvBase::Clear);
        for stream in 0..3 {
            command.stdio(stream, Stdio::Null)?;
        }
        spawn(&command, Belongings::default())
    };
    match tried() {
        Err(error) if error.step == "chdir" => Err(error.errno.unwrap_or(Errno::EACCES)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn the_first_of_those_that_keep_out_is_found_with_few_questions() {
        let all: Vec<PathBuf> = (0..100).map(|at| PathBuf::from(at.to_string())).collect();
        for guilty in 0..100 {
            let asked = core::cell::Cell::new(0);
            let ask = |path: &Path| {
                asked.set(asked.get() + 1);
                let at: usize = path.to_str().unwrap().parse().unwrap();
                if at >= guilty { Err(Errno::EACCES) } else { Ok(()) }
            };
            assert_eq!(first_denied(&all, ask).map(|(path, _)| path.clone()), Some(PathBuf::from(guilty.to_string())));
            assert!(asked.get() <= 9, "{guilty}: {}", asked.get());
        }
        assert_eq!(first_denied(&all, |_| Ok(())), None);
        assert_eq!(first_denied(&[], |_| Err(Errno::EACCES)), None);
    }

    #[test]
    fn links_are_followed_one_by_one() {
        let top = std::env::temp_dir().canonicalize().unwrap().join(format!("ps.way.{}", std::process::id()));
        std::fs::create_dir_all(top.join("a/b")).unwrap();
        std::os::unix::fs::symlink("../a/b", top.join("a/link")).unwrap();
        std::os::unix::fs::symlink("round", top.join("round")).unwrap();
        std::fs::write(top.join("file"), "").unwrap();
        let (passed, end) = way_to(&top.join("a/link"));
        assert_eq!((passed.last(), end), (Some(&top.join("a/b")), None));
        assert!(!passed.contains(&top.join("a/link")));
        let ends = |path: &str| way_to(&top.join(path)).1.map(|end| (end.path, end.errno));
        assert_eq!(ends("a/none/x"), Some((top.join("a/none"), Errno::ENOENT)));
        assert_eq!(ends("file/x"), Some((top.join("file"), Errno::ENOTDIR)));
        assert_eq!(ends("round"), Some((top.join("round"), Errno::ELOOP)));
        assert_eq!(way_to(Path::new("/")), (way(&["/"]), None));
        std::fs::remove_dir_all(&top).unwrap();
    }
}
