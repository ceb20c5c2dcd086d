//! `esgd evaluate RUN`: the best network of a run, on all data, and against the recorded fitness.

use std::fs;

use esgd_core::{
    Fitness, Problem,
    rng::{Key, Purpose},
};
use esgd_models::Evaluation;
use serde::Serialize;

use crate::{
    args::EvaluateArgs, config::Config, device, failure::Failure, summary::Cells, task, terminal,
};

#[derive(Serialize)]
struct Evaluations {
    train: Evaluation,
    validation: Option<Evaluation>,
    test: Option<Evaluation>,
}

/// Evaluates the best network of a run.
pub fn evaluate(args: &EvaluateArgs) -> Result<(), Failure> {
    let mut config = Config::of_run(&args.run.join("config.toml"))?;
    if let Some(dir) = &args.data {
        config.data.read_from(dir)?;
    }
    let trained_on = config.run.device.clone();
    let device = args.device.as_ref().unwrap_or(&trained_on);
    let splits = task::splits(&config.data)?;
    let problem = task::problem(&config, &splits)?.on(device::named(device)?);
    let path = args.run.join("best.safetensors");
    let shown = path.display();
    let bytes = fs::read(&path)
        .map_err(|e| Failure::Failed(format!("cannot read {shown}: {e}; has the run finished?")))?;
    let shape = problem.init(Key::new(0, Purpose::Init))?;
    let theta =
        shape.with_safetensors(&bytes).map_err(|e| Failure::Failed(format!("{shown}: {e}")))?;

    let on = |data: &esgd_models::data::Dataset| match data.is_empty() {
        true => Ok(None),
        false => problem.evaluate(&theta, data).map(Some),
    };
    let found = Evaluations {
        train: problem.evaluate(&theta, &splits.train)?,
        validation: on(&splits.validation)?,
        test: on(&splits.test)?,
    };
    if args.json {
        terminal::json(&found)?;
    } else {
        let mut table = format!("{:12}{:>10}{:>10}{:>10}\n", "", "loss", "error", "samples");
        let parts =
            [("train", Some(found.train)), ("validation", found.validation), ("test", found.test)];
        for (name, part) in parts {
            if let Some(part) = part {
                table += &format!("{name:12}{}{:>10}\n", Cells(part), part.samples);
            }
        }
        terminal::print(&table)?;
    }
    if *device != trained_on {
        terminal::notice(&format!(
            "trained on {trained_on}, so the fitness on {device} is not compared"
        ));
        return Ok(());
    }
    check(&args.run.join("run.json"), Fitness::new(problem.fitness(&theta)?))
}

/// The fitness must be the recorded one, to the bit, on the machine that recorded it.
fn check(path: &std::path::Path, now: Fitness) -> Result<(), Failure> {
    let recorded = fs::read(path)
        .ok()
        .and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok())
        .and_then(|run| serde_json::from_value::<Fitness>(run.get("fitness")?.clone()).ok());
    match recorded {
        Some(recorded) if recorded != now => Err(Failure::Failed(format!(
            "the fitness is {now} and the run recorded {recorded}: the data, the network or the processor is another"
        ))),
        Some(_) => Ok(()),
        None => {
            terminal::notice(&format!(
                "{} is missing or damaged, so the fitness was not compared",
                path.display()
            ));
            Ok(())
        }
    }
}
