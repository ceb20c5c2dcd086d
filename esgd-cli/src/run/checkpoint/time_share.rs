//! How much of a run's time may go into checkpoints: where a generation takes less than a checkpoint, not
//! each of them gets one.

use std::time::{Duration, Instant};

/// A share of the time since the run began, and what is spent of it.
#[derive(Debug)]
pub(super) struct TimeShare {
    /// From 0, only the first checkpoint and the last, to 1, always.
    share: f64,
    began: Instant,
    spent: Duration,
    /// The longest that one took.
    dearest: Duration,
    count: usize,
}

impl TimeShare {
    pub(super) fn new(share: f64) -> Self {
        let (spent, dearest) = (Duration::ZERO, Duration::ZERO);
        Self { share, began: Instant::now(), spent, dearest, count: 0 }
    }

    /// Whether a population may be written.
    pub(super) fn has_for_population(&self) -> bool {
        self.has(Duration::ZERO)
    }

    /// Whether an individual may be written, such that something is left for the population.
    pub(super) fn has_for_individual(&self) -> bool {
        self.has(2 * self.dearest)
    }

    pub(super) fn spend(&mut self, took: Duration) {
        self.spent += took;
        self.count += 1;
        self.dearest = self.dearest.max(took);
    }

    /// How many were written, and what they took.
    pub(super) fn spent(&self) -> (usize, Duration) {
        (self.count, self.spent)
    }

    fn has(&self, reserve: Duration) -> bool {
        let earned = self.began.elapsed().mul_f64(self.share.clamp(0.0, 1.0));
        self.share >= 1.0 || self.spent + reserve <= earned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_must_be_earned_first() {
        let second = Duration::from_secs(1);
        let mut time_share = TimeShare::new(0.02);
        assert!(time_share.has_for_population(), "the first costs what it costs");
        time_share.spend(second);
        assert!(!time_share.has_for_population());
        time_share.began -= 60 * second;
        assert!(time_share.has_for_population() && !time_share.has_for_individual());
        time_share.began -= 100 * second;
        assert!(time_share.has_for_individual());

        let mut always = TimeShare::new(1.0);
        always.spend(1000 * second);
        assert!(always.has_for_individual());
        let mut never = TimeShare::new(0.0);
        assert!(never.has_for_population());
        never.spend(second);
        never.began -= 1000 * second;
        assert!(!never.has_for_population());
    }
}
