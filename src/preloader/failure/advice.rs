//! What a number means that the kernel or an exit gave, and what to do about it.

use nix::errno::Errno;

use crate::registry::{Exit, Kind, Oom};
use crate::report::case::Category;

/// A failure of this kind, in the words of a summary.
pub fn nature(category: Category) -> &'static str {
    match category {
        Category::Internal => "something went wrong",
        Category::FileSystem => "a file or directory could not be used",
        Category::OperatingSystem => "the operating system refused something",
        Category::Io => "reading or writing failed",
        Category::Timeout => "the time was over",
    }
}

/// What to do about a kind, where nothing more exact is known.
pub fn of_category(category: Category) -> &'static str {
    match category {
        Category::Internal => "",
        Category::FileSystem => {
            "Look at the file or directory that is named: does it exist, may the user reach it (each directory above it needs the x bit), is there \
             room (`df -h`, `df -i`)? `namei -l PATH` shows owner and mode of each part of a path."
        }
        Category::OperatingSystem => {
            "Look at the limits of the user and of the control group, and at the kernel's log (`dmesg`, `journalctl -k`)."
        }
        Category::Io => "The other side has gone away, or does not listen: look whether it still runs, and at what it wrote last.",
        Category::Timeout => {
            "If it does get there and only needs longer, give it more time. If not, look at where it hangs: a database or a service that does not answer, a \
             lock, too little memory or processor (the load is in this report)."
        }
    }
}

/// What to do about a system call's error; empty, if there is nothing to say beyond its name.
pub fn of_errno(errno: Errno) -> &'static str {
    match errno {
        Errno::EACCES | Errno::EPERM => {
            "Permission was denied. Look at owner and mode of what is named, and of each directory above it (`namei -l PATH`); at mount options (noexec, \
             nosuid); at SELinux or AppArmor (`journalctl -k`); to change the user takes root."
        }
        Errno::ENOENT => {
            "Something is not there. Look at the spelling of the path, at PATH of the environment, and for a script at the interpreter in its first line."
        }
        Errno::ENOTDIR => "A part of the path is a file where a directory was expected.",
        Errno::ELOOP => "There is a symbolic link where none is followed, or a circle of them.",
        Errno::EEXIST => "Something was there already that had to be made: another program, or another user, puts it there.",
        Errno::ENOEXEC => {
            "The file is not a program of this machine: a script without `#!` in its first line, or a binary of another architecture (`file PATH`)."
        }
        Errno::ETXTBSY => "The program is being written at this moment, by a deployment for example: try again.",
        Errno::E2BIG => "The arguments and the environment are too large together (`getconf ARG_MAX`).",
        Errno::EMFILE => {
            "This process has as many descriptors open as it may: raise its limit (`ulimit -n`, LimitNOFILE=), or look for a leak (ls /proc/PID/fd)."
        }
        Errno::ENFILE => "The system has as many files open as it may: /proc/sys/fs/file-max.",
        Errno::EAGAIN => {
            "There are as many processes or threads as there may be: the user's limit (`ulimit -u`), pids.max of the control group, or \
             /proc/sys/kernel/pid_max."
        }
        Errno::ENOMEM => "There is no memory: look at memory.max of the control group, at swap, and at /proc/sys/vm/overcommit_memory.",
        Errno::ENOSPC => "There is no room: on the disk (`df -h`), for more files (`df -i`), or for what else the call makes.",
        Errno::EDQUOT => "The user's quota is used up (`quota -s`).",
        Errno::EROFS => "The file system is mounted read-only.",
        Errno::ENAMETOOLONG => "A path is too long; a Unix socket's has 107 bytes at most.",
        Errno::ECONNREFUSED => "Nobody listens at that address: who should has ended, or does not listen yet.",
        Errno::ECONNRESET | Errno::EPIPE => "The other side has closed the connection: it has probably ended.",
        Errno::EADDRINUSE => "The address is taken: `ss -ltnp` and `ss -lxp` show by whom.",
        Errno::ENOSYS => "This kernel, or a filter of system calls (seccomp), does not know the call.",
        _ => "",
    }
}

/// What to do about the way in which a process ended; empty, if there is nothing to say.
pub fn of_exit(exit: &Exit) -> &'static str {
    match exit.memory.oom {
        Oom::None | Oom::Probable => {}
        Oom::Own => {
            return "It needs more memory than its control group may have: look at memory.max there, and at what it loads.";
        }
        Oom::Above => {
            return "It was killed because there was no memory left above its own control group: look at memory.max of the groups above it (the \
                    container's, the unit's), and at what else runs on the machine.";
        }
    }
    match (exit.kind, exit.code, exit.signal) {
        (Kind::Exited, 127, _) => {
            "Exit code 127 is a shell's word for a command that it does not find: look at the start command and at PATH."
        }
        (Kind::Exited, 126, _) => "Exit code 126 is a shell's word for a command that it may not execute: look at the mode of the file.",
        (Kind::Exited, 0, _) => {
            "It ended of its own will and reported success (exit code 0). A server must stay in the foreground: look whether it goes to the background \
             (daemonizes), or has nothing to do."
        }
        (Kind::Exited, 137, _) | (Kind::Signaled, _, libc::SIGKILL) => {
            "It was killed (SIGKILL). If nobody did it, the kernel had no memory left for it: look for \"out of memory\" in `dmesg`, and at memory.max \
             and memory.events of the control group."
        }
        (Kind::Signaled, _, libc::SIGSEGV | libc::SIGBUS | libc::SIGILL | libc::SIGFPE) => {
            "It crashed, in native code: a library of another version or architecture, a full stack, or a defect. A core dump shows where (`coredumpctl`)."
        }
        (Kind::Signaled, _, libc::SIGABRT) => "It aborted itself: what it wrote last says why.",
        (Kind::Signaled, _, libc::SIGSYS) => {
            "It made a system call that a filter (seccomp) forbids: look at the profile of the container or of the unit."
        }
        (Kind::Signaled, _, libc::SIGXCPU) => "It has used up its processor time (`ulimit -t`).",
        (Kind::Signaled, _, libc::SIGXFSZ) => "It has written a file larger than it may (`ulimit -f`).",
        (Kind::Signaled, _, libc::SIGTERM | libc::SIGINT | libc::SIGHUP) => {
            "Somebody told it to end: a deployment, an operator, or the end of a session."
        }
        (Kind::Lost, ..) => "How it ended is not known: somebody else has reaped it.",
        _ => "",
    }
}
