//! The numbers of the kernel that the program needs, under the names that the crate `libc` has for them: the program is built without that crate, from
//! the sources of the engine, which name it. The library compares them with that crate's, for each architecture that it is built for.
#![allow(non_upper_case_globals, non_camel_case_types, missing_docs)]
#![cfg_attr(spawner_program, no_std)]

pub type c_long = i64;

/// fstat(2) writes 144 bytes here, or 128; what is wanted has the same place in both.
#[repr(C)]
pub struct stat {
    pub st_dev: u64,
    pub st_ino: u64,
    rest: [u64; 16],
}

macro_rules! numbers {
    ($($name:ident: $kind:ty = $number:expr;)*) => {
        $(pub const $name: $kind = $number;)*
        #[cfg(not(spawner_program))]
        const _: () = { $(assert!($name as i64 == ::libc::$name as i64);)* };
    };
}

#[cfg(not(spawner_program))]
const _: () = {
    assert!(core::mem::offset_of!(stat, st_ino) == core::mem::offset_of!(::libc::stat, st_ino));
    assert!(size_of::<stat>() >= size_of::<::libc::stat>());
};

numbers! {
    AT_EMPTY_PATH: i32 = 4096;
    AT_FDCWD: i32 = -100;
    CLONE_CHILD_SETTID: i32 = 16777216;
    CLONE_FILES: i32 = 1024;
    CLONE_FS: i32 = 512;
    CLONE_PARENT: i32 = 32768;
    CLONE_PARENT_SETTID: i32 = 1048576;
    CLONE_PIDFD: i32 = 4096;
    CLONE_SIGHAND: i32 = 2048;
    CLONE_SYSVSEM: i32 = 262144;
    CLONE_THREAD: i32 = 65536;
    CLONE_VFORK: i32 = 16384;
    CLONE_VM: i32 = 256;
    CLOSE_RANGE_UNSHARE: u32 = 2;
    E2BIG: i32 = 7;
    EACCES: i32 = 13;
    EAGAIN: i32 = 11;
    EBADF: i32 = 9;
    EBUSY: i32 = 16;
    ECANCELED: i32 = 125;
    EINTR: i32 = 4;
    EINVAL: i32 = 22;
    EMFILE: i32 = 24;
    ENAMETOOLONG: i32 = 36;
    ENODEV: i32 = 19;
    ENOENT: i32 = 2;
    ENOSPC: i32 = 28;
    ENOSYS: i32 = 38;
    ENOTDIR: i32 = 20;
    EOPNOTSUPP: i32 = 95;
    EPERM: i32 = 1;
    ESRCH: i32 = 3;
    ESTALE: i32 = 116;
    ETIMEDOUT: i32 = 110;
    ETXTBSY: i32 = 26;
    FD_CLOEXEC: i32 = 1;
    FUTEX_PRIVATE_FLAG: i32 = 128;
    FUTEX_WAIT: i32 = 0;
    FUTEX_WAKE: i32 = 1;
    F_DUPFD_CLOEXEC: i32 = 1030;
    F_GETFD: i32 = 1;
    F_SETFD: i32 = 2;
    MAP_PRIVATE: i32 = 2;
    MAP_SHARED: i32 = 1;
    MSG_CMSG_CLOEXEC: i32 = 1073741824;
    MSG_CTRUNC: i32 = 8;
    MSG_NOSIGNAL: i32 = 16384;
    MSG_TRUNC: i32 = 32;
    O_CLOEXEC: i32 = 524288;
    O_NOCTTY: i32 = 256;
    O_RDONLY: i32 = 0;
    O_RDWR: i32 = 2;
    O_WRONLY: i32 = 1;
    PRIO_PROCESS: u32 = 0;
    PROT_READ: i32 = 1;
    PROT_WRITE: i32 = 2;
    PR_SET_DUMPABLE: i32 = 4;
    PR_SET_NAME: i32 = 15;
    PR_SET_NO_NEW_PRIVS: i32 = 38;
    PR_SET_PDEATHSIG: i32 = 1;
    RLIMIT_NOFILE: u32 = 7;
    SA_RESTART: i32 = 0x1000_0000;
    SCHED_BATCH: i32 = 3;
    SCHED_OTHER: i32 = 0;
    SCM_RIGHTS: i32 = 1;
    SIGCHLD: i32 = 17;
    SIGKILL: i32 = 9;
    SIGQUIT: i32 = 3;
    SIGSTOP: i32 = 19;
    SIGTSTP: i32 = 20;
    SIG_SETMASK: i32 = 2;
    SI_QUEUE: i32 = -1;
    SI_TKILL: i32 = -6;
    SOL_SOCKET: i32 = 1;
    TIOCGPGRP: u64 = 0x540F;
    TIOCNOTTY: u64 = 0x5422;
    TIOCSCTTY: u64 = 0x540E;
    TIOCSPGRP: u64 = 0x5410;
    WNOHANG: i32 = 1;
    __WALL: i32 = 0x4000_0000;
}

