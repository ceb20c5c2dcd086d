//! Offspring of genomes: eq. 12 on each tensor in the memory where candle has it, on the CPU or on a
//! GPU. The bits are the same.

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;

use candle_core::Device;
use esgd_core::{Operation, rng::Key};

use crate::{
    Error, Result,
    genome::{Genome, Parameter, Role},
};

/// The offspring of `parents`: the mean of each tensor, and for weights noise of `key`.
///
/// With [`Scale::Relative`](esgd_core::Scale::Relative) the noise of a tensor is in units of the
/// root mean square of what the parents' mean has become.
pub(crate) fn of(operation: &Operation, parents: &[&Genome], key: Key) -> Result<Genome> {
    let Some(mutation) = operation.as_recombination() else {
        return Err(Error::Weights(format!("{} cannot be built of tensors", operation.kind())));
    };
    if !(mutation.sigma.is_finite() && mutation.sigma >= 0.0) {
        return Err(Error::Weights(format!(
            "an offspring's noise has sigma = {}: expected a number of at least 0",
            mutation.sigma
        )));
    }
    let Some(first) = parents.first() else {
        return Err(Error::Weights("an offspring needs at least one parent".into()));
    };
    if let Some(other) = parents.iter().find(|other| !other.device().same_device(&first.device())) {
        return Err(Error::Weights(format!(
            "parents are on {:?} and on {:?}: expected one device",
            first.device().location(),
            other.device().location()
        )));
    }
    let shapes = |genome: &Genome| {
        let shape = |p: &Parameter| (p.name.clone(), p.role, p.tensor().dims().to_vec());
        genome.parameters().iter().map(shape).collect::<Vec<_>>()
    };
    let expected = shapes(first);
    if parents.iter().any(|parent| shapes(parent) != expected) {
        return Err(Error::Weights(
            "parents have other tensors than one another: expected the same names, sizes and roles \
             in the same order"
                .into(),
        ));
    }
    match first.device() {
        Device::Cpu => cpu::of(parents, mutation, key),
        #[cfg(feature = "cuda")]
        Device::Cuda(device) => cuda::of(&device, parents, mutation, key),
        other => Err(Error::Weights(format!(
            "offspring cannot be made on {:?}: expected the CPU, or a GPU in a build with the \
             feature `cuda`",
            other.location()
        ))),
    }
}

/// A σ for each tensor: none for statistics.
fn sigmas(genome: &Genome, sigma: impl Fn(usize) -> f32) -> Vec<f32> {
    let of = |(t, p): (usize, &crate::Parameter)| match p.role {
        Role::Statistic => 0.0,
        Role::Weight => sigma(t),
    };
    genome.parameters().iter().enumerate().map(of).collect()
}

#[cfg(test)]
mod tests {
    use candle_core::Tensor;
    use esgd_core::{Mutation, Problem, Scale, rng::Purpose};

    use super::*;
    use crate::{Activation, Supervised, data::Dataset, networks};

    fn theta(hidden: &[usize], seed: u64) -> Genome {
        let x = Tensor::zeros((2, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
        let y = Tensor::new(&[0u32, 1], &Device::Cpu).unwrap();
        let data = Dataset::new("two", x, y).unwrap();
        let mlp = networks::mlp(3, hidden, 2, Activation::Relu).unwrap();
        let problem = Supervised::new(mlp, data.clone(), data).unwrap();
        problem.init(Key::new(seed, Purpose::Init)).unwrap()
    }

    #[test]
    fn parents_of_other_networks_are_refused_in_one_sentence() {
        let mutation = Mutation { sigma: 0.1, scale: Scale::Absolute };
        let child = |a: &Genome, b: &Genome| {
            of(&Operation::recombination(mutation), &[a, b], Key::new(1, Purpose::Mutation))
        };
        assert!(child(&theta(&[4], 1), &theta(&[4], 2)).is_ok());
        for other in [theta(&[], 2), theta(&[5], 2), theta(&[4, 4], 2)] {
            let message = child(&theta(&[4], 1), &other).unwrap_err().to_string();
            assert!(message.contains("other tensors"), "{message}");
        }
        assert!(
            of(&Operation::recombination(mutation), &[], Key::new(1, Purpose::Mutation)).is_err()
        );
        for sigma in [f32::NAN, f32::INFINITY, -0.1] {
            let odd = Mutation { sigma, ..mutation };
            let parent = theta(&[4], 1);
            let message =
                of(&Operation::recombination(odd), &[&parent], Key::new(1, Purpose::Mutation))
                    .unwrap_err();
            assert!(message.to_string().contains(&format!("sigma = {sigma}")), "{message}");
        }
    }

    #[test]
    fn what_is_not_a_number_is_not_bred_away() {
        let (a, b) = (theta(&[4], 1), theta(&[4], 2));
        let values = vec![f32::NAN; 12];
        a.parameters()
            .iter()
            .find(|p| p.tensor().elem_count() == 12)
            .unwrap()
            .write(&values)
            .unwrap();
        let mutation = Mutation { sigma: 0.1, scale: Scale::Absolute };
        let child =
            of(&Operation::recombination(mutation), &[&b, &a], Key::new(1, Purpose::Mutation))
                .unwrap();
        let all = child.parameters().iter().find(|p| p.tensor().elem_count() == 12).unwrap();
        all.read(|values| assert!(values.iter().all(|x| x.is_nan()))).unwrap();
    }
}
