//! Ports for servers that are told where to listen.

use std::{
    net::TcpListener,
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// The first that is given, and how many there are: below what Linux gives to whoever asks for any, so that hardly anybody takes one before its
/// server listens.
const FIRST: u16 = 20_000;
const COUNT: u32 = 12_000;

/// A port of this machine that nothing listens on. Each is given once by a process.
///
/// # Panics
/// Where all are taken.
#[must_use]
pub fn free_port() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    // Processes that run at a time begin apart.
    let begin = process::id().wrapping_mul(127);
    let next = || {
        let place = begin.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % COUNT;
        FIRST + u16::try_from(place).expect("it is a number of a port")
    };
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (0..COUNT).map(|_| next()).find(is_free).expect("a port is free")
}
