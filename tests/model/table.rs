//! The fault table of docs/evidence/handoff-faults.md: one fault at every point of a handoff that goes well, and everything that can come of
//! it. Here deadlines are kept to the moment: one comes only when nothing else is left to do. What takes no deadline takes no time.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write;

use crate::clock::Deadline;
use crate::machine::word::Stage;
use crate::machine::{Limits, Mode, Notice, Reason, owner, successor};

use super::product::Choice;
use super::setup::{Setup, Way, fault};
use super::world::{Channel, Life, Machine, Slot, World};

/// How often a warm successor looks at the word.
const LOOK: i64 = 250_000_000;

const O: Slot = 0;
const N: Slot = 1;

/// What an operator may want to know of a run.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Story {
    resumed: Option<bool>,
    aborted: Option<Reason>,
    opened: Option<bool>,
    given_up: Option<Reason>,
    killed: bool,
    /// N has got the whole offer.
    offered: bool,
    /// What was waited for while nobody served.
    waited: Vec<&'static str>,
}

/// By fault and step.
type Rows = BTreeMap<(u8, u8), BTreeSet<Ending>>;

/// How it ends.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Ending {
    serves: String,
    /// The unsealed LIVE, the RESUME, the kill: what an application or an operator has to act on.
    told: Vec<&'static str>,
    waited: String,
    /// With ABORTED.
    reason: Option<String>,
}

const FAULTS: [&str; 15] = [
    "O is killed",
    "O is stopped",
    "O's application says that it failed",
    "O's application never answers",
    "O's application calls it off",
    "O cannot send",
    "N is killed",
    "N is stopped",
    "N's application says that it failed",
    "N's application never answers",
    "N cannot send",
    "N has no room for the descriptors",
    "The channel is cut",
    "O crashes, and its core takes long",
    "N crashes, and its core takes long",
];

fn fault_number(choice: Choice) -> Option<u8> {
    Some(match choice {
        Choice::Crash(O) => 0,
        Choice::Stop(O) => 1,
        Choice::AppFails(O) => 2,
        Choice::AppHangs(O) => 3,
        Choice::Cancel(O) => 4,
        Choice::SendFails(O) => 5,
        Choice::Crash(N) => 6,
        Choice::Stop(N) => 7,
        Choice::AppFails(N) => 8,
        Choice::AppHangs(N) => 9,
        Choice::SendFails(N) => 10,
        Choice::ReceiveFails(N) => 11,
        Choice::Cut(_) => 12,
        Choice::Dump(O) => 13,
        Choice::Dump(N) => 14,
        _ => return None,
    })
}

const STEPS: [&str; 16] = [
    "successor starts",
    "HELLO",
    "OFFER",
    "successor loads",
    "DRAIN",
    "wake probe",
    "SEAL",
    "last changes",
    "COMMIT, not yet heard",
    "successor opens",
    "LIVE, not yet heard",
    "old one closes",
    "probation",
    "asked to settle",
    "settled, not yet heard",
    "retired",
];

fn step_number(world: &World) -> Option<u8> {
    use owner::Phase as P;
    let next = world.at(N).machine;
    Some(match (world.at(O).owner()?.phase, next) {
        (P::Serving, Machine::Successor(_)) => 1,
        (P::Greeting, Machine::None) => 0,
        (P::Greeting, _) => 1,
        (P::Offering(_), _) => 2,
        (P::Warming, _) => 3,
        (P::Draining, _) => 4,
        (P::Probing(_), _) => 5,
        (P::Sealing, _) => 6,
        (P::Updating(_), _) => 7,
        (P::Handing, Machine::Successor(machine)) => match machine.phase {
            successor::Phase::Opening => 9,
            successor::Phase::Live => 10,
            _ => 8,
        },
        (P::Closing, _) => 11,
        (P::Probation, _) => 12,
        (P::Asking, _) if world.word.stage == Stage::Live => 13,
        (P::Asking | P::Parting, _) => 14,
        (P::Retired, _) => 15,
        _ => return None,
    })
}

impl Setup {
    /// What can happen next without a fault; a deadline only if nothing else can.
    fn on_time(&self, world: &World) -> (World, Vec<Choice>) {
        let mut steps = Vec::new();
        self.steps(world, &mut steps);
        let prompt = |choice: &Choice| !matches!(choice, Choice::Timeout(_) | Choice::Look(_));
        if steps.iter().any(prompt) {
            steps.retain(prompt);
            return (*world, steps);
        }
        let looks = steps.iter().any(|choice| matches!(choice, Choice::Look(_))).then_some(world.now + LOOK);
        let running = World::slots().filter(|slot| world.at(*slot).life == Life::Running);
        let Some(now) = running.filter_map(|slot| world.at(slot).deadline()).chain(looks).min() else { return (*world, steps) };
        let later = World { now: now.max(world.now), ..*world };
        steps.clear();
        self.steps(&later, &mut steps);
        steps.retain(|choice| if looks == Some(now) { matches!(choice, Choice::Look(_)) } else { matches!(choice, Choice::Timeout(_)) });
        (later, steps)
    }

