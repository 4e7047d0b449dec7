//! What proc(5) says of processes: of this one, and of others by number.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::errno::Errno;

use super::directory::Inode;
use super::procline;
use crate::clock::Deadline;

/// The signals that this process ignores, bit n-1 for signal n: `SigIgn` of proc_pid_status(5). All bits if it cannot be known: no /proc, or no
/// descriptor to be had.
pub fn ignored_signals() -> u64 {
    text("/proc/self/status").ok().and_then(|status| ignored_in(&status)).unwrap_or(u64::MAX)
}

/// What is read at once: nearly every file here has less.
const PORTION: usize = 4096;

/// What stands there. A process calls itself what it likes (PR_SET_NAME), and the kernel shows that as it is: so it need not be UTF-8.
///
/// These files say of themselves that they are empty: `fs::read` asks, and then reads them by a few bytes.
fn text(path: impl AsRef<Path>) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    let mut portion = [0u8; PORTION];
    loop {
        match file.read(&mut portion) {
            Ok(0) => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Ok(count) => bytes.extend_from_slice(&portion[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The same of proc_pid_stat(5), which has one line, and comes as a whole: by one read.
fn stat_line(path: impl AsRef<Path>) -> std::io::Result<String> {
    let mut line = [0u8; PORTION];
    let mut file = File::open(path)?;
    loop {
        match file.read(&mut line) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            other => return other.map(|length| String::from_utf8_lossy(&line[..length]).into_owned()),
        }
    }
}

/// Whether a seccomp filter watches what this thread does; also if that cannot be known. Not by prctl(PR_GET_SECCOMP): there are filters that
/// kill for the options of prctl they do not know, and none that kills for reading a file.
pub fn is_filtered() -> bool {
    let status = text("/proc/thread-self/status");
    status.map_or(true, |text| text.lines().any(|line| line.strip_prefix("Seccomp:\t").is_some_and(|mode| mode != "0")))
}

/// The beginning of this thread's status, if ids and groups are in it: of some hundreds of groups they are not.
pub fn beginning_of_status() -> Option<String> {
    let mut portion = [0u8; PORTION];
    let mut file = File::open("/proc/thread-self/status").ok()?;
    let length = loop {
        match file.read(&mut portion) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            other => break other.ok()?,
        }
    };
    let text = String::from_utf8_lossy(&portion[..length]).into_owned();
    // A line that follows: the one of groups is whole.
    let groups = text.find("\nGroups:")?;
    text[groups + 1..].contains('\n').then_some(text)
}

/// Whether every group has a number in the user namespace of this process, as none but the first has it: user_namespaces(7).
pub fn sees_all_groups() -> bool {
    let map = std::fs::read_to_string("/proc/self/gid_map").unwrap_or_default();
    map.split_ascii_whitespace().eq(["0", "0", "4294967295"])
}

/// A file that holds a number, and nothing else.
pub fn number_in(path: &str) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim_end().parse().ok()
}

/// Whether children of this thread are born into another pid namespace than it is in (it called unshare(CLONE_NEWPID)): the first of them
/// is that namespace's init, and all die with it. Source: pid_namespaces(7).
pub fn children_go_elsewhere() -> bool {
    namespace("thread-self", "pid_for_children") != namespace("thread-self", "pid")
}

fn namespace(process: &str, kind: &str) -> Option<std::path::PathBuf> {
    std::fs::read_link(format!("/proc/{process}/ns/{kind}")).ok()
}

/// Whether that other namespace is over: it has had an init, and that has ended. `false` where /proc cannot tell.
pub fn namespace_of_children_has_ended() -> bool {
    // There is no such link before the first child.
    let Some(elsewhere) = namespace("thread-self", "pid_for_children").filter(|_| children_go_elsewhere()) else { return false };
    let is_its_init = |pid: i32| {
        let status = text(format!("/proc/{pid}/status")).unwrap_or_default();
        // Its numbers from our namespace down to its own: the last one is 1.
        let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:\t"));
        // One that may not be looked at might be it.
        numbers.is_some_and(|numbers| numbers.ends_with("\t1")) && namespace(&pid.to_string(), "pid").is_none_or(|its| its == elsewhere)
    };
    !every_process().any(|pid| is_its_init(pid) && !is_dying(pid))
}

/// Where an open file lies; for display.
pub fn path_of(file: &OwnedFd) -> Option<std::path::PathBuf> {
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()
}

/// Another process that has this socket open, the first that is found of those that are `meant`; none of those that may not be looked at. How many
/// processes there are is others' choice: by this time it is given up.
pub fn holder_of(socket: u32, until: Deadline, meant: impl Fn(i32) -> bool) -> Option<i32> {
    let link = std::path::PathBuf::from(format!("socket:[{socket}]"));
    let holds = |pid: i32| {
        let open = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        open.take_while(|_| !until.has_come()).any(|fd| std::fs::read_link(fd.path()).is_ok_and(|its| its == link))
    };
    let own = super::getpid();
    every_process().take_while(|_| !until.has_come()).find(|pid| *pid != own && meant(*pid) && holds(*pid))
}

/// Shows the sockets that a process has open, by its number for each and by inode, if this process may look at it. How many there are is its choice:
/// by this time it is given up.
pub fn each_socket(pid: i32, until: Deadline, mut visit: impl FnMut(i32, u64)) {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    for entry in open.take_while(|_| !until.has_come()) {
        let number = entry.file_name().to_str().and_then(|number| number.parse().ok());
        let link = std::fs::read_link(entry.path()).ok();
        let inode = link.as_ref().and_then(|link| link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
        if let (Some(number), Some(inode)) = (number, inode) {
            visit(number, inode);
        }
    }
}

/// The effective user of a process; root's where it may not be looked at by its own user (PR_SET_DUMPABLE).
pub fn user_of(pid: i32) -> Option<u32> {
    std::fs::metadata(format!("/proc/{pid}")).ok().map(|found| found.uid())
}

/// The directory that has this absolute name for that process: it may live in another mount namespace, or below another root.
pub fn directory_for(pid: i32, directory: &Path) -> Option<Inode> {
    let path = Path::new(&format!("/proc/{pid}/root")).join(directory.strip_prefix("/").ok()?);
    nix::sys::stat::stat(&path).ok().map(|found| Inode::from(&found))
}

fn every_process() -> impl Iterator<Item = i32> {
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
}

/// The children of this process, zombies too: /proc/self/task/*/children (proc_tid_children(5)), or where the kernel was built
/// without it, everybody whose parent we are. How many there are is the children's choice, so `ENOMEM` if there is no memory for so many.
pub fn own_children() -> Result<Vec<i32>, Errno> {
    let mut found = Vec::new();
    let mut add = |pid: i32| found.try_reserve(1).map(|()| found.push(pid)).map_err(|_| Errno::ENOMEM);
    let mut listed = false;
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        if let Ok(text) = text(task.path().join("children")) {
            listed = true;
            text.split_ascii_whitespace().filter_map(|pid| pid.parse::<i32>().ok()).try_for_each(&mut add)?;
        }
    }
    if !listed {
        let own = super::getpid();
        every_process().filter(|pid| parent_of(*pid) == Some(own)).try_for_each(&mut add)?;
    }
    Ok(found)
}

/// A field of proc_pid_stat(5), by its number there; from 3 on.
fn stat_field<T: std::str::FromStr>(pid: i32, number: usize) -> Option<T> {
    let stat = stat_line(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold blanks and brackets.
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(number - 3)?.parse().ok()
}

/// The parent of a process.
fn parent_of(pid: i32) -> Option<i32> {
    stat_field(pid, 4)
}

/// Whose a process is in the eyes of a terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kin {
    pub parent: i32,
    pub group: i32,
    pub session: i32,
}

/// The same of this one, as far as /proc tells it.
pub fn kin(pid: i32) -> Option<Kin> {
    let stat = stat_line(format!("/proc/{pid}/stat")).ok()?;
    // 4 to 6 of proc_pid_stat(5); the first one here is 3.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(1).map(str::parse);
    let mut next = || fields.next()?.ok();
    Some(Kin { parent: next()?, group: next()?, session: next()? })
}

/// Who is in a group, as far as /proc shows them.
pub fn members(group: i32) -> impl Iterator<Item = i32> {
    every_process().filter(move |pid| kin(*pid).is_some_and(|kin| kin.group == group))
}

/// Whether the one is a descendant of the other, as far as their line is unbroken and /proc tells it; at most a hundred steps up.
pub fn descends_from(pid: i32, ancestor: i32) -> bool {
    let mut parent = parent_of(pid);
    for _ in 0..100 {
        match parent {
            // Its own parent is not asked for any more.
            Some(found) if found == ancestor => return true,
            Some(found) => parent = parent_of(found),
            None => return false,
        }
    }
    false
}

/// Whether a process was started with this entry in its environment (`NAME=value`), or is the fork of one that was, as far as /proc shows it to us. At
/// most a MiB of it is looked at.
pub fn was_given(pid: i32, entry: &[u8]) -> bool {
    let Ok(file) = std::fs::File::open(format!("/proc/{pid}/environ")) else { return false };
    let mut entries = std::io::BufReader::new(std::io::Read::take(file, 1 << 20));
    let mut one = Vec::new();
    loop {
        one.clear();
        // An entry that is longer than ours is none.
        let most = entry.len() as u64 + 2;
        match std::io::BufRead::read_until(&mut std::io::Read::take(&mut entries, most), 0, &mut one) {
            Ok(0) | Err(_) => return false,
            Ok(_) if one.strip_suffix(&[0]) == Some(entry) => return true,
            Ok(_) if one.last() != Some(&0) && skip_to_nul(&mut entries).is_none() => return false,
            Ok(_) => {}
        }
    }
}

fn skip_to_nul(from: &mut impl std::io::BufRead) -> Option<()> {
    loop {
        let (found, length) = {
            let buffer = from.fill_buf().ok().filter(|buffer| !buffer.is_empty())?;
            match buffer.iter().position(|byte| *byte == 0) {
                Some(at) => (true, at + 1),
                None => (false, buffer.len()),
            }
        };
        from.consume(length);
        if found {
            return Some(());
        }
    }
}

/// The parent of a process, and when it began ([`start_time`]), as far as /proc tells it: one look.
pub fn origin(pid: i32) -> Option<(i32, u64)> {
    let stat = stat_line(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    // 4 and 22 of proc_pid_stat(5); the first one here is 3.
    Some((fields.nth(1)?.parse().ok()?, fields.nth(17)?.parse().ok()?))
}

/// The effective user of a process, by its own status: /proc/PID itself is root's where it may not be looked at (PR_SET_DUMPABLE).
pub fn effective_user(pid: i32) -> Option<u32> {
    let status = text(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("Uid:\t"))?.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// How much memory a process has for itself, in bytes, as far as it is resident: neither of files nor shared.
pub fn anonymous_memory(pid: i32) -> Option<u64> {
    let statm = text(format!("/proc/{pid}/statm")).ok()?;
    let mut fields = statm.split_ascii_whitespace().map(str::parse::<u64>);
    // 2 and 3 of proc_pid_statm(5): resident, and of that what is of files or shared.
    let (resident, shared) = (fields.nth(1)?.ok()?, fields.next()?.ok()?);
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten().unwrap_or(4_096);
    Some(resident.saturating_sub(shared) * page as u64)
}

/// Whether a process is known to be in another pid namespace than this one: then the number that it has for itself is none here.
pub fn is_in_other_namespace(pid: i32) -> bool {
    let (its, own) = (namespace(&pid.to_string(), "pid"), namespace("self", "pid"));
    its.is_some() && own.is_some() && its != own
}

/// The numbers that a process has in all the pid namespaces that it is in, as far as they are seen from here.
pub fn numbers(pid: i32) -> impl Iterator<Item = i32> {
    let status = text(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default().to_owned();
    line.split_ascii_whitespace().filter_map(|number| number.parse().ok()).collect::<Vec<_>>().into_iter()
}

/// This moment in the ticks of [`start_time`].
pub fn ticks_now() -> u64 {
    let since = nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME).ok();
    let per_second = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok().flatten().unwrap_or(100).max(1) as u64;
    since.map_or(0, |since| since.tv_sec() as u64 * per_second + since.tv_nsec() as u64 * per_second / 1_000_000_000)
}

/// When a process began, in ticks since boot: tells two processes apart that had the same number.
pub fn start_time(pid: i32) -> Option<u64> {
    stat_field(pid, 22)
}

/// Whether a process is on its way out: exiting (PF_EXITING, include/linux/sched.h), a zombie, writing its core, or killed and not on a CPU since.
pub fn is_dying(pid: i32) -> bool {
    // Every thread: the first may have ended long before the process. Where /proc cannot be read nothing is known.
    let dies = |task: std::fs::DirEntry| -> Option<bool> {
        let stat = stat_line(task.path().join("stat")).ok()?;
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
        // 9 (flags) and 31 (signals that are pending for this thread; SIGKILL is given to each) of proc_pid_stat(5).
        let (flags, pending): (u64, u64) = (fields.nth(6)?.parse().ok()?, fields.nth(21)?.parse().ok()?);
        Some(flags & 0x4 != 0 || pending & 1 << (libc::SIGKILL - 1) != 0)
    };
    let tasks = || std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let exiting = tasks().next().is_some() && tasks().filter_map(dies).all(|dies| dies);
    exiting || is_dumping_core(pid)
}

/// Whether a process that was sent SIGSTOP runs no instruction of its program any more, until it is continued: every thread is stopped, has
/// ended, or sleeps in the kernel, from where it comes back by way of the stop. Where /proc cannot be read the answer is no.
pub fn stands_still(pid: i32) -> bool {
    let stands = |task: std::fs::DirEntry| -> Option<bool> {
        let stat = stat_line(task.path().join("stat")).ok()?;
        // 3 (state) of proc_pid_stat(5).
        let state = stat.rsplit_once(')')?.1.split_ascii_whitespace().next()?.as_bytes().first().copied()?;
        Some(matches!(state, b'T' | b't' | b'Z' | b'X' | b'D'))
    };
    let tasks = || std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    // A thread that ends between the two looks has ended.
    tasks().next().is_some() && tasks().filter_map(stands).all(|stands| stands)
}

/// The oldest living child of a process with one thread (where the kernel lists children, CONFIG_PROC_CHILDREN).
pub fn first_child(pid: i32) -> Option<i32> {
    let listed = text(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    listed.split_ascii_whitespace().next()?.parse().ok()
}

/// Whether a process is dumping its core (Linux 4.15; where /proc cannot be read the answer is no): proc_pid_status(5).
pub fn is_dumping_core(pid: i32) -> bool {
    let says = |path: std::path::PathBuf| -> Option<bool> {
        let status = text(path).ok()?;
        let at = status.find("\nCoreDumping:\t")?;
        Some(status[at..].starts_with("\nCoreDumping:\t1"))
    };
    // A first thread that has ended before the others has no such line; another one has.
    says(format!("/proc/{pid}/status").into()).unwrap_or_else(|| {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        tasks.filter_map(|task| says(task.path().join("status"))).next() == Some(true)
    })
}

/// How far a process is on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It runs.
    Runs,
    /// It writes its core, and has its descriptors still.
    Dumps,
    /// It is on its way out, and may have its descriptors still.
    Ends,
    /// It has none any more: it is gone, a zombie, or the number is another's.
    Dead,
    /// It cannot be seen.
    Unknown,
}

/// What became of the process of this number that began then (`None`: any).
pub fn fate(pid: i32, start: Option<u64>) -> Fate {
    let Ok(stat) = stat_line(format!("/proc/{pid}/stat")) else {
        // A /proc that hides others' processes (hidepid in proc(5)) has none to show.
        let gone = pid > 1 && super::pidfd::kill_number(pid, 0) == Err(Errno::ESRCH);
        return if gone { Fate::Dead } else { Fate::Unknown };
    };
    let mut fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_ascii_whitespace();
    let (state, began) = (fields.next(), fields.nth(18).and_then(|began| began.parse().ok()));
    if began.is_none() {
        return Fate::Unknown;
    }
    if start.is_some() && began != start {
        return Fate::Dead;
    }
    // A first thread that has ended is a zombie as well, and its process lives.
    let is_last = || std::fs::read_dir(format!("/proc/{pid}/task")).is_ok_and(|tasks| tasks.take(2).count() <= 1);
    match state {
        Some("Z" | "X") if is_last() => Fate::Dead,
        _ if is_dumping_core(pid) => Fate::Dumps,
        _ if is_dying(pid) => Fate::Ends,
        _ => Fate::Runs,
    }
}

/// Processes with a descriptor of the open file description that has locked a file by flock(2): a file of this name and inode number. Those that this
/// process may look at, so many at the most, and found with so many looks and until then. proc_pid_fdinfo(5); nothing of what is looked at is
/// opened, or can hang.
pub fn holders_of_lock(name: &std::ffi::OsStr, inode: u64, most: usize, mut looks: usize, until: crate::clock::Deadline) -> Vec<i32> {
    let mut found = Vec::new();
    let mut deleted = name.to_owned();
    deleted.push(" (deleted)");
    let place = format!(":{inode} ");
    let has_lock = |info: String| info.lines().any(|line| line.starts_with("lock:") && line.contains("FLOCK") && line.contains(&place));
    for pid in every_process() {
        let mut descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let holds = descriptors.by_ref().take(looks).any(|entry| {
            looks = looks.saturating_sub(1);
            let link = std::fs::read_link(entry.path()).ok();
            let is_named = link.as_deref().and_then(std::path::Path::file_name).is_some_and(|last| last == name || last == deleted);
            let info = || text(format!("/proc/{pid}/fdinfo/{}", entry.file_name().to_string_lossy()));
            is_named && info().is_ok_and(has_lock)
        });
        if holds {
            found.push(pid);
        }
        if found.len() >= most || looks == 0 || until.has_come() {
            break;
        }
    }
    found
}

/// What a process is called: proc_pid_comm(5).
pub fn name(pid: i32) -> Option<String> {
    let bytes = std::fs::read(format!("/proc/{pid}/comm")).ok()?;
    Some(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

/// The calling thread, as this /proc numbers it.
pub fn own_thread() -> Option<i32> {
    std::fs::read_link("/proc/thread-self").ok()?.file_name()?.to_str()?.parse().ok()
}

/// What a thread of this process is called, unless it has ended or is on its way out (PF_EXITING): then it runs no code of ours any more.
pub fn running_thread(tid: i32) -> Option<String> {
    let stat = stat_line(format!("/proc/self/task/{tid}/stat")).ok()?;
    let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
    let flags: u64 = rest.split_ascii_whitespace().nth(6)?.parse().ok()?;
    (flags & 0x4 == 0).then(|| name.to_owned())
}

/// Whether a process was forked and has never called exec: PF_FORKNOEXEC (include/linux/sched.h).
pub fn has_no_exec(pid: i32) -> bool {
    stat_field::<u64>(pid, 9).is_some_and(|flags| flags & 0x40 != 0)
}

/// Which pid namespace this process is in; 0 if that cannot be known.
pub fn pid_namespace() -> u64 {
    nix::sys::stat::stat("/proc/self/ns/pid").map_or(0, |found| found.st_ino)
}

/// Which pid namespace the children of this thread are born into; 0 if that cannot be known, or if it has none yet.
pub fn pid_namespace_of_children() -> u64 {
    nix::sys::stat::stat("/proc/thread-self/ns/pid_for_children").map_or(0, |found| found.st_ino)
}

/// Whether the process behind a pidfd has crashed and runs no more, while its core is written: every thread of it is in the kernel for good, where no
/// system call that it was in can still change anything. No, where /proc is not there, or hides it.
///
/// By number, and safe all the same: this /proc says which number the pidfd has (it may be another namespace's), and a number is not given to
/// another process before its own has ended; then the answer is right for a better reason.
pub fn runs_no_more(pidfd: RawFd) -> bool {
    procline::number_of(pidfd).is_some_and(|pid| is_dumping_core(pid) && has_stopped(pid))
}

/// Whether it is about to run no more: a kill would cut its core, and nothing else. One of its threads may be in the middle of a long write.
pub fn writes_core(pidfd: RawFd) -> bool {
    procline::number_of(pidfd).is_some_and(is_dumping_core)
}

/// Whether each thread is on its way out (PF_EXITING), waits for the dump (PF_POSTCOREDUMP, since Linux 5.16 before PF_EXITING) or writes it
/// (PF_DUMPCORE, include/linux/sched.h): the dump shows an instant before the others have stopped, and one in a long write goes on.
fn has_stopped(pid: i32) -> bool {
    let flags = |task: std::fs::DirEntry| -> Option<u64> {
        let stat = stat_line(task.path().join("stat")).ok()?;
        stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(6)?.parse().ok()
    };
    let mut tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten().filter_map(flags).peekable();
    tasks.peek().is_some() && tasks.all(|flags| flags & (0x4 | 0x8 | 0x200) != 0)
}

/// Whether a process is exiting or a zombie and has never called exec: PF_EXITING and PF_FORKNOEXEC (include/linux/sched.h).
pub fn is_ending_without_exec(pid: i32) -> bool {
    stat_field::<u64>(pid, 9).is_some_and(|flags| flags & 0x44 == 0x44)
}

/// Which boot of the machine this is; empty if that cannot be known.
pub fn boot_id() -> String {
    text("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// The hard limit RLIMIT_RTTIME of a process, zombies too; `None` if there is none: proc_pid_limits(5).
pub fn realtime_limit(pid: i32) -> Option<u64> {
    let limits = text(format!("/proc/{pid}/limits")).ok()?;
    let line = limits.lines().find(|line| line.starts_with("Max realtime timeout"))?;
    line["Max realtime timeout".len()..].split_ascii_whitespace().nth(1)?.parse().ok()
}

/// The mask in such a file.
fn ignored_in(status: &str) -> Option<u64> {
    let digits = status.lines().find_map(|line| line.strip_prefix("SigIgn:\t"))?;
    u64::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_which_signals_are_ignored() {
        assert_eq!(ignored_in("Name:\tx\nSigIgn:\tfedcba9876543210\nSigCgt:\t0"), Some(0xfedc_ba98_7654_3210));
        assert_eq!(ignored_in("Name:\tx\nSigIgn:\t000000000000001G\n"), None);
        assert_eq!(ignored_in(""), None);
    }

    #[test]
    fn a_name_that_is_no_text_hides_nobody() {
        let (tell, told) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            nix::sys::prctl::set_name(c"\xff) Z").unwrap();
            tell.send(nix::unistd::gettid().as_raw()).unwrap();
            let _ = ended.recv();
        });
        // Each thread has a directory of its own, though it is not listed.
        let its = told.recv().unwrap();
        let began = start_time(its);
        let seen = (began.is_some(), fate(its, began), fate(its, Some(1)), is_dying(its), has_stopped(its));
        drop(end);
        thread.join().unwrap();
        assert_eq!(seen, (true, Fate::Runs, Fate::Dead, false, false));
    }
}
