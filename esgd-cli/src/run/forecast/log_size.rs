//! How large a run's log will be: what an audit needs of every epoch and offspring is in it.

use esgd_core::Settings;

use super::product;

/// A fitness, with all its digits and what parts it from the next.
const NUMBER: u64 = 20;
/// An individual's name, parents and hyper-parameters.
const INDIVIDUAL: u64 = 220;
/// Its name again, where it is said how it trained.
const TRAINED: u64 = 45;
/// A name in a list.
const NAME: u64 = 10;

/// Bytes of `metrics.jsonl`, about.
pub(super) fn forecast(s: &Settings) -> u64 {
    let digits = |n: usize| u64::from(n.max(1).ilog10()) + 2;
    let individual = INDIVIDUAL + TRAINED + product([s.epochs + 2, NUMBER as usize]);
    let offspring = product([s.rho, digits(s.mu) as usize]) + 3 + NUMBER;
    let step = product([s.lambda, offspring as usize])
        .saturating_add(product([s.mu, (NAME + digits(s.mu + s.lambda)) as usize]));
    let generation = product([s.mu, individual as usize])
        .saturating_add(product([s.evolution_steps, step as usize]))
        .saturating_add(product([s.m, NUMBER as usize]));
    product([s.generations, generation as usize])
}
