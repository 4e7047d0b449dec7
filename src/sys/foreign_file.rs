//! A file that a stranger has written, in a directory that is held: read in bounds, or refused.
//!
//! The trap: what has the name may be anything. A link leads to a file that the stranger could not read, and we can; a fifo waits for ever, a device may do
//! something when it is opened, a file may have gigabytes of nothing; a mount may be a file system that the stranger answers for, or does not. A hard link
//! (link(2); fs.protected_hardlinks forbids it on most systems) is a second name of somebody else's file. So what it is is seen before it is opened (O_PATH),
//! links and mounts are not followed, where the directory is another user's than ours only that user's files are read, the open does not wait (a lease:
//! fcntl(2)), and no more is read than was asked for.

use std::os::fd::{AsFd, OwnedFd};

use nix::NixPath;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{FileStat, fstat};
use nix::sys::uio::pread;
use nix::unistd::geteuid;

use super::tree;

/// What was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contents {
    /// The beginning of the file.
    pub bytes: Vec<u8>,
    /// There is more.
    pub more: bool,
}

/// Why it was not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It is no regular file: this is what it is.
    Kind(&'static str),
    /// It belongs to this user, and the directory to another one: who has put it there could not read it.
    Another(u32),
    /// Others than this user and root may have written it.
    Untrusted,
    /// A system call failed.
    Cannot(Errno),
}

impl Refusal {
    /// The end of a sentence that begins with the file.
    pub fn why(self) -> String {
        match self {
            Self::Kind(what) => format!("is {what}, and no file"),
            Self::Another(uid) => format!("belongs to user {uid}, and not to the directory's"),
            Self::Untrusted => "can have been written by others than this user".to_owned(),
            Self::Cannot(errno) => format!("cannot be read: {}", errno.desc()),
        }
    }
}

fn kind(mode: libc::mode_t) -> Option<&'static str> {
    Some(match mode & libc::S_IFMT {
        libc::S_IFREG => return None,
        libc::S_IFLNK => "a link",
        libc::S_IFDIR => "a directory",
        libc::S_IFIFO => "a fifo",
        libc::S_IFSOCK => "a socket",
        _ => "a device",
    })
}

fn open<P: ?Sized + NixPath>(directory: impl AsFd, name: &P, flags: OFlag) -> Result<Option<OwnedFd>, Refusal> {
    match tree::open_within(directory, name, flags | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC) {
        Ok(opened) => Ok(Some(opened)),
        Err(Errno::ENOENT) => Ok(None),
        Err(Errno::ELOOP) => Err(Refusal::Kind("a link")),
        Err(Errno::EBUSY) => Err(Refusal::Kind("a mount")),
        Err(errno) => Err(Refusal::Cannot(errno)),
    }
}

/// Reads at most `most` bytes; `None`: there is none of that name. Never waits for whoever has made it.
pub fn read<P: ?Sized + NixPath>(directory: impl AsFd, name: &P, most: usize) -> Result<Option<Contents>, Refusal> {
    read_if(directory.as_fd(), name, most, |seen| check_owner(directory.as_fd(), seen))
}

/// The same of a file that decides something: nobody but this user, or root, can have written it, and it has no other name.
pub fn read_own<P: ?Sized + NixPath>(directory: impl AsFd, name: &P, most: usize) -> Result<Option<Contents>, Refusal> {
    let is_own =
        |seen: &FileStat| (seen.st_uid == geteuid().as_raw() || seen.st_uid == 0) && seen.st_mode & 0o022 == 0 && seen.st_nlink <= 1;
    read_if(directory, name, most, |seen| if is_own(seen) { Ok(()) } else { Err(Refusal::Untrusted) })
}

fn read_if<P: ?Sized + NixPath>(
    directory: impl AsFd,
    name: &P,
    most: usize,
    check: impl Fn(&FileStat) -> Result<(), Refusal>,
) -> Result<Option<Contents>, Refusal> {
    let cannot = Refusal::Cannot;
    let Some(held) = open(directory.as_fd(), name, OFlag::O_PATH)? else { return Ok(None) };
    let seen = fstat(&held).map_err(cannot)?;
    if let Some(what) = kind(seen.st_mode) {
        return Err(Refusal::Kind(what));
    }
    check(&seen)?;
    let Some((file, found)) = open_to_read(directory, name)? else { return Ok(None) };
    if (found.st_dev, found.st_ino) != (seen.st_dev, seen.st_ino) {
        return Err(cannot(Errno::ESTALE));
    }
    contents(&file, &found, most).map(Some)
}

/// The same of what its directory has just shown as a regular file, which is as good as a look of its own.
pub fn read_seen<P: ?Sized + NixPath>(directory: impl AsFd, name: &P, most: usize) -> Result<Option<Contents>, Refusal> {
    let Some((file, found)) = open_to_read(directory.as_fd(), name)? else { return Ok(None) };
    if let Some(what) = kind(found.st_mode) {
        return Err(Refusal::Kind(what));
    }
    check_owner(directory, &found)?;
    contents(&file, &found, most).map(Some)
}

/// In a directory of another user only that user's files are read.
fn check_owner(directory: impl AsFd, seen: &FileStat) -> Result<(), Refusal> {
    let whose = fstat(directory).map_err(Refusal::Cannot)?.st_uid;
    if whose != geteuid().as_raw() && seen.st_uid != whose { Err(Refusal::Another(seen.st_uid)) } else { Ok(()) }
}

