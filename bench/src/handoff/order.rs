//! The order of a round: new each time, but what is compared with each other stays together. A disturbed minute then
//! meets procsup, with and without a supervisor, and both of its floors, or none of them. So with servers on
//! beyond-handoff, whoever their supervisor is, and with a daemon, however it is replaced.

use super::case::Case;
use super::daemons::{Cell, Kind};
use super::floor::Floor;
use super::method::{is_beyond, is_supervised, is_tuned};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// By their place in the list.
    Case(usize),
    Floor(usize),
    Daemon(usize),
}

/// What is compared with each other.
#[derive(PartialEq, Eq)]
enum Group {
    /// Servers that load so long.
    Ours(u32),
    Beyond(u32, bool),
    Daemon(Kind),
}

pub fn of(round: usize, cases: &[Case], floors: &[Floor], cells: &[Cell]) -> Vec<Turn> {
    let due = |rounds: usize| round < rounds;
    let of_cases = (0..cases.len()).filter(|&i| due(cases[i].rounds)).map(Turn::Case);
    let of_floors = (0..floors.len()).filter(|&i| due(floors[i].rounds)).map(Turn::Floor);
    let of_cells = (0..cells.len()).filter(|&i| due(cells[i].rounds)).map(Turn::Daemon);
    let mut turns: Vec<Turn> = of_cases.chain(of_floors).chain(of_cells).collect();
    fastrand::shuffle(&mut turns);
    together(turns, |turn| match turn {
        Turn::Case(i) => {
            let (method, load_ms) = (cases[i].plan.method, cases[i].plan.load_ms);
            let ours = ["procsup", "bare"].iter().any(|id| cases[i].is(id, load_ms)) || is_supervised(method);
            let beyond = cases[i].is(method.id, load_ms) && is_beyond(method);
            ours.then_some(Group::Ours(load_ms)).or(beyond.then_some(Group::Beyond(load_ms, is_tuned(method))))
        }
        Turn::Floor(i) => Some(Group::Ours(floors[i].load_ms)),
        Turn::Daemon(i) => Some(Group::Daemon(cells[i].daemon.kind)),
    })
}

/// Those of a group follow the first of it, in the order that they have.
fn together<G: PartialEq>(turns: Vec<Turn>, group: impl Fn(Turn) -> Option<G>) -> Vec<Turn> {
    let mut ordered: Vec<Turn> = Vec::with_capacity(turns.len());
    let mut left = turns;
    while let Some(&first) = left.first() {
        let same = |turn: &Turn| *turn == first || (group(first).is_some() && group(*turn) == group(first));
        let (now, later): (Vec<Turn>, Vec<Turn>) = left.into_iter().partition(same);
        ordered.extend(now);
        left = later;
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_stays_together() {
        let [a, b, c, d, e] = [Turn::Case(0), Turn::Floor(0), Turn::Case(1), Turn::Case(2), Turn::Floor(1)];
        let group = |turn| match turn {
            Turn::Case(0) | Turn::Floor(0) => Some(0),
            Turn::Case(1) | Turn::Floor(1) => Some(300),
            _ => None,
        };
        assert_eq!(together(vec![c, b, d, a, e], group), [c, e, b, a, d]);
    }
}
