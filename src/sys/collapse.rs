//! Memory of this process put into huge pages: madvise(2), MADV_COLLAPSE (Linux 6.1).
//!
//! What for: a fork copies a page table entry per page, and one entry per huge page. 64 MiB: 1.1 ms in small pages, 0.1 in huge ones.
//!
//! Traps.
//! - **It fills holes**: a block of which one small page is there becomes a huge page whole. A thread's stack or a reserve would grow by all that was
//!   never touched. So the kernel is asked first what is there (`/proc/self/smaps`, pagemap), and blocks of which less than half is are left alone.
//! - **It costs a copy of the memory**, and the workers that were forked before keep the old pages: once, before the first fork.
//! - How much address space there is, is others' choice (a sanitizer has terabytes of it): what is mostly not there is not gone through.
//! - A file's memory is left alone (private data of libraries is small).

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;

use nix::errno::Errno;

use super::raw::{check, syscall};

/// Linux 6.1.
const MADV_COLLAPSE: i32 = 25;
/// A mapping of more than this is only gone through if a quarter of it is there.
const LARGE: usize = 1 << 30;

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Collapsed {
    /// Blocks that are huge pages now.
    pub blocks: usize,
    /// Blocks that could not be: no huge page was to be had, or they may not be.
    pub refused: usize,
}

/// Whether the kernel has it: asked about no memory at all.
pub fn is_known() -> bool {
    advise(0, 0).is_ok()
}

fn advise(at: usize, length: usize) -> Result<(), Errno> {
    // SAFETY: what the memory holds stays as it is; only the size of its pages changes.
    check(unsafe { syscall!(libc::SYS_madvise, at, length, MADV_COLLAPSE) }).map(drop)
}

/// A mapping of ours: private, writable, of no file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Mapping {
    start: usize,
    end: usize,
    /// Bytes of it that are there, and those that are in huge pages already.
    resident: usize,
    huge: usize,
}

/// Collapses all of this process's private memory of which it is worth while. `ENOTSUP`: the kernel cannot; `EACCES`: it does not say what is there.
pub fn whole() -> Result<Collapsed, Errno> {
    if !is_known() {
        return Err(Errno::ENOTSUP);
    }
    let block = block_size();
    let map = File::open("/proc/self/pagemap").map_err(|_| Errno::EACCES)?;
    let smaps = File::open("/proc/self/smaps").map_err(|_| Errno::EACCES)?;
    let mut result = Collapsed::default();
    // Listed first: what is read meanwhile must not change under the reader.
    let mappings: Vec<Mapping> = list(BufReader::new(smaps)).into_iter().filter(|mapping| mapping.is_worth_it(block)).collect();
    for mapping in mappings {
        for at in mapping.blocks(block) {
            match is_half_there(&map, at, block) {
                false => {}
                true if advise(at, block).is_ok() => result.blocks += 1,
                true => result.refused += 1,
            }
        }
    }
    Ok(result)
}

impl Mapping {
    /// Enough of it is there, and not in huge pages yet.
    fn is_worth_it(&self, block: usize) -> bool {
        let size = self.end - self.start;
        self.resident.saturating_sub(self.huge) >= block / 2 && (size <= LARGE || self.resident >= size / 4)
    }

    /// Its whole blocks, by their addresses.
    fn blocks(self, block: usize) -> impl Iterator<Item = usize> {
        let end = self.end;
        (self.start.next_multiple_of(block)..end).step_by(block).take_while(move |at| end - at >= block)
    }
}

/// How large a huge page is; 2 MiB where it is not told, which all common kernels have.
fn block_size() -> usize {
    let told = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size").ok();
    told.and_then(|text| text.trim().parse().ok()).filter(|size: &usize| size.is_power_of_two() && *size >= 1 << 16).unwrap_or(2 << 20)
}

/// proc_pid_smaps(5).
fn list(smaps: impl BufRead) -> Vec<Mapping> {
    let mut all: Vec<Mapping> = Vec::new();
    let mut is_ours = false;
    for line in smaps.lines().map_while(Result::ok) {
        if let Some(found) = header(&line) {
            is_ours = found.1;
            if is_ours {
                all.push(found.0);
            }
        } else if let (true, Some(mapping)) = (is_ours, all.last_mut()) {
            let kib = |name| line.strip_prefix(name).and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<usize>().ok());
            mapping.resident = kib("Rss:").map_or(mapping.resident, |kib| kib << 10);
            mapping.huge = kib("AnonHugePages:").map_or(mapping.huge, |kib| kib << 10);
        }
    }
    all
}

