//! What came of an attempt, in words and codes: for the application, for the other side, and for the caller who could not succeed.

use nix::errno::Errno;

use super::machine::Reason;
use super::wire::Refusal;
use crate::error::{Error, Status};

/// What came of it, and why.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Words that are known better than a reason's own, while it is being decided.
    pub said: String,
    /// The words of the last ABORTED.
    pub words: String,
    /// Those of the last PATH_CHANGED, and whether that was taken last.
    pub path_words: String,
    pub is_of_path: bool,
    /// The system call that stood in the way.
    pub fault: Option<(&'static str, Errno)>,
    /// How the owner has refused us.
    pub refusal: Option<Refusal>,
    /// The lock is not the one of the control path any more.
    pub displaced: bool,
    /// The connection names an earlier owner than the one that answers.
    pub misnamed: bool,
}

impl Verdict {
    /// The reason that is told: want of descriptors or memory is told as such, and so is a lock that counts no more.
    pub fn reason(&self, reason: Reason) -> Reason {
        let limit = self.fault.is_some_and(|(_, errno)| Status::of(errno) == Status::Limit);
        match reason {
            Reason::System if self.displaced => Reason::Displaced,
            Reason::System if limit => Reason::Limit,
            reason => reason,
        }
    }

    /// It has come to nothing; the words are what was said, or the reason's own.
    pub fn conclude(&mut self, reason: Reason) {
        self.words = std::mem::take(&mut self.said);
        if self.words.is_empty() {
            self.words = reason.text().to_owned();
        }
    }

    /// The words of what the application was told last.
    pub fn latest(&self) -> &str {
        if self.is_of_path { &self.path_words } else { &self.words }
    }

    /// The same for a caller who wanted to be a successor.
    pub fn to_error(&self, reason: Reason) -> Error {
        let status = if self.refusal == Some(Refusal::Busy) { Status::InProgress } else { status_of(reason) };
        let text = if self.words.is_empty() { reason.text() } else { &self.words };
        let message = format!("the running generation does not hand over: {text}");
        match self.fault {
            Some((step, errno)) => Error::system(step, errno, "").with(|it| it.message = message),
            None => Error::new(status, "offer", message),
        }
    }
}

impl Reason {
    /// As words, where nobody has given better ones.
    pub(super) fn text(self) -> &'static str {
        match self {
            Reason::Cancelled => "the handoff was cancelled",
            Reason::Timeout => "an answer did not come in time",
            Reason::Died => "the other process has ended",
            Reason::HungUp => "the other process has closed the channel",
            Reason::PeerFailed => "the other side gave up",
            Reason::Failed => "the application said that it failed",
            Reason::Version => "no common version of the protocol",
            Reason::Protocol => "the other side did not understand us",
            Reason::Fenced => "the old generation has taken the ownership back",
            Reason::System => "a system call failed",
            Reason::Limit => "descriptors or memory are not to be had",
            Reason::Denied => "the two processes may not work together",
            Reason::Displaced => "the lock is not the one of the control path any more",
        }
    }
}

/// What C calls a reason.
pub fn status_of(reason: Reason) -> Status {
    match reason {
        Reason::Cancelled => Status::Cancelled,
        Reason::Timeout => Status::Timeout,
        Reason::Died => Status::Exited,
        Reason::HungUp | Reason::Protocol => Status::Protocol,
        Reason::PeerFailed | Reason::Failed | Reason::Fenced => Status::Aborted,
        Reason::Version => Status::VersionMismatch,
        Reason::System => Status::System,
        Reason::Limit => Status::Limit,
        Reason::Denied => Status::PeerRejected,
        Reason::Displaced => Status::LockReplaced,
    }
}
