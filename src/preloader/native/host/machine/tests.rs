//! What an explorer's few requests do not come to.

use super::births::PAUSE_NS;
use super::*;

const SECOND: i64 = 1_000_000_000;

fn machine(idle: u32) -> Machine {
    let mut machine = Machine::new(0);
    machine.step(Event::SetPool { idle, max_age_ns: None }, 0);
    machine
}

/// One that is ready, with nothing under way.
fn ready(idle: u32) -> Machine {
    let mut machine = machine(idle);
    machine.step(Event::Warm(1_000, Deadline::NEVER), 0);
    machine.step(Event::Started(1), 0);
    for birth in 1..=u64::from(idle) {
        machine.step(Event::Registered(birth), 0);
    }
    assert_eq!((machine.idle(), machine.preloader()), (idle as usize, Preloader::Ready));
    machine
}

// covers: C15-2, CO-puma-3596
#[test]
fn twenty_under_way_and_a_death_are_asked_once_more_each() {
    let mut machine = machine(0);
    for id in 1..=20 {
        machine.step(Event::Ask(id, Deadline::NEVER), 0);
    }
    assert_eq!(machine.step(Event::Started(1), 0).len(), AHEAD, "a few ahead");
    let died = machine.step(Event::Ended(1), 1);
    assert!(matches!(
        died[..],
        [Action::Discard(_), Action::Discard(_), Action::Discard(_), Action::Discard(_), Action::Leave(1), Action::Start(2)]
    ));
    let mut under_way: Vec<_> = machine.step(Event::Started(2), 2);
    let mut adopted = Vec::new();
    while let Some(Action::Fork(2, birth, Some(id))) = under_way.pop() {
        let actions = machine.step(Event::Registered(birth), 3);
        assert_eq!(actions[0], Action::Adopt(birth, id));
        adopted.push(id);
        under_way.extend(&actions[1..]);
    }
    adopted.sort_unstable();
    assert_eq!(adopted, Vec::from_iter(1..=20));
}

#[test]
fn a_request_that_two_preloaders_have_died_over_is_over_and_the_others_are_not() {
    let mut machine = machine(0);
    for id in 1..=6 {
        machine.step(Event::Ask(id, Deadline::NEVER), 0);
    }
    machine.step(Event::Started(1), 0);
    machine.step(Event::Ended(1), 0);
    machine.step(Event::Started(2), 0);
    let actions = machine.step(Event::Ended(2), 0);
    for id in 1..=4 {
        assert!(actions.contains(&Action::Fail(id, End::Crashed)), "{actions:?}");
    }
    assert_eq!(actions[8..], [Action::Leave(2), Action::Start(3)]);
    let forks = machine.step(Event::Started(3), 0);
    assert_eq!(forks, [Action::Fork(3, 9, Some(5)), Action::Fork(3, 10, Some(6))], "these have had no try");
}

// covers: CO-puma-2786
#[test]
fn whose_time_is_over_fails_alone_and_its_birth_is_the_next_ones() {
    let mut machine = ready(0);
    machine.step(Event::Ask(1, Deadline::at(SECOND)), 0);
    machine.step(Event::Ask(2, Deadline::NEVER), 0);
    machine.step(Event::Ask(3, Deadline::at(SECOND)), 0);
    assert_eq!(machine.step(Event::Tick, SECOND), [Action::Fail(1, End::Late(1)), Action::Fail(3, End::Late(3))]);
    assert_eq!(machine.step(Event::Ask(4, Deadline::NEVER), SECOND), [], "that of 1 is its own now");
    assert_eq!(machine.step(Event::Registered(3), SECOND), [Action::Adopt(3, 2)], "nobody's, so that of the oldest");
    assert_eq!(machine.step(Event::Registered(2), SECOND), [Action::Adopt(2, 4)]);
    assert_eq!(machine.step(Event::Registered(1), SECOND), [Action::Discard(1)], "and there is no pool");
    let mut machine = ready(1);
    machine.step(Event::Ask(1, Deadline::at(SECOND)), 0);
    assert_eq!(machine.step(Event::Tick, PAUSE_NS), [Action::Fork(1, 2, None)]);
    let asked = machine.step(Event::Ask(2, Deadline::at(2 * SECOND)), PAUSE_NS);
    assert_eq!(asked, [Action::Fork(1, 3, None)], "the one for the pool is its own now");
    assert_eq!(machine.step(Event::Tick, 2 * SECOND), [Action::Fail(2, End::Late(2))], "the pool's again");
    assert_eq!(machine.step(Event::Ask(3, Deadline::NEVER), 2 * SECOND), [], "or the next one's");
    assert_eq!(machine.step(Event::Registered(2), 2 * SECOND), [Action::Adopt(2, 3)]);
}

