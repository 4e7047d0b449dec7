//! What the two processes say, as events of the machine: whose word it is, whether it is its turn, and whether its sender is dead by now.

use super::*;

impl Change {
    pub(super) fn hear_owner(&mut self, all: &mut Hands<'_>) {
        for _ in 0..TURN {
            let Some(heard) =
                self.owner.as_mut().filter(|channel| all.core.reactor.has(channel.token)).and_then(|channel| channel.line.hear())
            else {
                return;
            };
            let event = self.event_of_owner(all, heard);
            if matches!(event, Event::OwnerHungUp | Event::OwnerTrouble(_)) {
                self.unwatch_owner(all.core);
                if event != Event::OwnerHungUp {
                    self.look_at_owner(all);
                }
            }
            self.step(all, event);
        }
    }

    pub(super) fn unwatch_owner(&mut self, core: &Core) {
        if let Some(channel) = &self.owner {
            core.reactor.remove(channel.token);
        }
    }

    fn event_of_owner(&mut self, all: &mut Hands<'_>, heard: Heard) -> Event {
        let now = clock::now();
        let (event, words) = match heard {
            Heard::Told(Told::Hello(role, _, build, versions)) if self.machine.phase == Phase::Greeting => {
                let writer = self.owner.as_ref().and_then(|channel| channel.line.writer);
                match wire::common(versions) {
                    _ if role != Role::Incumbent => {
                        (Event::OwnerTrouble(Reason::Protocol), "who listens at the control path greets as a successor".to_owned())
                    }
                    _ if writer.is_some_and(|pid| pid != self.owner_pid) => {
                        let pid = writer.unwrap_or_default();
                        (Event::OwnerTrouble(Reason::Denied), format!("process {pid} answers at the control path, not {}", self.owner_pid))
                    }
                    None => (Event::OwnerTrouble(Reason::Version), no_version("owner", versions)),
                    Some(version) => {
                        self.versions[0] = version;
                        self.outcome.old_build = build_of(&build);
                        (Event::OwnerGreeted, String::new())
                    }
                }
            }
            Heard::Told(Told::Drained(open, _)) => {
                point(all.core, "s-after-drained-recv");
                self.outcome.reach(Step::Drained, now);
                self.outcome.connections.open = open;
                (Event::Drained, String::new())
            }
            Heard::Told(Told::SealComplete(id, revisions)) if id == self.id => {
                point(all.core, "s-after-seal-complete-recv");
                self.outcome.reach(Step::Sealed, now);
                self.sealed = Some(revisions);
                (Event::SealComplete, String::new())
            }
            // Its last word: who is dead is succeeded, whatever it could not do.
            Heard::Told(Told::SealFailed(id, _)) if id == self.id && self.owner_is_dead() => (Event::OwnerBeat, String::new()),
            Heard::Told(Told::SealFailed(id, error)) if id == self.id => (Event::SealFailed, format!("the owner could not seal: {error}")),
            Heard::Told(Told::Heartbeat | Told::SealProgress) => (Event::OwnerBeat, String::new()),
            other => trouble("owner", other, Event::OwnerHungUp, Event::OwnerTrouble),
        };
        self.say_first(|_| words, 0);
        event
    }

    pub(super) fn hear_successor(&mut self, all: &mut Hands<'_>) {
        for _ in 0..TURN {
            let Some(heard) =
                self.successor.as_mut().filter(|channel| all.core.reactor.has(channel.token)).and_then(|channel| channel.line.hear())
            else {
                return;
            };
            if matches!(heard, Heard::End) {
                if let Some(channel) = &self.successor {
                    all.core.reactor.remove(channel.token);
                }
                // Its death shows a moment later.
                self.hung = self.hung.min(Deadline::after(LINGER));
                return;
            }
            let event = self.event_of_successor(all, heard);
            if matches!(event, Event::HungUp | Event::Trouble(_)) {
                if let Some(channel) = &self.successor {
                    all.core.reactor.remove(channel.token);
                }
                self.look_at_owner(all);
            }
            self.step(all, event);
        }
    }

