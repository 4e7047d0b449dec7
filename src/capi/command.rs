//! `ps_command`: what shall run, and how.

use core::ffi::{CStr, c_char};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Mutex};

use super::error::ps_error;
use super::guard::{PS_OK, acquire};
use super::objects::{CommandObject, Described};
use super::{convert, guard, handles, ps_status, shapes};
use crate::error::{Error, Result};
use crate::lock::lock;
use crate::preloader::session::Arguments;
use crate::process::command::Command;
use crate::sys::fds;

/// The description of a program to run. Can be spawned any number of times, from several threads at once.
pub struct ps_command {
    _private: [u8; 0],
}

/// The command behind a handle, as it stands now.
pub(super) fn current(command: *const ps_command) -> Result<Arc<Command>> {
    let object = convert::object::<CommandObject, _>(command)?;
    let now = lock(&object.0).command.clone();
    Ok(now)
}

/// The same, and the arguments of a session of it.
pub(super) fn described(command: *const ps_command) -> Result<(Arc<Command>, Arc<Arguments>)> {
    let object = convert::object::<CommandObject, _>(command)?;
    let now = lock(&object.0);
    Ok((now.command.clone(), now.session.clone()))
}

/// Changes a command. A spawn that is under way keeps the command as it was.
pub(super) fn change(command: *mut ps_command, error: *mut *mut ps_error, change: impl FnOnce(&mut Command) -> Result<()>) -> ps_status {
    let mut change = Some(change);
    change_by(command, error, &mut |now| change.take().map_or(Ok(()), |change| change(now)))
}

// One for all setters: what is theirs is small.
#[inline(never)]
fn change_by(command: *mut ps_command, error: *mut *mut ps_error, change: &mut dyn FnMut(&mut Command) -> Result<()>) -> ps_status {
    acquire(error, || {
        let object = convert::object::<CommandObject, _>(command)?;
        change(Command::change(&mut lock(&object.0).command))?;
        Ok(PS_OK)
    })
}

/// Changes the arguments of its session; the same holds.
pub(super) fn change_session(
    command: *mut ps_command,
    error: *mut *mut ps_error,
    change: impl FnOnce(&mut Arguments) -> Result<()>,
) -> ps_status {
    let mut change = Some(change);
    change_session_by(command, error, &mut |now| change.take().map_or(Ok(()), |change| change(now)))
}

#[inline(never)]
fn change_session_by(
    command: *mut ps_command,
    error: *mut *mut ps_error,
    change: &mut dyn FnMut(&mut Arguments) -> Result<()>,
) -> ps_status {
    acquire(error, || {
        let object = convert::object::<CommandObject, _>(command)?;
        change(Arc::make_mut(&mut lock(&object.0).session))?;
        Ok(PS_OK)
    })
}

pub(super) fn os(text: &CStr) -> &OsStr {
    OsStr::from_bytes(text.to_bytes())
}

fn object(command: Command) -> CommandObject {
    CommandObject(Mutex::new(Described { command: Arc::new(command), session: Arc::default() }))
}

/// Makes a command.
///
/// @param program  path of the program. Without a slash it is searched in the PATH that the child will have
///                 ("/bin:/usr/bin" if it has none), as execvp(3) does; a relative path with a slash counts
///                 from the child's directory. A script without "#!" is not run: its exec fails with ENOEXEC.
/// @param command  receives the command; free it with ps_command_free
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT for NULL or an empty string
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_new(program: *const c_char, command: *mut *mut ps_command, error: *mut *mut ps_error) -> ps_status {
    acquire(error, || {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let program = unsafe { convert::string("program", program) }?;
        make(os(program), command)
    })
}

/// The same for a program whose name comes with its length, as the strings of most languages do; it need not
/// be NUL-terminated. This holds of all calls that end in _bytes: the bytes are copied, NULL with a length of
/// 0 is an empty string, and one that holds a NUL is refused, for the program would see it cut there.
///
/// @return as ps_command_new; PS_ERR_INVALID_ARGUMENT for a NUL, too: the message says at which offset, and
///         ps_error_step gives the parameter ("program")
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_new_bytes(
    program: *const c_char,
    len: usize,
    command: *mut *mut ps_command,
    error: *mut *mut ps_error,
) -> ps_status {
    acquire(error, || {
        // SAFETY: `len` bytes, by the caller's contract.
        let program = unsafe { convert::counted("program", program, len) }?;
        make(program, command)
    })
}

fn make(program: &OsStr, command: *mut *mut ps_command) -> Result<ps_status> {
    shapes::make("command", command, || Ok(object(Command::new(program)?)))
}

/// Makes a command of a line: its words, as a POSIX shell splits and unquotes them, are the program and its
/// arguments. Quotes, backslashes, lines that go on behind a backslash and comments (# where a word begins)
/// mean what they mean to a shell; nothing else does: $HOME, *, ~, |, > and ; are characters like others, and
/// "A=b" is a word. For these run "sh" with "-c" and the line. The line is bytes, in no particular encoding.
///
/// @param line     copied
/// @param command  receives the command; free it with ps_command_free
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT for NULL, a quote that is not closed, a line without a word, or an
///         empty one as the program
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_parse(line: *const c_char, command: *mut *mut ps_command, error: *mut *mut ps_error) -> ps_status {
    acquire(error, || {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let line = unsafe { convert::string("line", line) }?;
        shapes::make("command", command, || Ok(object(Command::of_line(line.to_bytes())?)))
    })
}

