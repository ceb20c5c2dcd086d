//! Offspring of one launch: the twin of `Child` and `Choice` in `../kernels/recombine.cu`.

use esgd_core::{plan::definition::crossover_key, rng::Key};

use super::{Invalid, RoundKeys, Start, expect};
use crate::recombine::{Blend, Offspring};

const MEAN: u32 = 0;
const WEIGHTED: u32 = 1;
const CROSSOVER: u32 = 2;

/// An offspring.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(crate) struct Child {
    start: Start,
    /// Where its parents and their weights begin in the lists.
    list: u32,
    parents: u32,
    /// One over their number where that is a power of two, else 0.
    share: f32,
    blend: u32,
}

/// The key of an offspring's choices in crossover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Choice {
    start: Start,
    /// The round keys of round 2.
    first: [u32; 2],
}

/// A tensor of an offspring.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(16))]
pub(crate) struct Row {
    /// Its device address.
    out: u64,
    sigma: f32,
}

/// Offspring whose keys share a seed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Batch {
    pub(crate) rounds: RoundKeys,
    pub(crate) children: Vec<Child>,
    /// One for each offspring, or none at all where there is no crossover.
    pub(crate) choices: Vec<Choice>,
    /// The parents of one offspring after another.
    pub(crate) lists: Vec<u32>,
    /// A weight for each entry of `lists`.
    pub(crate) weights: Vec<f32>,
    /// Which offspring of the plan these are.
    pub(crate) which: Vec<usize>,
}

