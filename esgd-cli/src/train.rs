//! `esgd train`.

use std::{fs, path::PathBuf, time::Instant};

use esgd_core::{
    Problem,
    rng::{Key, Purpose},
};
use esgd_models::{Genome, Network, Supervised, Workers};

use crate::{
    args::TrainArgs,
    config::Config,
    device,
    failure::Failure,
    interrupt::Interrupt,
    plan::Plan,
    run_folder::{Missing, RunFolder},
    session::{From, Session},
    task, terminal,
    time_limit::TimeLimit,
};

/// Trains a population and leaves a run's folder.
pub fn train(args: &TrainArgs) -> Result<(), Failure> {
    let began = Instant::now();
    let mut sources = args.sources.clone();
    sources.set.extend(args.ending.sets());
    let config = Config::of(&sources, args.init.len())?;
    let device = device::named(&config.run.device)?;
    let splits = task::splits(&config.data)?;
    let problem = task::problem(&config, &splits)?.on(device);
    let workers = Workers::new(config.run.threads())?;
    let founders = founders(args, &problem, config.settings.seed)?;
    let plan = Plan::of(&config, &problem, &splits, workers.count(), founders.len())?;
    if args.plan {
        // What cannot fit cannot be tried either.
        let fits = plan.check().is_ok();
        let plan = if fits { plan.timed(&config, &problem, &workers)? } else { plan };
        if !args.quiet {
            show(&plan, args.json)?;
        }
        return plan.check();
    }
    plan.check()?;
    let missing = Missing::of(args.out.as_deref());
    let folder = RunFolder::create(args.out.as_deref(), &task::name(&config))?;
    let run = || {
        let interrupt = Interrupt::listen()?;
        let limit = TimeLimit::watch(config.run.max_time, began, &interrupt)?;
        let session = Session {
            config: &config,
            problem: &problem,
            splits: &splits,
            workers: &workers,
            folder: &folder,
            interrupt: &interrupt,
            limit: &limit,
            quiet: args.quiet,
            json: args.json,
            tensorboard: args.tensorboard,
        };
        session.run(From::Start(&founders))
    };
    let ended = run();
    if ended.is_err() {
        folder.abandon(&missing);
    }
    ended
}

/// Prints a plan.
fn show(plan: &Plan, json: bool) -> Result<(), Failure> {
    if json { terminal::json(plan) } else { terminal::print(&plan.to_string()) }
}

/// The networks of --init, in the shapes of this network.
fn founders(
    args: &TrainArgs,
    problem: &Supervised<Network>,
    seed: u64,
) -> Result<Vec<Genome>, Failure> {
    if args.init.is_empty() {
        return Ok(Vec::new());
    }
    let shape = problem.init(Key::new(seed, Purpose::Init))?;
    let load = |path: &PathBuf| {
        let shown = path.display();
        let bytes =
            fs::read(path).map_err(|e| Failure::Usage(format!("cannot read {shown}: {e}")))?;
        shape.with_safetensors(&bytes).map_err(|e| Failure::Usage(format!("{shown}: {e}")))
    };
    args.init.iter().map(load).collect()
}
