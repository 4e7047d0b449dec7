//! The floor without any work: two bare processes, one pre-warmed and asleep in `recvmsg`. From before the `sendmsg` of
//! a descriptor until the other one has it.

use crate::host;
use std::ffi::c_int;

unsafe extern "C" {
    fn bench_handoff_floor(count: usize, ns: *mut u64) -> c_int;
}

/// In microseconds; both on the servers' CPU.
pub fn measure(count: usize, server_cpu: Option<usize>, back_to: Option<usize>) -> Result<Vec<f64>, String> {
    server_cpu.map_or(Ok(()), host::pin)?;
    let mut ns = vec![0; count];
    // SAFETY: room for `count` numbers.
    let errno = unsafe { bench_handoff_floor(count, ns.as_mut_ptr()) };
    back_to.map_or(Ok(()), host::pin)?;
    if errno != 0 {
        return Err(format!("the floor: {}", std::io::Error::from_raw_os_error(-errno)));
    }
    Ok(ns.into_iter().map(|ns| ns as f64 / 1e3).collect())
}
