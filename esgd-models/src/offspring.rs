//! Offspring of genomes: eq. 12 on each tensor in the memory where candle has it.

use esgd_core::{Mutation, Scale, rng::Key};
use esgd_ops::{
    Tensors, TensorsMut, noise, norm,
    recombine::{self, Blend, Offspring},
};

use crate::{
    Error, Result,
    genome::{Genome, Parameter, Role, contiguous, variable},
};

/// The offspring of `parents`: the mean of each tensor, and for weights noise of `key`.
///
/// With [`Scale::Relative`] the noise of a tensor is in units of the root mean square of what the
/// parents' mean has become.
pub(crate) fn of(parents: &[&Genome], mutation: Mutation, key: Key) -> Result<Genome> {
    let Some(first) = parents.first().map(|genome| genome.parameters()) else {
        return Err(Error::Weights("an offspring needs at least one parent".into()));
    };
    let mut values: Vec<Vec<f32>> =
        first.iter().map(|p| vec![0.0; p.tensor().elem_count()]).collect();
    let mut child: TensorsMut<'_> = values.iter_mut().map(Vec::as_mut_slice).collect();
    let everyone: Vec<usize> = (0..parents.len()).collect();
    let blended = match mutation.scale {
        Scale::Absolute => sigmas(first, |_| mutation.sigma),
        Scale::Relative => sigmas(first, |_| 0.0),
    };
    let plan = Offspring { parents: &everyone, blend: Blend::Mean, sigma: &blended, key };
    with_all(parents, |population| {
        recombine::offspring(population, &[plan], std::slice::from_mut(&mut child));
    })?;
    if mutation.scale == Scale::Relative {
        let sigma = sigmas(first, |t| mutation.sigma * norm::rms(child[t]));
        noise::mutate(&mut child, &sigma, key);
    }
    let parameter = |(p, values): (&Parameter, Vec<f32>)| {
        let var = variable(values, p.tensor().shape())?;
        Ok(Parameter { name: p.name.clone(), role: p.role, var })
    };
    Genome::new(first.iter().zip(values).map(parameter).collect::<Result<_>>()?)
}

/// A σ for each tensor: none for statistics.
fn sigmas(parameters: &[Parameter], sigma: impl Fn(usize) -> f32) -> Vec<f32> {
    let of = |(t, p): (usize, &Parameter)| match p.role {
        Role::Statistic => 0.0,
        Role::Weight => sigma(t),
    };
    parameters.iter().enumerate().map(of).collect()
}

/// Runs `f` on the values of several genomes, in place.
fn with_all<R>(genomes: &[&Genome], f: impl FnOnce(&[Tensors<'_>]) -> R) -> Result<R> {
    let mut locks = vec![];
    for genome in genomes {
        let tensors = genome.parameters().iter();
        locks.push(tensors.map(|p| p.tensor().storage_and_layout()).collect::<Vec<_>>());
    }
    let mut tables = vec![];
    for tensors in &locks {
        let values = tensors.iter().map(|(storage, layout)| contiguous(storage, layout));
        tables.push(values.collect::<Result<Tensors<'_>>>()?);
    }
    Ok(f(&tables))
}
