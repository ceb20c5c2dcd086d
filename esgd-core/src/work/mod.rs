//! Where work runs. Core hands out numbered jobs and does not name what carries them: one thread,
//! several threads or GPU streams in one process ([`Executor`]), and several processes, each of which does its share of
//! the same run ([`Processes`]). Results never depend on it.

mod message;
mod processes;

pub(crate) use message::{Place, Step};
pub(crate) use processes::{Carrier, Own, Said, ShareError, TrainedShare};
pub use processes::{Exchange, ExchangeError, Processes};

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Something that runs independent jobs.
pub trait Executor: Sync {
    /// Runs `job(0)` … `job(n − 1)`, each once, in any order, several at a time or not, and
    /// returns when all are done.
    fn run(&self, n: usize, job: &(dyn Fn(usize) + Sync));
}

/// One job after another on the calling thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Serial;

impl Executor for Serial {
    fn run(&self, n: usize, job: &(dyn Fn(usize) + Sync)) {
        (0..n).for_each(job);
    }
}

/// A number of threads, each taking the next job when it is free.
#[derive(Clone, Copy, Debug)]
pub struct Threads(pub usize);

impl Executor for Threads {
    fn run(&self, n: usize, job: &(dyn Fn(usize) + Sync)) {
        let jobs = Jobs::new(n);
        let work = || jobs.work(job);
        thread::scope(|scope| {
            for _ in 1..self.0.min(n) {
                // Where the system gives no thread, the others do its part.
                let _ = thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
    }
}

/// Numbered jobs that several workers take one after another: the loop of every executor.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// let (jobs, sum) = (esgd_core::work::Jobs::new(5), AtomicUsize::new(0));
/// std::thread::scope(|scope| {
///     scope.spawn(|| jobs.work(&|i| drop(sum.fetch_add(i, Ordering::Relaxed))));
///     jobs.work(&|i| drop(sum.fetch_add(i, Ordering::Relaxed)));
/// });
/// assert_eq!(sum.into_inner(), 10);
/// ```
#[derive(Debug)]
pub struct Jobs {
    next: AtomicUsize,
    n: usize,
}

impl Jobs {
    /// Jobs 0 to `n` − 1.
    #[must_use]
    pub fn new(n: usize) -> Self {
        Self { next: AtomicUsize::new(0), n }
    }

    /// Does jobs until none is left.
    pub fn work(&self, job: &(impl Fn(usize) + ?Sized)) {
        loop {
            let i = self.next.fetch_add(1, Ordering::Relaxed);
            if i >= self.n {
                return;
            }
            job(i);
        }
    }
}

/// A job's item before it runs, and its result after.
type Cell<T, R> = Mutex<(Option<T>, Option<R>)>;

/// Maps `items` through `f` on `executor`; results come in the order of the items.
///
/// ```
/// use esgd_core::{Threads, work::map};
///
/// assert_eq!(map(&Threads(2), vec![1, 2, 3], |i, x| i * x), [0, 2, 6]);
/// ```
pub fn map<T: Send, R: Send>(
    executor: &dyn Executor,
    items: Vec<T>,
    f: impl Fn(usize, T) -> R + Sync,
) -> Vec<R> {
    let cells: Vec<_> = items.into_iter().map(|item| Mutex::new((Some(item), None))).collect();
    executor.run(cells.len(), &|i| {
        let item = cells[i].lock().unwrap_or_else(PoisonError::into_inner).0.take();
        if let Some(item) = item {
            let result = f(i, item);
            cells[i].lock().unwrap_or_else(PoisonError::into_inner).1 = Some(result);
        }
    });
    let finish = |(i, cell): (usize, Cell<T, R>)| {
        match cell.into_inner().unwrap_or_else(PoisonError::into_inner) {
            (_, Some(result)) => Some(result),
            // An executor that left a job undone costs nobody: it is done here.
            (Some(item), None) => Some(f(i, item)),
            (None, None) => None,
        }
    };
    cells.into_iter().enumerate().filter_map(finish).collect()
}

/// [`map`] for work that can fail: all results, or the error of the first item that failed.
///
/// # Errors
/// That of the first item that failed.
pub fn try_map<T: Send, R: Send, E: Send>(
    executor: &dyn Executor,
    items: Vec<T>,
    f: impl Fn(usize, T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    map(executor, items, f).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_executor_keeps_the_order() {
        let items: Vec<usize> = (0..100).collect();
        let expected: Vec<usize> = items.iter().map(|i| i * i).collect();
        assert_eq!(map(&Serial, items.clone(), |_, i| i * i), expected);
        for threads in [1, 2, 7, 200] {
            assert_eq!(map(&Threads(threads), items.clone(), |_, i| i * i), expected);
        }
    }
}
