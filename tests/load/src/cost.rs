//! What processes cost, from /proc: their CPU time and memory. A process stands for itself and all that descend from it.

use std::{collections::HashSet, fs, io};

/// One tick of /proc/<pid>/stat, in microseconds: the kernel's USER_HZ is 100 on every architecture that Rust runs on.
const TICK: u64 = 10_000;

/// CPU time so far, in microseconds.
pub(crate) fn cpu(root: u32) -> io::Result<u64> {
    let mut family = HashSet::from([root]);
    let mut processes = processes()?;
    let mut ticks = 0;
    loop {
        let (related, others): (Vec<_>, Vec<_>) =
            processes.into_iter().partition(|process| family.contains(&process.id) || family.contains(&process.parent));
        if related.is_empty() {
            return Ok(ticks * TICK);
        }
        family.extend(related.iter().map(|process| process.id));
        ticks += related.iter().map(|process| process.ticks).sum::<u64>();
        processes = others;
    }
}

/// The most memory that a process has had, in MiB.
pub(crate) fn peak_memory(process: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse::<u64>().ok());
    kib.map(|kib| kib / 1024).ok_or_else(|| io::Error::other("the kernel does not tell the memory of the server"))
}

struct Process {
    id: u32,
    parent: u32,
    ticks: u64,
}

fn processes() -> io::Result<Vec<Process>> {
    let ids = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(ids.filter_map(|id| Process::read(id, &fs::read_to_string(format!("/proc/{id}/stat")).ok()?)).collect())
}

impl Process {
    /// proc(5): after the name, which may hold anything, come state, parent and, as the 12th to 15th, user and system time, its own
    /// and that of children that have ended.
    fn read(id: u32, stat: &str) -> Option<Self> {
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let times = fields.get(11..15)?.iter().filter_map(|field| field.parse::<u64>().ok());
        Some(Self { id, parent: fields.get(1)?.parse().ok()?, ticks: times.sum() })
    }
}