#[test]
fn what_is_asked_for_and_called_off_over_and_over_does_not_fill_the_preloaders_queue() {
    let mut machine = ready(0);
    for id in 1..=100 {
        let asked = machine.step(Event::Ask(id, Deadline::NEVER), 0);
        assert_eq!(asked, if id == 1 { vec![Action::Fork(1, 1, Some(1))] } else { vec![] });
        machine.step(Event::CallOff(id), 0);
    }
    for id in 101..=110 {
        machine.step(Event::Ask(id, Deadline::at(BIRTH_NS)), 0);
    }
    // What was given up takes its time, too.
    assert!((1..=4).all(|birth| machine.step(Event::Born(birth), 0).is_empty()));
    assert_eq!(machine.step(Event::Tick, BIRTH_NS).iter().filter(|action| matches!(action, Action::Fork(..))).count(), 0);
}

// covers: CO-spring-265
#[test]
fn silence_for_long_enough_is_a_death_and_slowness_is_not() {
    let mut machine = ready(0);
    machine.step(Event::Ask(1, Deadline::NEVER), 0);
    machine.step(Event::Ask(2, Deadline::NEVER), 0);
    assert_eq!(machine.due(), Deadline::at(SILENCE_NS));
    machine.step(Event::Born(1), SILENCE_NS - 1);
    assert_eq!(machine.step(Event::Tick, SILENCE_NS), [], "it has said something");
    assert_eq!(machine.step(Event::Registered(1), SILENCE_NS), [Action::Adopt(1, 1)]);
    assert_eq!(machine.step(Event::Tick, 2 * SILENCE_NS), [Action::Discard(2), Action::Leave(1), Action::Start(2)]);
}

#[test]
fn a_newborn_that_does_not_come_to_its_gate_is_discarded_and_asked_for_once_more() {
    let mut machine = ready(0);
    machine.step(Event::Ask(1, Deadline::NEVER), 0);
    machine.step(Event::Born(1), 0);
    machine.step(Event::Ask(2, Deadline::NEVER), BIRTH_NS - 1);
    machine.step(Event::Born(2), BIRTH_NS - 1);
    let actions = machine.step(Event::Tick, BIRTH_NS);
    assert_eq!(actions, [Action::Discard(1), Action::Fork(1, 3, Some(1))]);
    machine.step(Event::Born(3), BIRTH_NS);
    machine.step(Event::Registered(2), BIRTH_NS);
    machine.step(Event::Born(3), 2 * BIRTH_NS - 1);
    assert_eq!(machine.step(Event::Tick, 2 * BIRTH_NS), [Action::Discard(3), Action::Fail(1, End::Failed(3, Why::Late))]);
}