fn open_to_read<P: ?Sized + NixPath>(directory: impl AsFd, name: &P) -> Result<Option<(OwnedFd, FileStat)>, Refusal> {
    let Some(file) = open(directory, name, OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY)? else { return Ok(None) };
    let found = fstat(&file).map_err(Refusal::Cannot)?;
    Ok(Some((file, found)))
}

fn contents(file: &OwnedFd, found: &FileStat, most: usize) -> Result<Contents, Refusal> {
    let cannot = Refusal::Cannot;
    let size = usize::try_from(found.st_size).unwrap_or(0);
    let room = size.min(most) + 1;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(room).map_err(|_| cannot(Errno::ENOMEM))?;
    bytes.resize(room, 0);
    let mut filled = 0;
    // One byte more than is wanted shows whether there is more. Where all is there that it had when it was opened, nobody need ask for the end.
    while filled < room && (filled == 0 || filled != size) {
        match pread(file, &mut bytes[filled..], filled as libc::off_t) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(cannot(errno)),
        }
    }
    let more = filled > most || filled == room;
    bytes.truncate(filled.min(most));
    Ok(Contents { bytes, more })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;

    // covers: PA-24, D-10
    #[test]
    fn what_others_can_have_written_decides_nothing() {
        let home = tempfile::tempdir().unwrap();
        let directory: OwnedFd = std::fs::File::open(home.path()).unwrap().into();
        let path = home.path().join("file");
        std::fs::write(&path, "text").unwrap();
        for (mode, own) in [(0o600, true), (0o644, true), (0o620, false), (0o602, false)] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let read = read_own(&directory, "file", 9).map(|found| found.unwrap().bytes);
            assert_eq!(read, if own { Ok(b"text".to_vec()) } else { Err(Refusal::Untrusted) }, "{mode:o}");
        }
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        std::fs::hard_link(&path, home.path().join("other")).unwrap();
        assert_eq!(read_own(&directory, "file", 9), Err(Refusal::Untrusted));
        assert_eq!(read_own(&directory, "none", 9), Ok(None));
        if geteuid().is_root() {
            std::fs::remove_file(home.path().join("other")).unwrap();
            std::os::unix::fs::chown(&path, Some(65_534), None).unwrap();
            assert_eq!(read_own(&directory, "file", 9), Err(Refusal::Untrusted));
        }
    }

    #[test]
    fn only_a_regular_file_is_read_and_no_more_than_was_asked_for() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        let directory = tree::hold_place(home.path()).unwrap();
        std::fs::write(at("file"), "0123456789").unwrap();
        let contents = |bytes: &[u8], more| Ok(Some(Contents { bytes: bytes.to_vec(), more }));
        assert_eq!(read(&directory, "file", 10), contents(b"0123456789", false));
        assert_eq!(read(&directory, "file", 9), contents(b"012345678", true));
        assert_eq!(read(&directory, "file", 0), contents(b"", true));
        assert_eq!(read(&directory, "none", 9), Ok(None));
        assert_eq!(read_seen(&directory, "file", 9), contents(b"012345678", true));
        assert_eq!(read_seen(&directory, "none", 9), Ok(None));
        std::fs::write(at("empty"), "").unwrap();
        assert_eq!(read(&directory, "empty", 0), contents(b"", false));
        symlink(at("file"), at("link")).unwrap();
        assert_eq!(read(&directory, "link", 9), Err(Refusal::Kind("a link")));
        std::fs::create_dir(at("directory")).unwrap();
        assert_eq!(read(&directory, "directory", 9), Err(Refusal::Kind("a directory")));
        mkfifo(&at("fifo"), Mode::S_IRWXU).unwrap();
        assert_eq!(read(&directory, "fifo", 9), Err(Refusal::Kind("a fifo")));
        for (name, what) in [("link", "a link"), ("directory", "a directory"), ("fifo", "a fifo")] {
            assert_eq!(read_seen(&directory, name, 9), Err(Refusal::Kind(what)), "it has changed since it was seen");
        }
        let _socket = UnixListener::bind(at("socket")).unwrap();
        assert_eq!(read(&directory, "socket", 9), Err(Refusal::Kind("a socket")));
        let huge = std::fs::File::create(at("huge")).unwrap();
        huge.set_len(1 << 40).unwrap();
        assert_eq!(read(&directory, "huge", 100), contents(&[0; 100], true));
        std::fs::set_permissions(at("file"), std::fs::Permissions::from_mode(0o0)).unwrap();
        if !geteuid().is_root() {
            assert_eq!(read(&directory, "file", 9), Err(Refusal::Cannot(Errno::EACCES)));
        }
    }

    // covers: PA-24, D-10
    #[test]
    fn in_a_strangers_directory_only_that_strangers_files_are_read() {
        if !geteuid().is_root() {
            return;
        }
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        std::fs::write(at("secret"), "root's").unwrap();
        std::fs::create_dir(at("strange")).unwrap();
        std::fs::write(at("strange/own"), "own").unwrap();
        for name in ["strange", "strange/own"] {
            std::os::unix::fs::chown(at(name), Some(65_534), None).unwrap();
        }
        std::fs::hard_link(at("secret"), at("strange/linked")).unwrap();
        let directory = tree::hold_place(&at("strange")).unwrap();
        for read in [read, read_seen] {
            assert_eq!(read(&directory, "linked", 9), Err(Refusal::Another(0)));
        }
        // The name that it had before is gone: it is root's all the same.
        std::fs::remove_file(at("secret")).unwrap();
        assert_eq!(read(&directory, "linked", 9), Err(Refusal::Another(0)));
        assert_eq!(read(&directory, "own", 9).unwrap().unwrap().bytes, b"own");
    }
}
