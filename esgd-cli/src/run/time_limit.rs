//! `run.max_time`: a process that has had its time stops as if it were interrupted.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    config::{MaxTime, max_time},
    failure::Failure,
    run::{interrupt::Interrupt, timer::Timer},
};

/// Watches the clock as long as it lives.
#[derive(Debug)]
pub(crate) struct TimeLimit {
    limit: Duration,
    passed: Arc<AtomicBool>,
    _timer: Option<Timer>,
}

impl TimeLimit {
    /// Raises the interrupt when the process, which began then, has had its time.
    pub(crate) fn watch(
        limit: MaxTime,
        began: Instant,
        interrupt: &Interrupt,
    ) -> Result<Self, Failure> {
        let passed = Arc::new(AtomicBool::new(false));
        let timer = limit.0.map(|limit| {
            let (passed, interrupt) = (Arc::clone(&passed), interrupt.clone());
            Timer::every(limit.saturating_sub(began.elapsed()), move || {
                passed.store(true, Ordering::Relaxed);
                interrupt.raise();
                ControlFlow::Break(())
            })
        });
        let timer = timer
            .transpose()
            .map_err(|e| Failure::Failed(format!("cannot watch the time of run.max_time: {e}")))?;
        Ok(Self { limit: limit.0.unwrap_or_default(), passed, _timer: timer })
    }

    /// How long the process was given, in words, if that has passed.
    pub(crate) fn passed(&self) -> Option<String> {
        self.passed.load(Ordering::Relaxed).then(|| max_time::words(self.limit))
    }
}