// covers: FS-16
#[test]
fn a_pool_whose_births_fail_rests_twice_as_long_each_time_and_not_after_one_that_went_well() {
    let mut machine = ready(1);
    assert_eq!(machine.step(Event::Died(1), 0), []);
    let (mut now, mut birth) = (0, 2);
    for rest in [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 25_600] {
        now += rest * 1_000_000;
        assert_eq!(machine.due(), Deadline::at(now));
        assert_eq!(machine.step(Event::Tick, now - 1), []);
        assert_eq!(machine.step(Event::Tick, now), [Action::Fork(1, birth, None)]);
        assert_eq!(machine.step(Event::BirthFailed(birth, Why::Refused), now), []);
        birth += 1;
    }
    let asked = machine.step(Event::Ask(1, Deadline::NEVER), now);
    assert_eq!(asked, [Action::Fork(1, birth, Some(1))], "a request does not wait for that");
    assert_eq!(machine.step(Event::Registered(birth), now), [Action::Adopt(birth, 1), Action::Fork(1, birth + 1, None)]);
}

// covers: C15-2, C15-must-machine
#[test]
fn a_pool_is_refilled_a_moment_later_and_a_burst_does_not_put_that_off() {
    let mut machine = ready(3);
    assert_eq!(machine.step(Event::Ask(1, Deadline::NEVER), 0), [Action::Adopt(1, 1)]);
    assert_eq!(machine.step(Event::Ask(2, Deadline::NEVER), PAUSE_NS - 1), [Action::Adopt(2, 2)]);
    assert_eq!(machine.due(), Deadline::at(PAUSE_NS));
    assert_eq!(machine.step(Event::Tick, PAUSE_NS), [Action::Fork(1, 4, None), Action::Fork(1, 5, None)]);
    machine.step(Event::Ask(3, Deadline::NEVER), PAUSE_NS + 1);
    let asked = machine.step(Event::Ask(4, Deadline::NEVER), PAUSE_NS + 2);
    assert_eq!(asked, [], "where nobody is left it does not wait: one is under way");
    assert_eq!(machine.step(Event::Ask(5, Deadline::NEVER), PAUSE_NS + 2), []);
    assert_eq!(machine.step(Event::Ask(6, Deadline::NEVER), PAUSE_NS + 2), [Action::Fork(1, 6, Some(6))]);
}

#[test]
fn who_has_waited_too_long_at_a_gate_makes_room_for_a_new_one() {
    let mut machine = ready(2);
    machine.step(Event::SetPool { idle: 2, max_age_ns: Some(10) }, 0);
    let renewed = [Action::Discard(1), Action::Discard(2), Action::Fork(1, 3, None), Action::Fork(1, 4, None)];
    assert_eq!(machine.step(Event::Tick, 10), renewed);
    machine.step(Event::Registered(3), 12);
    // Nobody has looked meanwhile.
    let asked = machine.step(Event::Ask(1, Deadline::NEVER), 22);
    assert_eq!(
        asked,
        [Action::Discard(3), Action::Fork(1, 5, None), Action::Fork(1, 6, None)],
        "none that is too old is adopted: {asked:?}"
    );
}

// covers: C15-2, CO-puma-2470, FS-10
#[test]
fn after_a_reload_whoever_waits_at_a_gate_is_discarded_and_a_pool_fills_anew() {
    let mut machine = ready(2);
    let actions = machine.step(Event::Reload, 5);
    assert_eq!(actions, [Action::Discard(1), Action::Discard(2), Action::Leave(1), Action::Start(2)]);
    assert_eq!(machine.wanted_until(), Deadline::at(5 + REFILL_NS));
    assert_eq!(machine.step(Event::Started(2), 6), [Action::Fork(2, 3, None), Action::Fork(2, 4, None)]);
    // Of the old one, on its way meanwhile.
    assert_eq!(machine.step(Event::Registered(2), 7), [Action::Discard(2)]);
    let mut machine = machine_without_pool();
    assert_eq!(machine.step(Event::Reload, 5), [Action::Leave(1)], "without one the next request starts it");
}

fn machine_without_pool() -> Machine {
    ready(0)
}

