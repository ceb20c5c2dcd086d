//! BatchNorm's statistics estimated anew: averaged weights have others than the average of their statistics
//! (Izmailov et al., 2018, section 3.2).

use candle_core::Tensor;
use esgd_core::rng::{Key, Purpose};

use crate::{
    Genome, Parameter, Pass, Result, Supervised, Task,
    data::Dataset,
    genome::{Role, values},
};

/// Samples that BatchNorm statistics are estimated from at a time. Part of the result's bits.
pub(crate) const BATCH: usize = 128;

/// The batches that statistics are the mean over: a last one that is smaller would count too much.
pub(crate) fn batches(samples: usize) -> Vec<Vec<u32>> {
    let counted = if samples < BATCH { samples } else { samples - samples % BATCH };
    let order: Vec<u32> = (0..counted as u32).collect();
    order.chunks(BATCH).map(<[u32]>::to_vec).collect()
}

impl<T: Task> Supervised<T> {
    /// A copy whose BatchNorm statistics are those of the first `samples` training samples, as they are: the
    /// means over batches of 128. `None` where a network has no statistics.
    ///
    /// # Errors
    /// What candle says.
    pub fn reestimated(&self, theta: &Genome, samples: usize) -> Result<Option<Genome>> {
        if !theta.has_statistics() {
            return Ok(None);
        }
        let data = self.train().first(samples.max(1))?;
        let by_engine = self.reestimate_by_engine(theta, &data)?;
        by_engine.map_or_else(|| self.reestimate_on_candle(theta, &data), Ok).map(Some)
    }

    /// A model on candle moves a statistic s to (1 − a)s + a·b in training, b the batch's. From 0 that is ab
    /// and from 1 it is 1 − a + ab, which gives both. What training does not move stays as it is.
    fn reestimate_on_candle(&self, theta: &Genome, data: &Dataset) -> Result<Genome> {
        let copy = theta.fork()?;
        let model = self.task().build(copy.var_builder())?;
        let is_statistic = |p: &&Parameter| p.role == Role::Statistic;
        let statistics: Vec<&Parameter> = copy.parameters().iter().filter(is_statistic).collect();
        let moved_from = |start: f64, x: &Tensor| -> Result<Vec<f64>> {
            for one in &statistics {
                one.var.set(&(one.tensor().ones_like()? * start)?)?;
            }
            // Without dropout a key draws nothing.
            let pass = Pass::training(0.0, Key::new(0, Purpose::Train));
            self.task().forward(&model, x, &pass)?;
            let values = statistics.iter().map(|one| values(one.tensor()));
            let values = values.collect::<Result<Vec<_>>>()?.concat();
            Ok(values.into_iter().map(f64::from).collect())
        };
        let batches = batches(data.len());
        let n = batches.len() as f64;
        let (mut sums, mut shares) = (vec![], vec![]);
        for batch in batches {
            let x = data.batch(&batch, None)?.0.to_device(&theta.device())?;
            let moved = moved_from(0.0, &x)?;
            if sums.is_empty() {
                let from_one = moved_from(1.0, &x)?;
                shares =
                    from_one.iter().zip(&moved).map(|(one, zero)| 1.0 - (one - zero)).collect();
                sums = vec![0.0; moved.len()];
            }
            sums.iter_mut().zip(moved).for_each(|(sum, value)| *sum += value);
        }
        let mut estimates = sums.iter().zip(&shares).map(|(sum, share)| (sum / share / n, share));
        for (one, old) in statistics.iter().zip(theta.parameters().iter().filter(is_statistic)) {
            let old = values(old.tensor())?;
            let new: Vec<f32> = old
                .into_iter()
                .zip(estimates.by_ref())
                .map(|(old, (new, share))| if share.abs() < 1e-6 { old } else { new as f32 })
                .collect();
            one.write(&new)?;
        }
        copy.device().synchronize()?;
        Ok(copy)
    }
}