/// Writes the command as a line that a POSIX shell would run, NUL-terminated: the program and its arguments,
/// quoted where there is need, and nothing else of it: no environment, no directory, no streams, no
/// `argv[0]` of its own. ps_command_parse reads it back. For logs and for people: procsup itself runs no
/// shell. (What the shell has a command of its own for, such as "echo", is that one there.) The bytes are
/// those of the arguments, also such as command a terminal. Never blocks.
///
/// @param buf, cap, needed  see BYTES, at the top; `needed` counts the NUL
/// @return PS_OK; PS_ERR_LIMIT if the buffer is too small
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_render(
    command: *const ps_command,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    guard::call(error, || {
        let line = current(command)?.line()?;
        // SAFETY: the caller gave a valid buffer and place for the length, or null.
        unsafe { convert::copy_out(&[&line, b"\0"], buf, cap, needed) }
    })
}

/// Frees a command and closes the descriptors that it still owns. Its children are not touched. NULL and a
/// freed command do nothing.
#[unsafe(no_mangle)]
pub extern "C" fn ps_command_free(command: *mut ps_command) {
    guard::quiet(|| drop(handles::remove::<CommandObject>(command.addr() as u64)));
}

/// Appends an argument. `argv[0]` is not among them: see ps_command_arg0. The string is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_arg(command: *mut ps_command, arg: *const c_char, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        now.arg(os(unsafe { convert::string("arg", arg) }?)).map(drop)
    })
}

/// The same for a string with its length (ps_command_new_bytes).
///
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT for a NUL: the message says at which offset
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_arg_bytes(
    command: *mut ps_command,
    data: *const c_char,
    len: usize,
    error: *mut *mut ps_error,
) -> ps_status {
    change(command, error, |now| {
        // SAFETY: `len` bytes, by the caller's contract.
        now.arg(unsafe { convert::counted("data", data, len) }?).map(drop)
    })
}

/// Appends all arguments of a NULL-terminated array. The strings are copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_args(command: *mut ps_command, args: *const *const c_char, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        // SAFETY: a NULL-terminated array of NUL-terminated strings, by the caller's contract.
        unsafe { convert::strings("args", args) }?.try_for_each(|arg| now.arg(os(arg)).map(drop))
    })
}

/// What the child sees as `argv[0]`. Default: the program as it was named. The string is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_arg0(command: *mut ps_command, arg0: *const c_char, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        now.arg0(os(unsafe { convert::string("arg0", arg0) }?)).map(drop)
    })
}

/// Sets a variable of the child's environment, or removes it (value NULL). The strings are copied.
///
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT if the name is NULL, empty or holds '='
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_env(
    command: *mut ps_command,
    name: *const c_char,
    value: *const c_char,
    error: *mut *mut ps_error,
) -> ps_status {
    change(command, error, |now| {
        // SAFETY: NUL-terminated strings or null, by the caller's contract.
        let (name, value) = unsafe { (convert::string("name", name)?, convert::optional(value)) };
        now.env(os(name), value.map(os)).map(drop)
    })
}

/// The same for a name and a value with their lengths (ps_command_new_bytes).
///
/// @param value, value_len  the value: NULL, 0 is an empty one. SIZE_MAX as the length removes the variable,
///                          whatever `value` is
/// @return as ps_command_env; PS_ERR_INVALID_ARGUMENT for a NUL, too: ps_error_step gives the parameter
///         ("name", "value"), the message says at which offset
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_env_bytes(
    command: *mut ps_command,
    name: *const c_char,
    name_len: usize,
    value: *const c_char,
    value_len: usize,
    error: *mut *mut ps_error,
) -> ps_status {
    change(command, error, |now| {
        // SAFETY: `name_len` bytes, by the caller's contract.
        let name = unsafe { convert::counted("name", name, name_len) }?;
        // SAFETY: `value_len` bytes, by the caller's contract, where that is a length.
        let value = (value_len != usize::MAX).then(|| unsafe { convert::counted("value", value, value_len) });
        now.env(name, value.transpose()?).map(drop)
    })
}

/// Sets the variables of a whole block, as `environ` is one (environ(7)): an array of "NAME=VALUE" that ends
/// with NULL. It does what ps_command_env does for each, in their order: of one name the last entry counts,
/// and what was set before or is in the base stays unless the block names it (PS_ENV_CLEAR before it, if the
/// block is to be all there is). All or none: a bad entry changes nothing. The strings are copied.
///
/// Its time is that of its length (n log n, at the spawn), however many variables there are.
///
/// @param block  NULL-terminated array of NUL-terminated strings; an empty one changes nothing
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT for NULL, and for an entry that has no '=' or nothing before it: the
///         message says which, from 0, and not what it holds; PS_ERR_LIMIT without memory
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_env_block(
    command: *mut ps_command,
    block: *const *const c_char,
    error: *mut *mut ps_error,
) -> ps_status {
    change(command, error, |now| {
        // SAFETY: a NULL-terminated array of NUL-terminated strings, by the caller's contract.
        now.env_block(unsafe { convert::strings("block", block) }?.map(CStr::to_bytes)).map(drop)
    })
}

pub use crate::process::command::EnvBase as ps_env_base;

/// What the environment begins with, before ps_command_env changes it; PS_ENV_INHERIT is what the host has at
/// the time of the spawn. The host's own environment is never changed. As with posix_spawn(3), no thread may
/// change it (setenv) during a spawn.
///
/// @param base  PS_ENV_INHERIT (default), PS_ENV_CLEAR or PS_ENV_BASELINE
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_env_base(command: *mut ps_command, base: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        now.env_base(convert::choice("base", base, ps_env_base::from_repr)?);
        Ok(())
    })
}

/// The child's working directory. A relative one counts from the host's at the time of the spawn. It is
/// entered as the child's own user, so a directory that this user may not enter fails the spawn with step
/// "chdir" (before the change of user: ps_command_chdir_first). The string is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_cwd(command: *mut ps_command, dir: *const c_char, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        now.cwd(os(unsafe { convert::string("dir", dir) }?)).map(drop)
    })
}

