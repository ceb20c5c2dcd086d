//! This program as a contestant, `ops serve`: it answers lines with seconds, as the peers do.
//!
//! Instructions are counted in this way too: here those of 40.96 million normals, less those of the
//! start, which a run with 0 repeats shows. Where a virtual machine has no counters, `valgrind
//! --tool=callgrind --callgrind-out-file=/dev/null` counts instead, without AVX-512.
//!
//! ```text
//! printf 'shape 1 1 1 4096\nrun normals 1 10000\n' | perf stat -e instructions:u ops serve
//! ```

use std::{
    collections::{BTreeMap, btree_map::Entry},
    hint::black_box,
    io::stdin,
};

use esgd_ops::{
    Isa, noise,
    recombine::{self, Blend, Offspring},
};
use rayon::{ThreadPool, ThreadPoolBuilder, prelude::*};

use super::{
    memory::{Memory, key, tables, tables_mut},
    other_operations,
    shape::Shape,
    timing::timed,
};
use crate::Result;

/// The noise's standard deviation.
const SIGMA: f32 = 0.01;

/// Numbers in a first-level cache: 16 KiB.
const CACHED: usize = 1 << 12;

/// Numbers that one thread copies at a time: 1 MiB.
const COPIED: usize = 1 << 18;

/// Answers all lines of the standard input.
///
/// # Errors
/// If they cannot be read.
pub fn answer_all() -> Result<()> {
    println!("ready {}", Isa::best());
    let (mut memory, mut pools) = (None, BTreeMap::new());
    for line in stdin().lines() {
        match answer(&line?, &mut memory, &mut pools) {
            Ok(answer) => println!("{answer}"),
            Err(why) => println!("error: {why}"),
        }
    }
    Ok(())
}

fn answer(
    line: &str,
    memory: &mut Option<Memory>,
    pools: &mut BTreeMap<usize, ThreadPool>,
) -> Result<String> {
    if let Some(shape) = line.strip_prefix("shape ") {
        let shape: Shape = shape.parse()?;
        // Two populations at once could be too much.
        *memory = None;
        *memory = Some(Memory::new(shape));
        return Ok("ready".into());
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["run", form, threads, repeats] = words[..] else {
        return Err(format!("`{line}` is no `shape …` and no `run FORM THREADS REPEATS`").into());
    };
    let memory = memory.as_mut().ok_or("there is no shape yet")?;
    let (threads, repeats) = (threads.parse()?, repeats.parse()?);
    let pool = match pools.entry(threads) {
        Entry::Occupied(pool) => pool.into_mut(),
        Entry::Vacant(place) => {
            place.insert(ThreadPoolBuilder::new().num_threads(threads).build()?)
        }
    };
    let seconds = pool.install(|| run(form, memory, repeats));
    seconds.map(|s| s.to_string()).ok_or_else(|| format!("there is no form `{form}`").into())
}

/// The seconds of `repeats` runs of `form` on rayon's current pool, if there is such a form.
fn run(form: &str, memory: &mut Memory, repeats: usize) -> Option<f64> {
    match form {
        "offspring" => Some(offspring(memory, SIGMA, repeats)),
        "recombination" => Some(offspring(memory, 0.0, repeats)),
        "cached-offspring" => Some(cached_offspring(memory, repeats)),
        "normals" => Some(numbers(memory, noise::normals, repeats)),
        "uniforms" => Some(numbers(memory, noise::uniforms, repeats)),
        "copy" => {
            memory.source();
            Some(copy(memory.copies(false), repeats))
        }
        "copy-parents" => Some(copy(memory.copies(true), repeats)),
        other => other_operations::run(other, memory, repeats),
    }
}

fn offspring(memory: &mut Memory, sigma: f32, repeats: usize) -> f64 {
    let sigma = vec![sigma; memory.shape.lengths.len()];
    let parents: Vec<_> = (0..memory.shape.offspring).map(|k| memory.shape.parents_of(k)).collect();
    let child =
        |(k, parents)| Offspring { parents, blend: Blend::Mean, sigma: &sigma, key: key(k) };
    let plan: Vec<_> = parents.iter().map(Vec::as_slice).enumerate().map(child).collect();
    let population = tables(&memory.population);
    let mut out = tables_mut(&mut memory.out);
    timed(repeats, || {
        recombine::offspring(black_box(&population), black_box(&plan), &mut out);
        black_box(&mut out);
    })
}

/// As many parameters, but of pieces that stay in the cache: what is left when memory costs nothing.
fn cached_offspring(memory: &Memory, repeats: usize) -> f64 {
    let parents: Vec<_> = memory.population.iter().take(memory.shape.rho).collect();
    let length = CACHED.min(parents[0][0].len());
    let parents: Vec<&[f32]> = parents.iter().map(|tensors| &tensors[0][..length]).collect();
    let mut out = vec![0.5; length];
    let pieces = pieces(memory, length);
    timed(repeats, || {
        for piece in 0..pieces {
            let offset = (piece * length) as u64;
            recombine::tensor(black_box(&parents), Blend::Mean, SIGMA, key(0), offset, &mut out);
            black_box(&mut out);
        }
    })
}

/// As many numbers as all offspring have, each piece into the same cached memory.
fn numbers(memory: &Memory, draw: fn(esgd_core::rng::Key, u64, &mut [f32]), repeats: usize) -> f64 {
    let mut out = vec![0.5; CACHED];
    let pieces = pieces(memory, CACHED);
    timed(repeats, || {
        for piece in 0..pieces {
            draw(key(0), (piece * CACHED) as u64, black_box(&mut out));
        }
        black_box(&mut out);
    })
}

/// Pieces of `length` numbers in all offspring together.
fn pieces(memory: &Memory, length: usize) -> usize {
    (memory.shape.offspring * memory.shape.parameters()).div_ceil(length)
}

fn copy(tensors: Vec<(&[f32], &mut [f32])>, repeats: usize) -> f64 {
    let mut pieces: Vec<_> = tensors
        .into_iter()
        .flat_map(|(from, to)| from.chunks(COPIED).zip(to.chunks_mut(COPIED)))
        .collect();
    timed(repeats, || {
        pieces.par_iter_mut().for_each(|(from, to)| to.copy_from_slice(black_box(from)));
        black_box(&mut pieces);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_answers_with_seconds() {
        let (mut memory, mut pools) = (None, BTreeMap::new());
        let mut ask = |line: &str| answer(line, &mut memory, &mut pools);
        assert!(ask("run offspring 1 1").is_err());
        assert_eq!(ask("shape 4 4 2 300 7").unwrap(), "ready");
        let forms = "offspring recombination cached-offspring normals uniforms copy copy-parents";
        for form in forms.split(' ').chain(other_operations::forms()) {
            let seconds: f64 = ask(&format!("run {form} 2 2")).unwrap().parse().unwrap();
            assert!(seconds > 0.0, "{form}");
        }
        for wrong in ["run nothing 1 1", "run offspring one 1", "shape 0", "hello"] {
            assert!(ask(wrong).is_err(), "{wrong}");
        }
    }
}