/// `start-end rw-p offset device inode [name]`: the mapping, and whether it is one of ours.
fn header(line: &str) -> Option<(Mapping, bool)> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
    let (modes, inode, name) = (fields.next()?, fields.nth(2)?, fields.next().unwrap_or_default());
    let is_ours = modes == "rw-p" && inode == "0" && !matches!(name, "[stack]" | "[vvar]" | "[vsyscall]");
    (start < end).then_some((Mapping { start, end, resident: 0, huge: 0 }, is_ours))
}

/// Whether half of the block's pages are there: the top bit of each word of proc_pid_pagemap(5).
fn is_half_there(map: &File, at: usize, block: usize) -> bool {
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten().unwrap_or(4096) as usize;
    let pages = block / page;
    let mut words = [0u8; 8 * 512];
    let (mut there, mut seen) = (0, 0);
    while seen < pages {
        let count = (pages - seen).min(512);
        let bytes = &mut words[..8 * count];
        if map.read_exact_at(bytes, ((at / page + seen) * 8) as u64).is_err() {
            return false;
        }
        there += bytes.chunks_exact(8).filter(|word| word[7] & 0x80 != 0).count();
        seen += count;
    }
    there >= pages / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMAPS: &str = "\
7f0000000000-7f0000800000 rw-p 00000000 00:00 0 
Size:               8192 kB
Rss:                6000 kB
AnonHugePages:      2048 kB
VmFlags: rd wr mr mw me ac
7f0001000000-7f0001800000 r--p 00000000 08:01 42                         /lib/libc.so.6
Rss:                5000 kB
7ffc00000000-7ffc00800000 rw-p 00000000 00:00 0                          [stack]
Rss:                 132 kB
600000000000-610000000000 rw-p 00000000 00:00 0 
Rss:             8000000 kB
";

    #[test]
    fn only_private_memory_of_no_file_is_listed() {
        let listed = list(SMAPS.as_bytes());
        let first = Mapping { start: 0x7f00_0000_0000, end: 0x7f00_0080_0000, resident: 6000 << 10, huge: 2048 << 10 };
        assert_eq!((listed.len(), listed[0]), (2, first));
        assert_eq!(first.blocks(2 << 20).collect::<Vec<_>>(), [0, 2, 4, 6].map(|mib| 0x7f00_0000_0000 + (mib << 20)));
        assert!(first.is_worth_it(2 << 20));
        assert!(!listed[1].is_worth_it(2 << 20), "a huge reserve of which little is there");
        assert!(!Mapping { huge: 6000 << 10, ..first }.is_worth_it(2 << 20), "it is in huge pages already");
    }

    #[test]
    fn blocks_lie_within_the_mapping() {
        let odd = Mapping { start: 0x1000, end: 0x60_1000, resident: 0, huge: 0 };
        assert_eq!(odd.blocks(2 << 20).collect::<Vec<_>>(), [0x20_0000, 0x40_0000]);
        assert_eq!(Mapping { end: 0x20_0000, ..odd }.blocks(2 << 20).count(), 0);
    }

    #[test]
    fn what_is_there_in_small_pages_becomes_huge_and_keeps_its_contents() {
        if !is_known() {
            return;
        }
        let mut large = vec![0u8; 12 << 20];
        large.iter_mut().enumerate().step_by(4096).for_each(|(at, byte)| *byte = (at >> 12) as u8);
        let result = whole().unwrap();
        assert!(result.blocks + result.refused > 0 || huge_already(&large), "{result:?}");
        assert!(large.iter().enumerate().step_by(4096).all(|(at, byte)| *byte == (at >> 12) as u8));
    }

    fn huge_already(memory: &[u8]) -> bool {
        let smaps = File::open("/proc/self/smaps").unwrap();
        let at = memory.as_ptr() as usize + (4 << 20);
        list(BufReader::new(smaps)).iter().any(|mapping| (mapping.start..mapping.end).contains(&at) && mapping.huge > 0)
    }
}
