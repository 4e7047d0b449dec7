//! What the library says that an application may do (`ps_handoff_phase`), held against the words of the laws, in exclusive mode.

use crate::machine::standing::{Heard, Seal, Standing};
use crate::machine::{Mode, Notice};

use super::setup::Setup;
use super::world::{Broken, Due, Machine, Process, World};

impl Process {
    /// What it is told if it asks. What it knows is read from where its application stands.
    pub fn standing(&self) -> Option<Standing> {
        let waits = |wanted: fn(Notice) -> bool| self.app.notices.iter().any(wanted);
        let seal = match self.app.serves {
            _ if self.app.due == Due::Sealed || waits(|notice| notice == Notice::Seal) => Seal::Told,
            true => Seal::Not,
            false => Seal::Answered,
        };
        let resume = |notice| match notice {
            Notice::Resume { unsealed } => Some(unsealed),
            _ => None,
        };
        let heard = Heard {
            seal,
            live_waits: waits(|notice| matches!(notice, Notice::Live { .. })),
            resume_waits: self.app.notices.iter().find_map(resume),
            settling: false,
        };
        match self.machine {
            Machine::None => None,
            Machine::Owner(owner) => Some(Standing::of_owner(owner.phase, heard)),
            Machine::Successor(successor) => Some(Standing::of_successor(successor.phase, heard)),
        }
    }
}

impl Setup {
    /// At most one is told that it may write; none of them before its event, and none that serves is told that it may not, but by what waits.
    pub fn check_standings(&self, world: &mut World) {
        if self.mode != Mode::Exclusive {
            return;
        }
        let mut writers = 0;
        for slot in World::slots() {
            let process = world.at(slot);
            // In the middle of a step nobody can ask.
            let Some(standing) = process.standing().filter(|_| process.lives() && process.todo.is_empty()) else { continue };
            let (serves, over) = (process.app.serves, |notice| matches!(notice, Notice::Retire | Notice::Aborted(_)));
            // A commit before the seal is another law's.
            let denied = serves && !standing.may_write() && standing != Standing::Standby && !process.app.notices.iter().any(over);
            writers += usize::from(standing.may_write());
            if standing.may_accept() && !serves {
                world.breaks(Broken::S1, "one is told that it may, before its event");
            }
            if denied {
                world.breaks(Broken::S1, "one that serves is told that it may not");
            }
        }
        if writers > 1 {
            world.breaks(Broken::S1, "two are told that they may write");
        }
    }
}
