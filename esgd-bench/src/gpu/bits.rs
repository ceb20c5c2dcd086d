//! Every operation on the CPU and on the GPU, compared bit by bit.

use esgd_core::{
    Noise, NoiseTerm, Operation, Scale, Weights,
    rng::{Key, Purpose},
};
use esgd_ops::{
    Tensors, TensorsMut, build,
    cuda::Kernels,
    noise, norm,
    recombine::{self, Blend, Offspring},
};

use super::{
    compared::{Comparison, compared},
    large,
    network::{OnDevice, host},
};
use crate::Result;

/// Networks whose tensors end within blocks, groups and tiles, and begin where they should not.
const SHAPES: [&[usize]; 4] = [
    &[1],
    &[5, 0, 3, 127, 4, 4096, 129, 1],
    &[4095, 4097, 16_383, 16_385, 33],
    &[3, 1_000_003, 2_000_000],
];

/// More parents than a block of threads keeps.
const MANY: usize = 40;

const KEY: Key = Key::new(2018, Purpose::Mutation).generation(3);

/// Compares every operation; all numbers should agree.
///
/// # Errors
/// If the GPU fails.
pub fn compare_all(kernels: &Kernels) -> Result<Vec<Comparison>> {
    let mut all = vec![Comparison {
        what: "square roots that noise may need".into(),
        compared: 38 << 23,
        different: kernels.wrong_square_roots()? as usize,
    }];
    for lengths in SHAPES {
        let mut add = |what: &str, cpu: &[Vec<f32>], gpu: &[Vec<f32>]| {
            all.push(compared(&format!("{what}, tensors {lengths:?}"), cpu, gpu));
        };
        fills(kernels, lengths, &mut add)?;
        offspring(kernels, lengths, 6, &mut add)?;
        in_place(kernels, lengths, &mut add)?;
        strategies(kernels, lengths, &mut add)?;
    }
    let lengths = SHAPES[1];
    let mut add = |what: &str, cpu: &[Vec<f32>], gpu: &[Vec<f32>]| {
        let what = format!("{what} out of {MANY}, tensors {lengths:?}");
        all.push(compared(&what, cpu, gpu));
    };
    offspring(kernels, lengths, MANY, &mut add)?;
    all.push(large::compare(kernels)?);
    Ok(all)
}

type Add<'a> = dyn FnMut(&str, &[Vec<f32>], &[Vec<f32>]) + 'a;

fn tables(networks: &[Vec<Vec<f32>>]) -> Vec<Tensors<'_>> {
    networks.iter().map(|tensors| tensors.iter().map(Vec::as_slice).collect()).collect()
}

fn tables_mut(networks: &mut [Vec<Vec<f32>>]) -> Vec<TensorsMut<'_>> {
    networks.iter_mut().map(|tensors| tensors.iter_mut().map(Vec::as_mut_slice).collect()).collect()
}

fn zeros(lengths: &[usize]) -> Vec<Vec<f32>> {
    lengths.iter().map(|&n| vec![0.0; n]).collect()
}

/// σ = 0 for the second tensor, as for statistics.
fn sigmas(lengths: &[usize]) -> Vec<f32> {
    (0..lengths.len()).map(|t| if t == 1 { 0.0 } else { 0.02 + t as f32 / 64.0 }).collect()
}

fn fills(kernels: &Kernels, lengths: &[usize], add: &mut Add<'_>) -> Result<()> {
    for offset in [0, 3, (1 << 34) - 4_000_000] {
        for length in lengths.iter().copied() {
            let (mut cpu, mut gpu) = (vec![0.0; length], OnDevice::zeros(kernels, &[length])?);
            noise::normals(KEY, offset, &mut cpu);
            kernels.normals(KEY, offset, &mut gpu.write(kernels)?[0])?;
            add(&format!("normals from {offset}"), &[cpu.clone()], &gpu.to_host(kernels)?);
            noise::uniforms(KEY, offset, &mut cpu);
            kernels.uniforms(KEY, offset, &mut gpu.write(kernels)?[0])?;
            add(&format!("uniforms from {offset}"), &[cpu], &gpu.to_host(kernels)?);
        }
    }
    Ok(())
}

/// `parents` is at least 6; of more than a block of threads can keep, each is read by every offspring.
fn offspring(
    kernels: &Kernels,
    lengths: &[usize],
    parents: usize,
    add: &mut Add<'_>,
) -> Result<()> {
    let population: Vec<_> = (0..parents).map(|j| host(lengths, j)).collect();
    let on_device: Vec<_> =
        population.iter().map(|n| OnDevice::from_host(kernels, n)).collect::<Result<_>>()?;
    let sigma = sigmas(lengths);
    let none = vec![0.0; lengths.len()];
    let weights = [0.4, -0.2, 0.3, 0.25, 0.15];
    let families: [&[usize]; 5] = [&[3], &[0, 5], &[1, 1, 2], &[5, 4, 3, 2], &[0, 1, 2, 3, 4]];
    for blend in ["mean", "weighted", "crossover"] {
        let plan: Vec<_> = families
            .iter()
            .enumerate()
            .map(|(j, parents)| Offspring {
                parents,
                blend: match blend {
                    "mean" => Blend::Mean,
                    "weighted" => Blend::Weighted(&weights[..parents.len()]),
                    _ => Blend::Crossover,
                },
                sigma: if j == 2 { &none } else { &sigma },
                // The last one's key has another seed.
                key: if j == 4 { KEY.derive(9) } else { KEY.individual(j) },
            })
            .collect();
        let mut cpu = vec![zeros(lengths); plan.len()];
        recombine::offspring(&tables(&population), &plan, &mut tables_mut(&mut cpu));
        let mut gpu: Vec<_> =
            plan.iter().map(|_| OnDevice::zeros(kernels, lengths)).collect::<Result<_>>()?;
        let parents: Vec<_> = on_device.iter().map(|n| n.read(kernels)).collect::<Result<_>>()?;
        let mut out: Vec<_> = gpu.iter_mut().map(|n| n.write(kernels)).collect::<Result<_>>()?;
        kernels.offspring(&parents, &plan, &mut out)?;
        drop(out);
        for (j, (cpu, gpu)) in cpu.iter().zip(&gpu).enumerate() {
            let rho = families[j].len();
            add(&format!("{blend} of {rho} parents"), cpu, &gpu.to_host(kernels)?);
        }
    }
    Ok(())
}

