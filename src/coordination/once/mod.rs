//! A daemon that whoever needs it starts, once across processes.
//!
//! Race and trap. Two ask at once, and each finds nobody: so there is a lock, and who gets it looks again. Who has it is killed at any moment: so nothing
//! that only he knew may be needed. And of a daemon the kernel tells two things, of which each can be wrong alone: **the lock that it inherited** is held
//! on by its workers when it is dead, and let go by a closefrom(3) while it lives; **the process that is recorded** is certain, but somebody must have
//! recorded it.
//!
//! Two files, in a directory where nobody else can put others in their place (`files.rs`):
//!
//! | file         | locked (flock) by                       | says                                                                       |
//! |--------------|-----------------------------------------|----------------------------------------------------------------------------|
//! | `NAME.lock`  | who starts, until the daemon is ready   | nothing: `spawn_lock.rs`                                                   |
//! | `NAME.run`   | the daemon, and who inherits from it    | who was born with it: pid, pidfd inode, start time, boot (`record.rs`)     |
//!
//! `NAME.run` is a new file for each daemon: made under another name, locked, written ("nobody was born yet"), and then renamed to its place, so that
//! workers of a dead one may hold the old one as long as they like. The daemon gets its open description as descriptor [`FD`], the first one from
//! there that the command gives to nobody else; the starter closes its own after the spawn, and never unlocks.
//!
//! **No moment is left out**, because the child itself writes down its birth, between clone and exec, and has a share of the first lock until then
//! (`sys/spawn/birth.rs`). So who has got the lock knows: no child of any starter is on its way to that record. What a starter leaves that is killed:
//!
//! | killed                                          | leaves                                            | the next one finds                       |
//! |-------------------------------------------------|---------------------------------------------------|------------------------------------------|
//! | before the rename                               | at most `NAME.run.new`, which is removed          | what was there before                    |
//! | before the clone                                | a record without a birth, its lock free           | nobody: starts                           |
//! | after the clone, before the record              | a child that holds both locks                     | waits for the lock until it is written   |
//! | after the record, before the exec, or in it     | a child, recorded, that holds its lock            | it lives: waits for it                   |
//! | after the exec, before or after READY           | the same                                          | it lives: waits for it                   |
//!
//! What is decided from that stands in `machine.rs`. What cannot be known (another pid namespace, another machine's record, no /proc, a record that is none)
//! counts as a daemon that runs where the lock is held, and as none where it is free.
//!
//! Not covered, and said in the header: a program that forks and leaves the daemon to its child (it must stay in the foreground); a copy of the starter
//! that was forked meanwhile has a share of its lock, as it has of every lock.

pub mod files;
pub mod machine;
pub mod record;

/// The number of the daemon's lock in the daemon, or the next one above that is free: above what shells (10 and on) and LISTEN_FDS (3 and on) take,
/// beside 63 and down and 255 (bash), and below every usual limit.
pub const FD: i32 = 99;
