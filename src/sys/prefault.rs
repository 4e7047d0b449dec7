//! Pages that a copy of this process is about to need, mapped and copied while nobody waits for it: madvise(2), MADV_POPULATE_READ and
//! MADV_POPULATE_WRITE (Linux 5.14; before that nothing is done).
//!
//! What for: a fork maps no page of a file, and all pages of its own it shares until they are written to. Each page that is met for the first time costs
//! 3 to 5 us, and a worker on its way to its first word meets some twenty.
//!
//! Traps. **What is copied here is memory of that process alone**: a handful of pages of each object, no more ([`DATA`]). **Nothing is run, and nothing
//! is read by hand**: a file that was cut since would be a SIGBUS. **No object decides how much**: [`TEXT`] of each, and of those objects only which every
//! process passes through on its way.

use core::ffi::{c_int, c_void};
use core::hint::black_box;

use super::raw::{check, syscall};

/// Linux 5.14.
const MADV_POPULATE_READ: i32 = 22;
const MADV_POPULATE_WRITE: i32 = 23;
/// So much of what an object has in its file is mapped: no memory of anybody's.
const TEXT: usize = 4 << 20;
/// So much of its data is copied, at its beginning: what stands behind the table of its functions.
const DATA: usize = 4 << 10;
/// Of the stack: below where it stands, and above.
const STACK: (usize, usize) = (4 << 10, 4 << 10);

/// What one passes through: this library, libc, its loader, the program, the kernel's clock.
pub fn way_to_work() {
    if !advise(0, 0, MADV_POPULATE_READ) {
        return;
    }
    // SAFETY: the callback is as declared, keeps nothing of what it is given, and has no data.
    unsafe { libc::dl_iterate_phdr(Some(object), core::ptr::null_mut()) };
    let here = 0u8;
    let at = &raw const here as usize;
    populate(at.saturating_sub(STACK.0), at + STACK.1, MADV_POPULATE_WRITE);
    // What malloc writes to for what is small, and for what is not.
    for size in [48, 1_500] {
        drop(black_box(Vec::<u8>::with_capacity(black_box(size))));
    }
}

/// Whether it is known, and was done.
fn advise(at: usize, length: usize, what: i32) -> bool {
    // SAFETY: what the memory holds stays as it is; pages of it are only made to be there.
    check(unsafe { syscall!(libc::SYS_madvise, at, length, what) }).is_ok()
}

fn populate(start: usize, end: usize, what: i32) {
    let page = told(libc::AT_PAGESZ).max(1);
    let (start, end) = (start - start % page, end.next_multiple_of(page));
    if start < end {
        let _ = advise(start, end - start, what);
    }
}

/// Where the kernel says that something of ours is.
fn told(what: libc::c_ulong) -> usize {
    // SAFETY: no pointers.
    unsafe { libc::getauxval(what) as usize }
}

unsafe extern "C" fn object(info: *mut libc::dl_phdr_info, _: usize, _: *mut c_void) -> c_int {
    // SAFETY: what dl_iterate_phdr passes is valid during the call.
    let info = unsafe { &*info };
    if info.dlpi_phdr.is_null() {
        return 0;
    }
    // SAFETY: the object's own program headers, as many as it says.
    let parts = unsafe { core::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    let base = info.dlpi_addr as usize;
    let range = |part: &libc::Elf64_Phdr| {
        let start = base.wrapping_add(part.p_vaddr as usize);
        start..start.wrapping_add(part.p_memsz as usize)
    };
    let loaded = || parts.iter().filter(|part| part.p_type == libc::PT_LOAD);
    let holds = |at: usize| loaded().any(|part| range(part).contains(&at));
    let ours = [object as *const () as usize, libc::dl_iterate_phdr as *const () as usize, told(libc::AT_BASE), told(libc::AT_ENTRY)];
    if !ours.iter().any(|at| holds(*at)) && told(libc::AT_SYSINFO_EHDR) != base {
        return 0;
    }
    // What is written to once, when it is loaded: the copy shares it, and has it.
    let sealed = parts.iter().find(|part| part.p_type == libc::PT_GNU_RELRO).map_or(0..0, range);
    let mut left = TEXT;
    for part in loaded() {
        let range = range(part);
        if part.p_flags & libc::PF_W == 0 {
            let size = range.len().min(left);
            left -= size;
            populate(range.start, range.start + size, MADV_POPULATE_READ);
        } else {
            let start = if range.contains(&sealed.start) { sealed.end.next_multiple_of(told(libc::AT_PAGESZ).max(1)) } else { range.start };
            populate(start, range.end.min(start.saturating_add(DATA)), MADV_POPULATE_WRITE);
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    // What the original writes to meanwhile is its copy's alone as well, and other tests run here: so in a process of its own.
    // covers: P8, LAW-17
    #[test]
    fn what_is_on_the_way_is_mapped_and_little_of_it_is_copied() {
        let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
        alone.args(["--exact", "sys::prefault::tests::alone_little_is_copied", "--ignored", "--test-threads=1"]);
        let said = alone.output().unwrap();
        let words = String::from_utf8_lossy(&said.stdout);
        assert!(said.status.success() && words.contains("1 passed"), "{words}");
    }

    #[test]
    #[ignore = "the one before runs it, in a process of its own"]
    fn alone_little_is_copied() {
        use std::io::Read;
        let dirty = || {
            let mut text = String::new();
            std::fs::File::open("/proc/self/smaps_rollup").and_then(|mut file| file.read_to_string(&mut text)).unwrap();
            let line = text.lines().find_map(|line| line.strip_prefix("Private_Dirty:")).unwrap();
            line.trim().trim_end_matches(" kB").parse::<usize>().unwrap()
        };
        // In a copy of a process that has it all.
        let in_a_copy = || {
            // SAFETY: the copy calls nothing that another thread of the test runner could hold a lock of, but for malloc, which libc puts right.
            let pid = unsafe { libc::fork() };
            if pid == 0 {
                let before = dirty();
                way_to_work();
                let more = dirty().saturating_sub(before);
                // SAFETY: it does not return.
                unsafe { libc::_exit((more / 4) as i32) };
            }
            let mut status = 0;
            // SAFETY: our own child, and a place for its status.
            unsafe { libc::waitpid(pid, &raw mut status, 0) };
            libc::WEXITSTATUS(status)
        };
        // Of a program that was just built, what is only mapped would count as dirty: its file is.
        std::env::current_exe().and_then(std::fs::File::open).and_then(|program| program.sync_all()).unwrap();
        let pages = in_a_copy();
        assert!((1..=16).contains(&pages), "{pages} pages");
    }
}
