//! What is heard from an owner, and when it is connected to.
//!
//! The trap: an owner's channel ends when it retires, when it dies and when it does not want us; none of that says who owns. It is connected again,
//! at a growing pace, and whoever answers next says who he is.

use super::channel::{Estate, Heard};
use super::*;
use crate::handoff::machine::standing::Standing;
use crate::handoff::machine::supervisor::Who;
use crate::handoff::outcome::{BuildId, Outcome};
use crate::handoff::wire::Refusal;
use crate::sys::Fault;
use nix::errno::Errno;

/// How much is heard at one look: other things are due beside one that talks and talks. What may bring descriptors counts for more.
const LOOKS: u32 = 64;
const HEAVY: u32 = 4;

impl Native {
    /// Connects to whoever listens at the path. Nothing is waited for.
    pub(super) fn connect(&mut self, core: &mut Core) {
        if self.channel.is_some() || !self.machine.looks_on() {
            return;
        }
        match Channel::begin(&self.path) {
            Ok(channel) => {
                if core.reactor.add(CHANNEL, channel.socket()).is_ok() {
                    self.channel = Some(channel);
                    self.hear(core);
                }
            }
            Err(Fault { errno: Errno::EACCES | Errno::EPERM, .. }) => self.reject("this user may not connect to it"),
            // Nobody listens, or the line is full: again in a while.
            Err(_) => {}
        }
    }

    /// What comes of that is the answer of a recovery; else whoever owns is asked again.
    fn reject(&mut self, words: &str) {
        if self.recovering {
            self.trouble = Some(Error::new(Status::PeerRejected, "connect", format!("{}: {words}", self.path.display())));
        }
    }

    pub(super) fn close_channel(&mut self, core: &mut Core) {
        if self.channel.take().is_some() {
            core.reactor.forget(CHANNEL);
        }
    }

    /// Of a process that is dead nothing more comes: what a copy of it holds open must not keep us.
    pub(super) fn drop_dead_channel(&mut self, core: &mut Core, pid: i32) {
        self.older = false;
        if self.channel.as_ref().is_some_and(|channel| channel.peer() == pid || channel.peer() == 0) {
            self.close_channel(core);
        }
    }

    /// Takes what there is.
    pub(super) fn hear(&mut self, core: &mut Core) {
        let mut looks = 0;
        while looks < LOOKS {
            let known = [self.owner_pid(), self.child.as_ref().map_or(0, |child| child.pid)];
            let Some(channel) = &mut self.channel else { return };
            let Some(heard) = channel.hear(&self.path, &known) else { return };
            looks += if matches!(heard, Heard::Nothing | Heard::Trouble | Heard::Estate(_)) { HEAVY } else { 1 };
            match heard {
                Heard::Estate(estate) => self.take_estate(core, *estate),
                Heard::Progress { id, phase, peer } => self.take_progress(core, id, phase, peer),
                Heard::Outcome(outcome) => self.take_outcome(core, *outcome, true),
                Heard::Unexpected(refusal) => {
                    if refusal == Some(Refusal::Busy) {
                        self.reason = Some((Status::InProgress, "another handoff is under way".to_owned()));
                    }
                }
                Heard::NotCalledOff => self.feed(core, Event::Refused),
                Heard::Older => {
                    if let Some(channel) = self.channel.take() {
                        core.reactor.forget(CHANNEL);
                        self.meet_older(core, &channel);
                    }
                    return;
                }
                Heard::Nothing | Heard::Trouble => {}
                Heard::Rejected(words) => {
                    self.reject(&words);
                    return self.close_channel(core);
                }
                Heard::End => return self.close_channel(core),
            }
        }
    }

    fn take_estate(&mut self, core: &mut Core, estate: Estate) {
        let Estate { pid, pidfd, generation, word, named, records } = estate;
        core.metrics.connected += 1;
        self.older = false;
        if let Some(page) = word {
            self.word = Some(Word { page });
        }
        for (name, fd) in named {
            let old = core.listeners.learn(name, fd);
            core.rubbish.extend(old);
        }
        for record in records {
            self.take_outcome(core, record, false);
        }
        let who = self.who(pid);
        // One that shows what it has and hangs up, over and over, is not to be connected to as fast.
        if who != Who::Owner {
            self.connect_pace = Pace::new();
        }
        match who {
            Who::Other => self.replace_owner(core, Process::stranger(pid, pidfd), generation),
            // It is the owner once the machine says so.
            Who::Child => self.found_generation = generation,
            Who::Owner => {}
        }
        if let Some(owner) = self.owner.as_mut().filter(|owner| owner.process.pid == pid) {
            let unknown = owner.generation == 0;
            owner.generation = generation;
            if unknown && who == Who::Owner && self.machine.phase == Phase::Watching {
                let (pid, generation) = (owner.process.pid, owner.generation);
                self.tell(core, EventKind::Serving, |told| (told.pid, told.generation) = (pid, generation));
            }
        }
        self.feed(core, Event::Estate(who));
    }

    fn take_progress(&mut self, core: &mut Core, id: u64, phase: i32, peer: i32) {
        let pid = self.owner_pid();
        if self.child.as_ref().is_some_and(|child| child.pid == peer) {
            self.handoff_id = id;
            // From here on it may come to own at any moment, and no kill of all must reach it.
            if phase >= Standing::Draining as i32
                && let Some(child) = &mut self.child
            {
                child.disown();
            }
        }
        let known = Standing::from_repr(phase).is_some();
        if known {
            self.tell(core, EventKind::Progress, |told| {
                (told.handoff_id, told.phase, told.pid, told.peer_pid) = (id, phase, pid, peer);
            });
        }
    }

    /// Keeps a record, once. `fresh`: it was made just now.
    pub(super) fn take_outcome(&mut self, core: &mut Core, mut outcome: Outcome, fresh: bool) {
        let of_child = self.child_pid > 0 && outcome.new_pid == self.child_pid && self.terms.is_some();
        self.fill_builds(&mut outcome);
        if core.outcomes.renew(&outcome) {
            return;
        }
        if of_child {
            self.handoff_id = outcome.id;
            self.reason = Some((outcome.reason, outcome.words.clone()));
        }
        let committed = outcome.committed;
        if committed {
            core.metrics.last_gap = outcome.gap();
        }
        core.outcomes.keep(outcome);
        if of_child && (fresh || !committed) {
            self.recorded = true;
            self.feed(core, Event::Ended { committed });
        } else if of_child {
            self.recorded = true;
        }
    }

    /// What the supervisor was told of builds, where the generations say nothing.
    fn fill_builds(&self, outcome: &mut Outcome) {
        let known = |text: &str| BuildId::from_bytes(text.as_bytes()).unwrap_or_default();
        if outcome.new_build.is_empty() && outcome.new_pid == self.child_pid {
            outcome.new_build = known(&self.child_build);
        }
        if let Some(terms) = self.terms.as_ref().filter(|terms| outcome.old_build.is_empty() && terms.old_pid == outcome.old_pid) {
            outcome.old_build = known(&terms.old_build);
        }
    }
}
