//! The operations of other evolution strategies, on one thread, next to what one writes in PyTorch.

use std::hint::black_box;

use esgd_core::{Noise, NoiseTerm, Operation, Weights};
use esgd_ops::{
    Tensors, TensorsMut, build, evolution,
    norm::squared_norm,
    recombine::{self, Blend, Offspring},
};

use super::{
    memory::{Memory, key, tables, tables_mut},
    options::Options,
    shape::Shape,
    timing::timed,
};
use crate::{
    Result,
    contest::{
        contestant::Contestant,
        rounds::{Entry, alternate, median, paired_ratio},
        table::{Table, count, significant},
    },
};

const SIGMA: f32 = 0.01;

/// The forms, and what they are called.
const FORMS: [(&str, &str); 11] = [
    ("weighted", "weighted recombination with noise"),
    ("crossover", "uniform crossover"),
    ("diagonal", "mutation with a variance for each value"),
    ("weighted-noise", "weighted sum of noise made anew"),
    ("squared-noise", "weighted sum of squared noise made anew"),
    ("trial", "trial vector of differential evolution"),
    ("velocity", "velocity of a particle"),
    ("product", "product"),
    ("exponential", "step sizes, a exp(η b)"),
    ("adaptive-step", "Adam's step"),
    ("squared-norm", "squared norm"),
];

/// Measures and prints the table.
///
/// # Errors
/// If this program cannot be started as a contestant.
pub fn print(options: &Options) -> Result<()> {
    eprintln!("other operations");
    let parameters = if options.quick { 1 << 16 } else { 1 << 22 };
    let shape = Shape { parents: 4, offspring: 8, rho: 2, lengths: vec![parameters] };
    let mut contestants = [Contestant::ours(None)?, Contestant::peer("operations_torch.py")];
    for contestant in &mut contestants {
        contestant.shape(&shape);
    }
    let both = |(form, what): &(&str, &str)| [0, 1].map(|i| Entry::new(what, i, form, 1));
    let entries: Vec<_> = FORMS.iter().flat_map(both).collect();
    let seconds = alternate(&mut contestants, &entries, options.rounds);
    let torch = contestants[1].name().unwrap_or("PyTorch");
    let columns =
        ["operation", "esgd-ops, G parameters/s", &format!("{torch}, as written"), "ratio"];
    let mut table = Table::new(&columns);
    for ((_, what), seconds) in FORMS.iter().zip(seconds.chunks(2)) {
        let speed = |seconds: &[f64]| significant(shape.made() / median(seconds) / 1e9);
        match seconds {
            [Ok(ours), Ok(theirs)] => table.row(&[
                (*what).to_string(),
                speed(ours),
                speed(theirs),
                format!("{}×", significant(paired_ratio(theirs, ours))),
            ]),
            [Ok(ours), Err(why)] => {
                table.row(&[*what, &speed(ours), &format!("skipped: {why}"), "–"]);
            }
            [Err(why), ..] => table.skipped(what, why, columns.len()),
            _ => {}
        }
    }
    table.print(&format!(
        "Other operations, 1 thread, networks of {} parameters, {} rounds:",
        count(parameters),
        options.rounds
    ));
    Ok(())
}

/// The names of the forms.
#[cfg(test)]
pub(super) fn forms() -> impl Iterator<Item = &'static str> {
    FORMS.iter().map(|(form, _)| *form)
}

