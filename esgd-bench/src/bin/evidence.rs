//! The experiment behind the default settings: all methods at equal epochs, on paired seeds.

use std::{io::Write, path::Path, process::ExitCode, thread};

use esgd_bench::{
    Result,
    measure::{trial, tune},
    methods::methods,
    summary,
    task::{self, Task},
};
use esgd_models::Workers;

const USAGE: &str = "expected `evidence digits [--seeds N] [--budget small]` or \
                     `evidence fashion DIR [--seeds N] [--budget small]`";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| matches!(arg.as_str(), "-h" | "--help")) {
        println!("Compares methods of training at equal epochs: {USAGE}.");
        return ExitCode::SUCCESS;
    }
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("evidence: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &[String]) -> Result<()> {
    let (mut places, mut seeds, mut small) = (Vec::new(), 5, false);
    let mut args = args.iter().map(String::as_str);
    while let Some(arg) = args.next() {
        match arg {
            "--seeds" => seeds = number(args.next())?,
            "--budget" => match args.next() {
                Some("small") => small = true,
                other => return Err(wrong(&format!("the budget {}", quoted(other)))),
            },
            option if option.starts_with("--") => return Err(wrong(&quoted(Some(option)))),
            place => places.push(place),
        }
    }
    let mut task = match places[..] {
        ["digits"] => task::digits()?,
        ["fashion", dir] => task::fashion(Path::new(dir))?,
        _ => return Err(wrong(&quoted(Some(&places.join(" "))))),
    };
    if small {
        task.budget = task.budget.small();
    }
    compare(&task, seeds)
}

fn number(arg: Option<&str>) -> Result<u64> {
    let seeds = arg.and_then(|arg| arg.parse().ok()).filter(|&seeds| seeds > 0);
    seeds.ok_or_else(|| wrong(&format!("{} as the number of seeds", quoted(arg))))
}

fn quoted(arg: Option<&str>) -> String {
    arg.map_or_else(|| "nothing".into(), |arg| format!("`{arg}`"))
}

fn wrong(what: &str) -> Box<dyn std::error::Error> {
    format!("got {what}, {USAGE}").into()
}

fn compare(task: &Task, seeds: u64) -> Result<()> {
    let workers = Workers::new(thread::available_parallelism().map_or(1, usize::from))?;
    eprintln!("tuning the single runs");
    let tuned = tune(task, &workers)?;
    let mut rows = Vec::new();
    for method in methods(task.budget, tuned) {
        let mut runs = Vec::new();
        for seed in 1..=seeds {
            let run = trial(task, &method, seed, &workers)?;
            eprintln!(
                "{}, seed {seed}: validation loss {:.4}, {} epochs, {:.1} s",
                method.name, run.validation, run.epochs, run.seconds
            );
            runs.push(run);
        }
        rows.push((method, runs));
    }
    let budget = task.budget;
    // A reader who hangs up early, such as `head`, is no error.
    let _ = write!(
        std::io::stdout(),
        "mu = {}, lambda = {}, K = {}, K_s = {}: {} epochs in total, checked for every run; \
         {seeds} seeds; {} threads; single runs tuned to lr {} (one individual's epochs), {} \
         (whole budget) and {} (the best of μ).\n\n{}",
        budget.mu,
        budget.lambda,
        budget.generations,
        budget.epochs,
        budget.total(),
        workers.count(),
        tuned.short,
        tuned.long,
        tuned.best_of,
        summary::markdown(&rows)
    );
    Ok(())
}
