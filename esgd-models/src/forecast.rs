//! What training will cost, before it begins: memory from the network's shape, time from a short try.

use std::time::{Duration, Instant};

use esgd_core::{
    Hyperparameters, Problem,
    rng::{Key, Purpose},
};

use crate::{Genome, Network, Result, Supervised, Training, engine::Engine};

/// How long a try goes on, at least.
const LONG_ENOUGH: Duration = Duration::from_millis(300);

/// Seconds that one thread takes for a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// A gradient step's share.
    pub training: f64,
    /// A forward pass of an evaluation.
    pub evaluation: f64,
}

impl Supervised<Network> {
    /// The bytes that a thread takes to train in batches of `batch` samples, or of as many as there are,
    /// and more if gradients are clipped.
    ///
    /// # Errors
    /// None for a network that could be made.
    pub fn engine_bytes(&self, batch: usize, clips: bool) -> Result<u64> {
        Engine::forecast(self.task(), batch.min(self.train().len()), clips)
    }

    /// Trains and evaluates a copy of `theta` on the first samples, for some tenths of a second.
    ///
    /// # Errors
    /// As an epoch's.
    pub fn pace(&self, theta: &Genome, hyper: &Hyperparameters) -> Result<Pace> {
        let batch = Training::of(hyper, 0)?.batch;
        let key = Key::new(0, Purpose::Train);
        let mut copy = self.fork(theta)?;
        let mut state = self.state(theta, hyper)?;
        let training = seconds_a_sample(batch, self.train().len(), |n| {
            let data = self.train().first(n)?;
            self.epoch_on(&data, &mut copy, &mut state, hyper, key)
        })?;
        let evaluation = seconds_a_sample(256, self.fitness_data().len(), |n| {
            self.evaluate(theta, &self.fitness_data().first(n)?).map(|_| ())
        })?;
        Ok(Pace { training, evaluation })
    }
}

/// Runs `work` on more and more samples, as often as it takes to be timed.
fn seconds_a_sample(
    first: usize,
    most: usize,
    mut work: impl FnMut(usize) -> Result<()>,
) -> Result<f64> {
    // Memory is allocated, and the processor awake.
    work(first.min(most))?;
    let (mut n, mut done, begin) = (first.min(most), 0, Instant::now());
    loop {
        work(n)?;
        done += n;
        let took = begin.elapsed();
        if took >= LONG_ENOUGH {
            return Ok(took.as_secs_f64() / done as f64);
        }
        n = (2 * n).min(most);
    }
}