    fn event_of_successor(&mut self, all: &mut Hands<'_>, heard: Heard) -> Event {
        let now = clock::now();
        let (event, words) = match heard {
            Heard::Told(Told::Hello(role, pid, build, versions)) if self.machine.successor == Successor::Started => {
                let writer = self.successor.as_ref().and_then(|channel| channel.line.writer);
                match wire::common(versions) {
                    _ if role != Role::Successor => {
                        (Event::Trouble(Reason::Protocol), "the successor greets as an incumbent: it does not know HANDOFF_ROLE".to_owned())
                    }
                    _ if pid as i32 != self.successor_pid || writer.is_some_and(|writer| writer != self.successor_pid) => {
                        let writer = writer.unwrap_or(pid as i32);
                        let words = format!("process {writer} greets as {pid}; the successor is process {}", self.successor_pid);
                        (Event::Trouble(Reason::Denied), words)
                    }
                    None => (Event::Trouble(Reason::Version), no_version("successor", versions)),
                    Some(version) => {
                        self.versions[1] = version;
                        self.outcome.reach(Step::Greeted, now);
                        if !build.is_empty() {
                            self.outcome.new_build = build_of(&build);
                        }
                        (Event::Greeted, String::new())
                    }
                }
            }
            Heard::Told(Told::Ready(id, healthy, revisions)) if id == self.id && self.has_begun() => {
                // One that has died since has published nothing that could serve, and the owner is there still.
                if self.successor_is_dead() {
                    (Event::Beat, String::new())
                } else {
                    point(all.core, "s-after-ready-recv");
                    self.outcome.reach(Step::Live, now);
                    self.note_ready(healthy, revisions);
                    (Event::Ready, String::new())
                }
            }
            Heard::Told(Told::Heartbeat) => (Event::Beat, String::new()),
            other => trouble("successor", other, Event::HungUp, Event::Trouble),
        };
        self.say_first(|_| words, 0);
        event
    }

    /// What it says of itself is written down. It is no reason to turn back: a process that has said READY has published itself (B10).
    fn note_ready(&mut self, healthy: bool, revisions: Revisions) {
        self.said.clear();
        if !healthy {
            "the successor serves, and says that it is not healthy".clone_into(&mut self.said);
        } else if self.sealed.is_some_and(|sealed| sealed != revisions && revisions.count > 0) {
            "the successor has opened other revisions than the owner has sealed".clone_into(&mut self.said);
        }
    }

    /// The first thing that is said of a failure is what it was.
    pub(super) fn say_first(&mut self, words: impl FnOnce(i32) -> String, pid: i32) {
        if self.said.is_empty() {
            self.said = words(pid);
        }
    }
}

fn trouble(whose: &str, heard: Heard, hung_up: Event, trouble: impl Fn(Reason) -> Event) -> (Event, String) {
    match heard {
        Heard::End => (hung_up, format!("the {whose} has closed its channel")),
        Heard::Told(told @ (Told::SealComplete(..) | Told::SealFailed(..) | Told::Ready(..) | Told::Hello(..))) => {
            (trouble(Reason::Protocol), format!("the {whose} says {} out of its turn, or of another handoff", told.name()))
        }
        Heard::Told(told) => (trouble(Reason::Protocol), format!("the {whose} says {}, which it has no right to", told.name())),
        Heard::Refused(refusal @ wire::Refusal::Version(_)) => (trouble(Reason::Version), format!("the {whose} sends {refusal}")),
        Heard::Refused(wire::Refusal::Memory) => (trouble(Reason::Limit), format!("of the {whose}: {}", wire::Refusal::Memory)),
        Heard::Refused(refusal) => (trouble(Reason::Protocol), format!("the {whose} sends {refusal}")),
        Heard::Stranger(pid) => (trouble(Reason::Denied), format!("process {pid} speaks on the channel of the {whose}")),
        Heard::Failed(errno) => (trouble(Reason::System), format!("the {whose} cannot be heard: {}", errno.desc())),
    }
}

fn no_version(whose: &str, theirs: (u16, u16)) -> String {
    let ((low, high), (own_low, own_high)) = (theirs, wire::VERSIONS);
    format!("the {whose} speaks versions {low} to {high}, this process {own_low} to {own_high}")
}

/// As it is if that can be shown, else in hex, as build ids of linkers are written.
fn build_of(bytes: &[u8]) -> BuildId {
    let hex = || bytes.iter().take(32).map(|byte| format!("{byte:02x}")).collect::<String>();
    BuildId::from_bytes(bytes)
        .filter(|id| !id.is_empty() || bytes.is_empty())
        .or_else(|| BuildId::from_bytes(hex().as_bytes()))
        .unwrap_or_default()
}
