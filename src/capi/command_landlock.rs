//! `ps_command`: which paths are open to it.

use core::ffi::c_char;

use super::command::{change, os, ps_command};
use super::error::ps_error;
use super::{convert, ps_status};

pub use crate::sys::landlock::Allow as ps_allow;

/// Opens a path, and all that is below it, to the child. With the first of these calls everything else in the
/// file system is closed to the child and to all that it starts, for good, root or not (landlock(7)): what is
/// not allowed is EACCES, or EXDEV for a rename or link that would gain rights. Each call adds; what is said
/// of a directory holds for all below it, and nothing takes a right away again.
///
/// It comes last before the program begins, so that must be allowed, too: PS_ALLOW_EXECUTE for the program,
/// its interpreter ("#!") and its loader (/lib, /lib64), PS_ALLOW_READ (or _EXECUTE) for its libraries, and
/// what it reads when it starts (/etc/ld.so.cache, locales):
///
/// ```c
/// #include <procsup.h>
///
/// // A converter of untrusted files: programs and libraries its input, one place to write to.
/// ps_status only_there(ps_command *command, const char *in, const char *out, ps_error **error) {
///   static const char *const system[] = {"/usr", "/lib", "/lib64", "/bin"}; // those that you have
///   ps_status status = PS_OK;
///   for (int i = 0; status == PS_OK && i < 4; i++)
///     status = ps_command_landlock(command, system[i], PS_ALLOW_READ | PS_ALLOW_EXECUTE, error);
///   if (status == PS_OK)
///     status = ps_command_landlock(command, "/etc", PS_ALLOW_READ, error);
///   if (status == PS_OK)
///     status = ps_command_landlock(command, "/dev/null", PS_ALLOW_READ | PS_ALLOW_WRITE, error);
///   if (status == PS_OK)
///     status = ps_command_landlock(command, in, PS_ALLOW_READ, error);
///   if (status == PS_OK)
///     status = ps_command_landlock(command, out, PS_ALLOW_READ | PS_ALLOW_WRITE, error);
///   return status;
/// }
/// ```
///
/// It implies ps_command_no_new_privs: set-user-id programs run as their caller. It also keeps the child from
/// mounting, and from tracing (ptrace(2), /proc/PID/mem) who is not restricted as it is. It does not touch:
/// descriptors that the child is given (standard streams, ps_command_pass_fd: what they were opened for they
/// can do); sockets of any kind, those with a path, too; signals; and of files stat(2), chdir(2), chmod(2),
/// chown(2), utime(2), xattr(7).
///
/// Linux 5.13. What a kernel does not know it does not restrict, without a word: before 6.2 truncate(2) of a
/// file that may not be written, before 6.10 ioctl(2) on devices. Before 5.19 no file can be renamed or linked
/// from one directory to another.
///
/// ps_spawn looks the paths up (a relative one from the host's working directory; symbolic links are
/// followed), one descriptor at a time, before it makes anything, and answers also:
/// - PS_ERR_UNSUPPORTED, step "landlock_create_ruleset": the kernel has no Landlock, or it is off (lsm= at
///   boot), or a filter forbids it (ENOSYS, EOPNOTSUPP, EPERM)
/// - PS_ERR_NOT_FOUND, PS_ERR_PERMISSION, ..., step "landlock": a path, named in the message
/// - PS_ERR_PERMISSION, step "exec", EACCES: the program, its interpreter or loader is not allowed
/// - PS_ERR_LIMIT, step "landlock_restrict_self": the host itself is restricted 16 times already
///
/// It works with ps_supervisor_set_spawner. It is refused for a worker of a preloader: restrict the preloader,
/// its workers have that from it.
///
/// @param path    a file or directory, copied; at most 1024 of them (PS_ERR_LIMIT)
/// @param access  a sum of PS_ALLOW_*, not 0; of what is no directory it is what files can be
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT; PS_ERR_LIMIT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_landlock(
    command: *mut ps_command,
    path: *const c_char,
    access: i32,
    error: *mut *mut ps_error,
) -> ps_status {
    change(command, error, |now| {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        now.landlock(os(unsafe { convert::string("path", path) }?), access).map(drop)
    })
}
