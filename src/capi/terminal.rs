//! Terminals: of a child's own, of the caller's, and the host's.

use std::os::fd::IntoRawFd;

use super::child::ps_child;
use super::command::{change, ps_command};
use super::error::ps_error;
use super::{convert, ps_status, shapes};
use crate::supervisor::Managed;

/// The size of the child's pseudo-terminal (PS_STDIO_PTY), when its program begins. Does nothing without one.
///
/// @param rows, cols  characters, 1 to 65535; default 24 and 80
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_pty_size(command: *mut ps_command, rows: i32, cols: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.pty_size(rows, cols).map(drop))
}

/// A terminal of yours becomes the controlling terminal of the child's session: the child leads one
/// (PS_ISOLATE_SESSION is implied), and ^C, ^Z and hang-ups there reach it. Its streams stay what the command
/// says: PS_STDIO_FD gives it the same terminal as those.
///
/// It must be nobody else's: a terminal that is the controlling one of another session, as your own is, is
/// never taken away from it; ps_spawn then answers PS_ERR_PERMISSION (EPERM), step PS_STEP_TERMINAL. See
/// ioctl_tty(2), TIOCSCTTY. ps_spawn answers PS_ERR_INVALID_ARGUMENT beside PS_STDIO_PTY
/// ("terminal") and beside another isolation than PS_ISOLATE_SESSION ("isolate").
///
/// A child that cannot begin gives it back. When one that has begun ends, the kernel hangs up a terminal that
/// is no pseudo-terminal, a serial line say: your descriptor answers EIO from then on, and the next child
/// needs one that was opened after that.
///
/// A supervisor that has a spawner makes this child without it. A worker of a preloader cannot have one
/// (PS_ERR_INVALID_ARGUMENT, "terminal").
///
/// @param fd  an open terminal, open for reading too; borrowed: it must be open at each ps_spawn, and you may
///            close it after that
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT if it is not open (EBADF) or no terminal (ENOTTY); PS_ERR_SYSTEM
///         (EIO) if it was hung up
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_terminal(command: *mut ps_command, fd: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.terminal(fd).map(drop))
}

/// 1: while the child is there, its group is the foreground of the host's own controlling terminal
/// (tcsetpgrp(3)), as a shell does it with a job: it can read there, and ^C and ^Z are its. It is put there
/// before its program begins. Default 0.
///
/// Only from a host that is in the foreground then (or whose last such child has left the place empty): from
/// the background nothing is taken, and the child starts there, too. So of several at once the first one gets
/// it. When the child has ended, the call that reaps it gives the place back to the host's group, if the
/// child or nobody has it, or what is left of the child has, as the job of a shell that was killed (`bash
/// -ic`); also where the host is in the background, which is not stopped for it (SIGTTOU is blocked in the
/// calling thread meanwhile). From others it is not taken: from your own shell, which has got it when the
/// host was stopped, a job of that, or another child, as /proc tells it: whoever descends, within the
/// session, from the host or from a process above it. (Where that shell adopts orphans, as the first process
/// of a container, what is left of the child looks so, too, and keeps the place.) A child that stops (^Z)
/// keeps it: nothing is heard of that by itself (ps_command_watch_stops), and who hears of it takes the place
/// back by tcsetpgrp(3), with SIGTTOU blocked. A ^Z or ^\ that comes before its program has begun never holds
/// up ps_spawn: it is sent to the program then, and may be lost only in the last moment before that.
///
/// The child needs PS_ISOLATE_GROUP, the default, and no other terminal: else ps_spawn answers
/// PS_ERR_INVALID_ARGUMENT ("foreground"). ps_spawn answers PS_ERR_NOT_FOUND with errno ENXIO, step
/// PS_STEP_FOREGROUND, if the host has no controlling terminal. It takes one descriptor per child. A
/// supervisor that has a spawner makes this child without it; a worker of a preloader cannot have it
/// (PS_ERR_INVALID_ARGUMENT, "foreground").
///
/// @param on  1 or 0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_foreground(command: *mut ps_command, on: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        now.foreground(convert::flag("on", on)?);
        Ok(())
    })
}

/// The host's end of the child's pseudo-terminal (the master, pty(7)); it is yours now: close it.
/// Close-on-exec; blocking. What is written there is typed at the child's terminal, and what the child writes
/// (and the terminal echoes) is read there. Reading it fails with EIO while nobody has the child's end: as a
/// rule that is the end of file, behind the last byte; but a child may close its streams and open /dev/tty
/// again. Who still has it may be a grandchild: watch ps_child_pidfd, too. A child whose screen nobody reads
/// waits when some KiB are on it.
///
/// Who closes the last copy of it hangs the terminal up: SIGHUP to the child and to its foreground. One that
/// is never taken is closed by ps_child_free. Never blocks.
///
/// @return PS_OK; PS_ERR_NOT_FOUND if no stream is PS_STDIO_PTY, if procsup itself reads what the child writes
///         there (ps_command_capture, ps_command_output_lines) or types its input (ps_command_input,
///         ps_command_input_stream), or if it was taken already; PS_ERR_STATE before the start
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_child_pty(child: *mut ps_child, fd: *mut i32, error: *mut *mut ps_error) -> ps_status {
    shapes::value(child, "fd", fd, error, |managed: &Managed| Ok(managed.take_terminal()?.into_raw_fd()))
}

/// Gives the child's pseudo-terminal another size: its foreground gets SIGWINCH, if it is another one. Also
/// where you have taken the host's end (ps_child_pty), as long as that is open under the number that you got;
/// elsewhere use ioctl(fd, TIOCSWINSZ, ...). Never blocks.
///
/// @param rows, cols  characters, 1 to 65535
/// @return PS_OK; PS_ERR_NOT_FOUND without a pseudo-terminal, or if its end was taken and is not there any
///         more; PS_ERR_EXITED if the child has been reaped; PS_ERR_STATE before the start
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_child_resize(child: *mut ps_child, rows: i32, cols: i32, error: *mut *mut ps_error) -> ps_status {
    shapes::change(child, error, |managed: &Managed| managed.resize(rows, cols))
}
