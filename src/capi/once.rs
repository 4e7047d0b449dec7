//! `ps_spawn_once`: a daemon that whoever needs it starts.

use core::ffi::c_char;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use super::child::{ps_child, ps_supervisor};
use super::command::{current, ps_command};
use super::error::ps_error;
use super::guard::{PS_OK, acquire};
use super::{convert, handles, ps_status};
use crate::error::Error;
use crate::supervisor::{self, Managed, Once, Supervisor};

/// Starts a daemon, unless it runs already, and comes back when it can be used: with its child if this call
/// has started it, with NULL if somebody else has. Of any number of processes and threads that call it at
/// once, one starts it. A client that needs its cache daemon:
///
/// ```c
/// #include <procsup.h>
/// #include <stdio.h>
///
/// int main(void) {
///   ps_error *error = NULL;
///   ps_command *command = NULL;
///   ps_child *child = NULL;
///   int failed = 1;
///
///   if (ps_command_new("cached", &command, &error) == PS_OK &&
///       ps_command_arg(command, "--listen=/run/cached/socket", &error) == PS_OK &&
///       ps_command_stdio(command, 0, PS_STDIO_NULL, -1, &error) == PS_OK &&
///       ps_command_isolate(command, PS_ISOLATE_SESSION, &error) == PS_OK &&
///       ps_spawn_once(NULL, "/run/cached", "cached", command, "unix:/run/cached/socket", 5000, &child,
///                     &error) == PS_OK) {
///     failed = 0;
///     puts(child ? "started it" : "it runs");
///     // Connect to /run/cached/socket: it accepts.
///   } else {
///     fprintf(stderr, "%s\n", ps_error_message(error));
///   }
///   ps_child_free(child); // the handle; the daemon goes on
///   ps_command_free(command);
///   ps_error_free(error);
///   return failed;
/// }
/// ```
///
/// THE STEPS, which are those of the error's journey (ps_error_render), and share the one timeout:
///
///   connect        to connect_to. If somebody accepts, or has a full line, it runs, and nothing else is done
///   lock           dir/NAME.lock, which whoever starts it holds until it is ready: so who waits for it finds
///                  it ready
///   connect again  somebody may have started it meanwhile. If nobody accepts, and one runs that does not
///                  accept yet (its starter was killed), that one is waited for
///   permit         of the command's budget, if it has one (it needs a supervisor, not NULL)
///   spawn          as ps_spawn; a supervisor's limit is waited for
///   ready          by the command's own ps_command_readiness; else that somebody accepts at connect_to
///
/// A daemon that is not ready in time, or cannot be, is killed with its group, and the next call may start it
/// again; one that ends before it is ready is an error at once. The supervisor's other children are looked
/// after meanwhile, as ps_reap does it.
///
/// WHETHER IT RUNS is not believed of a pid file. The daemon inherits a lock: dir/NAME.run, as its descriptor
/// 99 (or the next number that the command gives to nothing else; a lower one where the hard limit
/// RLIMIT_NOFILE is below 108). It must leave it alone; its own children may inherit it. And before its
/// program begins, it writes into that file who it is: its pid, with the inode of its pidfd (Linux 6.9), its
/// start time, the boot of the machine and the pid namespace, by which no other process is taken for it.
/// Where both are there the process decides: workers that a dead daemon has left hold its lock on, and one
/// that closes all descriptors (closefrom(3)) lets it go. Where the process cannot be seen (a caller in
/// another pid namespace or on another machine, no /proc before Linux 6.9) the lock does; a daemon that has
/// closed its lock as well is then seen by a connection only. The text is for people. The file is a new one
/// for each daemon.
///
/// A starter may be killed at any moment: there are never two daemons, and the next call starts it, or finds
/// the one that the dead one has started. (A copy of the starter that was forked meanwhile without an exec
/// holds its share of the first lock until its own exec or end.)
///
/// THE PROGRAM stays in the foreground, as a service of systemd does: one that forks and leaves its work to
/// its child counts as dead when the first process has ended, for who does not get a connection. One that
/// replaces itself by exec(3) is the same process. One that hands over to a successor (ps_handoff) is not:
/// neither record nor lock tell of that, but a connection does, at each moment, since a handoff closes no
/// listener. So give connect_to for such a daemon. (A second one that is started beside a successor is its
/// next successor, if both have one control path.)
///
/// What lies at its socket's path from a daemon that was killed the program removes itself, before it binds:
/// it is the only one. It runs for others when this process has ended, so its command may have nothing that
/// ties it to this process: no die_with_host, deadline, restart policy, pipe, captured output, output file,
/// sandbox directory or control group. Give it a log file as its streams 1 and 2, /dev/null as 0, and a
/// session of its own (PS_ISOLATE_SESSION), or Ctrl-C at the starter's terminal may end it.
///
/// ITS LIFE. With `supervisor` NULL it goes on when its handle is freed, and when this process ends, however
/// that ends; ps_kill_and_reap_all kills it. With a supervisor it has that one's events, and is ended with it
/// (ps_supervisor_shutdown, ps_supervisor_free), like its other children.
///
/// Needs up to seven descriptors for the time of the call.
///
/// @param supervisor  whose child it becomes; NULL: nobody's but this process's
/// @param dir         where the two files are: a directory that is there, is this user's or root's, and in
///                    which nobody else may write, unless it has the sticky bit. At best the service's own
///                    (/run/NAME). Its files may be removed while no daemon runs. Those who need the same
///                    daemon give the same directory, and are the same user
/// @param name        what its files are called there: 1 to 64 letters, digits, and . _ - @ + : (no dot or
///                    dash at the beginning)
/// @param command     what to run; copied as by ps_spawn
/// @param connect_to  where it accepts, as in ps_command_readiness: "unix:/path", "unix:@abstract",
///                    "tcp:host:port". NULL: nowhere. Then the lock and the record alone say that it runs, and
///                    of one whose starter was killed nobody knows whether it was ready yet
/// @param timeout_ms  for all steps, milliseconds; -1: no limit, 0: only what needs no wait, so a way to ask
///                    whether one runs: none is started that would have to become ready. A signal handler of
///                    the host does not end the wait
/// @param child       receives the handle, to be freed with ps_child_free, or NULL: somebody else's runs
/// @return PS_OK; PS_ERR_TIMEOUT: the step is "lock" (another one is starting it), "connect again" (one
///         runs, and does not accept), "spawn" (none runs, and none was started), "connect" or "ready";
///         PS_ERR_EXITED if it ended before it was ready; PS_ERR_BUDGET_EXHAUSTED and PS_ERR_IN_PROGRESS
///         as ps_spawn; PS_ERR_INVALID_ARGUMENT for a name or an address that is none, or a command that
///         ties; PS_ERR_NOT_FOUND if the directory is not there; PS_ERR_PERMISSION if it, or a file in it,
///         is not to be trusted (another user's, a link, no regular file, one with several names), or the
///         socket is not for this user; PS_ERR_LOCK_REPLACED if the directory or the lock was replaced
///         meanwhile; PS_ERR_PROTOCOL as ps_wait_ready; whatever ps_spawn answers
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_spawn_once(
    supervisor: *mut ps_supervisor,
    dir: *const c_char,
    name: *const c_char,
    command: *const ps_command,
    connect_to: *const c_char,
    timeout_ms: i64,
    child: *mut *mut ps_child,
    error: *mut *mut ps_error,
) -> ps_status {
    acquire(error, || {
        let owner = if supervisor.is_null() { None } else { Some(convert::object::<Supervisor, _>(supervisor)?) };
        let command = current(command)?;
        let place = convert::out("child", child)?;
        // SAFETY: strings or null, by the caller's contract.
        let (dir, name, connect_to) =
            unsafe { (convert::string("dir", dir)?, convert::string("name", name)?, convert::optional(connect_to)) };
        let not_text = |_| Error::invalid("connect_to", "connect_to: the string is not UTF-8");
        let once = Once {
            directory: Path::new(OsStr::from_bytes(dir.to_bytes())),
            name: name.to_bytes(),
            connect_to: connect_to.map(|text| text.to_str().map_err(not_text)).transpose()?,
            timeout_ms,
        };
        handles::make_room()?;
        let mut handle = Ok(0);
        let mut register = |managed: &Arc<Managed>| {
            handle = handles::insert(managed.clone());
            handle.as_ref().copied().unwrap_or(0)
        };
        let spawned = match &owner {
            None => supervisor::spawn_default_once(once, &command, &mut register),
            Some(owner) => owner.spawn_once_registered(once, &command, &mut register),
        };
        let pointer = match (spawned, handle) {
            (Ok(None), _) => core::ptr::null_mut(),
            (Ok(Some(_)), Ok(handle)) => convert::to_pointer(handle),
            (Ok(Some(managed)), Err(failed)) => {
                // No room for its handle: a child that nobody can name must not run.
                managed.undo();
                return Err(failed);
            }
            (Err(failed), handle) => {
                if let Ok(handle @ 1..) = handle
                    && let Some(managed) = handles::remove::<Managed>(handle)
                {
                    managed.let_go();
                }
                return Err(failed);
            }
        };
        // SAFETY: not null, and valid by the caller's contract.
        unsafe { *place = pointer };
        Ok(PS_OK)
    })
}
