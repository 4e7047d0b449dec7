//! Names that are watched, and the way to them: inotify(7). Not the directory: where others make and remove files (/tmp), a host would wake up for
//! each of theirs.
//!
//! Traps.
//! - **A watch is on a file, not on its name.** Whoever makes one looks at the names afterwards; and makes a new one when it has told of something, for
//!   the names may be those of other files now.
//! - **A link on the way can be turned, a directory renamed**, and nothing happens to the files: so each link and each directory on the way is watched
//!   as well, for its own end and move only. Directories that this process may not read are left out.
//! - **A file that is open loses its name without being deleted**: that is a change of its attributes (its count of names).
//! - **Few are to be had** (fs.inotify.max_user_instances, 128 for a user): who gets none looks by itself now and then.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

use super::directory::{is_of, look_at};
use super::fds;

/// Links and directories on the way, at the most: more than the kernel follows links (40), and a path has names.
const LONGEST_WAY: usize = 128;

/// The end of a file or its move; the loss of a name.
pub(super) fn of_a_file() -> AddWatchFlags {
    AddWatchFlags::IN_ATTRIB | of_a_directory()
}

/// Nothing of what happens in it.
pub(super) fn of_a_directory() -> AddWatchFlags {
    AddWatchFlags::IN_DELETE_SELF | AddWatchFlags::IN_MOVE_SELF | AddWatchFlags::IN_DONT_FOLLOW
}

/// Watches what has these names beside `path` now, and the way there. Readable when something has happened to one of them.
pub fn over(path: &Path, names: &[&OsStr]) -> Result<Arc<OwnedFd>, Errno> {
    let inotify = instance()?;
    watch(&inotify, path, names, of_a_file(), |_| {})?;
    Ok(Arc::new(OwnedFd::from(inotify)))
}

pub(super) fn instance() -> Result<Inotify, Errno> {
    let fd = OwnedFd::from(Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?);
    fds::above_standard(fd).map(instance_of)
}

pub(super) fn instance_of(fd: OwnedFd) -> Inotify {
    // SAFETY: the callers give an inotify instance that is theirs alone.
    unsafe { Inotify::from_owned_fd(fd) }
}

/// `note` gets each watch that was made.
pub(super) fn watch(
    inotify: &Inotify,
    path: &Path,
    names: &[&OsStr],
    of_a_name: AddWatchFlags,
    mut note: impl FnMut(WatchDescriptor),
) -> Result<(), Errno> {
    // One that is not to be had (it is gone, or may not be read) is found when the names are looked at.
    let directory = watch_the_way(path.parent().unwrap_or(Path::new("/")), |place, is_link| {
        _ = inotify.add_watch(place, if is_link { of_a_file() } else { of_a_directory() }).map(&mut note);
    });
    let mut watched = Err(Errno::ENOENT);
    for name in names {
        watched = inotify.add_watch(&directory.join(name), of_a_name | AddWatchFlags::IN_DONT_FOLLOW).map(&mut note).or(watched);
    }
    match watched {
        // Full (fs.inotify.max_user_watches), or forbidden: then it would only seem to be watched.
        Err(errno @ (Errno::ENOSPC | Errno::EPERM | Errno::ENOSYS | Errno::ENOMEM)) => Err(errno),
        _ => Ok(()),
    }
}

/// Names each link and directory on the way, as they are passed; answers where it has led.
fn watch_the_way(path: &Path, mut pass: impl FnMut(&Path, bool)) -> PathBuf {
    let split = |path: &Path| path.components().map(|part| part.as_os_str().to_owned()).collect::<VecDeque<OsString>>();
    let (mut left, mut here) = (split(path), PathBuf::from("/"));
    for _ in 0..LONGEST_WAY {
        let Some(name) = left.pop_front() else { break };
        match Path::new(&name).components().next() {
            Some(Component::RootDir) => here = PathBuf::from("/"),
            Some(Component::ParentDir) => _ = here.pop(),
            Some(Component::Normal(_)) => {
                let next = here.join(&name);
                let Ok(found) = look_at(&next) else { return left.iter().fold(next, |path, name| path.join(name)) };
                let is_link = is_of(&found, libc::S_IFLNK);
                pass(&next, is_link);
                match std::fs::read_link(&next) {
                    Ok(target) if is_link => split(&target).into_iter().rev().for_each(|part| left.push_front(part)),
                    _ => here = next,
                }
            }
            _ => {}
        }
    }
    here
}

