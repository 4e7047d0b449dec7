//! The ways to replace a server that are compared.

pub struct Method {
    pub id: &'static str,
    pub label: &'static str,
    /// One writer at a time, and a log. The others accept side by side, and only reply.
    pub stateful: bool,
    pub ours: bool,
}

const fn method(id: &'static str, label: &'static str, stateful: bool, ours: bool) -> Method {
    Method { id, label, stateful, ours }
}

pub const METHODS: [Method; 16] = [
    method("procsup", "procsup, exclusive", true, true),
    method("procsup-overlap", "procsup, overlap", false, true),
    method("procsup-passed", "procsup, connections passed on", true, true),
    method("supervised", "procsup, with a supervisor", true, true),
    method("supervised-stopped", "supervisor stopped at DRAIN", true, true),
    method("supervised-killed", "supervisor killed at DRAIN", true, true),
    method("supervised-killed-late", "killed at SEAL, on another CPU", true, true),
    method("supervised-killed-here", "killed at SEAL, on this CPU", true, true),
    method("bare", "floor: SCM_RIGHTS, no care", true, false),
    method("beyond-tuned", "beyond-handoff 0.1.4, tuned", true, false),
    method("beyond", "beyond-handoff 0.1.4", true, false),
    method("v1-tuned", "beyond by procsup, tuned", true, true),
    method("v1", "beyond by procsup", true, true),
    method("restart", "stop, then start", true, false),
    method("reuseport", "SO_REUSEPORT restart", false, false),
    method("reuseport-migrate", "SO_REUSEPORT, tcp_migrate_req", false, false),
];

/// procsup's own protocol, with a separate supervisor.
pub fn is_supervised(method: &Method) -> bool {
    method.id.starts_with("supervised")
}

/// Its supervisor runs on the clients' CPU. Who is killed is taken down by the kernel on its own CPU, and that takes longer
/// than a handoff.
pub fn is_supervised_elsewhere(method: &Method) -> bool {
    method.id == "supervised-killed-late"
}

/// Servers on the crate beyond-handoff, whoever is their supervisor.
pub fn is_beyond(method: &Method) -> bool {
    is_v1(method) || method.id.starts_with("beyond")
}

/// procsup is it.
pub fn is_v1(method: &Method) -> bool {
    method.id.starts_with("v1")
}

/// The best that beyond-handoff's interface allows.
pub fn is_tuned(method: &Method) -> bool {
    method.id.ends_with("-tuned")
}

impl Method {
    pub fn find(id: &str) -> Result<&'static Self, String> {
        METHODS.iter().find(|method| method.id == id).ok_or_else(|| format!("no method {id}"))
    }
}
