//! `esgd train`.

use std::{fs, path::PathBuf};

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
    run_folder::RunFolder,
    session::{From, Session},
    task, terminal,
};

/// Trains a population and leaves a run's folder.
pub fn train(args: &TrainArgs) -> Result<(), Failure> {
    let config = Config::of(&args.sources, args.init.len())?;
    let device = device::named(&config.run.device)?;
    let splits = task::splits(&config.data)?;
    let problem = task::to_plan(&config, &splits)?.on(device);
    let workers = Workers::new(config.run.threads())?;
    let plan = Plan::of(&config, &problem, &splits, workers.count(), args.init.len())?;
    // What cannot fit cannot be made or tried either.
    if let Err(refusal) = plan.check() {
        if args.plan && !args.quiet {
            show(&plan, args.json)?;
        }
        return Err(refusal);
    }
    let founders = founders(args, &problem, config.settings.seed)?;
    if args.plan {
        let plan = plan.timed(&config, &problem, &workers)?;
        return if args.quiet { Ok(()) } else { show(&plan, args.json) };
    }
    let folder = RunFolder::create(args.out.as_deref(), &task::name(&config))?;
    let interrupt = Interrupt::listen()?;
    Session {
        config: &config,
        problem: &problem,
        splits: &splits,
        workers: &workers,
        folder: &folder,
        interrupt: &interrupt,
        quiet: args.quiet,
        json: args.json,
        tensorboard: args.tensorboard,
    }
    .run(From::Start(&founders))
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
