//! Free TCP ports.

use std::hash::BuildHasher;
use std::net::{Ipv4Addr, TcpListener};

/// Ports below the range from which the kernel takes those of outgoing connections: one of them could take the
/// port between its release and its use.
const FIRST: u16 = 20_000;
const RANGE: u64 = 12_000;

/// A free port of 127.0.0.1, held until it is let go of right before its use.
#[derive(Debug)]
pub struct FreePort(TcpListener);

impl FreePort {
    /// Takes a free port.
    ///
    /// # Panics
    /// When there is none.
    pub fn new() -> Self {
        let first = std::collections::hash_map::RandomState::new().hash_one(std::process::id());
        let ports = (0..RANGE).map(|offset| FIRST + ((first + offset) % RANGE) as u16);
        let held = ports.filter_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()).next();
        Self(held.expect("there is a free port"))
    }

    /// Its number, while it stays held.
    pub fn number(&self) -> u16 {
        self.0.local_addr().expect("it is bound").port()
    }

    /// Lets go of it and says its number. A listener that never accepted leaves nothing that would keep a server
    /// from binding it at once.
    pub fn release(self) -> u16 {
        self.number()
    }
}

impl Default for FreePort {
    fn default() -> Self {
        Self::new()
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    FreePort::new().release()
}
