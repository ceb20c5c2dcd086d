//! One generation of ESGD as a form: `generation:NETWORK:MU:LAMBDA`, on so many threads.
//!
//! μ networks are made and scored; each trains for an epoch and is scored again, and goes back if it
//! became worse; λ offspring are made and scored; the best of all survive. `peers/generation_torch.py` does
//! the same.

use std::{fs, time::Instant};

use esgd_core::{
    Domain, Esgd, OptimizerPool, OptimizerSpec, Settings,
    settings::{FineTune, Start},
};
use esgd_models::{Supervised, Workers};

use super::networks::{data, network};
use crate::Result;

/// Samples that an individual trains on, and that its fitness is measured on.
pub(super) const TRAIN: usize = 1280;
pub(super) const FITNESS: usize = 500;
const BATCH: usize = 128;

/// The seconds of so many generations, each of a new population.
pub(super) fn run(form: &str, threads: usize, repeats: usize) -> Result<f64> {
    let words: Vec<&str> = form.split(':').collect();
    let ["generation", name, mu, lambda] = words[..] else {
        return Err(format!("`{form}` is no `generation:NETWORK:MU:LAMBDA`").into());
    };
    let (mu, lambda): (usize, usize) = (mu.parse()?, lambda.parse()?);
    let network = network(name)?;
    let (train, fitness) = (data(&network, TRAIN)?, data(&network, FITNESS)?);
    let problem = Supervised::new(network, train, fitness)?;
    let domains = [("lr", 0.01), ("momentum", 0.9), ("batch", BATCH as f64)];
    let domains = domains.map(|(name, value)| (name.to_string(), Domain::fixed(value))).into();
    let settings = Settings {
        generations: 1,
        epochs: 1,
        mu,
        lambda,
        rho: 2,
        m: (mu * 3).div_ceil(5),
        start: Start::Independent,
        fine_tune: FineTune { epochs: 0, ..Settings::paper().fine_tune },
        optimizers: OptimizerPool(vec![OptimizerSpec { kind: "sgd".into(), weight: 1.0, domains }]),
        ..Settings::paper()
    };
    let workers = Workers::new(threads)?;
    let begin = Instant::now();
    for _ in 0..repeats {
        let outcome = Esgd::new(&problem, &settings).executor(&workers).run();
        outcome.map_err(|failure| failure.error)?;
    }
    Ok(begin.elapsed().as_secs_f64())
}

/// The most memory that this process has had, in bytes.
pub(super) fn peak_memory() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")
        .map_err(|e| format!("peak memory is read from Linux's /proc: {e}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or("no VmHWM")?;
    Ok(1024.0 * kilobytes.trim().parse::<f64>()?)
}
