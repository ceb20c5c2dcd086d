//! Batch normalisation, channels on all threads of rayon's current pool.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp3, Layout, ModuleT, Result, Shape, Tensor, Var};
use candle_nn::{BatchNormConfig, VarBuilder};
use esgd_ops::layers::batch_norm::{self as kernel, Affine, GradientSums, Moments};
use rayon::prelude::*;

use super::{like, stored, suits, values, with_values};

/// Batch normalisation; see [`candle_nn::BatchNorm`].
#[derive(Clone, Debug)]
pub struct BatchNorm {
    pub(super) inner: candle_nn::BatchNorm,
    remove_mean: bool,
}

/// A normalisation with tensors `weight`, `bias`, `running_mean` and `running_var`, as
/// [`candle_nn::batch_norm()`] makes it.
///
/// # Errors
/// What candle says.
pub fn batch_norm(
    channels: usize,
    config: impl Into<BatchNormConfig>,
    vb: VarBuilder<'_>,
) -> Result<BatchNorm> {
    let config = config.into();
    let remove_mean = config.remove_mean;
    Ok(BatchNorm { inner: candle_nn::batch_norm(channels, config, vb)?, remove_mean })
}

impl ModuleT for BatchNorm {
    /// x is (batch, channels, …); in training the running statistics move towards the batch's.
    fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        let (Some((gamma, beta)), true) = (self.inner.weight_and_bias(), self.remove_mean) else {
            return self.inner.forward_t(x, train);
        };
        let fits = x.rank() >= 2 && x.dims()[1] == gamma.elem_count() && x.elem_count() > 0;
        if !fits || !suits(&[x, gamma, beta]) {
            return self.inner.forward_t(x, train);
        }
        let moments = Arc::new(OnceLock::new());
        let running = if train { None } else { Some(self.running()?) };
        let op = Op { epsilon: self.inner.eps(), running, moments: moments.clone() };
        let y = x.contiguous()?.apply_op3(&gamma.contiguous()?, &beta.contiguous()?, op)?;
        if let Some(moments) = moments.get() {
            self.move_statistics(moments)?;
        }
        Ok(y)
    }
}

impl BatchNorm {
    /// The running mean and variance of each channel.
    fn running(&self) -> Result<Vec<(f64, f64)>> {
        let means = self.inner.running_mean().to_vec1::<f32>()?;
        let variances = self.inner.running_var().to_vec1::<f32>()?;
        let pairs = means.into_iter().zip(variances);
        Ok(pairs.map(|(mean, variance)| (f64::from(mean), f64::from(variance))).collect())
    }

    fn move_statistics(&self, moments: &[Moments]) -> Result<()> {
        let share = self.inner.momentum();
        let towards = |old: f64, new: f64| (old * (1.0 - share) + share * new) as f32;
        let both = self.running()?.into_iter().zip(moments).map(|((mean, variance), m)| {
            (towards(mean, m.mean()), towards(variance, m.unbiased_variance()))
        });
        let (means, variances): (Vec<f32>, Vec<f32>) = both.unzip();
        let statistics =
            [(self.inner.running_mean(), means), (self.inner.running_var(), variances)];
        for (tensor, values) in statistics {
            Var::from_tensor(tensor)?.set(&like(values, tensor)?)?;
        }
        Ok(())
    }
}

struct Op {
    epsilon: f64,
    /// What to normalise by in evaluation.
    running: Option<Vec<(f64, f64)>>,
    /// What was normalised by in training.
    moments: Arc<OnceLock<Vec<Moments>>>,
}

/// Channels, and the values of one in an image.
fn sizes(dims: &[usize]) -> (usize, usize) {
    (dims[1], dims[2..].iter().product())
}

impl Op {
    /// The mean and the variance of channel `c`.
    fn of_channel(&self, c: usize) -> (f64, f64) {
        match (&self.running, self.moments.get()) {
            (Some(running), _) => running[c],
            (None, Some(moments)) => (moments[c].mean(), moments[c].variance()),
            (None, None) => (f64::NAN, f64::NAN),
        }
    }
}

impl CustomOp3 for Op {
    fn name(&self) -> &'static str {
        "batch-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gamma: &CpuStorage,
        gamma_layout: &Layout,
        beta: &CpuStorage,
        beta_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let x = values(x, x_layout)?;
        let (gamma, beta) = (values(gamma, gamma_layout)?, values(beta, beta_layout)?);
        let (channels, plane) = sizes(x_layout.dims());
        if self.running.is_none() {
            let of = |c: usize| {
                let mut moments = Moments::default();
                x.chunks_exact(plane).skip(c).step_by(channels).for_each(|x| moments.add(x));
                moments
            };
            let moments = (0..channels).into_par_iter().map(of).collect();
            // An operation is applied once.
            let _ = self.moments.set(moments);
        }
        let affine: Vec<Affine> = (0..channels)
            .map(|c| {
                let (mean, variance) = self.of_channel(c);
                Affine::new(gamma[c], beta[c], mean, variance, self.epsilon)
            })
            .collect();
        let mut y = vec![0.0; x.len()];
        let planes = y.par_chunks_mut(plane).zip(x.par_chunks(plane)).enumerate();
        planes.for_each(|(i, (y, x))| {
            kernel::normalise(x, affine[i % channels], None, false, y);
        });
        Ok(stored(y, x_layout.shape()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        gamma: &Tensor,
        beta: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (channels, plane) = sizes(x.dims());
        let (dx, parameters) = with_values([x, gamma, dy], |[x, gamma, dy]| {
            let sums: Vec<GradientSums> = (0..channels)
                .into_par_iter()
                .map(|c| {
                    let (mean, _) = self.of_channel(c);
                    let mut sums = GradientSums::default();
                    let planes = dy.chunks_exact(plane).zip(x.chunks_exact(plane));
                    planes.skip(c).step_by(channels).for_each(|(g, y)| sums.add(g, y, mean));
                    sums
                })
                .collect();
            let of = |c: usize| {
                let (mean, variance) = self.of_channel(c);
                match self.running {
                    // The statistics are constants: dx = γ / √(variance + ε) dy.
                    Some(_) => {
                        let scale = Affine::new(gamma[c], 0.0, 0.0, variance, self.epsilon).scale;
                        [scale, 0.0, 0.0]
                    }
                    None => sums[c].of_input(gamma[c], mean, variance, self.epsilon),
                }
            };
            let coefficients: Vec<[f32; 3]> = (0..channels).map(of).collect();
            let mut dx = vec![0.0; x.len()];
            let planes =
                dx.par_chunks_mut(plane).zip(dy.par_chunks(plane)).zip(x.par_chunks(plane));
            planes.enumerate().for_each(|(i, ((dx, g), y))| {
                kernel::input_gradient(g, y, coefficients[i % channels], dx);
            });
            let parameters: (Vec<f32>, Vec<f32>) = sums
                .iter()
                .enumerate()
                .map(|(c, sums)| sums.of_parameters(self.of_channel(c).1, self.epsilon))
                .unzip();
            (dx, parameters)
        })?;
        let (d_gamma, d_beta) = parameters;
        Ok((Some(like(dx, x)?), Some(like(d_gamma, gamma)?), Some(like(d_beta, beta)?)))
    }
}
