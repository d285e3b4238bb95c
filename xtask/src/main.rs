//! Set-up, tests and benchmarks of the workspace.
fn main() {}
