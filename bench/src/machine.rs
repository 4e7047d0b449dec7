//! What the figures were taken on: figures of two machines are not comparable, ratios of one run are. Written into the
//! results file.

use nix::sys::utsname::uname;
use serde::Serialize;

#[derive(Serialize)]
pub struct Machine {
    pub kernel: String,
    pub arch: String,
    pub cpus: usize,
    pub cpu_model: String,
    /// The CPU that everything ran on, or null: the scheduler's choice.
    pub pinned_to_cpu: Option<usize>,
    pub virtual_machine: bool,
    pub memory_mib: u64,
    pub nofile: u64,
    pub procsup: Option<String>,
    pub libuv: Option<String>,
    pub glib: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xargs: Option<String>,
    pub glibc: String,
    pub rustc: &'static str,
    /// What had to be made smaller here, in words.
    pub notes: Vec<String>,
}

impl Machine {
    /// The hardware and the kernel; the caller fills in its libraries.
    pub fn describe() -> Self {
        let uname = uname().ok();
        let text = |part: fn(&nix::sys::utsname::UtsName) -> &std::ffi::OsStr| {
            uname.as_ref().map(|uname| part(uname).to_string_lossy().into_owned()).unwrap_or_default()
        };
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(':'));
        Self {
            // Without the words of whoever has built it.
            kernel: text(|uname| uname.release()).split('-').next().unwrap_or_default().to_owned(),
            arch: text(|uname| uname.machine()),
            cpus: cpuinfo.lines().filter(|line| line.starts_with("processor")).count(), // not those we are pinned to
            cpu_model: model.map_or_else(|| "unknown".into(), |(_, name)| name.trim().to_owned()),
            pinned_to_cpu: None,
            virtual_machine: cpuinfo.lines().any(|line| line.starts_with("flags") && line.contains(" hypervisor")),
            memory_mib: memory_mib(),
            nofile: 0,
            procsup: None,
            libuv: None,
            glib: None,
            xargs: None,
            glibc: String::new(),
            rustc: env!("RUSTC_VERSION"),
            notes: Vec::new(),
        }
    }

    /// One line for people.
    pub fn summary(&self) -> String {
        self.pinned_to_cpu.map_or_else(|| self.hardware(), |cpu| format!("{}, all on CPU {cpu}", self.hardware()))
    }

    /// The same for a picture that has other places too.
    pub fn hardware(&self) -> String {
        let kind = if self.virtual_machine { ", virtual" } else { "" };
        format!("Linux {} {}, {} CPUs ({}{kind})", self.kernel, self.arch, self.cpus, self.cpu_model)
    }
}

fn memory_mib() -> u64 {
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
