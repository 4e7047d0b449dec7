//! What is heard and seen of the daemons, as events of the machine.

use std::sync::Arc;

use super::voice::Word;
use super::*;
use crate::process::child::Standing;

/// How many looks at once at what a daemon says: who floods its socket waits for the next turn.
const LOOKS: u32 = 4;

impl Notify {
    /// Something of this token's is ready, or its time has come.
    pub(super) fn look(&mut self, core: &mut Core, token: Token) {
        for which in [Which::Current, Which::Next] {
            let is_its = |daemon: &mut Daemon| [daemon.life, daemon.speech, daemon.sign].contains(&token);
            if self.seat(which).is_some_and(is_its) {
                return self.look_at(core, which);
            }
            if self.looks[which as usize].as_ref().is_some_and(|(known, _)| *known == token) {
                return self.step_look(core, which);
            }
        }
        if let Some(at) = self.leaving.iter().position(|leaver| leaver.token == token) {
            self.look_at_leaver(core, at);
        }
    }

    pub(super) fn look_at(&mut self, core: &mut Core, which: Which) {
        let mut words = Vec::new();
        let now = clock::now();
        let Some(daemon) = self.seat(which) else { return };
        if let Some(voice) = &mut daemon.voice {
            let _ = (0..LOOKS).any(|_| !voice.hear(now, false, &mut words));
        }
        // Looked at before its last words are heard: nothing it said before its death is missed.
        let dead = daemon.process.is_dead();
        if dead && let Some(voice) = &mut daemon.voice {
            voice.hear(now, true, &mut words);
        }
        let mut lied = false;
        for word in words {
            match word {
                Word::Main(main) => lied = lied || !self.move_main(core, which, main),
                word => self.take_word(core, which, word),
            }
        }
        // A lie costs a look into somebody's environment: the next one waits a little.
        if lied && let Some(daemon) = self.seat(which) {
            core.reactor.set_aside_for(daemon.speech, RETRY);
        }
        // It may have another process by now.
        let Some(daemon) = self.seat(which) else { return };
        if !daemon.speaks
            && let Some(child) = daemon.process.child()
        {
            child.tick();
            match child.standing() {
                Standing::Ready(_) => self.is_ready(core, which),
                Standing::Failed(why) if why != crate::coordination::readiness::Why::Dead => {
                    self.complaint = child.unready().take_apart().message;
                    self.feed(core, Event::Unready(which));
                }
                _ => {}
            }
        }
        let Some(daemon) = self.seat(which).filter(|daemon| daemon.process.is_dead()) else { return };
        // What is left of its group would go on accepting, and nobody would ever stop it.
        if daemon.command.as_ref().is_some_and(|command| !command.leaves_survivors()) {
            daemon.process.sweep();
        }
        let Some(end) = daemon.process.tick() else {
            // A tracer holds it: it is dead all the same, and is looked at again.
            return core.reactor.set_aside_for(daemon.life, RETRY);
        };
        self.end = (daemon.process.pid, end);
        self.feed(core, Event::Died(which));
    }

    fn is_ready(&mut self, core: &mut Core, which: Which) {
        if let Some(voice) = self.seat(which).and_then(|daemon| daemon.voice.as_mut()) {
            voice.ready(clock::now());
        }
        self.feed(core, Event::Ready(which));
    }

    fn take_word(&mut self, core: &mut Core, which: Which, word: Word) {
        match word {
            Word::Ready if self.seat(which).is_some_and(|daemon| daemon.speaks) => self.is_ready(core, which),
            Word::Ready => {}
            Word::Stopping => self.feed(core, Event::Stopping(which)),
            Word::Extend(nanos) => self.feed(core, Event::Extend(which, nanos)),
            Word::Bitten => self.feed(core, Event::Bitten(which)),
            Word::Main(_) => {}
        }
    }

    /// It says that another process goes on in its place. `false`: that is not so.
    fn move_main(&mut self, core: &mut Core, which: Which, main: i32) -> bool {
        let Some(daemon) = self.seat(which) else { return true };
        // Asked twice: it is not said again, and a proof that fails for a moment would cost a generation.
        let proven = daemon.voice.as_ref().and_then(|voice| voice.prove(main).or_else(|| voice.prove(main)));
        let Some(held) = proven else { return false };
        let mut moved = Process::stranger(main, held);
        if moved.check_reach().is_err() {
            return false;
        }
        moved.set_plan(daemon.process.plan());
        daemon.lasting = acting::lasting_of(core, main, &moved);
        if let Some(voice) = &mut daemon.voice {
            voice.moves(main, moved.pidfd().clone());
        }
        core.reactor.remove(daemon.life);
        let mut before = std::mem::replace(&mut daemon.process, moved);
        // Its group is that of who goes on: it is reaped, and nothing is swept.
        before.disown();
        core.end(before);
        true
    }

    pub(super) fn look_at_leaver(&mut self, core: &mut Core, at: usize) {
        let leaver = &mut self.leaving[at];
        if leaver.hurried.has_come() && !leaver.process.is_dead() {
            leaver.hurried = Deadline::NEVER;
            leaver.process.stop(-1);
        }
        if leaver.process.is_dead() {
            leaver.process.sweep();
        }
        let Some(end) = leaver.process.tick() else {
            if leaver.process.is_dead() {
                core.reactor.set_aside_for(leaver.token, RETRY);
            }
            return;
        };
        let leaver = self.leaving.swap_remove(at);
        core.reactor.forget(leaver.token);
        // Who served last is told of, whoever leaves after him.
        if leaver.served && leaver.process.pid == self.end.0 {
            self.end.1 = end;
        }
        if let Some(id) = leaver.drained {
            let killed = end.signal == libc::SIGKILL;
            core.outcomes.amend(id, |record| {
                let now = clock::now();
                record.reach(crate::handoff::outcome::Step::Drained, now);
                record.reach(crate::handoff::outcome::Step::Settled, now);
                if killed {
                    record.words = "the old generation had not finished when its drain was over, and was killed".to_owned();
                }
            });
        }
        self.feed(core, Event::Left { drained: leaver.drained.is_some() });
    }

    // ---- looks ----

    pub(super) fn take_look(&mut self, core: &mut Core, number: u64, child: Result<Child>) {
        let mut child = Some(child);
        for which in [Which::Current, Which::Next] {
            if let Some((_, look)) = &mut self.looks[which as usize]
                && look.born(number, &mut child)
            {
                return self.step_look(core, which);
            }
        }
        if let Some(child) = child {
            core.discard(child);
        }
    }

    pub(super) fn step_look(&mut self, core: &mut Core, which: Which) {
        let Some((token, look)) = &mut self.looks[which as usize] else { return };
        let token = *token;
        let Some(over) = look.step(clock::now()) else {
            // Another connect may be under way, with another descriptor.
            if let Some((fd, writing)) = look.watched().map(|(fd, writing)| (Arc::clone(fd), writing)) {
                let _ = core.reactor.put(token, &fd, writing);
            }
            return;
        };
        self.drop_look(core, which);
        if let Err(why) = &over {
            self.complaint.clone_from(why);
        }
        self.feed(core, Event::Looked(which, over.is_ok()));
    }

    pub(super) fn drop_look(&mut self, core: &mut Core, which: Which) {
        if let Some((token, look)) = self.looks[which as usize].take() {
            core.reactor.forget(token);
            if let Some(process) = look.leave() {
                core.end(process);
            }
        }
    }
}