fn in_place(kernels: &Kernels, lengths: &[usize], add: &mut Add<'_>) -> Result<()> {
    let theta = host(lengths, 1);
    let mut gpu = OnDevice::from_host(kernels, &theta)?;
    let norms = kernels.squared_norms(&gpu.read(kernels)?)?;
    // Two halves of an f64 are two numbers to compare.
    let halves = |x: &f64| {
        let bits = x.to_bits();
        vec![f32::from_bits((bits >> 32) as u32), f32::from_bits(bits as u32)]
    };
    let cpu: Vec<_> = theta.iter().map(|tensor| halves(&norm::squared_norm(tensor))).collect();
    add("squared norm", &cpu, &norms.iter().map(halves).collect::<Vec<_>>());

    let rms = kernels.rms(&gpu.read(kernels)?)?;
    let cpu: Vec<_> = theta.iter().map(|tensor| norm::rms(tensor)).collect();
    add("root mean square", &[cpu], &[rms]);

    let sigma = sigmas(lengths);
    kernels.mutate(&mut gpu.write(kernels)?, &sigma, KEY)?;
    let mut cpu = [theta];
    noise::mutate(&mut tables_mut(&mut cpu)[0], &sigma, KEY);
    add("mutation in place", &cpu[0], &gpu.to_host(kernels)?);
    Ok(())
}

fn strategies(kernels: &Kernels, lengths: &[usize], add: &mut Add<'_>) -> Result<()> {
    let mut networks: Vec<_> = (0..4).map(|j| host(lengths, j)).collect();
    networks[3].iter_mut().flatten().for_each(|x| *x = x.abs());
    let statistics: Vec<_> = (0..lengths.len()).map(|t| t == 1).collect();
    let weights = lengths.iter().zip(&statistics).map(|(n, statistic)| n * usize::from(!statistic));
    let weights: usize = weights.sum();
    let on_device: Vec<_> =
        networks.iter().map(|n| OnDevice::from_host(kernels, n)).collect::<Result<_>>()?;
    let tables = tables(&networks);
    let terms = [(KEY.individual(1), 0.5), (KEY.individual(2), -1.5), (KEY.derive(3), 2.0)]
        .map(|(key, weight)| NoiseTerm { key, weight })
        .to_vec();
    let each = |weights: &[f64]| Weights::Each(weights.to_vec());
    let combine = |weights, noise| Operation::Combine { weights, noise };
    let relative = Noise::Isotropic { sigma: 0.1, scale: Scale::Relative };
    // The last network is of numbers above 0.
    let operations: [(Operation, &[usize]); 14] = [
        (combine(each(&[0.5, -1.5]), relative), &[0, 1]),
        (combine(Weights::Equal, Noise::Diagonal { sigma: 0.1 }), &[0, 1, 3]),
        (combine(Weights::Equal, Noise::Ball), &[0, 1, 2]),
        (Operation::Crossover { noise: Noise::Diagonal { sigma: -0.1 } }, &[0, 1, 3]),
        (Operation::Trial { weights: vec![1.0, 0.7, -0.7], cr: 0.4 }, &[0, 1, 2, 3]),
        (Operation::Velocity { inertia: 0.7, own: 1.4, social: 1.6 }, &[0, 1, 2, 3]),
        (Operation::WeightedNoise { terms: terms.clone() }, &[0]),
        (Operation::SquaredNoise { terms }, &[0]),
        (Operation::Product, &[0, 1]),
        (Operation::Exponential { rate: -0.7 }, &[0, 1]),
        (Operation::Exponential { rate: 300.0 }, &[0, 1]),
        (Operation::AdaptiveStep { rate: -0.1, epsilon: 1e-3 }, &[0, 1, 3]),
        (Operation::Rescale { length: 2.0, at_most: false }, &[0]),
        (Operation::Values((0..weights).map(|i| i as f64 / 3.0).collect()), &[1]),
    ];
    for (operation, which) in operations {
        let mut cpu = [zeros(lengths)];
        let sources: Vec<_> = which.iter().map(|&j| tables[j].clone()).collect();
        build(&operation, &sources, &statistics, KEY, &mut tables_mut(&mut cpu)[0])?;
        let mut out = OnDevice::zeros(kernels, lengths)?;
        let sources: Vec<_> =
            which.iter().map(|&j| on_device[j].read(kernels)).collect::<Result<_>>()?;
        kernels.build(&operation, &sources, &statistics, KEY, &mut out.write(kernels)?)?;
        add(&operation.kind().to_string(), &cpu[0], &out.to_host(kernels)?);
    }
    Ok(())
}
