//! A test that needs a process to itself: it is run again in one, where the kernel may refuse some calls as an older one or a filter would.

#![allow(unsafe_code)]

use std::process::Command;

/// A refusal: the number of the call, which of its arguments is looked at and for which value, and the errno.
#[derive(Clone, Copy)]
pub struct Rule(pub &'static str, pub i64, pub Option<(u32, u32)>, pub i32);

/// PIDFD_GET_INFO, before Linux 6.13.
pub const NO_PIDFD_INFO: Rule = Rule("no-pidfd-info", libc::SYS_ioctl, Some((1, 0xC040_FF0B)), libc::ENOTTY);
pub const NO_WAITID_PIDFD: Rule = Rule("no-waitid-pidfd", libc::SYS_waitid, Some((0, libc::P_PIDFD)), libc::EINVAL);
pub const NO_PIDFD_SIGNAL: Rule = Rule("no-pidfd-signal", libc::SYS_pidfd_send_signal, None, libc::EPERM);
pub const NO_PIDFD_OPEN: Rule = Rule("no-pidfd-open", libc::SYS_pidfd_open, None, libc::EPERM);
pub const RULES: [Rule; 4] = [NO_PIDFD_INFO, NO_WAITID_PIDFD, NO_PIDFD_SIGNAL, NO_PIDFD_OPEN];

const HERE: &str = "PROCSUP_TEST_ALONE";

/// `true` in a process that runs nothing but this test. Else it is run there, once for each of these worlds, and must succeed.
#[track_caller]
pub fn alone(test: &str, worlds: &[&[Rule]]) -> bool {
    if std::env::var_os(HERE).is_some() {
        return true;
    }
    for world in worlds {
        let names: Vec<&str> = world.iter().map(|rule| rule.0).collect();
        let mut again = Command::new(std::env::current_exe().unwrap());
        let output = again.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(HERE, names.join(" ")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "in a world with {names:?}: {said}");
    }
    false
}

/// From here on the kernel refuses what it does in this world.
pub fn enter_world() {
    RULES.iter().filter(|rule| refuses(**rule)).for_each(|rule| refuse(*rule));
}

/// Whether this world has such a rule.
pub fn refuses(rule: Rule) -> bool {
    std::env::var(HERE).is_ok_and(|names| names.split(' ').any(|name| name == rule.0))
}

fn refuse(Rule(_, call, argument, errno): Rule) {
    let load = |at: u32| libc::sock_filter { code: 0x20, jt: 0, jf: 0, k: at };
    let is = |value: u32, otherwise: u8| libc::sock_filter { code: 0x15, jt: 0, jf: otherwise, k: value };
    let answer = |verdict: u32| libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: verdict };
    let refused = answer(0x0005_0000 | errno as u32);
    // Arguments are 64 bits wide from byte 16 on; the low half comes first.
    let mut program = match argument {
        None => vec![load(0), is(call as u32, 1), refused],
        Some((place, value)) => vec![load(0), is(call as u32, 3), load(16 + 8 * place), is(value, 1), refused],
    };
    program.push(answer(0x7FFF_0000));
    let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: a filter of so many instructions, which the kernel copies; for all threads, of which there may be more by now.
    unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        let installed = libc::syscall(libc::SYS_seccomp, 1, 1, &raw const filter);
        assert_eq!(installed, 0, "no filter: {}", std::io::Error::last_os_error());
    }
}

/// From now on this process has the rights of nobody, and may look at itself all the same.
pub fn become_nobody() {
    const NOBODY: u32 = 65_534;
    // SAFETY: no pointers.
    unsafe {
        assert_eq!(libc::setgroups(0, std::ptr::null()), 0);
        assert_eq!(libc::setresgid(NOBODY, NOBODY, NOBODY), 0);
        assert_eq!(libc::setresuid(NOBODY, NOBODY, NOBODY), 0);
        assert_eq!(libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
    }
}

/// Orphans below this process come to it.
pub fn become_subreaper() {
    // SAFETY: no pointers.
    assert_eq!(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }, 0);
}

/// A descriptor for a process.
pub fn open_pidfd(pid: i32) -> std::io::Result<std::os::fd::OwnedFd> {
    use std::os::fd::FromRawFd;
    // SAFETY: no pointers; the descriptor is new, and nobody else's.
    unsafe {
        match libc::syscall(libc::SYS_pidfd_open, pid, 0) {
            ..0 => Err(std::io::Error::last_os_error()),
            fd => Ok(std::os::fd::OwnedFd::from_raw_fd(fd as i32)),
        }
    }
}
