//! What every subject understands on the command line.

use crate::host;
use std::path::PathBuf;

/// Where the package beside this one puts the library.
pub const DEFAULT_LIB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release/libprocsup.so");

#[derive(clap::Args)]
pub struct Options {
    /// Write the results as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the pictures (SVG)
    #[arg(long, value_name = "DIR")]
    pub svg: Option<PathBuf>,
    /// Few rounds: shows that everything works, proves nothing
    #[arg(long)]
    pub quick: bool,
    /// Exit with 1 if a limit is missed
    #[arg(long)]
    pub strict: bool,
    /// libprocsup.so
    #[arg(long, env = "PROCSUP_LIB", default_value = DEFAULT_LIB)]
    pub lib: PathBuf,
    /// Measure the other methods alone
    #[arg(long)]
    pub without_procsup: bool,
    /// Run on this CPU, or "any": wherever the scheduler likes [default: the last one]
    #[arg(long, value_name = "CPU")]
    cpu: Option<String>,
}

impl Options {
    /// Everything on one CPU by default: see the README for what that changes.
    pub fn cpu(&self) -> Result<Option<usize>, String> {
        match self.cpu.as_deref() {
            None => Ok(host::last_cpu()),
            Some("any") => Ok(None),
            Some(number) => number.parse().map(Some).map_err(|_| format!("--cpu {number}: a number or \"any\"")),
        }
    }
}
