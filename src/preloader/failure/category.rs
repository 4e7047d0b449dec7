//! Of which kind a failure is, where the application names none.
//!
//! The trap: a call on a file and any other call fail with the same numbers (EACCES, ENOENT), so the errno alone tells nothing: the call that failed
//! does, and the step at which it did. FILE_SYSTEM_ERROR comes before OPERATING_SYSTEM_ERROR, of which it is a special case.

use nix::errno::Errno;

use super::super::journey::step::*;
use crate::error::{Details, Error, Status};
use crate::report::case::Category;

/// Calls whose object is a file, a directory or a name.
const OF_FILES: &[&str] = &[
    "access",
    "chdir",
    "chmod",
    "chown",
    "creat",
    "faccessat",
    "fchdir",
    "fchmod",
    "fchmodat",
    "fchown",
    "fchownat",
    "fstat",
    "fstatat",
    "fstatfs",
    "fsync",
    "ftruncate",
    "getcwd",
    "getdents",
    "getdents64",
    "link",
    "linkat",
    "lstat",
    "mkdir",
    "mkdirat",
    "mkdtemp",
    "mkfifo",
    "mkfifoat",
    "mknod",
    "mknodat",
    "newfstatat",
    "open",
    "openat",
    "openat2",
    "opendir",
    "readdir",
    "readlink",
    "readlinkat",
    "rename",
    "renameat",
    "renameat2",
    "rmdir",
    "stat",
    "statfs",
    "statx",
    "symlink",
    "symlinkat",
    "truncate",
    "unlink",
    "unlinkat",
    "utimensat",
];

/// Calls that move bytes.
const OF_BYTES: &[&str] =
    &["read", "readv", "recv", "recvfrom", "recvmsg", "send", "sendmsg", "sendto", "write", "writev", "pread", "pwrite"];

/// The category of what went wrong at this step.
pub fn infer(step: &str, error: &Error) -> Category {
    let Details { status, errno, step: call, .. } = &**error;
    if *status == Status::Timeout || *errno == Some(Errno::ETIMEDOUT) {
        return Category::Timeout;
    }
    let Some(errno) = errno else { return Category::Internal };
    let is_talk = matches!(
        step,
        SPAWNING_KIT_CONNECT_TO_PRELOADER | SPAWNING_KIT_SEND_COMMAND_TO_PRELOADER | SPAWNING_KIT_READ_RESPONSE_FROM_PRELOADER
    );
    match errno {
        _ if is_talk => Category::Io,
        // No room on the disk is the file system's word, whoever writes.
        Errno::ENOSPC | Errno::EDQUOT | Errno::EROFS => Category::FileSystem,
        Errno::EIO | Errno::EPIPE | Errno::ECONNRESET => Category::Io,
        _ if OF_FILES.contains(call) => Category::FileSystem,
        _ if OF_BYTES.contains(call) => Category::Io,
        // The program itself is a file that is missing, or may not be run.
        Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES | Errno::ELOOP | Errno::ENOEXEC | Errno::ETXTBSY if *call == "exec" => {
            Category::FileSystem
        }
        _ => Category::OperatingSystem,
    }
}

/// What the application has named. `Err`: what it wrote is no category; the sentence says so.
pub fn named(text: &str) -> Result<Category, String> {
    let text = text.trim();
    Category::of_name(text).ok_or_else(|| format!("the error category {:?} is none", text.chars().take(40).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inferred(step: &'static str, call: &'static str, errno: Errno) -> &'static str {
        infer(step, &Error::system(call, errno, "doing it")).name()
    }

    // covers: PA-71
    #[test]
    fn the_names_are_those_of_the_reference() {
        let all = ["INTERNAL_ERROR", "FILE_SYSTEM_ERROR", "OPERATING_SYSTEM_ERROR", "IO_ERROR", "TIMEOUT_ERROR"];
        assert_eq!(<Category as strum::VariantArray>::VARIANTS.iter().map(|category| category.name()).collect::<Vec<_>>(), all);
        for name in all {
            assert_eq!(named(&format!(" {name}\n")).map(Category::name), Ok(name));
        }
        assert_eq!(Category::default().name(), "INTERNAL_ERROR");
    }

    // covers: PA-72
    #[test]
    fn talk_with_the_preloader_fails_by_input_and_output() {
        for step in [SPAWNING_KIT_CONNECT_TO_PRELOADER, SPAWNING_KIT_SEND_COMMAND_TO_PRELOADER, SPAWNING_KIT_READ_RESPONSE_FROM_PRELOADER] {
            for (call, errno) in
                [("connect", Errno::ENOENT), ("connect", Errno::ECONNREFUSED), ("write", Errno::EPIPE), ("socket", Errno::EMFILE)]
            {
                assert_eq!(inferred(step, call, errno), "IO_ERROR", "{step} {call}");
            }
        }
    }

    // covers: PA-72, P-b13
    #[test]
    fn a_call_on_a_file_is_a_file_system_error() {
        for call in OF_FILES {
            assert_eq!(inferred(SPAWNING_KIT_PREPARATION, call, Errno::EACCES), "FILE_SYSTEM_ERROR", "{call}");
        }
        assert_eq!(inferred(SUBPROCESS_EXEC_WRAPPER, "exec", Errno::ENOENT), "FILE_SYSTEM_ERROR");
        assert_eq!(inferred(SPAWNING_KIT_PREPARATION, "write", Errno::ENOSPC), "FILE_SYSTEM_ERROR");
    }

    // covers: PA-72
    #[test]
    fn any_other_call_is_an_operating_system_error() {
        for (call, errno) in [("clone3", Errno::EAGAIN), ("setuid", Errno::EPERM), ("exec", Errno::E2BIG), ("pipe2", Errno::EMFILE)] {
            assert_eq!(inferred(SPAWNING_KIT_FORK_SUBPROCESS, call, errno), "OPERATING_SYSTEM_ERROR", "{call}");
        }
    }

    // covers: PA-72
    #[test]
    fn time_that_is_over_is_a_timeout_wherever_it_was() {
        let over = Error::new(Status::Timeout, "connect", "not in time");
        assert_eq!(infer(SPAWNING_KIT_CONNECT_TO_PRELOADER, &over), Category::Timeout);
        assert_eq!(inferred(SPAWNING_KIT_READ_RESPONSE_FROM_PRELOADER, "read", Errno::ETIMEDOUT), "TIMEOUT_ERROR");
    }

    // covers: PA-72
    #[test]
    fn all_else_is_internal() {
        assert_eq!(infer(SPAWNING_KIT_HANDSHAKE_PERFORM, &Error::new(Status::Exited, "ready", "gone")), Category::Internal);
    }

    // covers: PA-71, P-b12
    #[test]
    fn a_category_that_is_none_is_told_in_a_sentence_of_bounded_length() {
        for text in
            ["", "UNKNOWN_ERROR_CATEGORY", "internal_error", "INTERNAL_ERROR INTERNAL_ERROR", "\x1b[2J\u{202e}", &"x".repeat(100_000)]
        {
            assert!(named(text).is_err_and(|said| said.len() < 500), "{text}");
        }
    }
}
