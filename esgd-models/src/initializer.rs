//! Initial weights from a key. candle's own CPU generator cannot be seeded, so it is not used.

use std::sync::{Mutex, PoisonError};

use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::{Init, VarBuilder, init::NormalOrUniform, var_builder::SimpleBackend};
use esgd_core::rng::Key;
use esgd_ops::noise;

use crate::{
    Result,
    genome::{Genome, Parameter, Role, variable},
};

/// Makes each tensor that a model asks for, drawn as the model's hints say.
struct Initializer<'a> {
    key: Key,
    made: &'a Mutex<Vec<Parameter>>,
    is_statistic: &'a (dyn Fn(&str) -> bool + Send + Sync),
}

/// The genome of the model that `build` makes, with weights drawn from `key`.
///
/// A tensor's values depend on its name, not on the order in which the model asks for tensors.
pub(crate) fn genome<M>(
    key: Key,
    is_statistic: &(dyn Fn(&str) -> bool + Send + Sync),
    build: impl FnOnce(VarBuilder<'_>) -> candle_core::Result<M>,
) -> Result<Genome> {
    let made = Mutex::new(Vec::new());
    let backend = Initializer { key, made: &made, is_statistic };
    build(VarBuilder::from_backend(Box::new(backend), DType::F32, Device::Cpu))?;
    Genome::new(made.into_inner().unwrap_or_else(PoisonError::into_inner))
}

impl Initializer<'_> {
    fn draw(&self, name: &str, shape: &Shape, init: Init) -> Vec<f32> {
        let key = self.key.derive(fnv1a(name));
        let mut values = vec![0.0; shape.elem_count()];
        match init {
            Init::Const(value) => values.fill(value as f32),
            Init::Randn { mean, stdev } => normal(key, mean, stdev, &mut values),
            Init::Uniform { lo, up } => uniform(key, lo, up, &mut values),
            Init::Kaiming { dist, fan, non_linearity } => {
                let deviation = non_linearity.gain() / (fan.for_shape(shape) as f64).sqrt();
                match dist {
                    NormalOrUniform::Normal => normal(key, 0.0, deviation, &mut values),
                    NormalOrUniform::Uniform => {
                        let bound = 3f64.sqrt() * deviation;
                        uniform(key, -bound, bound, &mut values);
                    }
                }
            }
        }
        values
    }
}

fn normal(key: Key, mean: f64, deviation: f64, out: &mut [f32]) {
    noise::normals(key, 0, out);
    out.iter_mut().for_each(|v| *v = (mean + deviation * f64::from(*v)) as f32);
}

fn uniform(key: Key, low: f64, high: f64, out: &mut [f32]) {
    noise::uniforms(key, 0, out);
    out.iter_mut().for_each(|v| *v = (low + (high - low) * f64::from(*v)) as f32);
}

/// FNV-1a, 64 bits: a stable number for a name.
fn fnv1a(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl SimpleBackend for Initializer<'_> {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        init: Init,
        _: DType,
        _: &Device,
    ) -> candle_core::Result<Tensor> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        // A model may tie two layers to one tensor.
        if let Some(known) = made.iter().find(|p| p.name == name) {
            if known.var.shape() == &shape {
                return Ok(known.tensor().clone());
            }
            candle_core::bail!("`{name}` is asked for as {shape:?} and as {:?}", known.var.shape());
        }
        let role = if (self.is_statistic)(name) { Role::Statistic } else { Role::Weight };
        let values = self.draw(name, &shape, init);
        let var = variable(values, &shape).map_err(candle_core::Error::wrap)?;
        let tensor = var.as_tensor().clone();
        made.push(Parameter { name: name.to_owned(), role, var });
        Ok(tensor)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> candle_core::Result<Tensor> {
        candle_core::bail!("`{name}` is asked for without a shape, so it cannot be drawn")
    }

    fn contains_tensor(&self, _: &str) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use candle_nn::{batch_norm, linear};
    use esgd_core::rng::Purpose;

    use super::*;

    fn drawn(seed: u64) -> Genome {
        let statistic = |name: &str| name.contains("running");
        genome(Key::new(seed, Purpose::Init), &statistic, |vb| {
            linear(100, 200, vb.pp("fc"))?;
            batch_norm(200, 1e-5, vb.pp("bn"))
        })
        .unwrap()
    }

    #[test]
    fn draws_what_the_layers_ask_for() {
        let theta = drawn(1);
        let names: Vec<_> = theta.parameters().iter().map(|p| (p.name.as_str(), p.role)).collect();
        let (w, s) = (Role::Weight, Role::Statistic);
        assert_eq!(
            names,
            [
                ("bn.bias", w),
                ("bn.running_mean", s),
                ("bn.running_var", s),
                ("bn.weight", w),
                ("fc.bias", w),
                ("fc.weight", w)
            ]
        );
        let weight =
            theta.parameters()[5].tensor().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        // candle's linear asks for Kaiming normal over the fan-in: variance 2/100.
        let variance = weight.iter().map(|v| f64::from(v * v)).sum::<f64>() / weight.len() as f64;
        assert!((variance - 0.02).abs() < 0.0008, "{variance}");
    }

    #[test]
    fn the_key_decides() {
        let values = |seed| drawn(seed).values().unwrap();
        assert_eq!(values(1), values(1));
        assert_ne!(values(1), values(2));
    }
}
