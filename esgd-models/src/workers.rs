//! One individual a core: threads that each have a pool of one thread to themselves.
//!
//! candle and gemm would split every small product over all cores; a population has better use
//! for them.

use esgd_core::{Executor, work::Jobs};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{Error, Result};

/// An executor whose workers share nothing.
///
/// candle's element-wise kernels use a pool of their own, which the environment variable
/// `CANDLE_NUM_THREADS` sizes; set it to 1 before the first tensor is made, as the program `esgd`
/// does.
#[derive(Debug)]
pub struct Workers {
    pools: Vec<ThreadPool>,
}

impl Workers {
    /// `n` workers, at least one.
    ///
    /// # Errors
    /// If there would be more than 1024, or the system gives no thread.
    pub fn new(n: usize) -> Result<Self> {
        if n > 1024 {
            return Err(Error::Data(format!("{n} threads: expected at most 1024")));
        }
        let pool = |_| ThreadPoolBuilder::new().num_threads(1).build();
        let pools = (0..n.max(1)).map(pool).collect::<std::result::Result<_, _>>();
        let pools = pools.map_err(|e| Error::Data(format!("cannot start {n} threads: {e}")))?;
        Ok(Self { pools })
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.pools.len()
    }
}

impl Executor for Workers {
    fn run(&self, n: usize, job: &(dyn Fn(usize) + Sync)) {
        let jobs = Jobs::new(n);
        each(&self.pools[..self.pools.len().min(n)], &|| jobs.work(job));
    }
}

/// Runs `work` once on each of the pools, all at the same time. No thread is made for that, which could
/// fail.
fn each(pools: &[ThreadPool], work: &(dyn Fn() + Sync)) {
    if let Some((first, rest)) = pools.split_first() {
        first.in_place_scope(|scope| {
            scope.spawn(|_| work());
            each(rest, work);
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn every_job_runs_once_in_a_pool_of_one() {
        let workers = Workers::new(3).unwrap();
        let seen = Mutex::new(vec![0; 50]);
        workers.run(50, &|i| {
            assert_eq!(rayon::current_num_threads(), 1);
            seen.lock().unwrap()[i] += 1;
        });
        assert_eq!(seen.into_inner().unwrap(), vec![1; 50]);
    }
}
