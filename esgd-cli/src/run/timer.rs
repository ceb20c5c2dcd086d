//! A thread that does something after some time, again and again, and ends at once with its owner.

use std::{
    io,
    ops::ControlFlow,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

/// Ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Timer {
    /// Its end is the signal.
    alive: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Timer {
    /// Does `f` after each `interval`, until it breaks off.
    pub(crate) fn every(
        interval: Duration,
        mut f: impl FnMut() -> ControlFlow<()> + Send + 'static,
    ) -> io::Result<Self> {
        let (alive, end) = mpsc::channel::<()>();
        let run = move || {
            while let Err(RecvTimeoutError::Timeout) = end.recv_timeout(interval) {
                if f().is_break() {
                    break;
                }
            }
        };
        let thread = thread::Builder::new().spawn(run)?;
        Ok(Self { alive: Some(alive), thread: Some(thread) })
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        drop(self.alive.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::Instant,
    };

    use super::*;

    #[test]
    fn it_repeats_until_it_breaks_off_and_ends_at_once() {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let ticks = Timer::every(Duration::from_millis(1), move || {
            match counted.fetch_add(1, Ordering::Relaxed) {
                2 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        });
        let waited = Instant::now();
        while count.load(Ordering::Relaxed) < 3 && waited.elapsed() < Duration::from_secs(60) {
            thread::sleep(Duration::from_millis(1));
        }
        drop(ticks);
        assert_eq!(count.load(Ordering::Relaxed), 3);

        let began = Instant::now();
        drop(Timer::every(Duration::from_secs(3600), || ControlFlow::Break(())));
        assert!(began.elapsed() < Duration::from_secs(60));
    }
}
