//! Offspring on the device: [`crate::recombine::offspring`] there.

use super::{
    Error, Kernels, Tensor, TensorMut,
    tables::{Recombination, batches, expect, recombination},
    tensors::{check, lengths},
};
use crate::recombine::Offspring;

impl Kernels {
    /// Makes all offspring of a population, each network a table of tensors, as
    /// [`recombine::offspring`](crate::recombine::offspring) does.
    ///
    /// One launch makes all offspring whose keys have the same seed, and reads each parent once.
    ///
    /// # Errors
    /// If the plan does not fit the population, networks differ in shape, or the GPU fails.
    pub fn offspring(
        &self,
        population: &[Vec<Tensor<'_>>],
        plan: &[Offspring<'_>],
        out: &mut [Vec<TensorMut<'_>>],
    ) -> Result<(), Error> {
        let (offspring, outputs) = (plan.len(), out.len());
        let sentence = || format!("there are {outputs} outputs, expected {offspring}");
        expect(offspring == outputs, sentence)?;
        let Some(first) = out.first() else { return Ok(()) };
        let lengths = lengths(first);
        out.iter().try_for_each(|network| check("an output", network, &lengths))?;
        population.iter().try_for_each(|network| check("a parent", network, &lengths))?;
        let batches = batches(plan, population.len(), lengths.len())?;
        let layout = self.layout(0, &lengths)?;
        let parents = population.iter().map(|network| self.addresses(network));
        let parents = self.upload(&parents.collect::<Result<Vec<_>, _>>()?.concat())?;
        let outputs = out.iter().map(|network| self.addresses(network));
        let outputs = outputs.collect::<Result<Vec<_>, _>>()?;
        for batch in batches {
            let rows = self.upload(&batch.rows(plan, &outputs, lengths.len()))?;
            let rounds = self.upload(&[batch.rounds])?;
            let children = self.upload(&batch.children)?;
            let choices = self.upload(&batch.choices)?;
            let lists = self.upload(&batch.lists)?;
            let weights = self.upload(&batch.weights)?;
            let arguments = Recombination {
                layout: layout.pointers(),
                population: parents.address(),
                rows: rows.address(),
                children: children.address(),
                choices: choices.address(),
                lists: lists.address(),
                weights: weights.address(),
                rounds: rounds.address(),
                parents: population.len() as u32,
                count: batch.children.len() as u32,
                tensors: lengths.len() as u32,
            };
            let count = batch.children.len();
            let (kernel, grid) =
                recombination(layout.count, population.len(), count, self.multiprocessors);
            // SAFETY: All tensors have the layout's lengths, all tables are of this batch, and its
            // parents are in the population; the tables live to the end of this block.
            unsafe { self.launch(kernel, grid, &arguments) }?;
        }
        Ok(())
    }
}
