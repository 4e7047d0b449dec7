//! Whether a process is stopped (SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU): waitid(2) on its pidfd, which takes nothing, and proc_pid_stat(5).
//!
//! Traps.
//! - **A stop is told to a parent once.** Whoever asks without `WNOWAIT` takes the word, and the kernel answers the next one as if there had been
//!   no stop. Here nothing is taken: it may be the host that waits for it (`waitpid(pid, WUNTRACED)`). And where there is no word, it may have been
//!   the host that has taken it: only the state in /proc knows then, and not by which signal.
//! - **The word of a continue lies there until the next stop**, for who does not take it: it says that the process goes, not that it has just begun.
//! - /proc goes by number, and so does waitid where a filter forbids pidfds. It was the process's own if its pidfd says afterwards that it runs.
//! - One that a tracer holds (`t`) is not stopped: it goes on when the tracer lets it. So it is, too, where we are that tracer.

use core::sync::atomic::Ordering;

use nix::errno::Errno;

use super::pidfd::{self, Life};
use super::procline::{self, Name};
use super::raw::{check, syscall};
use super::wait::{ChildInfo, NO_PIDFD_WAIT};

/// Stopped, and nobody knows any more by what.
pub const SOMEHOW: i32 = -1;

/// What a look has found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// It is not stopped: it runs or sleeps, was continued, is held by a tracer, or has ended.
    Going,
    /// It is stopped, by this signal or [`SOMEHOW`].
    Stopped(i32),
    /// There is no way to ask.
    Hidden,
}

/// What the kernel tells a parent.
enum Word {
    Is(Seen),
    /// Nothing happened, or somebody has taken the word; or it tells us nothing of this one.
    None,
}

/// Looks; never waits. `child`: it is one of this process in the eyes of the kernel. `thorough`: also where the kernel has no word of it, which is
/// dearer by a file of /proc; else it goes, then.
pub fn look(pidfd: i32, pid: i32, child: bool, thorough: bool) -> Seen {
    let word = if child { ask(pidfd, pid) } else { Ok(Word::None) };
    match word {
        Ok(Word::Is(seen)) => return seen,
        Ok(Word::None) if child && !thorough => return Seen::Going,
        Ok(Word::None) | Err(_) => {}
    }
    match state(pidfd) {
        // It may have been stopped between the two looks: then there is a word of it by now.
        Some(b'T') if child => match ask(pidfd, pid) {
            Ok(Word::Is(seen)) => seen,
            _ => Seen::Stopped(SOMEHOW),
        },
        Some(b'T') => Seen::Stopped(SOMEHOW),
        Some(_) => Seen::Going,
        None if pidfd::life(pidfd) != Life::Running => Seen::Going,
        None if child && word.is_ok() => Seen::Going,
        None => Seen::Hidden,
    }
}

/// The same of a process that has this number as long as the one behind the pidfd has not ended. By which signal is not known.
pub fn look_below(pidfd: i32, number: i32) -> Seen {
    match letter(number) {
        _ if pidfd::life(pidfd) != Life::Running => Seen::Going,
        Some(b'T') => Seen::Stopped(SOMEHOW),
        Some(_) => Seen::Going,
        None => Seen::Hidden,
    }
}

fn ask(pidfd: i32, pid: i32) -> Result<Word, Errno> {
    if !NO_PIDFD_WAIT.load(Ordering::Relaxed)
        && let Ok(word) = ask_of(libc::P_PIDFD, pidfd)
    {
        return Ok(word);
    }
    if pid <= 0 {
        return Err(Errno::ECHILD);
    }
    let word = ask_of(libc::P_PID, pid)?;
    // Was that its number?
    Ok(if pidfd::life(pidfd) == Life::Running { word } else { Word::None })
}

fn ask_of(id_type: libc::idtype_t, id: i32) -> Result<Word, Errno> {
    let mut info = ChildInfo::default();
    let options = libc::WSTOPPED | libc::WCONTINUED | libc::WNOHANG | libc::WNOWAIT | libc::__WALL;
    loop {
        // SAFETY: `info` has the 128 bytes of siginfo_t; no usage is asked for.
        match check(unsafe { syscall!(libc::SYS_waitid, id_type, id, &raw mut info, options, 0) }) {
            Err(Errno::EINTR) => continue,
            // No child of ours, or one that has ended.
            Err(Errno::ECHILD) => return Ok(Word::None),
            Err(errno) => return Err(errno),
            Ok(_) => {}
        }
        return Ok(match info.code {
            _ if info.pid == 0 => Word::None,
            libc::CLD_STOPPED => Word::Is(Seen::Stopped(info.status)),
            _ => Word::Is(Seen::Going),
        });
    }
}

/// Its state by the letter of /proc. `None`: /proc does not say, or it is over.
fn state(pidfd: i32) -> Option<u8> {
    let letter = letter(procline::number_of(pidfd)?)?;
    (pidfd::life(pidfd) == Life::Running).then_some(letter)
}

fn letter(number: i32) -> Option<u8> {
    let mut buffer = [0; procline::STAT];
    let line = procline::read(&Name::of(b"/proc/", number, b"/stat"), &mut buffer)?;
    let name_end = line.iter().rposition(|byte| *byte == b')')?;
    line.get(name_end + 2).copied()
}
