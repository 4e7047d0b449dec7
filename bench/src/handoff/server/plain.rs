//! What needs no library. `restart`: the old one ends, then the new one binds, so there is a time without a listener.
//! `reuseport`: the new one binds beside the old one with SO_REUSEPORT, then the old one ends; what is queued at the old
//! listener is lost with it, unless the kernel is asked to move it (`net.ipv4.tcp_migrate_req`).

use super::super::method::Method;
use super::super::ring::Event;
use super::super::work::Work;
use super::{Options, listen};

pub fn serve(mut work: Work, method: &Method, options: &Options) -> Result<(), String> {
    work.load();
    if method.stateful {
        work.open_log(&options.dir)?;
    }
    work.stamp(Event::Warm);
    let listener = listen(&work, method.id != "restart")?;
    work.stamp(Event::Owns);
    work.write_on()?;
    work.accept_on(listener)?;
    work.ring.settle(work.generation);
    while !work.turn(-1)?.stop {}
    // The kind end: connections that are kept are asked to go, the others are answered.
    work.drain();
    while !work.drained() {
        work.turn(1)?;
    }
    drop(work.accept_off());
    work.finish()?;
    work.write_off()?;
    work.stamp(Event::Given);
    Ok(())
}