/// The same for a path with its length (ps_command_new_bytes).
///
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT for an empty one and for a NUL: the message says at which offset
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_cwd_bytes(
    command: *mut ps_command,
    dir: *const c_char,
    len: usize,
    error: *mut *mut ps_error,
) -> ps_status {
    change(command, error, |now| {
        // SAFETY: `len` bytes, by the caller's contract.
        now.cwd(unsafe { convert::counted("dir", dir, len) }?).map(drop)
    })
}

pub use crate::process::command::Stdio as ps_stdio_kind;

/// What a standard stream of the child is. Each child with PS_STDIO_NULL opens /dev/null itself: it shares no
/// status flags and no lock with others.
///
/// @param stream  0, 1 or 2
/// @param how     PS_STDIO_INHERIT (default), PS_STDIO_NULL, PS_STDIO_PIPE (ps_child_stdio gives the host's
///                end), PS_STDIO_FD, PS_STDIO_PTY (see terminals, below), or, for stream 2, PS_STDIO_MERGE.
///                Merged into an inherited stream 1, the host must have a 1 that is open and not close-on-exec
///                at each ps_spawn (else EBADF)
/// @param fd      for PS_STDIO_FD an open descriptor of the host, borrowed: it must be open at each ps_spawn,
///                and you may close it after that. Otherwise ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_stdio(
    command: *mut ps_command,
    stream: i32,
    how: i32,
    fd: i32,
    error: *mut *mut ps_error,
) -> ps_status {
    change(command, error, |now| {
        let how = match convert::choice("how", how, ps_stdio_kind::from_repr)? {
            ps_stdio_kind::Fd(_) => ps_stdio_kind::Fd(fd),
            other => other,
        };
        now.stdio(stream, how).map(drop)
    })
}

/// Gives the child a descriptor of the host under a number of its own, without close-on-exec. Every
/// descriptor that is not given is closed in the child, whatever its flags. Any mapping works, also one that
/// swaps numbers or lies above the soft RLIMIT_NOFILE: below the hard limit, else ps_spawn gives PS_ERR_LIMIT
/// and the error names both numbers.
///
/// @param fd        an open descriptor, borrowed: it must be open at each ps_spawn
/// @param child_fd  its number in the child, 0 to 1048575; each number once
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_pass_fd(command: *mut ps_command, fd: i32, child_fd: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.pass_fd(fd, child_fd).map(drop))
}

/// Gives the child many at once, each as ps_command_pass_fd does. All or none: a bad entry changes nothing.
/// What it takes grows with n alone, not with what was given before.
///
/// @param fds        n open descriptors, borrowed: they must be open at each ps_spawn
/// @param child_fds  their n numbers in the child, 0 to 1048575, each once; NULL: the same numbers
/// @param n          0 changes nothing
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT for NULL with an n, for a descriptor that is not open, and for a
///         number that cannot be or is given twice: the message says which entry, from 0; PS_ERR_LIMIT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_pass_fds(
    command: *mut ps_command,
    fds: *const i32,
    child_fds: *const i32,
    n: usize,
    error: *mut *mut ps_error,
) -> ps_status {
    change(command, error, |now| {
        // SAFETY: n readable numbers, by the caller's contract.
        let fds = unsafe { convert::slice("fds", fds, n) }?;
        // SAFETY: n readable numbers or null, by the caller's contract.
        let child_fds = (!child_fds.is_null()).then(|| unsafe { convert::slice("child_fds", child_fds, n) });
        now.pass_fds(fds, child_fds.transpose()?).map(drop)
    })
}

pub use crate::process::command::PipeDirection as ps_pipe_direction;

/// Gives the child one end of a pipe as descriptor `child_fd`; ps_child_stdio(child, child_fd, ...) gives the
/// host's end. Each child has a pipe of its own. For 0, 1 and 2 it is the same as ps_command_stdio with
/// PS_STDIO_PIPE. Limits as for ps_command_pass_fd.
///
/// @param child_fd   its number in the child, 0 to 1048575; each number once, here and in ps_command_pass_fd
/// @param direction  PS_PIPE_TO_CHILD (the child reads; for 0 the only one) or PS_PIPE_FROM_CHILD (it writes;
///                   for 1 and 2 the only one)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_pipe(command: *mut ps_command, child_fd: i32, direction: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.pipe(child_fd, convert::choice("direction", direction, ps_pipe_direction::from_repr)?).map(drop))
}

/// Gives the child a listening descriptor as systemd does (sd_listen_fds(3)): numbers 3, 4, ... in the order
/// of these calls, and LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID (the child's true pid) in its environment.
///
/// @param fd    an open descriptor, borrowed: it must be open at each ps_spawn
/// @param name  its name: printable ASCII without ':', at most 255; NULL means "unknown". Copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_listen_fd(
    command: *mut ps_command,
    fd: i32,
    name: *const c_char,
    error: *mut *mut ps_error,
) -> ps_status {
    change(command, error, |now| {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        now.listen_fd(fd, unsafe { convert::optional(name) }).map(drop)
    })
}