// covers: CO-pitchfork-79, FS-16
#[test]
fn after_so_many_dead_births_in_a_row_nothing_is_born_until_a_reload() {
    let mut machine = ready(0);
    machine.step(Event::SetLimits { dead_births: 2 }, 0);
    for (id, ends) in [(1, false), (2, true), (3, false), (4, false)] {
        assert_eq!(machine.step(Event::Ask(id, Deadline::NEVER), 0), [Action::Fork(1, id, Some(id))]);
        assert_eq!(machine.step(Event::Registered(id), 0), [Action::Adopt(id, id)]);
        machine.step(if ends { Event::Ready(id) } else { Event::NotReady(id) }, 0);
    }
    assert_eq!(machine.step(Event::Ask(5, Deadline::NEVER), 0), [Action::Fail(5, End::DeadBirths(2))]);
    assert_eq!(machine.step(Event::Reload, 0), [Action::Leave(1)]);
    assert_eq!(machine.step(Event::Ask(6, Deadline::NEVER), 0), [Action::Start(2)]);
}

// covers: C15-3, FS-15
#[test]
fn the_old_one_stays_until_a_worker_of_the_promoted_one_is_ready() {
    let mut machine = ready(1);
    machine.step(Event::Ask(1, Deadline::NEVER), -PAUSE_NS);
    machine.step(Event::Tick, 0);
    machine.step(Event::Registered(2), 0);
    assert_eq!(machine.step(Event::Promote(1, Deadline::at(9)), 0), [Action::PromoteFailed(1, Unpromoted::NotReady)]);
    machine.step(Event::Ready(1), 0);
    assert_eq!(machine.step(Event::Promote(1, Deadline::at(9)), 0), [Action::Promote(1, 2)]);
    assert_eq!(machine.step(Event::Promote(1, Deadline::at(9)), 0), [Action::PromoteFailed(1, Unpromoted::Busy)]);
    assert_eq!(machine.step(Event::Started(2), 1), [Action::Promoted(1, 2), Action::Fork(2, 3, None)]);
    assert_eq!(machine.step(Event::Registered(3), 1), [Action::Discard(2)], "the new one's is there: one of the old one makes room");
    assert_eq!(machine.step(Event::Ask(2, Deadline::NEVER), 2), [Action::Adopt(3, 2)]);
    assert_eq!(machine.step(Event::Ready(3), 3), [Action::Leave(1)]);
    assert_eq!((machine.serving(), machine.generation()), (Some(2), 2));
}

// covers: C15-3
#[test]
fn a_promoted_one_that_ends_before_it_has_proved_itself_gives_the_old_one_its_place_back() {
    let mut machine = ready(0);
    machine.step(Event::Promote(0, Deadline::NEVER), 0);
    machine.step(Event::Started(2), 0);
    machine.step(Event::Ask(1, Deadline::NEVER), 0);
    assert_eq!(machine.step(Event::Ended(2), 1), [Action::Discard(1), Action::Leave(2), Action::Fork(1, 2, Some(1))]);
    assert_eq!(machine.serving(), Some(1));
}

#[test]
fn who_waits_of_a_promoted_one_that_was_given_up_counts_and_nothing_is_born_beside_them() {
    let mut machine = ready(2);
    machine.step(Event::Promote(0, Deadline::NEVER), 0);
    machine.step(Event::Started(2), 0);
    assert_eq!(machine.step(Event::Registered(3), 0), [Action::Discard(1)]);
    assert_eq!(machine.step(Event::Registered(4), 0), [Action::Discard(2)]);
    assert_eq!(machine.step(Event::Ended(2), 1), [Action::Leave(2)], "and no births without end, each of which is one too many");
}

// covers: FS-11
#[test]
fn one_that_is_too_big_is_replaced_when_nothing_is_under_way() {
    let mut machine = ready(0);
    machine.step(Event::Ask(1, Deadline::NEVER), 0);
    assert_eq!(machine.step(Event::TooBig(1), 0), []);
    assert_eq!(machine.step(Event::Ask(2, Deadline::NEVER), 0), [], "and is asked no more");
    assert_eq!(machine.step(Event::Registered(1), 0), [Action::Adopt(1, 1), Action::Leave(1), Action::Start(2)]);
}
