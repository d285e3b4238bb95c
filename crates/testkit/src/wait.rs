//! Waiting for a state instead of sleeping.

use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(5);

/// Waits until `condition` holds.
///
/// # Panics
/// When it does not within `bound`, naming what was waited for.
pub fn wait_until(description: &str, bound: Duration, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + bound;
    while !condition() {
        assert!(Instant::now() < deadline, "not within {bound:?}: {description}");
        std::thread::sleep(POLL);
    }
}

/// Waits until `condition` holds, leaving the runtime free for others meanwhile.
///
/// # Panics
/// When it does not within `bound`, naming what was waited for.
pub async fn wait_until_async(description: &str, bound: Duration, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + bound;
    while !condition().await {
        assert!(Instant::now() < deadline, "not within {bound:?}: {description}");
        tokio::time::sleep(POLL).await;
    }
}
