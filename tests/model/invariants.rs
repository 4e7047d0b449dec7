//! What must be true in every world (S), and in every world that stands still (L).
//!
//! Those that say something about one moment of a change (S3, S4, S9, S11, S12, S14 to S16 and parts of S1) are looked at where it is made, in
//! `driver.rs` and `product.rs`. Not here, for there is nothing of it in the machines: S10 (who a peer is), S13 (what blocks), the
//! unclaimed descriptors of S5, the socket options and the environment of S7, the revisions of S14, L4 (the supervisor).
//!
//! In overlap mode two serve for a while: what S1-S3 say of applications is looked at in exclusive mode only, what they say of the word in both.
//!
//! What is no break:
//! - An owner that is stopped, or whose application hangs, stays owner (S9): nobody serves until it goes on.
//! - A process that dies while nobody is left that was a candidate or a standby: an ordinary crash.
//! - A candidate that was told by the owner that it is off goes, though that owner dies right after.
//! - A successor that cannot take what it is sent gives up, though the owner dies at the same moment: two faults, one of each party.
//! - A condemned successor serves on while its standby is stopped before the kill.
//! - A successor that hangs and that its owner may not kill: the owner waits until somebody ends it, or it goes on.
//! - A spawned successor that dumps its core is not reaped before that is written.
//! - An application that hangs for ever where no deadline of another party ends it: the last one, that is.

use crate::machine::word::{Ask, Stage};
use crate::machine::{Mode, owner, successor};

use super::setup::Setup;
use super::world::{ALL, Broken, Channel, LOCK, Life, Machine, Slot, World};

impl Setup {
    pub fn check(&self, world: &mut World) {
        if world.broken.is_some() {
            return;
        }
        self.always(world);
        self.check_standings(world);
        if world.broken.is_none() && self.is_quiet(world) {
            self.when_quiet(world);
        }
    }

    fn always(&self, world: &mut World) {
        let serving = World::slots().filter(|slot| world.at(*slot).lives() && world.at(*slot).app.serves).count();
        if self.mode == Mode::Exclusive && serving > 1 {
            world.breaks(Broken::S1, "two processes may write, and accept (S2)");
        }
        for slot in World::slots() {
            let process = *world.at(slot);
            if !process.lives() {
                continue;
            }
            let party = match process.machine {
                Machine::None => false,
                Machine::Owner(owner) => owner.phase != owner::Phase::Retired,
                Machine::Successor(successor) => successor.is_offered(),
            };
            // A third process that finds the lock free starts a server of its own: so each that may still serve holds it itself.
            if (party || process.app.serves && self.mode == Mode::Exclusive) && process.holds & LOCK == 0 {
                world.breaks(Broken::S6, "one that may serve, without the lock");
            }
            if party && process.holds | LOCK != ALL {
                world.breaks(Broken::S5, "one that may serve, without a listener");
            }
            if process.life == Life::Running && process.todo.is_empty() && !waits_in_time(process.machine) {
                world.breaks(Broken::L2, "a wait without a deadline");
            }
            let linked = |other: &Slot| {
                let other = world.at(*other);
                other.lives()
                    && other.peer == Some(slot)
                    && matches!(other.machine, Machine::Successor(_))
                    && other.channel == Channel::Open
            };
            if World::slots().filter(linked).count() > 1 {
                world.breaks(Broken::L6, "two candidates of one owner");
            }
        }
    }

    fn when_quiet(&self, world: &mut World) {
        let serving = world.servers().count();
        if serving > 1 {
            world.breaks(Broken::L1, "two serve in the end");
        }
        if serving == 0 {
            let owner = *world.at(world.owner);
            if !owner.is_harmed() {
                world.breaks(Broken::L1, "the owner lives and does not serve");
            }
            // Its application alone can end what holds it up.
            let gone = !owner.lives();
            if gone && world.heir.is_some_and(|heir| !world.at(heir).is_harmed()) {
                world.breaks(Broken::L1, "nobody serves, though one could");
            }
            let orphaned = |slot: Slot| {
                let process = world.at(slot);
                let candidate = process.successor().is_some_and(|machine| machine.is_offered());
                candidate && !process.is_harmed()
            };
            let candidate = World::slots().any(orphaned);
            if gone && candidate {
                world.breaks(Broken::L1, "nobody serves beside a candidate");
            }
        }
        for slot in World::slots() {
            let process = *world.at(slot);
            if process.parent.is_some_and(|parent| !world.at(parent).is_harmed())
                && !matches!(process.life, Life::Gone | Life::Dumping)
                && world.owner != slot
            {
                let retired = process
                    .parent
                    .is_some_and(|parent| matches!(world.at(parent).owner(), Some(owner) if owner.phase == owner::Phase::Retired));
                if !retired {
                    world.breaks(Broken::S8, "a spawned successor is neither owner nor reaped");
                }
            }
            if process.is_harmed() {
                continue;
            }
            match process.machine {
                Machine::None => {}
                Machine::Owner(owner) if owner.phase == owner::Phase::Serving => {
                    let ticket = world.word.next_ticket();
                    if world.owner != slot || world.word.stage != Stage::Settled || world.word.after(Ask::Offer, ticket).is_none() {
                        world.breaks(Broken::L3, "no handoff can follow");
                    }
                    if process.app.told_drain {
                        world.breaks(Broken::S12, "told to drain, and never to resume");
                    }
                    if !process.app.serves || process.app.stale || process.peer.is_some() || process.holds != ALL {
                        world.breaks(Broken::S7, "not as it was before");
                    }
                }
                Machine::Owner(_) => world.breaks(Broken::L2, "an owner waits for ever"),
                Machine::Successor(machine)
                    if machine.phase == successor::Phase::Fenced && process.peer.is_some_and(|peer| world.at(peer).is_harmed()) => {}
                Machine::Successor(machine) if machine.phase != successor::Phase::Ended => {
                    world.breaks(Broken::L2, "a successor waits for ever");
                }
                Machine::Successor(_) => {}
            }
        }
    }
}

/// Law 15. Exempt is who owns and waits for its own application only: somebody else keeps that time, or nobody is left.
fn waits_in_time(machine: Machine) -> bool {
    match machine {
        Machine::None => true,
        Machine::Owner(owner) => {
            matches!(owner.phase, owner::Phase::Starting | owner::Phase::Serving | owner::Phase::Retired) || !owner.deadline.is_never()
        }
        Machine::Successor(successor) => {
            use successor::Phase as P;
            matches!(successor.phase, P::Opening | P::Loading | P::Fenced | P::Settled | P::Ended) || !successor.deadline.is_never()
        }
    }
}
