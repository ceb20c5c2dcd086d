//! The mean of networks that come one after another, as weights averaged over time are (SWA; Izmailov et
//! al., 2018), in the memory of three.

use candle_core::Var;

use crate::{Error, Genome, Parameter, Result, genome::variable};

/// The sum of networks so far, in f64.
///
/// ```
/// use esgd_core::{Problem, rng::{Key, Purpose}};
/// use esgd_models::{Activation, RunningMean, Supervised, data::{Sizes, digits}, networks::mlp};
///
/// let splits = digits(Sizes { train: Some(80), validation: Some(20), test: None })?;
/// let network = mlp(64, &[4], 10, Activation::Relu)?;
/// let problem = Supervised::new(network, splits.train, splits.validation)?;
/// let network = |seed| problem.init(Key::new(seed, Purpose::Init));
/// let mut mean = RunningMean::default();
/// mean.add(&network(1)?)?;
/// mean.add(&network(2)?)?;
/// let of_two = mean.mean()?;
/// assert_eq!(of_two.map(|theta| theta.len()), Some(network(1)?.len()));
/// # Ok::<(), esgd_models::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct RunningMean {
    /// The first network, for its names and shapes, and the sums.
    sums: Option<(Genome, Vec<f64>)>,
    count: usize,
}

impl RunningMean {
    /// Adds a network. One that has diverged makes the mean NaN, as its own loss is: nothing is chosen by it.
    ///
    /// # Errors
    /// If it has other tensors than those before; what candle says.
    pub fn add(&mut self, theta: &Genome) -> Result<()> {
        let (shape, sums) = match &mut self.sums {
            Some((shape, sums)) => (&*shape, sums),
            none => {
                let (shape, sums) = none.insert((theta.fork()?, vec![0.0; theta.len()]));
                (&*shape, sums)
            }
        };
        if theta.len() != shape.len() {
            return Err(Error::Weights(format!(
                "a network of {} values cannot be averaged with those of {}",
                theta.len(),
                shape.len()
            )));
        }
        let tensors = |one: &Genome| -> Vec<_> {
            let named = |p: &Parameter| (p.name.clone(), p.tensor().dims().to_vec());
            one.parameters().iter().map(named).collect()
        };
        if tensors(theta) != tensors(shape) {
            return Err(Error::Weights(
                "a network cannot be averaged with those of other names or shapes".into(),
            ));
        }
        let all = theta.values()?;
        sums.iter_mut().zip(all).for_each(|(sum, value)| *sum += f64::from(value));
        self.count += 1;
        Ok(())
    }

    /// Their mean, statistics included; `None` of none.
    ///
    /// # Errors
    /// What candle says.
    pub fn mean(&self) -> Result<Option<Genome>> {
        let Some((shape, sums)) = &self.sums else { return Ok(None) };
        let mut rest = &sums[..];
        let mean = shape.with_tensors(|parameter| {
            let own;
            (own, rest) = rest.split_at(parameter.tensor().elem_count());
            let mean = own.iter().map(|sum| (sum / self.count as f64) as f32).collect();
            let var = variable(mean, parameter.tensor().shape())?;
            Ok(Var::from_tensor(&var.to_device(parameter.tensor().device())?)?)
        })?;
        // Who is given a genome may be on another stream.
        mean.device().synchronize()?;
        Ok(Some(mean))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Shape;

    use super::*;
    use crate::Role;

    fn genome(values: &[f32]) -> Genome {
        let parameter = |name: &str, values: &[f32]| Parameter {
            name: name.into(),
            role: Role::Weight,
            var: variable(values.to_vec(), &Shape::from(values.len())).unwrap(),
        };
        let (a, b) = values.split_at(1);
        Genome::new(vec![parameter("a", a), parameter("b", b)]).unwrap()
    }

    #[test]
    fn the_mean_is_that_of_all() {
        let mut mean = RunningMean::default();
        assert!(mean.mean().unwrap().is_none());
        for values in [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [5.0, 5.0, -4.0]] {
            mean.add(&genome(&values)).unwrap();
        }
        assert_eq!(mean.mean().unwrap().unwrap().values().unwrap(), [3.0, 3.0, 0.0]);
        let message = mean.add(&genome(&[1.0, 2.0])).unwrap_err().to_string();
        assert!(message.contains("of 2 values cannot be averaged with those of 3"), "{message}");
        // As many values, but others.
        let other = genome(&[1.0, 2.0, 3.0]).with_tensors(|p| {
            let shape = Shape::from((1, p.tensor().elem_count()));
            variable(p.read(<[f32]>::to_vec)?, &shape)
        });
        let message = mean.add(&other.unwrap()).unwrap_err().to_string();
        assert!(message.contains("other names or shapes"), "{message}");
    }
}