    /// The worlds of a handoff that goes well, one after the other.
    fn good_run(&self) -> Vec<World> {
        let mut world = self.world();
        let mut run = Vec::new();
        loop {
            let begins = world.at(O).owner().is_some_and(|owner| owner.phase == owner::Phase::Serving) && world.handoffs == 0;
            if begins {
                world = self.apply(&world, if self.way == Way::Takeover { Choice::Takeover(N) } else { Choice::Upgrade(O) });
            } else {
                let (then, steps) = self.on_time(&world);
                let Some(choice) = steps.first() else { return run };
                world = self.apply(&then, *choice);
            }
            run.push(world);
        }
    }

    /// Everything that comes of a fault.
    fn endings(&self, world: World, endings: &mut BTreeSet<Ending>) {
        let mut known = HashSet::new();
        let offered = world.at(N).successor().is_some_and(|machine| machine.is_offered());
        let mut open = vec![(world, Story { offered, ..Story::default() })];
        while let Some((world, story)) = open.pop() {
            assert_eq!(world.broken, None, "a single fault breaks a law");
            if !known.insert((world, story.clone())) {
                continue;
            }
            let (then, steps) = self.on_time(&world);
            if steps.is_empty() {
                endings.insert(ending(&world, &story));
            }
            for choice in steps {
                let mut story = story.clone();
                if let Choice::Timeout(slot) | Choice::Look(slot) = choice
                    && world.servers().next().is_none()
                {
                    let waited = if matches!(choice, Choice::Look(_)) {
                        "look"
                    } else {
                        deadline_name(&self.limits, then.now - world.now, &then, slot)
                    };
                    if then.now > world.now {
                        story.waited.push(waited);
                    }
                }
                if let Choice::PeerGone(slot) = choice
                    && then.at(slot).peer.is_some_and(|peer| then.at(peer).life == Life::Dumping)
                    && world.servers().next().is_none()
                {
                    story.waited.push("dump");
                }
                if let Choice::Take(slot) = choice {
                    match (slot, then.at(slot).app.notices.first()) {
                        (O, Some(Notice::Resume { unsealed })) => story.resumed = Some(unsealed),
                        (O, Some(Notice::Aborted(reason))) => story.aborted = Some(reason),
                        (N, Some(Notice::Live { unsealed })) => story.opened = Some(unsealed),
                        (N, Some(Notice::Aborted(reason))) => story.given_up = Some(reason),
                        _ => {}
                    }
                }
                let next = self.apply(&then, choice);
                story.offered |= next.at(N).successor().is_some_and(|machine| machine.is_offered());
                story.killed |= next.word.stage == Stage::Condemned && next.at(N).life == Life::Dying;
                open.push((next, story));
            }
        }
    }

    fn rows(&self) -> Rows {
        let mut rows = Rows::new();
        for world in self.good_run() {
            let Some(step) = step_number(&world) else { continue };
            let mut events = Vec::new();
            self.events(&world, &mut events);
            for choice in events {
                if let Some(number) = fault_number(choice) {
                    self.endings(self.apply(&world, choice), rows.entry((number, step)).or_default());
                }
            }
        }
        rows
    }
}

/// Which deadline of a process has come: by how long it was, for they are all different here, else by where the process stands.
fn deadline_name(limits: &Limits, waited: i64, world: &World, slot: Slot) -> &'static str {
    use owner::Phase as P;
    let names = [(limits.drain, "drain"), (limits.seal, "seal"), (limits.live, "live"), (limits.probation, "probation")];
    if let Some((_, name)) = names.iter().find(|(limit, _)| *limit == waited) {
        return name;
    }
    let process = world.at(slot);
    let cut = process.channel == Channel::Seen;
    match process.machine {
        Machine::None => "-",
        Machine::Owner(machine) if machine.may_cancel() && cut => "linger",
        Machine::Owner(machine) => match machine.phase {
            P::Draining => "drain",
            P::Sealing | P::Updating(_) | P::Closing => "seal",
            P::Probation => "probation",
            P::Handing | P::Asking | P::Parting | P::Killing => "live",
            _ => "whole",
        },
        Machine::Successor(machine) => match machine.phase {
            successor::Phase::Greeting | successor::Phase::Receiving(_) if machine.deadline < Deadline::at(super::setup::WHOLE) => "offer",
            successor::Phase::Live => "probation + live",
            successor::Phase::Announcing => "live",
            _ if cut => "linger",
            _ => "whole",
        },
    }
}

/// As it is named in the machines: HungUp is "hung up".
fn reason(reason: Reason) -> String {
    let name = format!("{reason:?}");
    name.chars().enumerate().fold(String::new(), |text, (nth, letter)| {
        let gap = if nth > 0 && letter.is_uppercase() { " " } else { "" };
        text + gap + &letter.to_lowercase().to_string()
    })
}