/// The user and groups that the child becomes, all at once (each by itself: ps_command_user, which says more).
/// The host needs the right to that (CAP_SETUID, CAP_SETGID), unless it is all of that already. The ids need
/// not be in any database. The whole list of supplementary groups is replaced.
///
/// The pipes that procsup makes for the child, and its output file, belong to that user, so that it can open
/// them again by name (/dev/stdout), and the published file is its own; where the host may not do that
/// (CAP_CHOWN) they stay the host's. What the command lends or names (PS_STDIO_FD, ps_command_sandbox_dir)
/// is left as it is: see to it that the user may use it.
///
/// Cost: such a child is made by a fork (PS_TIER_FORK), because two processes of different users must never
/// share memory. That takes time in proportion to the host's resident memory, about 20 ms per GiB. A host of
/// many GiB that often spawns as another user should do it through a small process of its own.
///
/// @param groups, n  n supplementary groups; NULL, 0 for none
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_credentials(
    command: *mut ps_command,
    uid: u32,
    gid: u32,
    groups: *const u32,
    n: usize,
    error: *mut *mut ps_error,
) -> ps_status {
    change(command, error, |now| {
        if n > 65_536 {
            return Err(Error::invalid("groups", "more than 65536 groups (NGROUPS_MAX)"));
        }
        // SAFETY: n readable numbers, by the caller's contract.
        let groups = unsafe { convert::slice("groups", groups, n) }?;
        now.credentials(uid, gid, groups).map(drop)
    })
}

/// The child's umask, 0 to 0777. Default: the host's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_umask(command: *mut ps_command, mask: u32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.umask(mask).map(drop))
}

/// The child's nice value, -20 (most favoured) to 19. Default: the host's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_nice(command: *mut ps_command, nice: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.nice(nice).map(drop))
}

/// A resource limit of the child (getrlimit(2)). The last call for a resource counts.
///
/// @param resource    RLIMIT_*
/// @param soft, hard  in the units of the resource; UINT64_MAX for no limit; soft must not exceed hard
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_rlimit(
    command: *mut ps_command,
    resource: i32,
    soft: u64,
    hard: u64,
    error: *mut *mut ps_error,
) -> ps_status {
    change(command, error, |now| now.rlimit(resource, soft, hard).map(drop))
}

/// 1: no exec of the child or of its descendants can raise privileges (PR_SET_NO_NEW_PRIVS). Default 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_no_new_privs(command: *mut ps_command, on: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        now.no_new_privs(convert::flag("on", on)?);
        Ok(())
    })
}

/// 1: the child is killed when this process ends, however it ends (PR_SET_PDEATHSIG). Default 0. It covers
/// the child, not the child's own children, and the kernel drops it when the child executes a set-user-id
/// program. With PS_ISOLATE_CONTAINED it covers everybody below the child, and nothing drops it.
///
/// The kernel ties this to a thread of the host: here it is always the main thread, whichever thread spawns
/// (or the oldest one left, if the main thread has ended by pthread_exit). For a spawn from another thread
/// the child is made by a bare kernel thread that is gone before ps_spawn returns; that takes some
/// microseconds more. Together with ps_command_cgroup such a spawn is a fork (PS_TIER_FORK), in time in
/// proportion to the host's resident memory, about 20 ms per GiB: a memory controller that kills a child on
/// shared memory that was made in this way would kill the host with it. From the main thread it costs nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_die_with_host(command: *mut ps_command, on: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        now.die_with_host(convert::flag("on", on)?);
        Ok(())
    })
}

pub use crate::sys::spawn::Isolation as ps_isolation;

/// How the child is set apart from the host. A child in a group of its own that reads the terminal is stopped
/// by it (SIGTTIN): give it another stream 0, ps_command_foreground, or PS_ISOLATE_NONE. Without a group of
/// its own a child is signalled alone, and nothing is swept when it ends. Of this call and
/// ps_command_process_group the last counts.
///
/// PS_ISOLATE_CONTAINED: nobody below the child outlives it, whatever they do (setsid, double forks,
/// ignored signals, fork bombs), without root and without a control group. The child gets a pid namespace
/// of its own (pid_namespaces(7)), and where the calling thread has no CAP_SYS_ADMIN, a user namespace
/// around it (user_namespaces(7)), in which its user and group are what they were. The process that the
/// host has made is a small init, which makes the program, passes signals on, reaps, and ends as the
/// program does; then, or when it is killed, the kernel kills everybody inside, before the end can be
/// seen. All other settings are the program's. It costs about as much as another spawn. What is different:
///
/// - ps_child_pid, and the pid of events and errors, is the init's. What is sent to it, by ps_signal or by
///   kill(1), goes to the program's process group; by ps_signal_process, to the program alone
///   (ps_signal_process with SIGKILL ends all). SIGSTOP and SIGCONT by ps_signal do that to the program;
///   by kill(1) SIGSTOP stops the init, which then passes nothing on. Signals from inside to the init are
///   thrown away, and from outside those with a value (sigqueue(3)). Who takes a signal is known inside
///   only: PS_OK says that the init has it. The cause in ps_exit is as of any child.
/// - Inside, the program is number 2 (or 3), its parent is 1, getpid(2) and kill(2) know only those
///   inside. LISTEN_PID and WATCHDOG_PID are right there, and so is MAINPID=; by NOTIFY_SOCKET the program
///   is believed as itself. It leads a process group; with a terminal it is as with PS_ISOLATE_GROUP.
/// - /proc stays the one of the host: /proc/self works, ps(1) shows everybody under the numbers outside,
///   and what is written in a pid file is a number inside.
/// - In a user namespace set-user-id and set-group-id programs gain nothing, setgroups(2) is refused (so
///   ps_command_groups is PS_ERR_PERMISSION for all but those that the calling thread has), and files of
///   others show as owned by 65534. It has no rights outside that it had not before. An effective
///   user 0 without CAP_SYS_ADMIN has all capabilities inside, over what belongs to the namespace.
/// - max_rss_kib and the times of ps_exit count init, the program, and everybody inside that was waited
///   for.
/// - It is no sandbox: files, network and memory are as before, and root inside can ask others to run
///   something.
/// - With ps_command_cgroup, those who have left the program's group get SIGKILL only.
///
/// PS_SURVIVORS_LEAVE with it is PS_ERR_INVALID_ARGUMENT, here and there. A supervisor with a spawner
/// makes such children itself. A preloader or its workers, ps_spawn_once and successors of a handoff
/// refuse it, for they are known by their number. ps_spawn answers PS_ERR_UNSUPPORTED, and has started
/// nothing, where namespaces are not to be had: user namespaces are off (kernel.unprivileged_userns_clone,
/// a security module, the host is in a chroot) or used up (/proc/sys/user), a filter forbids them, they
/// would be nested more than 32 deep, /proc is not mounted (needed without CAP_SYS_ADMIN, or with
/// ps_command_die_with_host), or files in memory may not be executed (vm.memfd_noexec). Short of processes
/// (EAGAIN) it tries again, then says PS_ERR_LIMIT. The program begins a moment before its init does: if
/// init then cannot begin (step "init", mostly ENOMEM), the program is killed, is not tried again, and may
/// have done something; the message says so. Two descriptors are kept from the first such child on.
///
/// @param isolation  PS_ISOLATE_GROUP (default), PS_ISOLATE_SESSION, PS_ISOLATE_NONE or PS_ISOLATE_CONTAINED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_isolate(command: *mut ps_command, isolation: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.isolate(convert::choice("isolation", isolation, ps_isolation::from_repr)?).map(drop))
}