impl Batch {
    /// What the kernel reads of each tensor of `out[offspring][tensor]`, in the order
    /// `[tensor][offspring]`.
    pub(crate) fn rows(
        &self,
        plan: &[Offspring<'_>],
        out: &[Vec<u64>],
        tensors: usize,
    ) -> Vec<Row> {
        let row = |t: usize, j: usize| Row { out: out[j][t], sigma: plan[j].sigma[t] };
        let of = |t: usize| self.which.iter().map(move |&j| row(t, j));
        (0..tensors).flat_map(of).collect()
    }

    fn push(&mut self, j: usize, child: &Offspring<'_>) {
        let (list, parents) = (self.lists.len() as u32, child.parents.len());
        self.lists.extend(child.parents.iter().map(|&p| p as u32));
        self.weights.resize(self.lists.len(), 1.0);
        let blend = match child.blend {
            Blend::Mean => MEAN,
            Blend::Weighted(weights) => {
                self.weights[list as usize..].copy_from_slice(weights);
                WEIGHTED
            }
            Blend::Crossover => CROSSOVER,
        };
        if blend == CROSSOVER {
            let key = crossover_key(child.key);
            self.choices.resize(self.children.len(), Choice::default());
            let choice = Choice { start: key.into(), first: RoundKeys::from(key).first() };
            self.choices.push(choice);
        } else if !self.choices.is_empty() {
            self.choices.push(Choice::default());
        }
        let share = if parents.is_power_of_two() { 1.0 / parents as f32 } else { 0.0 };
        let start = Start::from(child.key);
        self.children.push(Child { start, list, parents: parents as u32, share, blend });
        self.which.push(j);
    }
}

/// The launches that make the offspring of `plan`: one, if their keys share a seed.
pub(crate) fn batches(
    plan: &[Offspring<'_>],
    parents: usize,
    tensors: usize,
) -> Result<Vec<Batch>, Invalid> {
    let mut batches: Vec<Batch> = vec![];
    for (j, child) in plan.iter().enumerate() {
        check(j, child, parents, tensors)?;
        let rounds = RoundKeys::from(child.key);
        let at = batches.iter().position(|batch| batch.rounds == rounds);
        let at = at.unwrap_or_else(|| {
            batches.push(empty(child.key));
            batches.len() - 1
        });
        batches[at].push(j, child);
    }
    let fits = |batch: &Batch| u32::try_from(batch.lists.len()).is_ok();
    expect(batches.iter().all(fits), || "the offspring have 2^32 parents or more".into())?;
    Ok(batches)
}

fn empty(key: Key) -> Batch {
    Batch {
        rounds: key.into(),
        children: vec![],
        choices: vec![],
        lists: vec![],
        weights: vec![],
        which: vec![],
    }
}

fn check(j: usize, child: &Offspring<'_>, parents: usize, tensors: usize) -> Result<(), Invalid> {
    let of = |what: &str, has: usize, expected: usize| {
        format!("offspring {j} has {has} {what}, expected {expected}")
    };
    let rho = child.parents.len();
    expect(rho > 0, || format!("offspring {j} has no parents, expected at least one"))?;
    if let Some(parent) = child.parents.iter().find(|&&p| p >= parents) {
        let sentence = format!("offspring {j} has parent {parent}, expected one below {parents}");
        return Err(Invalid(sentence));
    }
    let sigmas = child.sigma.len();
    expect(sigmas == tensors, || of("sigmas", sigmas, tensors))?;
    if let Blend::Weighted(weights) = child.blend {
        expect(weights.len() == rho, || of("weights", weights.len(), rho))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use esgd_core::rng::Purpose;

    use super::*;

    const KEY: Key = Key::new(7, Purpose::Mutation);

    fn child<'a>(parents: &'a [usize], blend: Blend<'a>, key: Key) -> Offspring<'a> {
        Offspring { parents, blend, sigma: &[0.1, 0.2], key }
    }

    #[test]
    fn offspring_of_one_seed_are_one_launch() {
        let other = Key::new(8, Purpose::Mutation);
        let plan = [
            child(&[0, 1], Blend::Mean, KEY),
            child(&[2], Blend::Crossover, other),
            child(&[1, 2, 0], Blend::Weighted(&[0.5, 0.25, 2.0]), KEY.individual(1)),
        ];
        let batches = batches(&plan, 3, 2).unwrap();
        let which: Vec<_> = batches.iter().map(|batch| batch.which.clone()).collect();
        assert_eq!(which, [vec![0, 2], vec![1]]);
        assert_eq!(batches[0].lists, [0, 1, 1, 2, 0]);
        assert_eq!(batches[0].weights, [1.0, 1.0, 0.5, 0.25, 2.0]);
        assert_eq!((batches[0].choices.len(), batches[1].choices.len()), (0, 1));
        let out = [vec![10, 11], vec![20, 21], vec![30, 31]];
        let rows = batches[0].rows(&plan, &out, 2);
        let rows: Vec<_> = rows.iter().map(|row| (row.out, row.sigma)).collect();
        assert_eq!(rows, [(10, 0.1), (30, 0.1), (11, 0.2), (31, 0.2)]);
    }

    #[test]
    fn each_child_has_its_choice_once_one_crosses_over() {
        let plan = [
            child(&[0], Blend::Mean, KEY),
            child(&[0, 1], Blend::Crossover, KEY.individual(1)),
            child(&[1], Blend::Mean, KEY.individual(2)),
        ];
        let choices = &batches(&plan, 2, 2).unwrap()[0].choices;
        assert_eq!(choices.len(), 3);
        assert!(choices[0] == choices[2] && choices[0] != choices[1]);
    }

    #[test]
    fn what_does_not_fit_is_a_sentence() {
        let fails = |child: Offspring<'_>| batches(&[child], 2, 2).unwrap_err().to_string();
        let none = fails(child(&[], Blend::Mean, KEY));
        assert_eq!(none, "offspring 0 has no parents, expected at least one");
        let stranger = fails(child(&[0, 2], Blend::Mean, KEY));
        assert_eq!(stranger, "offspring 0 has parent 2, expected one below 2");
        let weights = fails(child(&[0, 1], Blend::Weighted(&[1.0]), KEY));
        assert_eq!(weights, "offspring 0 has 1 weights, expected 2");
        let sigmas = fails(Offspring { sigma: &[0.1], ..child(&[0], Blend::Mean, KEY) });
        assert_eq!(sigmas, "offspring 0 has 1 sigmas, expected 2");
    }
}
