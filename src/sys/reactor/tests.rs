//! The traps at the head of `reactor.rs`, one by one, in both shapes.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use super::*;
use crate::clock::MILLI;

fn pair() -> (Arc<OwnedFd>, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (Arc::new(ours.into()), theirs)
}

fn both() -> [Reactor; 2] {
    [Shape::Layered, Shape::Flat].map(|shape| Reactor::new(shape).unwrap())
}

fn is_readable(fd: BorrowedFd<'_>) -> bool {
    poll::wait(&[fd], Deadline::PAST).unwrap()
}

/// What is ready, and whose time has come.
fn look(reactor: &Reactor) -> (Vec<Token>, Vec<Time>) {
    let turn = reactor.turn();
    let now = clock::now();
    let times = if turn.timer { core::iter::from_fn(|| reactor.pop_time(now)).collect() } else { Vec::new() };
    (turn.ready, times)
}

fn nothing(reactor: &Reactor) -> bool {
    look(reactor) == (vec![], vec![])
}

/// Turns until something comes.
fn next(reactor: &Reactor) -> (Vec<Token>, Vec<Time>) {
    let deadline = Deadline::after(5_000 * MILLI);
    loop {
        let found = look(reactor);
        if found != (vec![], vec![]) {
            return found;
        }
        assert!(!deadline.has_come(), "nothing came");
        reactor.wait(deadline).unwrap();
    }
}

#[test]
fn what_is_ready_is_told_until_it_is_done() {
    for reactor in both() {
        let (ours, mut theirs) = pair();
        reactor.add(Token(7), &ours).unwrap();
        assert!(nothing(&reactor));
        theirs.write_all(b"x").unwrap();
        for _ in 0..3 {
            assert_eq!(next(&reactor), (vec![Token(7)], vec![]));
        }
        assert!(reactor.remove(Token(7)));
        assert!(nothing(&reactor));
        assert!(!reactor.remove(Token(7)), "once");
    }
}

#[test]
fn a_token_is_given_once_at_a_time() {
    let [reactor, _] = both();
    let ((one, _a), (other, _b)) = (pair(), pair());
    reactor.add(Token(1), &one).unwrap();
    assert_eq!(reactor.add(Token(1), &other).map_err(|fault| fault.errno), Err(Errno::EEXIST));
    reactor.remove(Token(1));
    reactor.add(Token(1), &other).unwrap();
}

#[test]
fn a_duplicate_in_the_host_keeps_no_entry_alive() {
    for reactor in both() {
        let (ours, mut theirs) = pair();
        let duplicate = ours.try_clone().unwrap();
        reactor.add(Token(1), &ours).unwrap();
        drop(ours);
        theirs.write_all(b"x").unwrap();
        assert_eq!(next(&reactor).0, [Token(1)], "the reactor holds a share of its own");
        reactor.remove(Token(1));
        assert!(nothing(&reactor) && !is_readable(reactor.work().unwrap()), "and its entry goes before it");
        drop(duplicate);
    }
}

#[test]
fn what_cannot_be_dealt_with_is_set_aside_and_comes_back() {
    for reactor in both() {
        let (ours, mut theirs) = pair();
        reactor.add(Token(3), &ours).unwrap();
        theirs.write_all(b"x").unwrap();
        assert_eq!(next(&reactor).0, [Token(3)]);
        let before = clock::now();
        reactor.set_aside(Token(3));
        assert!(nothing(&reactor) && !is_readable(reactor.fd().unwrap()), "nobody is kept awake");
        assert_eq!(next(&reactor), (vec![], vec![Time::Back(Token(3))]));
        assert!(clock::now() - before >= poll::PAUSE);
        // Back in the set: told without the clock.
        assert_eq!(next(&reactor), (vec![Token(3)], vec![]));
        reactor.set_aside(Token(3));
        reactor.remove(Token(3));
        poll::pause(Deadline::NEVER);
        poll::pause(Deadline::NEVER);
        assert!(nothing(&reactor), "who is removed does not come back");
    }
}

#[test]
fn times_come_in_order_and_once() {
    for reactor in both() {
        let now = clock::now();
        reactor.set_due(Token(2), Deadline::at(now - 1)).unwrap();
        reactor.set_due(Token(1), Deadline::at(now - 2)).unwrap();
        reactor.set_due(Token(3), Deadline::after(3_600_000 * MILLI)).unwrap();
        assert_eq!(next(&reactor), (vec![], vec![Time::Due(Token(1)), Time::Due(Token(2))]));
        assert!(nothing(&reactor) && !is_readable(reactor.work().unwrap()));
        assert_eq!(reactor.due(Token(1)), Deadline::NEVER);
        reactor.set_due(Token(3), Deadline::at(now)).unwrap();
        assert_eq!(next(&reactor).1, [Time::Due(Token(3))], "a time is moved");
        reactor.set_due(Token(4), Deadline::at(now)).unwrap();
        reactor.set_due(Token(4), Deadline::NEVER).unwrap();
        assert!(nothing(&reactor), "or taken back");
        assert!(!is_readable(reactor.work().unwrap()));
    }
}

#[test]
fn a_time_that_nobody_has_come_to_is_there_for_the_next() {
    for reactor in both() {
        let now = clock::now();
        reactor.set_due(Token(1), Deadline::at(now - 2)).unwrap();
        reactor.set_due(Token(2), Deadline::at(now - 1)).unwrap();
        poll::wait(&[reactor.work().unwrap()], Deadline::after(5_000 * MILLI)).unwrap();
        assert_eq!(reactor.pop_time(now), Some(Time::Due(Token(1))));
        // The first thread is busy with that; another one comes.
        assert!(reactor.turn().timer && is_readable(reactor.work().unwrap()));
        assert_eq!(reactor.pop_time(now), Some(Time::Due(Token(2))));
        assert_eq!(reactor.pop_time(now), None);
        assert!(!is_readable(reactor.work().unwrap()));
    }
}

