//! What is put together about a failed start, for people who have to find out why: plain data.
//!
//! The trap: most of it is foreign (the application's texts, its output, its environment) or secret (what the caller gave it). Here stands
//! only what was bounded and masked before; how it is written down so that nothing of it becomes syntax is the renderings' business.

use serde_json::{Map, Value};
use strum::VariantArray as _;

use super::dumps::Dumps;

/// Of which kind a failure is, by the reference's names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, strum::IntoStaticStr, strum::VariantArray)]
#[strum(suffix = "\0")]
pub enum Category {
    /// Nothing of the others: a defect of the application, of its wrapper, or of the library.
    #[default]
    #[strum(serialize = "INTERNAL_ERROR")]
    Internal,
    /// Files and directories.
    #[strum(serialize = "FILE_SYSTEM_ERROR")]
    FileSystem,
    /// The kernel refused something else.
    #[strum(serialize = "OPERATING_SYSTEM_ERROR")]
    OperatingSystem,
    /// Reading or writing, a connection among it.
    #[strum(serialize = "IO_ERROR")]
    Io,
    /// The time was over.
    #[strum(serialize = "TIMEOUT_ERROR")]
    Timeout,
}

impl Category {
    /// The reference's name.
    pub fn name(self) -> &'static str {
        self.terminated_name().trim_end_matches('\0')
    }

    /// The same as C wants it: with a NUL at its end.
    pub fn terminated_name(self) -> &'static str {
        self.into()
    }

    /// The one of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::VARIANTS.iter().find(|category| category.name() == name).copied()
    }
}

/// All that is known of a failed start beside the error itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Case {
    /// The kind.
    pub category: Category,
    /// What ties a page that somebody sees to an entry in a log: short, of letters and digits, by chance.
    pub id: String,
    /// One line.
    pub summary: String,
    /// What is wrong. Plain text of paragraphs.
    pub problem: String,
    /// What to do about it; the same.
    pub solution: String,
    /// For who knows more: a backtrace.
    pub advanced: Option<String>,
    /// What was run, by name: command, directory, user.
    pub facts: Vec<(&'static str, String)>,
    /// Of the process that failed.
    pub subprocess: Dumps,
    /// Of the preloader that it comes from.
    pub preloader: Dumps,
    /// Of the host.
    pub host: Dumps,
    /// What was asked for; what is confidential is masked.
    pub config: Map<String, Value>,
    /// The system at that moment, by name.
    pub metrics: Vec<(&'static str, String)>,
    /// What could not be found out, and why.
    pub notes: Vec<String>,
}

/// What a line of a log has at its end, so that it is found by the id that a page shows.
pub(crate) fn tie(case: Option<&Case>) -> String {
    case.map(|case| format!(" (error id {})", case.id)).unwrap_or_default()
}