/// A directory that goes with the child: once the last child of this command has been reaped, it is removed
/// with everything in it. It must exist at each ps_spawn; if the spawn fails, it stays. The string is copied;
/// a relative path counts from the directory that the host has now (PS_ERR_NOT_FOUND if that is gone).
///
/// It is held open (one descriptor, shared by the children of the command) from ps_spawn to its removal, and
/// what is removed is that very directory, in the directory in which it lay: whatever is in its place by
/// then, or was moved elsewhere, is left alone. How deep it is costs neither stack nor descriptors (about
/// ten for the time of the removal). Symbolic links in it are removed, not followed. Directories whose owner
/// has no rights to them get them, if the owner is the host's own user.
///
/// The removal takes place inside the call that reaps, at most 5 seconds plus one step of the file system.
/// What cannot be removed stays: something is mounted there, it belongs to another user, or the time was
/// over. `removal` in the exit record says why, and so does PS_EVENT_EXITED. It is tried again, ever less
/// often (after 10 ms, at last 60 s), for a quarter of an hour and at most 20 ms at a time, by
/// ps_supervisor_next_event and the calls that wait for a child; never by ps_spawn. At most 64 such
/// directories are remembered, then the oldest is given up; one that is a mount itself is not tried again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_sandbox_dir(command: *mut ps_command, dir: *const c_char, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        now.sandbox_dir(os(unsafe { convert::string("dir", dir) }?)).map(drop)
    })
}

/// Takes a descriptor: it is yours no more. It is closed after the reap of the next child spawned from this
/// command, or by ps_command_free if there was none; after a spawn that fails it is the command's still. The
/// child does not get it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_own_fd(command: *mut ps_command, fd: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        if now.owns_fd(fd) {
            return Err(Error::invalid("fd", format!("descriptor {fd} was given to this command already")));
        }
        let owned = fds::adopt(fd).map_err(|errno| Error::invalid("fd", format!("{fd} is not an open descriptor")).with_errno(errno))?;
        now.own_fd(owned).map(drop)
    })
}

/// Adds a step to the stop plan: send the signal to the group (or to whom ps_command_stop_scope says), wait
/// up to wait_ms for the child to end, go on to the next step. The first call replaces the default plan,
/// which is SIGTERM and 2000 ms, then SIGKILL. A wait ends as soon as the child does. Each signal but SIGKILL
/// is followed by SIGCONT, so that a stopped child takes it.
///
/// @param signal   1 to 64
/// @param wait_ms  milliseconds; -1: as long as procsup waits for a killed process, 5000
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_stop_step(command: *mut ps_command, signal: i32, wait_ms: i64, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.stop_step(signal, wait_ms).map(drop))
}

/// The stop plan runs by itself `ms` milliseconds after the spawn, if the child is still there
/// (PS_CAUSE_DEADLINE). The time is kept by ps_supervisor_next_event and by every call that waits for the
/// child.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_deadline(command: *mut ps_command, ms: i64, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.deadline(ms).map(drop))
}

/// How long a child that is dumping its core (core(5)) is left to finish when its stop plan, its deadline or a
/// shutdown has come to a SIGKILL, which would cut the dump and stand in the record in place of the signal
/// that it died of. After that it is killed. ps_signal, ps_kill_and_reap_all and ps_supervisor_free kill at
/// once. Needs /proc, and Linux 4.15.
///
/// @param ms  milliseconds, 0 or more; default 10000; 0: not at all
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_core_wait(command: *mut ps_command, ms: i64, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.core_wait(ms).map(drop))
}

