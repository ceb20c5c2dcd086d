//! The numbers of threads that are compared.

/// All cores, then one.
pub(super) fn thread_counts() -> Vec<usize> {
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    if all == 1 { vec![1] } else { vec![all, 1] }
}
