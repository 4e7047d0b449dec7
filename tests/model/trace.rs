//! A run in words: what happened, one line each, and how the world was after it.

use super::product::Choice;
use super::setup::Setup;
use super::world::{Action, Life, Machine, Slot, World};

/// Where a process stands, as it is called in the machine.
pub fn phase(world: &World, slot: Slot) -> String {
    match world.at(slot).machine {
        Machine::None => String::from("-"),
        Machine::Owner(machine) => format!("{:?}", machine.phase),
        Machine::Successor(machine) => format!("{:?}", machine.phase),
    }
}

fn process(world: &World, slot: Slot) -> String {
    let process = world.at(slot);
    let serves = if process.app.serves { ", serves" } else { "" };
    match process.life {
        Life::Absent => String::new(),
        Life::Running => format!("P{slot} {}{serves}", phase(world, slot)),
        life => format!("P{slot} {life:?} {}{serves}", phase(world, slot)),
    }
}

/// One line: the choice, and the world after it.
pub fn line(before: &World, choice: Choice, after: &World) -> String {
    fn text<T: std::fmt::Debug>(of: Option<T>) -> String {
        of.map_or_else(String::new, |of| format!("{of:?}"))
    }
    let detail = match choice {
        Choice::Receive(slot) | Choice::Twice(slot) | Choice::ReceiveFails(slot) => text(before.at(slot).inbox.first()),
        Choice::Take(slot) => text(before.at(slot).app.notices.first()),
        Choice::Answer(slot) => text(Some(before.at(slot).app.due)),
        Choice::Continue(slot) | Choice::SendFails(slot) => match before.at(slot).todo.first() {
            Some(Action::Owner(action)) => text(Some(action)),
            Some(Action::Successor(action)) => text(Some(action)),
            None => String::new(),
        },
        _ => String::new(),
    };
    let processes: Vec<String> = World::slots().map(|slot| process(after, slot)).filter(|text| !text.is_empty()).collect();
    let word = after.word;
    format!(
        "{:<14} {:<28} {:?}({}, {})  {}",
        format!("{choice:?}"),
        detail,
        word.stage,
        word.generation,
        word.handoff,
        processes.join(" | ")
    )
}

/// The whole run.
pub fn print(setup: &Setup, choices: impl IntoIterator<Item = (i64, Choice)>) -> World {
    print_from(setup, setup.world(), choices)
}

/// The same from a world that is not the first.
pub fn print_from(setup: &Setup, start: World, choices: impl IntoIterator<Item = (i64, Choice)>) -> World {
    let mut world = start;
    for (now, choice) in choices {
        let before = World { now: now.max(world.now), ..world };
        world = setup.apply(&before, choice);
        let time = if setup.timed { format!("{:>10.3} s  ", world.now as f64 / 1e9) } else { String::new() };
        println!("  {time}{}", line(&before, choice, &world));
    }
    if let Some((law, how)) = world.broken {
        println!("  => {law:?}: {how}");
    }
    world
}
