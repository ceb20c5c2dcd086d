//! Offspring by every blend, from both kernels.

use esgd_core::{
    plan::definition,
    rng::{Key, Purpose},
};

use crate::{
    networks::{Network, address, assert_bits, pointers, shapes, tensor_of_each},
    recombine::{Blend, Offspring},
    shim::{ORDERS, is_there, launch},
    tables::{Layout, Recombination, batches},
};

const KEY: Key = Key::new(0x1234_5678_9ABC, Purpose::Mutation).generation(3);
const WEIGHTS: [f32; 5] = [0.4, 0.3, 0.0, -0.2, 1.7];

/// What a plan is made by, kernel by kernel.
#[derive(Clone, Copy)]
struct How {
    kernel: &'static str,
    /// Blocks in y and z.
    shares: (u32, u32),
    threads: u32,
    order: u32,
}

fn make(offset: u64, lengths: &[usize], parents: usize, plan: &[Offspring<'_>], how: How) {
    let layout = Layout::new(offset, lengths).unwrap();
    let mut population: Vec<_> =
        (0..parents).map(|j| Network::random(lengths, j % 3 / 2, j)).collect();
    let mut out: Vec<_> = plan.iter().map(|_| Network::unwritten(lengths, 0)).collect();
    // One output that no read or write of sixteen bytes fits.
    if let Some(last) = out.last_mut() {
        *last = Network::unwritten(lengths, 1);
    }
    let addresses: Vec<_> = population.iter_mut().flat_map(Network::addresses).collect();
    let outputs: Vec<_> = out.iter_mut().map(Network::addresses).collect();
    for batch in batches(plan, parents, lengths.len()).unwrap() {
        let rows = batch.rows(plan, &outputs, lengths.len());
        let arguments = Recombination {
            layout: pointers(&layout),
            population: address(&addresses),
            rows: address(&rows),
            children: address(&batch.children),
            choices: address(&batch.choices),
            lists: address(&batch.lists),
            weights: address(&batch.weights),
            rounds: std::ptr::from_ref(&batch.rounds) as u64,
            parents: parents as u32,
            count: batch.children.len() as u32,
            tensors: lengths.len() as u32,
        };
        let blocks = (layout.tiles.len() as u32, how.shares.0, how.shares.1);
        // SAFETY: The tables above are the kernel's, and of the sizes that the layout says.
        unsafe { launch(how.kernel, &arguments, blocks, how.threads, how.order) };
    }
    let population: Vec<_> = population.iter().map(Network::values).collect();
    let tensors = tensor_of_each(lengths);
    for (j, (child, out)) in plan.iter().zip(&out).enumerate() {
        let expected = (0..tensors.len()).map(|n| {
            let i = offset + n as u64;
            let values: Vec<_> = child.parents.iter().map(|&p| population[p][n]).collect();
            let blended = match child.blend {
                Blend::Mean => definition::mean(&values),
                Blend::Weighted(weights) => definition::weighted(&values, weights),
                Blend::Crossover => definition::crossover(&values, child.key, i),
            };
            definition::mutate(blended, child.sigma[tensors[n]], child.key, i)
        });
        let what = format!(
            "{} of {lengths:?} after {offset}, offspring {j}, {:?}, {} threads, order {}",
            how.kernel, how.shares, how.threads, how.order
        );
        assert_bits(&what, &out.values(), expected);
    }
}

/// Offspring of 1 to `most` parents by every blend, with σ and without.
fn any_plan<'a>(
    most: usize,
    lists: &'a [Vec<usize>],
    sigmas: &'a [Vec<f32>],
) -> Vec<Offspring<'a>> {
    let mut plan = vec![];
    for (j, parents) in lists.iter().take(most).enumerate() {
        let blends = [Blend::Mean, Blend::Weighted(&WEIGHTS[..parents.len()]), Blend::Crossover];
        for (b, blend) in blends.into_iter().enumerate() {
            let key = KEY.individual(3 * j + b);
            plan.push(Offspring { parents, blend, sigma: &sigmas[(j + b) % sigmas.len()], key });
        }
    }
    plan
}

fn lists() -> Vec<Vec<usize>> {
    vec![vec![1], vec![0, 2], vec![2, 2, 1], vec![0, 1, 2, 0], vec![2, 1, 0, 1, 1]]
}

/// Two rows of σ with a tensor here and there that is not mutated, and one of none at all.
fn sigmas(tensors: usize) -> Vec<Vec<f32>> {
    let some = |skip: usize| {
        (0..tensors).map(|t| if t % 3 == skip { 0.0 } else { 0.01 * (t + 1) as f32 }).collect()
    };
    vec![some(1), some(2), vec![0.0; tensors]]
}

#[test]
fn offspring_are_the_definitions() {
    if !is_there() {
        return;
    }
    let lists = lists();
    for (k, (offset, lengths)) in shapes().into_iter().enumerate() {
        let sigmas = sigmas(lengths.len());
        for kernel in ["recombine_staged", "recombine_direct"] {
            let threads = [64, 7, 32][k % 3];
            let how = How { kernel, shares: (1 + k as u32 % 4, 1), threads, order: k as u32 % 4 };
            make(offset, &lengths, 3, &any_plan(5, &lists, &sigmas), how);
        }
    }
}

#[test]
fn no_grid_and_no_order_changes_a_bit() {
    if !is_there() {
        return;
    }
    let (lists, lengths) = (lists(), [2, 1021, 40]);
    let sigmas = sigmas(lengths.len());
    let plan = any_plan(3, &lists, &sigmas);
    for shares in [(1, 1), (4, 2), (3, 9), (5, 64)] {
        for threads in [1, 33, 64] {
            for order in ORDERS {
                for kernel in ["recombine_staged", "recombine_direct"] {
                    make(1, &lengths, 3, &plan, How { kernel, shares, threads, order });
                }
            }
        }
    }
}

#[test]
fn offspring_of_many_seeds_and_many_parents() {
    if !is_there() {
        return;
    }
    let lengths = [33, 130];
    let sigmas = sigmas(2);
    let lists: Vec<Vec<usize>> = vec![(0..24).collect(), vec![23, 0], vec![7]];
    let mut plan = vec![];
    for (j, parents) in lists.iter().enumerate() {
        for blend in [Blend::Mean, Blend::Crossover] {
            let key = Key::new(j as u64 % 2, Purpose::Mutation).individual(plan.len());
            plan.push(Offspring { parents, blend, sigma: &sigmas[j], key });
        }
    }
    for kernel in ["recombine_staged", "recombine_direct"] {
        make(0, &lengths, 24, &plan, How { kernel, shares: (4, 1), threads: 64, order: 2 });
    }
    make(
        0,
        &lengths,
        1,
        &[],
        How { kernel: "recombine_staged", shares: (1, 1), threads: 64, order: 0 },
    );
}
