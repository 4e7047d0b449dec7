//! `ps_command`: who the child becomes, in parts.

use super::command::{change, ps_command};
use super::error::ps_error;
use super::{convert, ps_status};
use crate::error::{Error, Result};

/// NGROUPS_MAX of Linux. More are not looked at.
fn groups<'a>(groups: *const u32, n: usize) -> Result<&'a [u32]> {
    if n > 65_536 {
        return Err(Error::invalid("groups", "more than 65536 groups (NGROUPS_MAX)"));
    }
    // SAFETY: n readable numbers, by the contract of whoever was called from C.
    unsafe { convert::slice("groups", groups, n) }
}

/// The user that the child becomes, and nothing else: what the table does not name stays the host's. Each part
/// by itself, or several together; of calls that name the same part the last one counts.
///
/// ```text
///   said                               user   group   supplementary groups
///   ps_command_user                    new    host    host
///   ps_command_group                   host   new     host
///   ps_command_groups                  host   host    those named
///   user, group                        new    new     host
///   user, group, groups                new    new     those named       as ps_command_credentials
///   credentials, then keep_groups(1)   new    new     host
///   user, group, keep_groups(0)        new    new     none
/// ```
///
/// Beware: a child that a host of root's makes with ps_command_user alone is no longer root by its user, and
/// still is by its groups: group 0, and whatever root is in. To give up rights name all three.
///
/// A user or group id is set as the real, the effective and the saved one (setresuid(2), setresgid(2)), in the
/// order groups, group, user. That needs CAP_SETUID and CAP_SETGID, in the user namespace of the host; but not
/// to name what is so already. A host without rights may name its own user and group (or one of its real,
/// effective and saved ids, of which the child then has that one alone), and its own supplementary groups: as
/// a set, which may hold the child's own group id besides. It may not drop one: setgroups(2) is refused then,
/// and so is the spawn. Where groups are said, none is ever kept that was not among them.
///
/// From root to another user the child loses all capabilities; a host that is not root by its user and has
/// capabilities hands on the ambient ones, whatever the child's user is (capabilities(7); PR_SET_KEEPCAPS
/// ends with the exec). Whether it can be traced and dumps its core is as for every program that is executed
/// (PR_SET_DUMPABLE is set anew). ps_command_no_new_privs, the directory (ps_command_chdir_first) and
/// ps_command_die_with_host come after the change.
///
/// Pipes and output file belong to the new user or group, and the child is made by a fork, with its cost: see
/// ps_command_credentials. Not so for a host that names only what it is itself, by all of real, effective,
/// saved and file system id (and has fewer than some 300 groups; this needs /proc): that child is made the
/// fast way. Through a spawner what is not said is the spawner's, which has it of the host (see there), and
/// the child is made by a fork of the spawner, which is small. For a preloader's process it holds as for any
/// other; in a session (ps_spawn_direct) user and group must agree with the session's, by what is said and
/// what the host is. A worker is told nothing by its command: PS_ERR_INVALID_ARGUMENT, step "credentials".
///
/// Refused by the kernel, ps_spawn fails with step "setgroups", "setgid" or "setuid" and nothing has run:
/// PS_ERR_PERMISSION with EPERM; PS_ERR_SYSTEM with EINVAL for an id that the host's user namespace does not
/// map (user_namespaces(7)).
///
/// @param uid  a number; it need not be in any database
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT for UINT32_MAX, which means "no change" to the kernel; PS_ERR_LIMIT
///         without memory
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_user(command: *mut ps_command, uid: u32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.user(uid).map(drop))
}

/// The group that the child's group id becomes, and nothing else: see ps_command_user.
///
/// @param gid  a number; it need not be in any database
/// @return as ps_command_user
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_group(command: *mut ps_command, gid: u32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.group(gid).map(drop))
}

/// The child's supplementary groups, and nothing else: these and no other (see ps_command_user). Order and
/// repetitions are no matter. The list is copied.
///
/// @param groups, n  n group ids, at most 65536; NULL, 0: none at all
/// @return as ps_command_user; PS_ERR_INVALID_ARGUMENT for NULL with an n, and for too many
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_groups(command: *mut ps_command, groups: *const u32, n: usize, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.groups(self::groups(groups, n)?).map(drop))
}

/// 1: the child keeps the supplementary groups of the host, whatever was said of them before (also by
/// ps_command_credentials). That is so for a command that says nothing of them. 0: it keeps none that is not
/// named; if none was, it has none. See ps_command_user.
///
/// @param on  1 or 0
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT for another number
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_keep_groups(command: *mut ps_command, on: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        now.keep_groups(convert::flag("on", on)?);
        Ok(())
    })
}

/// 1: the child's directory (ps_command_cwd) is entered before it becomes another user, with the host's
/// rights: one that only the host may enter can be the child's all the same. What the child may do there is
/// its own user's affair: a program named by a relative path is looked for as the new user, and a directory
/// that this user may not search holds none that it can run. 0 (default): entered as the new user, and the
/// spawn fails with step "chdir" and EACCES if that one may not. Does nothing without a directory, or without
/// a change of user or groups.
///
/// @param on  1 or 0
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT for another number
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_chdir_first(command: *mut ps_command, on: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        now.chdir_first(convert::flag("on", on)?);
        Ok(())
    })
}
