//! The one error type: what went wrong, where, and what the kernel said.

use std::fmt::Write as _;

use nix::errno::Errno;

/// What kind of failure it was; the numbers are those of the C header.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(i32)]
#[allow(missing_docs)]
pub enum Status {
    InvalidArgument = -1,
    BadHandle = -2,
    State = -3,
    System = -4,
    NotFound = -5,
    Permission = -6,
    Limit = -7,
    Timeout = -8,
    Cancelled = -9,
    Shutdown = -10,
    Forked = -11,
    Unsupported = -12,
    OutputExists = -13,
    BudgetExhausted = -14,
    InProgress = -15,
    Locked = -16,
    LockReplaced = -17,
    Exited = -18,
    Protocol = -19,
    VersionMismatch = -20,
    PeerRejected = -21,
    Aborted = -22,
    Internal = -23,
}

/// Every status with the name C knows it by.
pub const STATUS_NAMES: [(i32, &str); 25] = [
    (0, "PS_OK\0"),
    (1, "PS_PENDING\0"),
    (-1, "PS_ERR_INVALID_ARGUMENT\0"),
    (-2, "PS_ERR_BAD_HANDLE\0"),
    (-3, "PS_ERR_STATE\0"),
    (-4, "PS_ERR_SYSTEM\0"),
    (-5, "PS_ERR_NOT_FOUND\0"),
    (-6, "PS_ERR_PERMISSION\0"),
    (-7, "PS_ERR_LIMIT\0"),
    (-8, "PS_ERR_TIMEOUT\0"),
    (-9, "PS_ERR_CANCELLED\0"),
    (-10, "PS_ERR_SHUTDOWN\0"),
    (-11, "PS_ERR_FORKED\0"),
    (-12, "PS_ERR_UNSUPPORTED\0"),
    (-13, "PS_ERR_OUTPUT_EXISTS\0"),
    (-14, "PS_ERR_BUDGET_EXHAUSTED\0"),
    (-15, "PS_ERR_IN_PROGRESS\0"),
    (-16, "PS_ERR_LOCKED\0"),
    (-17, "PS_ERR_LOCK_REPLACED\0"),
    (-18, "PS_ERR_EXITED\0"),
    (-19, "PS_ERR_PROTOCOL\0"),
    (-20, "PS_ERR_VERSION_MISMATCH\0"),
    (-21, "PS_ERR_PEER_REJECTED\0"),
    (-22, "PS_ERR_ABORTED\0"),
    (-23, "PS_ERR_INTERNAL\0"),
];

/// The C name of a status number, NUL-terminated; `PS_ERR_UNKNOWN` for any other number.
pub fn status_name(raw: i32) -> &'static str {
    STATUS_NAMES.iter().find(|(number, _)| *number == raw).map_or("PS_ERR_UNKNOWN\0", |(_, name)| name)
}

impl Status {
    /// Its C name.
    pub fn name(self) -> &'static str {
        status_name(self as i32).trim_end_matches('\0')
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

/// A failure, with all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The kind.
    pub status: Status,
    /// The system call's error, if one failed.
    pub errno: Option<Errno>,
    /// The system call or step that failed, or the argument that was refused.
    pub step: &'static str,
    /// One sentence.
    pub message: String,
    /// The process concerned, for display.
    pub pid: Option<i32>,
    /// What the process had written.
    pub output: Vec<u8>,
    /// When another try makes sense.
    pub retry_after_ms: Option<i64>,
}

/// `Result` with [`Error`].
pub type Result<T> = core::result::Result<T, Error>;

impl Error {
    /// A failure without a system call.
    pub fn new(status: Status, step: &'static str, message: impl Into<String>) -> Self {
        Self { status, errno: None, step, message: message.into(), pid: None, output: Vec::new(), retry_after_ms: None }
    }

    /// An argument that was refused.
    pub fn invalid(step: &'static str, message: impl Into<String>) -> Self {
        Self::new(Status::InvalidArgument, step, message)
    }

