//! `run.json` of a run whose problem the program does not know: what needs no data.

use std::{collections::BTreeMap, time::Duration};

use esgd_core::{Effort, Fitness, Outcome, Problem};
use serde::Serialize;

use crate::{
    failure::Failure,
    run::summary::{self, Status},
};

#[derive(Serialize)]
struct Best {
    id: String,
    recipe: Option<String>,
    generation: usize,
}

/// The result, in the terms of the program's own runs.
#[derive(Serialize)]
struct RunResult<'a> {
    status: Status,
    generations: usize,
    versions: BTreeMap<&'static str, &'static str>,
    seed: u64,
    seconds: f64,
    objective: String,
    fitness: Fitness,
    best: Best,
    /// Why the strategy has ended the generations, if it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<&'a str>,
    spent: Effort,
}

/// What a run came to, as a file.
pub(crate) fn to_bytes<P: Problem>(
    run: &Outcome<P>,
    seed: u64,
    took: Duration,
) -> Result<Vec<u8>, Failure> {
    let Outcome { best, population, stopped } = run;
    summary::with_checksum(&RunResult {
        status: if *stopped { Status::Stopped } else { Status::Complete },
        generations: population.generation(),
        versions: BTreeMap::from([("esgd", env!("CARGO_PKG_VERSION"))]),
        seed,
        seconds: took.as_secs_f64(),
        objective: population.objective().to_string(),
        fitness: best.scored.fitness(),
        best: Best {
            id: best.id.to_string(),
            recipe: best.hyper.as_ref().map(ToString::to_string),
            generation: best.at.generation,
        },
        ended: population.ended(),
        spent: population.effort(),
    })
}
