//! The one error type: what went wrong, where, and what the kernel said. How it is shown stands in `report/`.

use core::ops::{Deref, DerefMut};

use nix::errno::Errno;

use crate::journey::Journey;
use crate::report::case::Case;

/// What a call answers. The first two are no failures; all others are negative.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[strum(suffix = "\0")]
#[repr(i32)]
pub enum Status {
    /// Done.
    #[strum(serialize = "PS_OK")]
    Ok = 0,
    /// Nothing yet; ask again. Not an error.
    #[strum(serialize = "PS_PENDING")]
    Pending = 1,
    /// An argument is wrong; nothing was changed.
    #[strum(serialize = "PS_ERR_INVALID_ARGUMENT")]
    InvalidArgument = -1,
    /// The handle is NULL, freed, of another type, or was never one.
    #[strum(serialize = "PS_ERR_BAD_HANDLE")]
    BadHandle = -2,
    /// The object is not in a state that allows this.
    #[strum(serialize = "PS_ERR_STATE")]
    State = -3,
    /// A system call failed; the errno says how.
    #[strum(serialize = "PS_ERR_SYSTEM")]
    System = -4,
    /// A file, a directory or a name is not there (ENOENT, ENOTDIR).
    #[strum(serialize = "PS_ERR_NOT_FOUND")]
    NotFound = -5,
    /// Not permitted (EACCES, EPERM).
    #[strum(serialize = "PS_ERR_PERMISSION")]
    Permission = -6,
    /// A limit was reached: processes, descriptors, memory, or the size of a buffer.
    #[strum(serialize = "PS_ERR_LIMIT")]
    Limit = -7,
    /// The time was over first.
    #[strum(serialize = "PS_ERR_TIMEOUT")]
    Timeout = -8,
    /// It was cancelled.
    #[strum(serialize = "PS_ERR_CANCELLED")]
    Cancelled = -9,
    /// The supervisor has been closed.
    #[strum(serialize = "PS_ERR_SHUTDOWN")]
    Shutdown = -10,
    /// The handle belongs to the process that this one was forked from.
    #[strum(serialize = "PS_ERR_FORKED")]
    Forked = -11,
    /// Not to be had on this kernel or in this version.
    #[strum(serialize = "PS_ERR_UNSUPPORTED")]
    Unsupported = -12,
    /// The output file exists.
    #[strum(serialize = "PS_ERR_OUTPUT_EXISTS")]
    OutputExists = -13,
    /// Too many attempts; the error says when to try again.
    #[strum(serialize = "PS_ERR_BUDGET_EXHAUSTED")]
    BudgetExhausted = -14,
    /// The same is being done already.
    #[strum(serialize = "PS_ERR_IN_PROGRESS")]
    InProgress = -15,
    /// Another process holds the lock.
    #[strum(serialize = "PS_ERR_LOCKED")]
    Locked = -16,
    /// The lock file was replaced by another one.
    #[strum(serialize = "PS_ERR_LOCK_REPLACED")]
    LockReplaced = -17,
    /// The child has ended.
    #[strum(serialize = "PS_ERR_EXITED")]
    Exited = -18,
    /// The peer broke the protocol.
    #[strum(serialize = "PS_ERR_PROTOCOL")]
    Protocol = -19,
    /// The peer speaks another version.
    #[strum(serialize = "PS_ERR_VERSION_MISMATCH")]
    VersionMismatch = -20,
    /// The peer is not who it must be.
    #[strum(serialize = "PS_ERR_PEER_REJECTED")]
    PeerRejected = -21,
    /// It was given up half-way and undone.
    #[strum(serialize = "PS_ERR_ABORTED")]
    Aborted = -22,
    /// A defect of procsup; please report it. The process and its other children are unharmed.
    #[strum(serialize = "PS_ERR_INTERNAL")]
    Internal = -23,
    /// A signal handler of this process has run meanwhile: look at what it has done, and wait again.
    #[strum(serialize = "PS_ERR_INTERRUPTED")]
    Interrupted = -24,
}