/// Takes what it has told. `false`: nothing.
pub fn take(watch: &OwnedFd) -> bool {
    take_all(watch) != 0
}

/// All kinds of events that it has told, in one mask.
pub(super) fn take_all(watch: &OwnedFd) -> u32 {
    let mut buffer = [0; 4096];
    let mut mask = 0;
    // Those who make changes as fast as they are taken do not keep us here.
    for _ in 0..8 {
        match nix::unistd::read(watch, &mut buffer) {
            Ok(count) if count > 0 => {
                mask |= masks(&buffer[..count]);
                // The kernel leaves room for no event that waits, unless it fills the buffer.
                if count + LARGEST_EVENT <= buffer.len() {
                    break;
                }
            }
            Err(Errno::EINTR) => {}
            _ => break,
        }
    }
    mask
}

/// An inotify_event with the longest name there is.
const LARGEST_EVENT: usize = 16 + 256;

/// struct inotify_event: watch, mask, cookie, length of the name; then the name.
fn masks(mut events: &[u8]) -> u32 {
    let word = |events: &[u8], at: usize| events.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_ne_bytes);
    let mut all = 0;
    while events.len() >= 16 {
        all |= word(events, 4);
        events = events.get(16 + word(events, 12) as usize..).unwrap_or_default();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn home() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        for place in ["one", "two"] {
            std::fs::create_dir(home.path().join(place)).unwrap();
            std::fs::write(home.path().join(place).join("name"), "x").unwrap();
        }
        symlink("one", home.path().join("current")).unwrap();
        home
    }

    fn watched(home: &tempfile::TempDir) -> Arc<OwnedFd> {
        let watch = over(&home.path().join("current/name"), &[OsStr::new("name")]).unwrap();
        assert!(!take(&watch));
        watch
    }

    #[test]
    fn f30_a_file_that_loses_its_name_is_told() {
        let home = home();
        let held = std::fs::File::open(home.path().join("one/name")).unwrap();
        let watch = watched(&home);
        std::fs::remove_file(home.path().join("one/name")).unwrap();
        assert!(take(&watch));
        drop(held);
    }

    #[test]
    fn f30_files_beside_it_are_not_told() {
        let home = home();
        let watch = watched(&home);
        for number in 0..100 {
            let other = home.path().join(format!("one/{number}"));
            std::fs::write(&other, "x").unwrap();
            std::fs::rename(&other, home.path().join("one/other")).unwrap();
            std::fs::create_dir(&other).unwrap();
            std::fs::remove_dir(&other).unwrap();
        }
        std::fs::write(home.path().join("one/name"), "more").unwrap();
        assert!(!take(&watch));
    }

    #[test]
    fn f30_a_link_that_is_turned_on_the_way_is_told() {
        let home = home();
        let (link, new) = (home.path().join("current"), home.path().join("new"));
        let watch = watched(&home);
        symlink("two", &new).unwrap();
        assert!(!take(&watch));
        std::fs::rename(&new, &link).unwrap();
        assert!(take(&watch));
        let watch = watched(&home);
        std::fs::remove_file(&link).unwrap();
        assert!(take(&watch));
    }

    #[test]
    fn f30_a_directory_that_is_renamed_on_the_way_is_told() {
        let home = home();
        let watch = watched(&home);
        std::fs::rename(home.path().join("one"), home.path().join("gone")).unwrap();
        assert!(take(&watch));
    }

    #[test]
    fn f30_a_way_that_leads_in_a_circle_ends() {
        let home = home();
        symlink("circle", home.path().join("circle")).unwrap();
        assert!(over(&home.path().join("circle/name"), &[OsStr::new("name")]).is_ok());
    }
}
