//! The floor under the same work: nothing but the two messages that a handoff cannot do without. The old one starts the
//! new one with a SOCK_SEQPACKET socket, waits for its one byte, seals, and sends the listener; nobody looks after
//! deadlines, identities, versions, or deaths.

use super::super::method::Method;
use super::super::ring::Event;
use super::super::work::{THEIRS, Work};
use super::{Options, command, listen};
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recv, recvmsg, send, sendmsg,
    socketpair,
};
use std::io::{IoSlice, IoSliceMut};
use std::net::TcpListener;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::process::Command;

const SOCKET: &str = "BENCH_HANDOFF_SOCKET";

pub fn serve(mut work: Work, method: &Method, options: &Options) -> Result<(), String> {
    work.load();
    if method.stateful {
        work.open_log(&options.dir)?;
    }
    let (listener, old) = match std::env::var(SOCKET) {
        Ok(number) => {
            take(&work, number.parse().map_err(|_| format!("{SOCKET}={number}"))?).map(|it| (it.0, Some(it.1)))?
        }
        Err(_) => (listen(&work, false)?, None),
    };
    work.write_on()?;
    work.accept_on(listener)?;
    drop(old); // which wakes the old one
    work.ring.settle(work.generation);
    loop {
        let turn = work.turn(-1)?;
        if turn.stop {
            return Ok(());
        }
        if turn.upgrade {
            return hand_on(work, method, options);
        }
    }
}

fn hand_on(mut work: Work, method: &Method, options: &Options) -> Result<(), String> {
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::empty())
        .map_err(|errno| format!("socketpair: {errno}"))?;
    let words = command(method, &options.dir, &options.lib);
    let mut successor = Command::new(&words[0]);
    successor.args(&words[1..]).env(SOCKET, theirs.as_raw_fd().to_string());
    successor.spawn().map_err(|error| format!("the successor: {error}"))?;
    drop(theirs);
    work.watch(&ours, THEIRS)?;
    while !work.turn(-1)?.theirs {}
    if recv(ours.as_raw_fd(), &mut [0; 8], MsgFlags::empty()) != Ok(1) {
        return Err("the successor has gone".into());
    }
    work.drain();
    while !work.drained() {
        work.turn(1)?;
    }
    let listener = work.accept_off().ok_or("no listener")?;
    work.finish()?;
    let sequence = work.write_off()?.to_le_bytes();
    let (data, fds) = ([IoSlice::new(&sequence)], [listener.as_raw_fd()]);
    sendmsg::<()>(ours.as_raw_fd(), &data, &[ControlMessage::ScmRights(&fds)], MsgFlags::empty(), None)
        .map_err(|errno| format!("sendmsg: {errno}"))?;
    work.stamp(Event::Given);
    // Asleep at once: on one CPU the new one cannot run before, and our own end would take longer than all the rest.
    recv(ours.as_raw_fd(), &mut [0; 8], MsgFlags::empty()).map(drop).map_err(|errno| format!("the successor: {errno}"))
}

/// The descriptor is a duplicate of the old one's: its queue comes with it.
fn take(work: &Work, socket: RawFd) -> Result<(TcpListener, OwnedFd), String> {
    // SAFETY: left open for us by the process that started us, and nobody else here knows it.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    let failed = |errno| format!("the old owner: {errno}");
    work.stamp(Event::Warm);
    send(socket.as_raw_fd(), b"w", MsgFlags::empty()).map_err(failed)?;
    let (mut sequence, mut control) = ([0; 8], nix::cmsg_space!([RawFd; 1]));
    let mut data = [IoSliceMut::new(&mut sequence)];
    let message =
        recvmsg::<()>(socket.as_raw_fd(), &mut data, Some(&mut control), MsgFlags::MSG_CMSG_CLOEXEC).map_err(failed)?;
    work.stamp(Event::Owns);
    let listener = message.cmsgs().map_err(failed)?.find_map(|part| match part {
        ControlMessageOwned::ScmRights(fds) => fds.first().copied(),
        _ => None,
    });
    // SAFETY: the kernel has just made it for us.
    listener.map(|fd| (unsafe { TcpListener::from_raw_fd(fd) }, socket)).ok_or_else(|| "no listener came".into())
}
