//! Tests that need to see inside: crashes at each step, and what becomes of the files.

mod crash;
mod secrecy;