#[cfg(target_arch = "x86_64")]
numbers! {
    O_DIRECTORY: i32 = 65536;
    SYS_chdir: c_long = 80;
    SYS_close: c_long = 3;
    SYS_close_range: c_long = 436;
    SYS_dup3: c_long = 292;
    SYS_execve: c_long = 59;
    SYS_exit_group: c_long = 231;
    SYS_fchdir: c_long = 81;
    SYS_fcntl: c_long = 72;
    SYS_fstat: c_long = 5;
    SYS_futex: c_long = 202;
    SYS_getdents64: c_long = 217;
    SYS_getegid: c_long = 108;
    SYS_getgroups: c_long = 115;
    SYS_getpid: c_long = 39;
    SYS_getppid: c_long = 110;
    SYS_getsid: c_long = 124;
    SYS_ioctl: c_long = 16;
    SYS_getpgid: c_long = 121;
    SYS_kill: c_long = 62;
    SYS_mmap: c_long = 9;
    SYS_munmap: c_long = 11;
    SYS_nanosleep: c_long = 35;
    SYS_newfstatat: c_long = 262;
    SYS_openat: c_long = 257;
    SYS_pidfd_open: c_long = 434;
    SYS_ppoll: c_long = 271;
    SYS_prctl: c_long = 157;
    SYS_prlimit64: c_long = 302;
    SYS_pwrite64: c_long = 18;
    SYS_read: c_long = 0;
    SYS_recvmsg: c_long = 47;
    SYS_rt_sigaction: c_long = 13;
    SYS_rt_sigpending: c_long = 127;
    SYS_rt_sigprocmask: c_long = 14;
    SYS_landlock_restrict_self: c_long = 446;
    SYS_rt_sigtimedwait: c_long = 128;
    SYS_sched_getscheduler: c_long = 145;
    SYS_sched_setaffinity: c_long = 203;
    SYS_sched_setscheduler: c_long = 144;
    SYS_sched_yield: c_long = 24;
    SYS_sendmsg: c_long = 46;
    SYS_setgroups: c_long = 116;
    SYS_setpgid: c_long = 109;
    SYS_setpriority: c_long = 141;
    SYS_setresgid: c_long = 119;
    SYS_setresuid: c_long = 117;
    SYS_setsid: c_long = 112;
    SYS_tgkill: c_long = 234;
    SYS_umask: c_long = 95;
    SYS_wait4: c_long = 61;
    SYS_write: c_long = 1;
}

#[cfg(target_arch = "aarch64")]
numbers! {
    O_DIRECTORY: i32 = 0x4000;
    SYS_chdir: c_long = 49;
    SYS_close: c_long = 57;
    SYS_close_range: c_long = 436;
    SYS_dup3: c_long = 24;
    SYS_execve: c_long = 221;
    SYS_exit_group: c_long = 94;
    SYS_fchdir: c_long = 50;
    SYS_fcntl: c_long = 25;
    SYS_fstat: c_long = 80;
    SYS_futex: c_long = 98;
    SYS_getdents64: c_long = 61;
    SYS_getegid: c_long = 177;
    SYS_getgroups: c_long = 158;
    SYS_getpid: c_long = 172;
    SYS_getppid: c_long = 173;
    SYS_getsid: c_long = 156;
    SYS_ioctl: c_long = 29;
    SYS_getpgid: c_long = 155;
    SYS_kill: c_long = 129;
    SYS_mmap: c_long = 222;
    SYS_munmap: c_long = 215;
    SYS_nanosleep: c_long = 101;
    SYS_newfstatat: c_long = 79;
    SYS_openat: c_long = 56;
    SYS_pidfd_open: c_long = 434;
    SYS_ppoll: c_long = 73;
    SYS_prctl: c_long = 167;
    SYS_prlimit64: c_long = 261;
    SYS_pwrite64: c_long = 68;
    SYS_read: c_long = 63;
    SYS_recvmsg: c_long = 212;
    SYS_rt_sigaction: c_long = 134;
    SYS_rt_sigpending: c_long = 136;
    SYS_rt_sigprocmask: c_long = 135;
    SYS_landlock_restrict_self: c_long = 446;
    SYS_rt_sigtimedwait: c_long = 137;
    SYS_sched_getscheduler: c_long = 120;
    SYS_sched_setaffinity: c_long = 122;
    SYS_sched_setscheduler: c_long = 119;
    SYS_sched_yield: c_long = 124;
    SYS_sendmsg: c_long = 211;
    SYS_setgroups: c_long = 159;
    SYS_setpgid: c_long = 154;
    SYS_setpriority: c_long = 140;
    SYS_setresgid: c_long = 149;
    SYS_setresuid: c_long = 147;
    SYS_setsid: c_long = 157;
    SYS_tgkill: c_long = 131;
    SYS_umask: c_long = 166;
    SYS_wait4: c_long = 260;
    SYS_write: c_long = 64;
}
