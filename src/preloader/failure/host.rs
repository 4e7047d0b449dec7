//! What the host is and how its system does at the moment of a failure: cheap looks, each bounded, none of which can make a failure worse.
//!
//! The trap: this is asked when descriptors or memory may be short, and /proc may not be there: what cannot be read is told, and left out. The
//! environment is the one that the host was started with (/proc/self/environ): to walk libc's own would race with a `setenv` of the host.

use std::fs::File;
use std::io::Read as _;

use super::mask::Mask;
use crate::report::dumps::Dumps;

/// The longest that is read of one file.
const MOST: u64 = 64 * 1024;

/// The beginning of a file.
fn read(path: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST).read_to_end(&mut bytes));
    read.map(|_| String::from_utf8_lossy(&bytes).into_owned()).map_err(|error| format!("{path} could not be read: {error}"))
}

/// The same; what cannot be read is noted.
fn noted(path: &str, notes: &mut Vec<String>) -> Option<String> {
    read(path).map_err(|note| notes.push(note)).ok()
}

/// Environment, user and limits of the host.
pub fn dumps(mask: &Mask, notes: &mut Vec<String>) -> Dumps {
    let environment = |block: String| {
        let cut = block.len() as u64 >= MOST;
        let mut entries: Vec<_> = block.split('\0').filter(|entry| !entry.is_empty()).map(|entry| mask.entry(entry)).collect();
        if cut {
            // The last one may have lost the end by which it is known.
            entries.pop();
            entries.push("...".to_owned());
        }
        entries.join("\n")
    };
    Dumps {
        envvars: noted("/proc/self/environ", notes).map(environment),
        user_info: Some(user()),
        ulimits: noted("/proc/self/limits", notes),
        annotations: Vec::new(),
    }
}

/// Numbers only: a name may be in a directory that is asked over the network.
fn user() -> String {
    let (uid, gid) = (nix::unistd::getuid(), nix::unistd::getgid());
    let (euid, egid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    let groups = nix::unistd::getgroups().unwrap_or_default();
    let groups = groups.iter().take(64).map(ToString::to_string).collect::<Vec<_>>().join(",");
    let effective = if (uid, gid) == (euid, egid) { String::new() } else { format!(" euid={euid} egid={egid}") };
    format!("uid={uid} gid={gid}{effective} groups={groups} pid={}", nix::unistd::getpid())
}

/// The system at this moment, by name. What cannot be read is left out: much of it depends on the kernel.
pub fn metrics() -> Vec<(&'static str, String)> {
    let mut metrics = Vec::new();
    let mut add = |name, value: Option<String>| metrics.extend(value.filter(|value| !value.is_empty()).map(|value| (name, value)));
    let text = |path: &str| read(path).unwrap_or_default();

    add("processors", std::thread::available_parallelism().ok().map(|count| count.to_string()));
    add("load", Some(text("/proc/loadavg").trim().to_owned()));
    let memory = text("/proc/meminfo");
    let of_memory =
        |key: &str| memory.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).map(|value| value.trim().to_owned());
    add("memory", of_memory("MemTotal"));
    add("memory available", of_memory("MemAvailable"));
    add("swap free", of_memory("SwapFree"));
    for (name, path) in [
        ("pressure of the processors", "/proc/pressure/cpu"),
        ("pressure of memory", "/proc/pressure/memory"),
        ("pressure of disks", "/proc/pressure/io"),
    ] {
        add(name, text(path).lines().next().map(str::to_owned));
    }
    // Allocated, free, most.
    let files = text("/proc/sys/fs/file-nr");
    let files: Vec<_> = files.split_ascii_whitespace().collect();
    add("open files of the system", files.first().zip(files.last()).map(|(open, most)| format!("{open} of {most}")));
    // Since Linux 6.2 this is how many there are; before, 0. To count them would take as long as there are many.
    let open = std::fs::metadata("/proc/self/fd").ok().map(|found| found.len()).filter(|count| *count > 0);
    let most = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft);
    add("descriptors of the host", most.map(|most| open.map_or_else(|| format!("at most {most}"), |open| format!("{open} of {most}"))));
    let status = text("/proc/self/status");
    add("threads of the host", status.lines().find_map(|line| line.strip_prefix("Threads:")).map(|count| count.trim().to_owned()));
    group(&mut add, &text);
    metrics
}

/// What its control group allows, where it is mounted at the usual place.
fn group(add: &mut impl FnMut(&'static str, Option<String>), text: &impl Fn(&str) -> String) {
    let own = text("/proc/self/cgroup");
    let Some(path) = own.lines().find_map(|line| line.strip_prefix("0::")).filter(|path| !path.contains("/..")) else { return };
    let file = |name: &str| text(&format!("/sys/fs/cgroup{path}/{name}")).trim().to_owned();
    let of = |now: &str, most: &str| {
        let (now, most) = (file(now), file(most));
        (!now.is_empty() && !most.is_empty()).then(|| format!("{now} of {most}"))
    };
    add("memory of the control group", of("memory.current", "memory.max"));
    add("processes of the control group", of("pids.current", "pids.max"));
    let killed = file("memory.events");
    add("killed for want of memory", killed.lines().find_map(|line| line.strip_prefix("oom_kill ")).map(str::to_owned));
}

#[cfg(test)]
mod tests {
    use super::*;

    // covers: PA-73, PA-74
    #[test]
    fn the_host_is_described() {
        let mut notes = Vec::new();
        let dumps = dumps(&Mask::default(), &mut notes);
        assert!(notes.is_empty(), "{notes:?}");
        assert!(dumps.envvars.unwrap().lines().any(|line| line.starts_with("PATH=")));
        assert!(dumps.user_info.unwrap().contains(&format!("pid={}", std::process::id())));
        assert!(dumps.ulimits.unwrap().contains("Max open files"));
        let metrics = metrics();
        for name in ["load", "memory available", "descriptors of the host"] {
            assert!(metrics.iter().any(|(known, value)| *known == name && !value.is_empty()), "{name}: {metrics:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let mut notes = Vec::new();
        assert_eq!(noted("/proc/self/nothing", &mut notes), None);
        assert!(notes[0].starts_with("/proc/self/nothing could not be read"), "{notes:?}");
    }
}