/// The seconds of `repeats` runs of `form` on rayon's current pool, if there is such a form.
pub(super) fn run(form: &str, memory: &mut Memory, repeats: usize) -> Option<f64> {
    match form {
        "weighted" => {
            let weights = vec![1.0 / memory.shape.rho as f32; memory.shape.rho];
            Some(blend(memory, Blend::Weighted(&weights), SIGMA, repeats))
        }
        "crossover" => Some(blend(memory, Blend::Crossover, 0.0, repeats)),
        "diagonal" => {
            let noise = Noise::Diagonal { sigma: f64::from(SIGMA) };
            Some(built(memory, &Operation::Combine { weights: Weights::Equal, noise }, 2, repeats))
        }
        "weighted-noise" => Some(noise_sum(memory, evolution::weighted_noise, repeats)),
        "squared-noise" => Some(noise_sum(memory, evolution::squared_noise, repeats)),
        "trial" => {
            let operation = Operation::Trial { weights: vec![1.0, 0.5, -0.5], cr: 0.9 };
            Some(built(memory, &operation, 4, repeats))
        }
        "velocity" => {
            let operation = Operation::Velocity { inertia: 0.7, own: 1.4, social: 1.4 };
            Some(built(memory, &operation, 4, repeats))
        }
        "product" => Some(built(memory, &Operation::Product, 2, repeats)),
        "exponential" => Some(built(memory, &Operation::Exponential { rate: 0.1 }, 2, repeats)),
        "adaptive-step" => {
            let operation = Operation::AdaptiveStep { rate: -0.1, epsilon: 1e-8 };
            Some(built(memory, &operation, 3, repeats))
        }
        "squared-norm" => Some(norm(memory, repeats)),
        _ => None,
    }
}

fn blend(memory: &mut Memory, blend: Blend<'_>, sigma: f32, repeats: usize) -> f64 {
    let sigma = vec![sigma; memory.shape.lengths.len()];
    let parents: Vec<_> = (0..memory.shape.offspring).map(|k| memory.shape.parents_of(k)).collect();
    let child = |(k, parents)| Offspring { parents, blend, sigma: &sigma, key: key(k) };
    let plan: Vec<_> = parents.iter().map(Vec::as_slice).enumerate().map(child).collect();
    let population = tables(&memory.population);
    let mut out = tables_mut(&mut memory.out);
    timed(repeats, || {
        recombine::offspring(black_box(&population), black_box(&plan), &mut out);
        black_box(&mut out);
    })
}

/// Each offspring by an operation of `takes` networks; those that spread or divide take the last of numbers above 0.
fn built(memory: &mut Memory, operation: &Operation, takes: usize, repeats: usize) -> f64 {
    let above_zero: Vec<Vec<f32>> = memory.population[0]
        .iter()
        .map(|tensor| tensor.iter().map(|x| x.abs()).collect())
        .collect();
    let population = tables(&memory.population);
    let last: Tensors<'_> = above_zero.iter().map(Vec::as_slice).collect();
    let statistics = vec![false; memory.shape.lengths.len()];
    let spreads = matches!(operation, Operation::Combine { .. } | Operation::AdaptiveStep { .. });
    let source = |k: usize, j: usize| match spreads && j + 1 == takes {
        true => last.clone(),
        false => population[(k + j) % population.len()].clone(),
    };
    let sources = |k: usize| (0..takes).map(|j| source(k, j)).collect::<Vec<_>>();
    let sources: Vec<_> = (0..memory.shape.offspring).map(sources).collect();
    let mut out = tables_mut(&mut memory.out);
    timed(repeats, || {
        for (k, (sources, out)) in sources.iter().zip(&mut out).enumerate() {
            let made = build(operation, black_box(sources), &statistics, key(k), out);
            made.expect("the sources are those that the operation takes");
        }
        black_box(&mut out);
    })
}

/// The noise of λ offspring, summed into one network.
fn noise_sum(
    memory: &mut Memory,
    sum: fn(&[NoiseTerm], &mut TensorsMut<'_>),
    repeats: usize,
) -> f64 {
    let term = |k| NoiseTerm { key: key(k), weight: 0.5 };
    let terms: Vec<_> = (0..memory.shape.offspring).map(term).collect();
    let mut out = tables_mut(&mut memory.out);
    timed(repeats, || {
        sum(black_box(&terms), &mut out[0]);
        black_box(&mut out);
    })
}

fn norm(memory: &Memory, repeats: usize) -> f64 {
    timed(repeats, || {
        for tensor in memory.out.iter().flatten() {
            black_box(squared_norm(black_box(tensor)));
        }
    })
}