/// Tells when the child is stopped (job control: SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU) and when it goes on:
/// PS_EVENT_STOPPED, with the signal, and PS_EVENT_CONTINUED. The state (ps_child_state) does not change: it
/// only goes forward, and a stopped child is PS_STATE_RUNNING. ps_child_stopped asks without this.
///
/// Nothing wakes a process for it but SIGCHLD, which is the host's. So it is looked for every `interval_ms`,
/// by ps_supervisor_next_event and by a thread that waits for the child: a timer, and one waitid(2) for each
/// child that is watched so; nothing for others. What is told is what a look has found: a stop that is over
/// before the next look is not told; a stop, a continue and another stop between two looks are told as one
/// stop, or, by another signal, as a PS_EVENT_CONTINUED and a PS_EVENT_STOPPED. What is told always
/// alternates, PS_EVENT_STOPPED first, behind the PS_EVENT_STARTED of its run. A child that is killed while it
/// is stopped may have no PS_EVENT_CONTINUED: PS_EVENT_EXITED ends both. Of one child no more than two of
/// these wait in the queue; once they are taken the next look tells how it stands.
///
/// The look takes nothing away: a host that itself calls waitpid(2) for the child, with WUNTRACED or
/// WCONTINUED, finds what it would find without procsup, and what it has set for SIGCHLD does not matter. If
/// such a call comes before the look, the stop is found in /proc, which is read once a second for that, and
/// its signal is -1. So it is with the stops of a worker that a preloader has made and of the program of a
/// contained child (PS_ISOLATE_CONTAINED), at each interval: neither is a child of this process. Without /proc
/// these are not told. A child that a tracer holds (ptrace(2)) is not stopped.
///
/// A stop plan continues a stopped child (SIGCONT) behind each of its signals, as ever; deadline, readiness
/// and watchdog go on while it is stopped.
///
/// The child needs a supervisor that is not NULL (ps_spawn: PS_ERR_INVALID_ARGUMENT, step "watch_stops"); one
/// that a spawner makes is watched as any. Refused for a daemon of ps_spawn_once and for a successor of a
/// handoff: nobody would be told.
///
/// @param interval_ms  1 to 3600000, milliseconds; for people 100 is soon. 0 (default): not watched
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_watch_stops(command: *mut ps_command, interval_ms: i64, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.watch_stops(interval_ms).map(drop))
}

/// What happens to the rest of a child's group when the child ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum ps_survivors_policy {
    /// It is killed (default).
    #[strum(serialize = "PS_SURVIVORS_SWEEP")]
    Sweep = 0,
    /// It is left alone.
    #[strum(serialize = "PS_SURVIVORS_LEAVE")]
    Leave = 1,
}

/// What happens to the rest of the child's group when the child ends. If it is killed, then before the child
/// is reaped: until then the group's number cannot be another's. Does nothing with PS_ISOLATE_NONE without a
/// control group: such a child has no group that is its own.
///
/// @param policy  PS_SURVIVORS_SWEEP (default) or PS_SURVIVORS_LEAVE
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_survivors(command: *mut ps_command, policy: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        now.sweep_survivors(convert::choice("policy", policy, ps_survivors_policy::from_repr)? == ps_survivors_policy::Sweep).map(drop)
    })
}

/// Keeps the last max_bytes (1 to 1 GiB) of what the child writes to those of its streams 1 and 2 that are
/// PS_STDIO_INHERIT or PS_STDIO_PTY (see terminals); ps_child_output gives them, both streams in the order of
/// the writes, and ps_child_output_lost tells how much more there was. They are read by
/// ps_supervisor_next_event and by every call on the child: while nobody calls, a child that has written more
/// than a pipe holds (64 KiB) waits.
///
/// For a program that is run to its end for all that it says, ps_run does this and the rest.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_capture(command: *mut ps_command, max_bytes: usize, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.capture(max_bytes).map(drop))
}

/// 1: what ps_command_capture keeps is kept by stream, the last max_bytes of each: ps_child_output_of. Their
/// order is not known then; ps_child_output gives stream 1, then stream 2. A stream 2 that is PS_STDIO_MERGE
/// counts as stream 1, as does all that a worker of the protocol PS_PRELOADER_PASSENGER says. Default 0;
/// without ps_command_capture it does nothing.
///
/// @param on  1 or 0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_capture_apart(command: *mut ps_command, on: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        now.capture_apart(convert::flag("on", on)?);
        Ok(())
    })
}

/// Tells every line that the child writes to those of its streams 1 and 2 that are PS_STDIO_INHERIT or
/// PS_STDIO_PTY (see terminals), as a PS_EVENT_OUTPUT; ps_event_data gives the line. A stream 2 that is
/// PS_STDIO_MERGE counts as stream 1. Lines come before the child's PS_EVENT_EXITED; what a grandchild writes
/// later is not read. The child needs a supervisor that is not NULL.
///
/// A host that does not take events holds the child back: about 256 KiB or 8192 lines are read ahead, then
/// the child's pipe fills and it waits. Not so while a thread waits for that very child (ps_reap,
/// ps_terminate, ps_wait_ready, and ps_wait_any and ps_wait_all for each of theirs), for both would wait for
/// each other: then all is read, and 16 MiB (and a look's worth, 4 MiB at the most) are kept. What is
/// beyond, or finds no memory, is lost, and a PS_EVENT_OUTPUT_LOST tells so where it is missing. Kept lines
/// count with the memory that they take: their bytes, one to four more for each, and some 200 for each look
/// that found some.
///
/// @param on  1 or 0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_output_lines(command: *mut ps_command, on: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        now.output_lines(convert::flag("on", on)?);
        Ok(())
    })
}

/// The longest line, in bytes (1 to 16 MiB; default 64 KiB), that comes in one piece. Does nothing without
/// ps_command_output_lines.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_output_line_limit(command: *mut ps_command, max_bytes: usize, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.output_line_limit(max_bytes).map(drop))
}

