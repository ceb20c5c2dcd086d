//! This program as a contestant, `gpu serve`: it answers lines with seconds, as the peers do.

use std::{io::stdin, time::Instant};

use cudarc::driver::CudaSlice;
use esgd_core::rng::{Key, Purpose};
use esgd_ops::{
    cuda::Kernels,
    recombine::{Blend, Offspring},
};

use super::network::{OnDevice, value};
use crate::{Result, ops::shape::Shape};

/// The noise's standard deviation.
const SIGMA: f32 = 0.01;

/// A population and its offspring, on the device.
struct Memory {
    shape: Shape,
    population: Vec<OnDevice>,
    out: Vec<OnDevice>,
}

/// Answers all lines of the standard input.
///
/// # Errors
/// If there is no GPU, or they cannot be read.
pub fn answer_all() -> Result<()> {
    let kernels = Kernels::on_device(0)?;
    println!("ready esgd-ops");
    let mut memory = None;
    for line in stdin().lines() {
        match answer(&kernels, &line?, &mut memory) {
            Ok(answer) => println!("{answer}"),
            Err(error) => println!("error: {error}"),
        }
    }
    Ok(())
}

fn answer(kernels: &Kernels, line: &str, memory: &mut Option<Memory>) -> Result<String> {
    if let Some(shape) = line.strip_prefix("shape ") {
        // What was there goes first: two may not fit.
        *memory = None;
        *memory = Some(Memory::new(kernels, shape.parse()?)?);
        return Ok("ready".into());
    }
    let ["run", form, _, repeats] = line.split_whitespace().collect::<Vec<_>>()[..] else {
        return Err(format!("`{line}` is neither `shape …` nor `run FORM THREADS REPEATS`").into());
    };
    let memory = memory.as_mut().ok_or("there is no shape yet")?;
    let repeats: usize = repeats.parse()?;
    let seconds = match form {
        "offspring" => memory.offspring(kernels, SIGMA, repeats)?,
        "recombination" => memory.offspring(kernels, 0.0, repeats)?,
        "copy" => memory.copy(kernels, repeats)?,
        _ => return Err(format!("there is no form `{form}`").into()),
    };
    Ok(seconds.to_string())
}

impl Memory {
    fn new(kernels: &Kernels, shape: Shape) -> Result<Self> {
        let parent = |j| {
            let tensor = |&n: &usize| (0..n).map(|i| value(i, j)).collect();
            OnDevice::from_host(kernels, &shape.lengths.iter().map(tensor).collect::<Vec<_>>())
        };
        let population = (0..shape.parents).map(parent).collect::<Result<_>>()?;
        let out = (0..shape.offspring).map(|_| OnDevice::zeros(kernels, &shape.lengths));
        let out = out.collect::<Result<_>>()?;
        Ok(Self { shape, population, out })
    }

    fn offspring(&mut self, kernels: &Kernels, sigma: f32, repeats: usize) -> Result<f64> {
        let sigma = vec![sigma; self.shape.lengths.len()];
        let parents: Vec<_> = (0..self.shape.offspring).map(|k| self.shape.parents_of(k)).collect();
        let plan: Vec<_> = parents
            .iter()
            .enumerate()
            .map(|(k, parents)| Offspring {
                parents,
                blend: Blend::Mean,
                sigma: &sigma,
                key: Key::new(1, Purpose::Mutation).individual(k),
            })
            .collect();
        let population: Vec<_> =
            self.population.iter().map(|n| n.read(kernels)).collect::<Result<_>>()?;
        let mut out: Vec<_> =
            self.out.iter_mut().map(|n| n.write(kernels)).collect::<Result<_>>()?;
        timed(kernels, repeats, || Ok(kernels.offspring(&population, &plan, &mut out)?))
    }

    /// Device to device, half as many bytes as the offspring take: read once and written once, that
    /// is as much memory traffic as reading each parent once and writing each offspring once, were
    /// there as many of both.
    fn copy(&mut self, kernels: &Kernels, repeats: usize) -> Result<f64> {
        let half = self.out.len() / 2;
        let (from, to) = self.out.split_at_mut(half);
        timed(kernels, repeats, || {
            for (from, to) in from.iter().zip(to.iter_mut()) {
                for (from, to) in from.tensors().iter().zip(to.tensors_mut()) {
                    copy(kernels, from, to)?;
                }
            }
            Ok(())
        })
    }
}

fn copy(kernels: &Kernels, from: &CudaSlice<f32>, to: &mut CudaSlice<f32>) -> Result<()> {
    Ok(kernels.stream().memcpy_dtod(from, to)?)
}

/// The seconds that `repeats` calls of `work` take on the device.
fn timed(kernels: &Kernels, repeats: usize, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    kernels.stream().synchronize()?;
    let start = Instant::now();
    for _ in 0..repeats {
        work()?;
    }
    kernels.stream().synchronize()?;
    Ok(start.elapsed().as_secs_f64())
}
