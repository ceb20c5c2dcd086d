//! How long repeated work takes.

use std::time::Instant;

/// The seconds of `repeats` calls of `work`.
pub(super) fn timed(repeats: usize, mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..repeats).for_each(|_| work());
    start.elapsed().as_secs_f64()
}
