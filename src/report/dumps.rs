//! What a process has written down of itself, for people who look for what is wrong with it: plain data.
//!
//! The trap: every byte of it is the application's. It is bounded and made text where it is read; whoever shows it escapes it.

/// A description, as its writer meant it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Text {
    /// HTML, by the reference's protocol; no less foreign for that.
    Html(String),
    /// As it is to be read.
    Plain(String),
}

/// The environment of a process, in the wide sense: each as the text that it wrote.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Dumps {
    /// Its environment variables, one `NAME=value` a line.
    pub envvars: Option<String>,
    /// Who it is.
    pub user_info: Option<String>,
    /// Its limits.
    pub ulimits: Option<String>,
    /// What else it had to say, by name.
    pub annotations: Vec<(String, String)>,
}
