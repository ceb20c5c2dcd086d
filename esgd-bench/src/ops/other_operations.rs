//! The operations of other evolution strategies, on one thread, next to what one writes in PyTorch.

use std::hint::black_box;

use esgd_core::rng::Key;
use esgd_ops::{
    evolution::{self, Differential, Swarm},
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

/// The forms, what they are called, and the parameters that one run counts for each of λ d: a
/// particle is two networks, its place and its velocity.
const FORMS: [(&str, &str, f64); 7] = [
    ("weighted", "weighted recombination with noise", 1.0),
    ("crossover", "uniform crossover", 1.0),
    ("antithetic", "antithetic pairs", 1.0),
    ("weighted-noise", "weighted sum of noise made anew", 1.0),
    ("trial", "trial vector of differential evolution", 1.0),
    ("particle", "step of a particle swarm", 0.5),
    ("squared-norm", "squared norm", 1.0),
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
    let both = |(form, what, _): &(&str, &str, f64)| [0, 1].map(|i| Entry::new(what, i, form, 1));
    let entries: Vec<_> = FORMS.iter().flat_map(both).collect();
    let seconds = alternate(&mut contestants, &entries, options.rounds);
    let torch = contestants[1].name().unwrap_or("PyTorch");
    let columns =
        ["operation", "esgd-ops, G parameters/s", &format!("{torch}, as written"), "ratio"];
    let mut table = Table::new(&columns);
    for ((_, what, share), seconds) in FORMS.iter().zip(seconds.chunks(2)) {
        let speed = |seconds: &[f64]| significant(share * shape.made() / median(seconds) / 1e9);
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
    FORMS.iter().map(|(form, _, _)| *form)
}

/// The seconds of `repeats` runs of `form` on rayon's current pool, if there is such a form.
pub(super) fn run(form: &str, memory: &mut Memory, repeats: usize) -> Option<f64> {
    match form {
        "weighted" => {
            let weights = vec![1.0 / memory.shape.rho as f32; memory.shape.rho];
            Some(blend(memory, Blend::Weighted(&weights), SIGMA, repeats))
        }
        "crossover" => Some(blend(memory, Blend::Crossover, 0.0, repeats)),
        "antithetic" => Some(antithetic(memory, repeats)),
        "weighted-noise" => Some(weighted_noise(memory, repeats)),
        "trial" => Some(trial(memory, repeats)),
        "particle" => Some(particle(memory, repeats)),
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

fn antithetic(memory: &mut Memory, repeats: usize) -> f64 {
    let sigma = vec![SIGMA; memory.shape.lengths.len()];
    let keys = keys(memory.shape.offspring / 2);
    let population = tables(&memory.population);
    let mut out = tables_mut(&mut memory.out);
    timed(repeats, || {
        evolution::antithetic(black_box(&population[0]), &sigma, &keys, &mut out);
        black_box(&mut out);
    })
}

/// The noise of λ offspring, summed into one network.
fn weighted_noise(memory: &mut Memory, repeats: usize) -> f64 {
    let keys = keys(memory.shape.offspring);
    let weights = vec![0.5; keys.len()];
    let mut out = tables_mut(&mut memory.out);
    timed(repeats, || {
        evolution::weighted_noise(black_box(&keys), &weights, &mut out[0]);
        black_box(&mut out);
    })
}

fn trial(memory: &mut Memory, repeats: usize) -> f64 {
    let population = tables(&memory.population);
    let mut out = tables_mut(&mut memory.out);
    let how = Differential { f: 0.5, cr: 0.9, forced: 0 };
    timed(repeats, || {
        for (k, out) in out.iter_mut().enumerate() {
            let [x, a, b, c] = [0, 1, 2, 3].map(|j| &population[(k + j) % population.len()]);
            evolution::trial(black_box(x), [a, b, c], how, key(k), out);
        }
        black_box(&mut out);
    })
}

/// λ/2 particles, each of two networks.
fn particle(memory: &mut Memory, repeats: usize) -> f64 {
    let population = tables(&memory.population);
    let mut tables = tables_mut(&mut memory.out).into_iter();
    let mut particles = vec![];
    while let (Some(x), Some(v)) = (tables.next(), tables.next()) {
        particles.push([x, v]);
    }
    let swarm = Swarm { inertia: 0.7, own: 1.4, social: 1.4 };
    timed(repeats, || {
        for (k, particle) in particles.iter_mut().enumerate() {
            let own = &population[k % population.len()];
            evolution::particle(particle, black_box(own), &population[0], swarm, key(k));
        }
        black_box(&mut particles);
    })
}

fn norm(memory: &Memory, repeats: usize) -> f64 {
    timed(repeats, || {
        for tensor in memory.out.iter().flatten() {
            black_box(squared_norm(black_box(tensor)));
        }
    })
}

fn keys(n: usize) -> Vec<Key> {
    (0..n).map(key).collect()
}