fn ending(world: &World, story: &Story) -> Ending {
    let serving: Vec<Slot> = world.servers().collect();
    let owner = world.at(world.owner);
    let starts_anew = !owner.lives() && !story.offered && matches!(story.given_up, Some(Reason::Died | Reason::HungUp));
    let name = if world.owner == O { "O" } else { "N" };
    let serves = match serving.as_slice() {
        [O] => String::from("O"),
        [_] => String::from("N"),
        _ if owner.life == Life::Stopped => format!("{name}, once it is continued"),
        _ if owner.lives() && owner.app.hangs => format!("{name}, once its application goes on"),
        // Its ps_handoff_new waits for that; or an operator.
        _ if starts_anew && owner.life == Life::Dumping => String::from("N, as a first generation, if the core is written within offer"),
        _ if owner.life == Life::Dumping => String::from("nobody: start anew once the core is written"),
        // Its ps_handoff_new finds the lock free.
        _ if starts_anew => String::from("N, as a first generation"),
        _ => String::from("nobody: start anew"),
    };
    let told = [
        (story.killed, "N is killed by O"),
        (story.opened == Some(true), "N: LIVE (unsealed)"),
        (story.resumed == Some(true), "O: RESUME (unsealed)"),
        (story.resumed == Some(false), "O: RESUME"),
    ];
    let waited = match (serving.is_empty() && !starts_anew, story.waited.is_empty()) {
        (true, _) => String::from("-"),
        (_, true) => String::from("0"),
        _ => story.waited.join(" + "),
    };
    let reason = if serving == [O] { story.aborted } else { story.given_up.filter(|_| !starts_anew) }.map(reason);
    Ending { serves, told: told.into_iter().filter(|(so, _)| *so).map(|(_, text)| text).collect(), waited, reason }
}

/// One line for each way that it can end: who serves, for how long nobody did, what is told.
fn lines(endings: &BTreeSet<Ending>) -> Vec<[String; 3]> {
    type Texts<'a> = BTreeSet<&'a str>;
    let mut kinds: BTreeMap<(&str, &[&str]), (Texts, Texts)> = BTreeMap::new();
    for ending in endings {
        let (waited, reasons) = kinds.entry((&ending.serves, &ending.told)).or_default();
        waited.insert(&ending.waited);
        reasons.extend(ending.reason.as_deref());
    }
    let or = |texts: &BTreeSet<&str>| texts.iter().copied().collect::<Vec<_>>().join(" or ");
    kinds
        .into_iter()
        .map(|((serves, told), (waited, reasons))| {
            let mut told: Vec<String> = told.iter().map(|text| text.to_string()).collect();
            if !reasons.is_empty() {
                told.push(format!("{}: ABORTED ({})", if serves == "O" { "O" } else { "N" }, or(&reasons)));
            }
            [serves.to_string(), or(&waited), told.join(", ")]
        })
        .collect()
}

fn write_section(out: &mut String, rows: &Rows, but: Option<&Rows>) {
    out.push_str("| fault | while | who serves then | without service | what is told |\n|---|---|---|---|---|\n");
    for (number, name) in FAULTS.iter().enumerate() {
        let of = |rows: &Rows, step: u8| rows.get(&(number as u8, step)).map(lines);
        let steps = (0..STEPS.len() as u8).filter_map(|step| Some((step, of(rows, step)?)));
        let mine: Vec<(u8, Vec<[String; 3]>)> =
            steps.filter(|(step, text)| but.is_none_or(|but| of(but, *step).as_ref() != Some(text))).collect();
        let mut from = 0;
        while from < mine.len() {
            let same = mine[from..].iter().take_while(|(_, text)| *text == mine[from].1).count();
            let steps: Vec<&str> = mine[from..from + same].iter().map(|(step, _)| STEPS[*step as usize]).collect();
            for (nth, [serves, waited, told]) in mine[from].1.iter().enumerate() {
                let steps = if nth == 0 { steps.join(", ") } else { String::from("(or)") };
                let _ = writeln!(out, "| {name} | {steps} | {serves} | {waited} | {told} |");
            }
            from += same;
        }
    }
}

/// The whole page.
pub fn page() -> String {
    const S: i64 = 1_000_000_000;
    let limits = Limits { drain: 17 * S, seal: 13 * S, live: 5 * S, probation: 2 * S };
    let setup = |mode, way| Setup { limits, timed: true, parts: 2, changed: 1, first: fault::ALL, ..Setup::new(mode, way) };
    let exclusive = setup(Mode::Exclusive, Way::Spawned).rows();
    let takeover = setup(Mode::Exclusive, Way::Takeover).rows();
    let overlap = setup(Mode::Overlap, Way::Spawned).rows();
    let overlap_takeover = setup(Mode::Overlap, Way::Takeover).rows();
    let mut out = String::from(include_str!("faults_head.md"));
    out.push_str("\n## Exclusive mode, the successor is spawned\n\n");
    write_section(&mut out, &exclusive, None);
    out.push_str("\n## Exclusive mode, takeover: what is different\n\n");
    write_section(&mut out, &takeover, Some(&exclusive));
    out.push_str("\n## Overlap mode, the successor is spawned: what is different\n\n");
    write_section(&mut out, &overlap, Some(&exclusive));
    out.push_str("\n## Overlap mode, takeover: what is different from that\n\n");
    write_section(&mut out, &overlap_takeover, Some(&overlap));
    out
}
