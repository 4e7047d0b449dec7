//! Environment, user and limits of a process that is about to be, in the words of env(1), id(1) and the shell's `ulimit -a`: as the reference keeps
//! them in `envdump/`.

use std::ffi::CString;

use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::{Gid, Group};

use crate::error::{Error, Result};
use crate::preloader::session::Owner;
use crate::process::command::Command;

/// One line for each variable. (One whose value holds lines looks like several: so it does there.)
pub fn environment(command: &Command) -> Result<Vec<u8>> {
    let entries = command.environment()?;
    let mut text = Vec::new();
    let room = entries.iter().map(|entry| entry.as_bytes().len() + 1).sum();
    text.try_reserve_exact(room).map_err(|_| Error::system("memory", nix::errno::Errno::ENOMEM, "cannot write down an environment"))?;
    for entry in entries.iter().map(CString::as_bytes) {
        text.extend_from_slice(entry);
        text.push(b'\n');
    }
    Ok(text)
}

/// How many groups are asked for their names: each may be a question to a directory service.
const NAMED_GROUPS: usize = 32;

/// `uid=0(root) gid=0(root) groups=0(root)`.
pub fn user(owner: &Owner) -> String {
    let named = |id: u32, name: Option<String>| name.map_or_else(|| id.to_string(), |name| format!("{id}({name})"));
    let group = |gid: u32| named(gid, Group::from_gid(Gid::from_raw(gid)).ok().flatten().map(|group| group.name));
    // The first is the one that new files get, though it need not be in the kernel's list.
    let others = owner.groups.iter().copied().filter(|gid| *gid != owner.gid);
    let groups: Vec<_> = [owner.gid]
        .into_iter()
        .chain(others)
        .enumerate()
        .map(|(at, gid)| if at < NAMED_GROUPS { group(gid) } else { gid.to_string() })
        .collect();
    format!("uid={} gid={} groups={}\n", named(owner.uid, owner.name.clone()), groups[0], groups.join(","))
}

/// What a shell calls them, in its order: name, resource, unit.
const LIMITS: [(&str, Resource, u64); 12] = [
    ("time(seconds)", Resource::RLIMIT_CPU, 1),
    ("file(blocks)", Resource::RLIMIT_FSIZE, 512),
    ("data(kbytes)", Resource::RLIMIT_DATA, 1024),
    ("stack(kbytes)", Resource::RLIMIT_STACK, 1024),
    ("coredump(blocks)", Resource::RLIMIT_CORE, 512),
    ("memory(kbytes)", Resource::RLIMIT_RSS, 1024),
    ("locked memory(kbytes)", Resource::RLIMIT_MEMLOCK, 1024),
    ("process", Resource::RLIMIT_NPROC, 1),
    ("nofiles", Resource::RLIMIT_NOFILE, 1),
    ("vmemory(kbytes)", Resource::RLIMIT_AS, 1024),
    ("locks", Resource::RLIMIT_LOCKS, 1),
    ("rtprio", Resource::RLIMIT_RTPRIO, 1),
];

/// The soft limits.
pub fn limits(command: &Command) -> String {
    let mut text = String::new();
    for (name, resource, unit) in LIMITS {
        let soft = command.soft_limit(resource as i32).or_else(|| getrlimit(resource).ok().map(|(soft, _)| soft));
        let soft = match soft {
            Some(libc::RLIM_INFINITY) => "unlimited".to_owned(),
            Some(soft) => (soft / unit).to_string(),
            None => "unknown".to_owned(),
        };
        text += &format!("{name:<20} {soft}\n");
    }
    text
}
