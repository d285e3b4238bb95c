//! Opens a wallet and says what it holds: `open DIR [PASSWORD-FILE]`.
#![allow(clippy::print_stdout, reason = "an example program")]

use std::error::Error;
use std::path::Path;

use twinlock_wallet::{Password, Wallet};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().ok_or("usage: open DIR [PASSWORD-FILE]")?;
    let wallet = match arguments.next() {
        Some(file) => {
            let text = std::fs::read_to_string(file)?;
            Wallet::open_with_password(Path::new(&directory), &Password::new(text.trim_end()))?
        }
        None => Wallet::open_auto_login(Path::new(&directory))?,
    };
    println!("{} entries", wallet.len());
    for certificate in wallet.certificates() {
        println!("{}, until {}", certificate.subject(), certificate.not_after());
    }
    // The most memory that this process had, as the kernel counts it.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().filter(|line| line.starts_with("VmHWM")).for_each(|line| println!("{line}"));
    Ok(())
}
