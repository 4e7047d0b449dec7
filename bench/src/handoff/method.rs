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

pub const METHODS: [Method; 9] = [
    method("procsup", "procsup, exclusive", true, true),
    method("procsup-overlap", "procsup, overlap", false, true),
    method("procsup-passed", "procsup, connections passed on", true, true),
    method("bare", "floor: SCM_RIGHTS, no care", true, false),
    method("beyond-tuned", "beyond-handoff 0.1.4, tuned", true, false),
    method("beyond", "beyond-handoff 0.1.4", true, false),
    method("restart", "stop, then start", true, false),
    method("reuseport", "SO_REUSEPORT restart", false, false),
    method("reuseport-migrate", "SO_REUSEPORT, tcp_migrate_req", false, false),
];

impl Method {
    pub fn find(id: &str) -> Result<&'static Self, String> {
        METHODS.iter().find(|method| method.id == id).ok_or_else(|| format!("no method {id}"))
    }
}