#[test]
fn the_timer_is_not_put_off_but_brought_forward() {
    for reactor in both() {
        let now = clock::now();
        reactor.set_due(Token(1), Deadline::at(now + 20 * MILLI)).unwrap();
        reactor.set_due(Token(1), Deadline::after(3_600_000 * MILLI)).unwrap();
        assert_eq!(lock(&reactor.state).armed, Some(now + 20 * MILLI), "no system call");
        assert!(poll::wait(&[reactor.work().unwrap()], Deadline::after(5_000 * MILLI)).unwrap());
        assert!(nothing(&reactor), "it goes off for nothing, once");
        assert!(!is_readable(reactor.work().unwrap()));
        reactor.set_due(Token(1), Deadline::at(clock::now())).unwrap();
        assert_eq!(next(&reactor).1, [Time::Due(Token(1))]);
        reactor.set_due(Token(2), Deadline::after(3_600_000 * MILLI)).unwrap();
        reactor.arm_by(clock::now());
        assert!(poll::wait(&[reactor.work().unwrap()], Deadline::after(5_000 * MILLI)).unwrap());
        assert!(nothing(&reactor));
    }
}

#[test]
fn the_wake_up_makes_the_descriptor_readable_and_layered_work_does_not_see_it() {
    for reactor in both() {
        reactor.set_raised(true);
        assert!(is_readable(reactor.fd().unwrap()), "also when it was raised before anybody looked");
        assert_eq!(is_readable(reactor.work().unwrap()), reactor.shape == Shape::Flat);
        assert!(nothing(&reactor));
        reactor.wait(Deadline::NEVER).unwrap();
        reactor.set_raised(false);
        assert!(!is_readable(reactor.fd().unwrap()));
    }
}

#[test]
fn the_descriptor_shows_work_and_times() {
    for reactor in both() {
        let (ours, mut theirs) = pair();
        assert!(!is_readable(reactor.fd().unwrap()));
        reactor.add(Token(1), &ours).unwrap();
        theirs.write_all(b"x").unwrap();
        assert!(is_readable(reactor.fd().unwrap()));
        UnixStream::from(ours.try_clone().unwrap()).read_exact(&mut [0]).unwrap();
        assert!(!is_readable(reactor.fd().unwrap()));
        reactor.set_due(Token(1), Deadline::at(clock::now())).unwrap();
        assert!(poll::wait(&[reactor.fd().unwrap()], Deadline::after(5_000 * MILLI)).unwrap());
    }
}

#[test]
fn room_to_write_is_told_where_it_was_asked_for() {
    for reactor in both() {
        let (ours, _theirs) = pair();
        reactor.add(Token(1), &ours).unwrap();
        reactor.set_writing(Token(1), true).unwrap();
        assert_eq!(next(&reactor).0, [Token(1)]);
        reactor.set_writing(Token(1), false).unwrap();
        assert!(nothing(&reactor));
        assert_eq!(reactor.set_writing(Token(2), true), Err(Errno::ENOENT));
    }
}

#[test]
fn so_many_looks_tell_of_everything_that_was_ready() {
    for reactor in both() {
        let pairs: Vec<_> = (0..200).map(|_| pair()).collect();
        for (number, (ours, _)) in pairs.iter().enumerate() {
            reactor.add(Token(number as u64), ours).unwrap();
        }
        for (_, theirs) in &pairs {
            (&*theirs).write_all(b"x").unwrap();
        }
        assert_eq!(reactor.turn().ready.len(), BATCH);
        // Nothing is done about any of them, so they are told of again; nobody is told of twice before the last has been once.
        let seen: std::collections::BTreeSet<Token> = (0..reactor.looks()).flat_map(|_| reactor.turn().ready).collect();
        assert_eq!(seen.len(), 200);
    }
}

#[test]
fn a_nudge_is_a_new_edge() {
    for reactor in both() {
        reactor.set_raised(true);
        let host = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).unwrap();
        host.add(reactor.fd().unwrap(), EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLET, 0)).unwrap();
        let edge = || host.wait(&mut [EpollEvent::empty(); 4], EpollTimeout::ZERO).unwrap() == 1;
        assert!(edge() && !edge());
        reactor.set_raised(true);
        assert!(!edge(), "it is raised already");
        reactor.nudge();
        assert!(edge() && !edge());
        reactor.set_raised(false);
        assert!(!is_readable(reactor.fd().unwrap()));
    }
}

#[test]
fn what_a_look_finds_is_taken_one_by_one() {
    let reactor = Reactor::new(Shape::Flat).unwrap();
    let pairs: Vec<_> = (0..FEW as u64).map(|_| pair()).collect();
    for (number, (ours, theirs)) in pairs.iter().enumerate() {
        reactor.add(Token(number as u64), ours).unwrap();
        (&*theirs).write_all(b"x").unwrap();
    }
    let mut found = Found::nothing();
    reactor.look(&mut found, FEW);
    assert!(!found.timer);
    found.prefer(|token| token.0 == 7);
    assert_eq!((found.first(), found.pop()), (Some(Token(7)), Some(Token(7))));
    let rest: std::collections::BTreeSet<Token> = core::iter::from_fn(|| found.pop()).collect();
    assert!(rest.len() == FEW - 1 && !rest.contains(&Token(7)) && found.is_empty());
    assert_eq!(Found::one(Token(3)).pop(), Some(Token(3)));
}