/// A piece of a line is told when it has lain there for `ms` milliseconds, counted from its first byte: a
/// prompt ("Password: "), a bar of progress. It comes as a PS_EVENT_OUTPUT with the status PS_PENDING, once;
/// what follows it comes as further events, at last with PS_OK where the newline is. That last part may be
/// empty. Who joins what ps_event_data gives, with a newline behind each part that is PS_OK, has the bytes of
/// the stream, as ever. Does nothing without ps_command_output_lines.
///
/// A carriage return ends no line: it is a byte like others. A bar that is drawn anew behind each "\r" comes
/// out as a piece every `ms`, with all that was drawn meanwhile; what stands on a terminal then is what is
/// behind the last "\r". A piece may end anywhere, also within a character of UTF-8 or an escape sequence, and
/// is no longer than ps_command_output_line_limit.
///
/// The time is kept by ps_supervisor_next_event and by every call that waits for the child. A program whose
/// output is no terminal often keeps it back itself (setvbuf(3)): what it has not written nobody can tell.
///
/// @param ms  1 and more; 0 (default): a piece waits for its newline, the limit, or the end
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_output_partial(command: *mut ps_command, ms: i64, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.output_partial(ms).map(drop))
}

/// When the file of ps_command_output_file is there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum ps_output_if_exists {
    /// It is left alone, and the spawn refused (default).
    #[strum(serialize = "PS_OUTPUT_REFUSE")]
    Refuse = 0,
    /// It is replaced, atomically.
    #[strum(serialize = "PS_OUTPUT_REPLACE")]
    Replace = 1,
}

/// Sends stream 1 (and stream 2 if that is PS_STDIO_MERGE) to a file that nobody sees before it is complete:
/// it appears under its name, with mode 0600, when the child has ended. Until then it has no name at all
/// where the file system allows that (O_TMPFILE, open(2)), so nothing is left when the host crashes;
/// elsewhere it is ".NAME.procsup-..." in the same directory. The child writes to the file itself: a full
/// disk is its own error. The file is not synced: it is atomic towards other processes, not towards a power
/// failure.
///
/// If the file cannot be put in place although the child exited with 0, ps_reap and ps_terminate answer that
/// error in place of the exit, and the target is untouched; a child that failed keeps its own record.
/// PS_EVENT_EXITED has both, in `exit` and `status`.
///
/// @param path       copied; a relative path counts from the directory that the host has now
///                   (PS_ERR_NOT_FOUND, ENOENT if that is gone)
/// @param if_exists  PS_OUTPUT_REFUSE (ps_spawn answers PS_ERR_OUTPUT_EXISTS if there is a file; one that
///                   appears while the child runs stays, with the same error) or PS_OUTPUT_REPLACE
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_output_file(
    command: *mut ps_command,
    path: *const c_char,
    if_exists: i32,
    error: *mut *mut ps_error,
) -> ps_status {
    change(command, error, |now| {
        let replace = convert::choice("if_exists", if_exists, ps_output_if_exists::from_repr)? == ps_output_if_exists::Replace;
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        now.output_file(os(unsafe { convert::string("path", path) }?), replace).map(drop)
    })
}

/// What becomes of the output file of a child that did not exit with 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum ps_output_failure_policy {
    /// It appears all the same (default).
    #[strum(serialize = "PS_OUTPUT_KEEP")]
    Keep = 0,
    /// It never appears.
    #[strum(serialize = "PS_OUTPUT_DROP")]
    Drop = 1,
}

/// What becomes of the output file of a child that did not exit with 0. Does nothing without
/// ps_command_output_file.
///
/// @param policy  PS_OUTPUT_KEEP (default) or PS_OUTPUT_DROP
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_output_on_failure(command: *mut ps_command, policy: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        let policy = convert::choice("policy", policy, ps_output_failure_policy::from_repr)?;
        now.output_on_failure(policy == ps_output_failure_policy::Keep);
        Ok(())
    })
}

/// What the child finds on its standard input: a sealed file in memory (memfd_create(2)) that is complete
/// before the child begins. Nobody has to feed it, so nothing can deadlock. Each child reads from the
/// beginning. The bytes are copied; NULL, 0 is an empty input.
///
/// @return PS_OK; PS_ERR_LIMIT or PS_ERR_SYSTEM if there is no memory for it
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_input(
    command: *mut ps_command,
    data: *const core::ffi::c_void,
    len: usize,
    error: *mut *mut ps_error,
) -> ps_status {
    change(command, error, |now| {
        // SAFETY: `len` bytes, by the caller's contract.
        now.input(unsafe { convert::slice("data", data.cast::<u8>(), len) }?).map(drop)
    })
}

/// The child's standard input is fed while it runs, by ps_child_write and ps_child_write_end; nobody has to
/// wait for the child to read. What it has not read stays in its pipe (64 KiB) and, up to `max_bytes`, in the
/// host. The other ways to say what stream 0 is are refused beside it by ps_spawn, as with ps_command_input;
/// but a PS_STDIO_PTY is typed at (see terminals).
///
/// The child finds a pipe there. Where the kernel cannot write to a pipe without SIGPIPE (before Linux 6.18,
/// RWF_NOSIGNAL) it finds a unix socket that it can only read: a program that opens /dev/stdin anew gets
/// ENXIO then, and a bash without a script takes it for a remote shell (and reads ~/.bashrc). In no case does
/// a child that stops reading raise SIGPIPE in the host. Without ps_child_write_end the input ends when the
/// handle is freed, behind what waits. It takes one descriptor of the host per child. With a restart policy
/// each run has an input of its own: what waits for a run that ends is dropped with it.
///
/// @param max_bytes  how many bytes may wait in the host, 1 to 1 GiB; memory is taken as it is needed
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_input_stream(command: *mut ps_command, max_bytes: usize, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.input_stream(max_bytes).map(drop))
}

