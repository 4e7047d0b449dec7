//! Who listens under a name, by the kernel's own list: sock_diag(7). It knows sockets whose file is gone, too.
//!
//! Traps. A name is what was given to bind(2), of whatever mount namespace: the same one may mean another place elsewhere. And /proc/net/unix has
//! names as they are, newlines included, so that anybody could write a line there; here they have a length.

use std::ffi::OsStr;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};

use super::fds;
use crate::clock::Deadline;

const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// UDIAG_SHOW_NAME.
const SHOW_NAME: u32 = 1;
/// UNIX_DIAG_NAME.
const NAME: u16 = 0;
/// TCP_LISTEN, which is the state of a unix socket that listens, too.
const LISTENS: u8 = 10;
/// More than one of one name are another mount namespace's, or wait for the last holder to close them.
const MOST: usize = 16;

/// The numbers (as in /proc/PID/fd) of the message sockets that listen under this very name in this network namespace. How many sockets there are
/// is others' choice: by this time it is given up, with `ETIMEDOUT`.
pub fn listeners(path: &Path, until: Deadline) -> Result<Vec<u32>, Errno> {
    let fd = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkSockDiag)?;
    let fd = fds::above_standard(fd)?;
    send(fd.as_raw_fd(), &request(), MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL)?;
    let mut found = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while !until.has_come() {
        match recv(fd.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
            Ok(length) => {
                if read(&buffer[..length], path.as_os_str(), &mut found)? {
                    return Ok(found);
                }
            }
        }
    }
    Err(Errno::ETIMEDOUT)
}

/// All unix sockets that listen, with their names.
fn request() -> [u8; 40] {
    let mut bytes = [0; 40];
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16;
    bytes[0..4].copy_from_slice(&40u32.to_ne_bytes());
    bytes[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
    bytes[16] = libc::AF_UNIX as u8;
    bytes[20..24].copy_from_slice(&(1u32 << LISTENS).to_ne_bytes());
    bytes[28..32].copy_from_slice(&SHOW_NAME.to_ne_bytes());
    bytes
}

/// One packet of the answer. `true`: it was the last.
fn read(mut packet: &[u8], name: &OsStr, found: &mut Vec<u32>) -> Result<bool, Errno> {
    while let Some((kind, body)) = cut(&mut packet) {
        match i32::from(kind) {
            libc::NLMSG_DONE => return Ok(true),
            libc::NLMSG_ERROR => {
                let errno = body.first_chunk().map_or(0, |bytes| i32::from_ne_bytes(*bytes));
                return Err(Errno::from_raw(errno.wrapping_neg()));
            }
            _ if kind == SOCK_DIAG_BY_FAMILY && found.len() < MOST => found.extend(listener(body, name)),
            _ => {}
        }
    }
    Ok(false)
}

/// A message off a packet: its kind, and what follows its header.
fn cut<'a>(packet: &mut &'a [u8]) -> Option<(u16, &'a [u8])> {
    let length = u32::from_ne_bytes(*packet.first_chunk()?) as usize;
    let kind = u16::from_ne_bytes(*packet.get(4..)?.first_chunk()?);
    let body = packet.get(16..length)?;
    *packet = packet.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((kind, body))
}

/// The number of a message socket that has this name.
fn listener(body: &[u8], name: &OsStr) -> Option<u32> {
    let (kind, state) = (*body.get(1)?, *body.get(2)?);
    let number = u32::from_ne_bytes(*body.get(4..)?.first_chunk()?);
    let mut rest = body.get(16..)?;
    while rest.len() >= 4 {
        let length = usize::from(u16::from_ne_bytes([rest[0], rest[1]]));
        let tag = u16::from_ne_bytes([rest[2], rest[3]]);
        let value = rest.get(4..length)?;
        if tag == NAME {
            // A path has a NUL at its end.
            let named = value.strip_suffix(b"\0").unwrap_or(value) == name.as_bytes();
            return (named && i32::from(kind) == libc::SOCK_SEQPACKET && state == LISTENS).then_some(number);
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sys::socket::{bind_to, nameless, relisten};

    #[test]
    fn who_listens_is_found_by_the_name_also_when_its_file_is_gone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("name");
        let soon = Deadline::after(5_000_000_000);
        let Ok(before) = listeners(&path, soon) else { return };
        assert!(before.is_empty());
        let listener = nameless().unwrap();
        bind_to(&listener, &path).unwrap();
        assert!(listeners(&path, soon).unwrap().is_empty(), "bound, and not listening");
        relisten(&listener).unwrap();
        std::fs::remove_file(&path).unwrap();
        let number = crate::sys::socket::inode(&listener).unwrap();
        assert_eq!(listeners(&path, soon).unwrap(), [number as u32]);
        assert!(listeners(&home.path().join("nam"), soon).unwrap().is_empty());
        drop(listener);
        assert!(listeners(&path, soon).unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn any_answer_is_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200), length in 0u32..64) {
            let mut bytes = bytes;
            if let Some(head) = bytes.first_chunk_mut() {
                *head = length.to_ne_bytes();
            }
            let _ = read(&bytes, OsStr::new("x"), &mut Vec::new());
            let _ = listener(&bytes, OsStr::new("x"));
        }
    }
}
