//! What a process has left in writing of how it went: error texts, steps, dumps.

use super::{Dumps, Text};
use crate::journey::Progress;

/// What was said of one step: its name on the route, how far it is, when it was begun and ended.
pub type Step = (String, Progress, Option<i64>, Option<i64>);

/// All that could be read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Response {
    /// The kind of the failure, as it stands there.
    pub category: Option<String>,
    /// One line.
    pub summary: Option<String>,
    /// For who knows more.
    pub advanced: Option<String>,
    /// What is wrong.
    pub problem: Option<Text>,
    /// What to do.
    pub solution: Option<Text>,
    /// The steps that say anything.
    pub steps: Vec<Step>,
    /// What it has written down of itself.
    pub dumps: Dumps,
    /// What could not be read, and why.
    pub notes: Vec<String>,
}