impl Status {
    /// Its C name.
    pub fn name(self) -> &'static str {
        self.terminated_name().trim_end_matches('\0')
    }

    /// Its C name as C wants it: with a NUL at its end.
    pub fn terminated_name(self) -> &'static str {
        self.into()
    }

    /// What an errno means for a caller.
    pub fn of(errno: Errno) -> Self {
        match errno {
            Errno::ENOENT | Errno::ENOTDIR => Status::NotFound,
            Errno::EACCES | Errno::EPERM => Status::Permission,
            Errno::EAGAIN | Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM => Status::Limit,
            _ => Status::System,
        }
    }
}

/// A failure. One pointer: it is handed up through many calls, each of which would copy the whole of it, and a result that is no failure is as
/// large as one that is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Details>);

/// All that is known of a failure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}", crate::report::plain::line(.message), crate::report::case::tie(.case.as_deref()))]
pub struct Details {
    /// The kind.
    pub status: Status,
    /// The system call's error, if one failed.
    pub errno: Option<Errno>,
    /// The system call or step that failed, or the argument that was refused.
    pub step: &'static str,
    /// One sentence, as it is: what it names may hold anything. Displayed, it is one line that commands no terminal, with the case's id at its end.
    pub message: String,
    /// The process concerned, for display.
    pub pid: Option<i32>,
    /// What the process had written.
    pub output: Vec<u8>,
    /// When another try makes sense.
    pub retry_after_ms: Option<i64>,
    /// The first refusal of a budget in its window: what was started again and again is given up now.
    pub storm: bool,
    /// How far it had come, where it had a way to go.
    pub journey: Option<Box<Journey>>,
    /// What was put together for people, where an application failed to start.
    pub case: Option<Box<Case>>,
}

impl Deref for Error {
    type Target = Details;
    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

/// `Result` with [`Error`].
pub type Result<T> = core::result::Result<T, Error>;

// Cold, and never part of their callers: a failure is the rare way, and there are many hundred places that make one.
impl Error {
    /// A failure without a system call.
    #[cold]
    #[inline(never)]
    pub fn new(status: Status, step: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            status,
            errno: None,
            step,
            message: message.into(),
            pid: None,
            output: Vec::new(),
            retry_after_ms: None,
            storm: false,
            journey: None,
            case: None,
        }))
    }

    /// An argument that was refused.
    #[cold]
    #[inline(never)]
    pub fn invalid(step: &'static str, message: impl Into<String>) -> Self {
        Self::new(Status::InvalidArgument, step, message)
    }

    /// A system call that failed while `doing` something.
    #[cold]
    #[inline(never)]
    pub fn system(step: &'static str, errno: Errno, doing: impl AsRef<str>) -> Self {
        let message = format!("{}: {step} failed: {} ({errno:?})", doing.as_ref(), errno.desc());
        Self::new(Status::of(errno), step, message).with_errno(errno)
    }

    /// A wait that a signal handler of the host's has ended.
    pub fn interrupted(step: &'static str) -> Self {
        Self::new(Status::Interrupted, step, "a signal handler of this process has ended the wait").with_errno(Errno::EINTR)
    }

    /// A path that cannot be made absolute: the directory that it counts from is gone (getcwd(3)), or it is empty.
    #[cold]
    pub fn relative(argument: &'static str, error: &std::io::Error) -> Self {
        match error.raw_os_error() {
            Some(errno) => Self::system("getcwd", Errno::from_raw(errno), format!("{argument}: a relative path counts from nowhere")),
            None => Self::invalid(argument, format!("{argument}: {error}")),
        }
    }

    /// The same of another kind.
    #[must_use]
    pub fn with_status(self, status: Status) -> Self {
        self.with(|it| it.status = status)
    }

    /// The same with a system call's error.
    #[must_use]
    pub fn with_errno(self, errno: Errno) -> Self {
        self.with(|it| it.errno = Some(errno))
    }

    /// The same of this process, if there is one.
    #[must_use]
    pub fn with_pid(self, pid: impl Into<Option<i32>>) -> Self {
        self.with(|it| it.pid = pid.into())
    }

    /// The same but for what is changed.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Details)) -> Self {
        change(&mut self.0);
        self
    }

    /// All that is known of it, to be taken from.
    pub fn take_apart(self) -> Details {
        *self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_nul_only_for_c() {
        assert_eq!((Status::Internal.name(), Status::Internal.terminated_name()), ("PS_ERR_INTERNAL", "PS_ERR_INTERNAL\0"));
    }
}
