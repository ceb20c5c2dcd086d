//! `esgd train`.

use std::{path::Path, time::Instant};

use esgd_core::{
    Problem,
    rng::{Key, Purpose},
};
use esgd_models::{Genome, Network, Supervised};

use crate::{
    commands::{args::TrainArgs, ended, progress::Terminal, terminal},
    config::Config,
    failure::Failure,
    run::{
        Around, Begin, ConfiguredRun, Setting,
        folder::{Missing, RunFolder},
        forecast::Forecast,
    },
};

/// Trains a population and leaves a run's folder.
pub(super) fn run(args: &TrainArgs) -> Result<(), Failure> {
    let began = Instant::now();
    let config = Config::of(&args.sources.with(&args.ending.sets()), args.init.len())?;
    terminal::renamed(&config.renamed);
    let setting = Setting::unchecked(&config)?;
    let plan = Forecast::of(&config, &setting, args.init.len())?;
    // What cannot fit cannot be made or tried either.
    if let Err(refusal) = plan.check() {
        if args.plan && !args.quiet {
            show(&plan, args.json)?;
        }
        return Err(refusal);
    }
    let warm_start = warm_start(args, &setting.problem, config.settings.seed)?;
    if args.plan {
        let plan = plan.timed(&config, &setting)?;
        return if args.quiet { Ok(()) } else { show(&plan, args.json) };
    }
    let missing = Missing::of(args.out.as_deref());
    let folder = RunFolder::create(args.out.as_deref(), &config.data.folder_name())?;
    let run = || {
        let data = setting.splits.fingerprint()?;
        let around = Around {
            watcher: &Terminal { silent: args.quiet || args.json },
            interrupt: terminal::interrupt()?,
            tensorboard: args.tensorboard,
        };
        let run = ConfiguredRun::new(&config, &setting, data, &folder, began, around)?;
        let ended = run.run(Begin::Start(&warm_start))?;
        ended::show(ended, &config, &folder, args.quiet, args.json)
    };
    let ended = run();
    if ended.is_err() {
        folder.abandon(&missing);
    }
    ended
}

/// Prints a plan.
fn show(plan: &Forecast, json: bool) -> Result<(), Failure> {
    if json { terminal::json(plan) } else { terminal::print(&plan.to_string()) }
}

/// The networks of --init, in the shapes of this network.
fn warm_start(
    args: &TrainArgs,
    problem: &Supervised<Network>,
    seed: u64,
) -> Result<Vec<Genome>, Failure> {
    if args.init.is_empty() {
        return Ok(Vec::new());
    }
    let shape = problem.init(Key::new(seed, Purpose::Init))?;
    args.init.iter().map(|path| import(path, &shape, args.quiet)).collect()
}

/// A network from a file of any program, in the shapes of `shape`. What had to be done for that is said.
pub(super) fn import(path: &Path, shape: &Genome, quiet: bool) -> Result<Genome, Failure> {
    let import = shape.import(path).map_err(|e| Failure::Usage(e.to_string()))?;
    if let (Some(changes), false) = (import.changes(), quiet) {
        terminal::notice(&format!("{}: {changes}", path.display()));
    }
    Ok(import.genome)
}
