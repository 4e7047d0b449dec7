//! `response/properties.json`: where a process is to be found, by its own word.

/// Somewhere a process listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Socket {
    /// What it calls it; may be empty.
    pub name: String,
    /// `tcp://host:port` or `unix:/path`.
    pub address: String,
    /// `http`, `session`, `preloader`, or another one.
    pub protocol: String,
    /// How many requests at once; 0: no limit; less: not known.
    pub concurrency: i32,
    /// Whether requests of HTTP may be sent there.
    pub accepts_http: bool,
    /// What it says of it; may be empty.
    pub description: String,
}

/// All that is wrong with what a process says of its sockets, by whose fault it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Violations {
    /// The application's, or that of the wrapper that its author supplied.
    pub application: Vec<String>,
    /// That of the wrapper, which came with the library.
    pub library: Vec<String>,
}
