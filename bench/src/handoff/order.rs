//! The order of a round: new each time, but what is compared with each other stays together. A disturbed minute then
//! meets procsup and both of its floors, or none of them.

use super::case::Case;
use super::floor::Floor;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// By their place in the list.
    Case(usize),
    Floor(usize),
}

pub fn of(round: usize, cases: &[Case], floors: &[Floor]) -> Vec<Turn> {
    let due = |rounds: usize| round < rounds;
    let of_cases = (0..cases.len()).filter(|&i| due(cases[i].rounds)).map(Turn::Case);
    let of_floors = (0..floors.len()).filter(|&i| due(floors[i].rounds)).map(Turn::Floor);
    let mut turns: Vec<Turn> = of_cases.chain(of_floors).collect();
    fastrand::shuffle(&mut turns);
    together(turns, |turn| match turn {
        Turn::Case(i) => {
            ["procsup", "bare"].iter().any(|id| cases[i].is(id, cases[i].plan.load_ms)).then(|| cases[i].plan.load_ms)
        }
        Turn::Floor(i) => Some(floors[i].load_ms),
    })
}

/// Those of a group follow the first of it, in the order that they have.
fn together(turns: Vec<Turn>, group: impl Fn(Turn) -> Option<u32>) -> Vec<Turn> {
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
