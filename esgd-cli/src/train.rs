//! `esgd train`.

use std::{
    fs, process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use esgd_core::{
    Error as CoreError, Esgd, Failure as CoreFailure, Problem,
    rng::{Key, Purpose},
};
use esgd_models::{Genome, Network, Supervised, Workers};

use crate::{
    args::TrainArgs, config::Config, contrast, device, failure::Failure, plan::Plan,
    progress::Progress, run_folder::RunFolder, summary::Summary, task,
};

/// Trains a population and leaves a run's folder.
pub fn train(args: &TrainArgs) -> Result<(), Failure> {
    let config = Config::of(args)?;
    let device = device::named(&config.run.device)?;
    let splits = task::splits(&config.data)?;
    let problem = task::problem(&config, &splits)?.on(device);
    let threads = match config.run.threads {
        0 => thread::available_parallelism().map_or(1, Into::into),
        n => n,
    };
    let workers = Workers::new(threads)?;
    let founders = founders(args, &problem, config.settings.seed)?;
    let contrasts = config.run.contrast && founders.is_empty();
    let plan = Plan::of(&config, &problem, &splits, threads, founders.len())?;
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
    let folder = RunFolder::create(args.out.as_deref(), &task::name(&config))?;
    folder.write("config.toml", config.to_toml()?.as_bytes())?;
    let stop = stop_on_interrupt()?;
    let silent = args.quiet || args.json;

    let progress = Progress::new("ESGD", &config.settings, silent, Some(folder.metrics()?));
    let outcome = Esgd::new(&problem, &config.settings)
        .executor(&workers)
        .observer(&progress)
        .founders(&founders)
        .stop_when(&stop)
        .run();
    let (took, log_failed) = progress.finish();
    let outcome = outcome.map_err(|failure| save_what_is_left(&folder, *failure))?;
    folder.write("best.safetensors", &outcome.best.scored.theta().to_safetensors()?)?;
    if let Some(error) = log_failed {
        return Err(Failure::Failed(format!(
            "cannot write metrics.jsonl in {}: {error}; the best network is saved",
            folder.path().display()
        )));
    }
    let mut summary = Summary::of(&outcome, &problem, &splits, &config, &workers, took)?;
    folder.write_json("run.json", &summary)?;
    let stopped = outcome.stopped;
    // The contrast has the memory to itself.
    drop(outcome);
    if contrasts && !stopped {
        summary.contrast =
            contrast::run(&config.settings, &problem, &splits, &workers, &stop, silent)?;
        folder.write_json("run.json", &summary)?;
    }
    if args.json {
        let text =
            serde_json::to_string_pretty(&summary).map_err(|e| Failure::Failed(e.to_string()))?;
        println!("{text}");
    } else if !args.quiet {
        print!("{}", summary.table(&config));
        println!(
            "\nSaved in {}: best.safetensors, config.toml, metrics.jsonl, run.json",
            folder.path().display()
        );
    }
    if stop.load(Ordering::Relaxed) {
        return Err(Failure::Interrupted(format!(
            "interrupted; the best network so far is in {}",
            folder.path().join("best.safetensors").display()
        )));
    }
    Ok(())
}

/// Prints a plan.
fn show(plan: &Plan, json: bool) -> Result<(), Failure> {
    if json {
        let text = serde_json::to_string_pretty(plan);
        println!("{}", text.map_err(|e| Failure::Failed(e.to_string()))?);
    } else {
        print!("{plan}");
    }
    Ok(())
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
    let load = |path: &std::path::PathBuf| {
        let shown = path.display();
        let bytes =
            fs::read(path).map_err(|e| Failure::Usage(format!("cannot read {shown}: {e}")))?;
        shape.with_safetensors(&bytes).map_err(|e| Failure::Usage(format!("{shown}: {e}")))
    };
    args.init.iter().map(load).collect()
}

/// A failed run still has the last complete population: its best is worth keeping.
fn save_what_is_left(folder: &RunFolder, failure: CoreFailure<Supervised<Network>>) -> Failure {
    let reason = match failure.error {
        CoreError::Settings(e) => return Failure::Usage(e.to_string()),
        // candle puts a backtrace behind its first line.
        other => other.to_string().lines().next().unwrap_or_default().to_owned(),
    };
    let saved = failure.population.map(|psi| {
        let best = psi.best();
        let bytes = best.scored.theta().to_safetensors().map_err(Failure::from)?;
        folder.write("best.safetensors", &bytes)
    });
    match saved {
        Some(Ok(())) => Failure::Failed(format!(
            "{reason}; the best network until then is in {}",
            folder.path().join("best.safetensors").display()
        )),
        Some(Err(e)) => {
            Failure::Failed(format!("{reason}; and the best network could not be saved: {e}"))
        }
        None => Failure::Failed(reason),
    }
}

/// The first Ctrl-C asks the run to stop and save; the second ends the program at once.
fn stop_on_interrupt() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            process::exit(130);
        }
        eprintln!("\nesgd: stopping after the current epochs; once more to stop at once");
    })
    .map_err(|e| Failure::Failed(format!("cannot listen for Ctrl-C: {e}")))?;
    Ok(stop)
}
