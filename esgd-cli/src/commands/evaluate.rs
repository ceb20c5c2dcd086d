//! `esgd evaluate RUN [FILE]`: a run's best network against its recorded fitness, or any networks that fit, on
//! all data.

use std::{
    fs,
    path::{Path, PathBuf},
};

use esgd_core::{
    Fitness, Problem,
    rng::{Key, Purpose},
};
use esgd_models::{
    Evaluation, Genome, Network, Predictions, Supervised,
    data::Dataset,
    regular_file::{self, Links},
};
use serde::Serialize;

use crate::{
    commands::{args::EvaluateArgs, terminal, train},
    config::Config,
    failure::Failure,
    run::{checkpoint, folder::MOST, known_data, setting::Setting, summary::Cells},
};

#[derive(Serialize)]
struct Evaluations {
    /// How many networks were evaluated together.
    networks: usize,
    fitness: Fitness,
    train: Evaluation,
    validation: Option<Evaluation>,
    test: Option<Evaluation>,
}

/// Evaluates a run's best network, or others.
pub(super) fn run(args: &EvaluateArgs) -> Result<(), Failure> {
    let mut config = Config::of_run(&args.run.join("config.toml"))?;
    if let Some(dir) = &args.data {
        config.data.read_from(dir)?;
    }
    let trained_on = config.run.device.clone();
    if let Some(device) = &args.device {
        config.run.device.clone_from(device);
    }
    let device = &config.run.device;
    let Setting { splits, problem, .. } = Setting::of(&config)?;
    let networks = networks(args, &problem)?;

    let on = |data: &Dataset| match data.is_empty() {
        true => Ok(None),
        false => together(&problem, &networks, data).map(Some),
    };
    let found = Evaluations {
        networks: networks.len(),
        fitness: fitness(&problem, &networks)?,
        train: together(&problem, &networks, &splits.train)?,
        validation: on(&splits.validation)?,
        test: on(&splits.test)?,
    };
    if args.json {
        terminal::json(&found)?;
    } else {
        terminal::print(&found.table(!args.files.is_empty()))?;
    }
    let checkpoint = || checkpoint::search(&args.run).ok().flatten();
    if let Some(difference) = known_data::difference(&args.run, checkpoint, &splits, &config.data)?
    {
        return Err(Failure::Failed(format!(
            "{difference}; so these figures are not comparable with the run's"
        )));
    }
    if !args.files.is_empty() {
        return Ok(());
    }
    if *device != trained_on {
        terminal::notice(&format!(
            "trained on {trained_on}, so the fitness on {device} is not compared"
        ));
        return Ok(());
    }
    check(&args.run.join("run.json"), found.fitness)
}

/// The run's best network, or those of the files that are named.
fn networks(args: &EvaluateArgs, problem: &Supervised<Network>) -> Result<Vec<Genome>, Failure> {
    let shape = problem.init(Key::new(0, Purpose::Init))?;
    if args.files.is_empty() {
        let path = args.run.join("best.safetensors");
        let shown = path.display();
        // Its header has the names of the tensors and what is said of them.
        let most = 4 * shape.len() as u64 + (16 << 20);
        let bytes = regular_file::read(&path, most, Links::Refuse).map_err(|e| {
            Failure::Failed(format!("cannot read {shown}: {e}; has the run finished?"))
        })?;
        // As a run leaves it, which may have diverged.
        let theta = shape.with_safetensors(&bytes);
        return Ok(vec![theta.map_err(|e| Failure::Failed(format!("{shown}: {e}")))?]);
    }
    let mut paths = vec![];
    for file in &args.files {
        let there = args.run.join(file);
        let path = if !file.exists() && there.exists() { &there } else { file };
        match path.is_dir() {
            true => paths.extend(members(path)?),
            false => paths.push(path.clone()),
        }
    }
    paths.iter().map(|path| train::import(path, &shape, false)).collect()
}

/// The networks of a folder, in the order of their numbers.
fn members(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let shown = folder.display();
    let unreadable = |e| Failure::Usage(format!("cannot read the folder {shown}: {e}"));
    let mut paths = vec![];
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "safetensors") {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(Failure::Usage(format!(
            "{shown} has no networks: expected files that end in .safetensors, as `esgd combine` makes them"
        )));
    }
    let number =
        |path: &PathBuf| path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
    paths.sort_by_cached_key(|path| (number(path).unwrap_or(u64::MAX), path.clone()));
    Ok(paths)
}

/// Loss and error of one network, or of several by the mean of their probabilities.
fn together(
    problem: &Supervised<Network>,
    networks: &[Genome],
    data: &Dataset,
) -> Result<Evaluation, Failure> {
    if let [one] = networks {
        return Ok(problem.evaluate(one, data)?);
    }
    let all = networks.iter().map(|theta| problem.predict(theta, data));
    let all = all.collect::<Result<Vec<_>, _>>()?;
    let mean = Predictions::mean(&all.iter().collect::<Vec<_>>())
        .ok_or_else(|| Failure::Failed("there is no network to evaluate".into()))?;
    Ok(mean.evaluate(data)?)
}

fn fitness(problem: &Supervised<Network>, networks: &[Genome]) -> Result<Fitness, Failure> {
    let evaluation = together(problem, networks, problem.fitness_data())?;
    Ok(Fitness::new(problem.score().of(&evaluation)?))
}

impl Evaluations {
    fn table(&self, with_fitness: bool) -> String {
        let mut table = format!("{:12}{:>10}{:>10}{:>10}\n", "", "loss", "error", "samples");
        let parts =
            [("train", Some(self.train)), ("validation", self.validation), ("test", self.test)];
        for (name, part) in parts {
            if let Some(part) = part {
                table += &format!("{name:12}{}{:>10}\n", Cells(part), part.samples);
            }
        }
        if with_fitness {
            let of = match self.networks {
                1 => String::new(),
                n => format!(" of {n} networks together"),
            };
            table += &format!("fitness{of}: {}\n", self.fitness);
        }
        table
    }
}

/// The fitness must be the recorded one, to the bit, on the machine that recorded it.
fn check(path: &Path, now: Fitness) -> Result<(), Failure> {
    let recorded = regular_file::read(path, MOST, Links::Refuse)
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