    /// A system call that failed while `doing` something.
    pub fn system(step: &'static str, errno: Errno, doing: impl AsRef<str>) -> Self {
        let message = format!("{}: {step} failed: {} ({})", doing.as_ref(), errno.desc(), errno_name(errno));
        Self { errno: Some(errno), ..Self::new(Status::of(errno), step, message) }
    }

    /// As text: one line, then the details that exist.
    pub fn render_text(&self) -> String {
        let mut text = format!("{}: {}\n", self.status.name(), self.message);
        for (name, value) in self.details() {
            let _ = writeln!(text, "  {name}: {value}");
        }
        if !self.output.is_empty() {
            let _ = writeln!(text, "  output:");
            for line in String::from_utf8_lossy(&self.output).lines() {
                let _ = writeln!(text, "    {line}");
            }
        }
        text
    }

    /// As a JSON object; absent details are null.
    pub fn render_json(&self) -> String {
        serde_json::json!({
            "status": self.status.name(),
            "code": self.status as i32,
            "message": self.message,
            "step": self.step,
            "errno": self.errno.map(|errno| errno as i32),
            "errno_name": self.errno.map(errno_name),
            "pid": self.pid,
            "retry_after_ms": self.retry_after_ms,
            "output": (!self.output.is_empty()).then(|| String::from_utf8_lossy(&self.output).into_owned()),
        })
        .to_string()
    }

    /// As a page that stands by itself.
    pub fn render_html(&self) -> String {
        let mut rows = String::new();
        for (name, value) in self.details() {
            let _ = write!(rows, "<tr><th>{}</th><td>{}</td></tr>", escape(name), escape(&value));
        }
        let output = if self.output.is_empty() {
            String::new()
        } else {
            format!("<h2>Output</h2><pre>{}</pre>", escape(&String::from_utf8_lossy(&self.output)))
        };
        format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{status}</title><style>\
             body{{font:16px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}}\
             h1{{font-size:1.2rem;color:#a00}}th{{text-align:left;padding-right:1.5rem;font-weight:600}}\
             pre{{background:#f4f4f4;padding:1rem;overflow:auto}}</style></head>\
             <body><h1>{status}</h1><p>{message}</p><table>{rows}</table>{output}</body></html>\n",
            status = self.status.name(),
            message = escape(&self.message),
        )
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        let mut details = Vec::new();
        if !self.step.is_empty() {
            details.push(("step", self.step.to_owned()));
        }
        if let Some(errno) = self.errno {
            details.push(("errno", format!("{} {}: {}", errno as i32, errno_name(errno), errno.desc())));
        }
        if let Some(pid) = self.pid {
            details.push(("pid", pid.to_string()));
        }
        if let Some(after) = self.retry_after_ms {
            details.push(("retry after", format!("{after} ms")));
        }
        details
    }
}

fn errno_name(errno: Errno) -> String {
    format!("{errno:?}")
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rendering_carries_step_errno_and_output() {
        let mut error = Error::system("exec", Errno::ENOENT, "cannot run \"<x>\"");
        error.output = b"so & so\n".to_vec();
        for text in [error.render_text(), error.render_json(), error.render_html()] {
            for part in ["exec", "ENOENT", "PS_ERR_NOT_FOUND"] {
                assert!(text.contains(part), "{part} in {text}");
            }
        }
        assert!(error.render_html().contains("so &amp; so"));
        assert!(!error.render_html().contains("\"<x>\""));
    }

    #[test]
    fn names_cover_every_number_once() {
        for raw in -23..=1 {
            assert_eq!(STATUS_NAMES.iter().filter(|(number, _)| *number == raw).count(), 1, "{raw}");
        }
        assert_eq!(status_name(99), "PS_ERR_UNKNOWN\0");
        assert_eq!(Status::Internal.name(), "PS_ERR_INTERNAL");
    }
}