/// Puts the child into a control group (cgroup v2, cgroups(7)) of its own, which is made before it and
/// removed after it. The child is born inside (from Linux 5.7 on; before, it joins as its first step), and
/// neither a double fork nor a new session leads out. Signals reach everything in it. When the child has
/// ended, the rest is killed at one stroke (cgroup.kill, from Linux 5.14 on; before, one by one), unless the
/// command says PS_SURVIVORS_LEAVE. A directory that cannot be removed yet is tried again by later calls (not
/// by ps_spawn); a start that needs that very directory waits for it, as a rule some milliseconds, at most a
/// second. Groups that members have made inside go with it, however deep, and signals reach those in them.
/// It takes two descriptors of the host, three before Linux 5.14. The string is copied.
///
/// A child that its group's memory.max leaves no room to begin fails the spawn: PS_ERR_LIMIT, or
/// PS_ERR_SYSTEM with E2BIG if it is its arguments that have no room. The host is not touched. For that,
/// a spawn with ps_command_die_with_host from another thread than the main one is a fork (see there).
///
/// ps_spawn then also answers PS_ERR_UNSUPPORTED if `dir` is not in a cgroup v2 file system,
/// PS_ERR_PERMISSION, PS_ERR_NOT_FOUND if its parent is missing, and PS_ERR_STATE if it is there and in use
/// (an empty one is taken).
///
/// @param dir  absolute path of the directory to make; with a slash at its end, a directory that exists, and
///             in which every child gets a fresh one
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_cgroup(command: *mut ps_command, dir: *const c_char, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        now.cgroup(os(unsafe { convert::string("dir", dir) }?)).map(drop)
    })
}

/// A setting of that control group, such as "pids.max", "64"; written before the child is born. ps_spawn
/// fails with step "cgroup_set" if the kernel refuses it. The strings are copied.
///
/// @return PS_OK; PS_ERR_STATE without ps_command_cgroup; PS_ERR_INVALID_ARGUMENT for a name with a slash, or
///         one that is no setting
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_cgroup_set(
    command: *mut ps_command,
    file: *const c_char,
    value: *const c_char,
    error: *mut *mut ps_error,
) -> ps_status {
    change(command, error, |now| {
        // SAFETY: NUL-terminated strings or null, by the caller's contract.
        let (file, value) = unsafe { (convert::string("file", file)?, convert::string("value", value)?) };
        now.cgroup_set(os(file), os(value)).map(drop)
    })
}

pub use crate::process::command::RestartWhen as ps_restart_policy;

/// Starts the child again when its process has ended. Not after ps_terminate, ps_supervisor_shutdown or
/// ps_kill_and_reap_all. The handle stays the same, and ps_reap answers when the child is over for good. Each
/// process has its PS_EVENT_EXITED; if another follows, a PS_EVENT_RESTARTING is next. While the child waits
/// for its next start it holds no slot of the supervisor. It needs a supervisor that is not NULL.
///
/// The wait begins with min_delay_ms and doubles with every failure up to max_delay_ms; each is spread by a
/// quarter to both sides, so that children that died together do not come back in step. Descriptors lent to
/// the command are duplicated at ps_spawn; what it owns (sandbox, descriptors) is kept until the child is
/// over.
///
/// @param policy                      PS_RESTART_NEVER (default), PS_RESTART_ON_FAILURE or PS_RESTART_ALWAYS
/// @param min_delay_ms, max_delay_ms  milliseconds
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_restart(
    command: *mut ps_command,
    policy: i32,
    min_delay_ms: i64,
    max_delay_ms: i64,
    error: *mut *mut ps_error,
) -> ps_status {
    change(command, error, |now| {
        let when = convert::choice("policy", policy, ps_restart_policy::from_repr)?;
        now.restart(when, min_delay_ms, max_delay_ms).map(drop)
    })
}

/// When restarting ends: after this many failed runs in a row (default 5; 0: never) there is a
/// PS_EVENT_GAVE_UP. A run that lasts healthy_ms milliseconds (default 10000), or exits with 0 and not too
/// early (ps_command_restart_early_exit), starts the count anew. Does nothing without ps_command_restart, but
/// that healthy_ms is also when a start under a budget has succeeded (ps_command_budget).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_restart_limit(
    command: *mut ps_command,
    failures: u32,
    healthy_ms: i64,
    error: *mut *mut ps_error,
) -> ps_status {
    change(command, error, |now| now.restart_limit(failures, healthy_ms).map(drop))
}

/// Below which length a run that exits with 0 counts as failed, under PS_RESTART_ALWAYS: the pause before the
/// next start grows, and in the end it is given up (ps_command_restart_limit). A service that puts itself into
/// the background ends so, at once and at every start, and leaves a copy behind each time: run it in the
/// foreground. Does nothing under another policy.
///
/// @param ms  milliseconds (default 1000); 0: an exit with 0 never counts, for jobs that are short by nature
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_restart_early_exit(command: *mut ps_command, ms: i64, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.restart_early_exit(ms).map(drop))
}

/// Who goes first where a supervisor's line is longer than its slots (ps_supervisor_set_max_running): the
/// higher priority, and of equal ones who came first. It holds for the first start and for every restart
/// (ps_command_restart), so a service that has died need not wait behind the batch jobs beside it. It ends
/// nobody: also the highest waits until a slot is free. And it is all there is: a low one waits as long as
/// higher ones keep coming. Of children that wait for a permit of one budget key the highest is asked for
/// first, too. What a child has is what its command had when it was spawned.
///
/// It says nothing to the kernel (for that: ps_command_nice), and nothing under the default supervisor
/// (NULL), where nobody waits.
///
/// @param priority  -100 to 100; default 0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_priority(command: *mut ps_command, priority: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.priority(priority).map(drop))
}

/// A word of yours that comes back with every event of the child. Default 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_user_data(command: *mut ps_command, user_data: u64, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        now.user_data(user_data);
        Ok(())
    })
}
