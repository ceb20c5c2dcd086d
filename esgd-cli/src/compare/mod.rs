//! `esgd compare`: is it worth it, at equal compute?

pub mod choosing;
pub mod costs;
mod jobs;
mod kept;
pub mod metered;
mod methods;
mod rows;
mod running;
mod statistics;
mod table;
mod trial;
mod verdict;

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use esgd_core::Problem;
use esgd_models::{Workers, data::Splits};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::{
    methods::Method,
    rows::{Against, Difference, Row},
    statistics::Interval,
    table::HEADS,
};

use self::{
    costs::Cost,
    methods::Job,
    rows::Runs,
    running::Context,
    trial::{Outcome, Task, Trial},
};
use crate::{
    commands::args::CompareArgs,
    config::Config,
    failure::Failure,
    files::{
        atomic_file,
        held_folder::HeldFolder,
        lock::Lock,
        own_file::{self, Kind},
        sha256,
    },
    report,
    run::{device, interrupt::Interrupt, task},
    terminal,
};

/// The result of a comparison, as `comparison.json`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Comparison {
    pub network: String,
    /// Multiplications with additions of one sample's forward pass.
    pub macs: u64,
    pub data: String,
    pub train: usize,
    pub fitness: usize,
    pub test: usize,
    /// In forward passes of a sample.
    pub budget: u64,
    pub seeds: Vec<u64>,
    pub rows: Vec<Row>,
    pub verdict: Vec<String>,
    /// The folders of the runs, each with its log.
    pub runs: Vec<Run>,
}

/// Where the log of a run is.
#[derive(Debug, Serialize, Deserialize)]
pub struct Run {
    pub method: Method,
    pub seed: u64,
    pub rate: Option<f64>,
    pub folder: PathBuf,
}

impl Comparison {
    /// The budget in epochs of gradient steps.
    pub fn epochs(&self) -> f64 {
        self.budget as f64 / (costs::STEP as f64 * self.train as f64)
    }
}

/// What a comparison comes to.
const JSON: (&str, Kind) = ("comparison.json", Kind::Json);
const MARKDOWN: (&str, Kind) = ("table.md", Kind::Markdown);
const CSV: (&str, Kind) = ("table.csv", Kind::Csv);

/// The most seeds that are compared.
const MOST_SEEDS: u64 = 10_000;

/// Compares methods.
pub fn run(args: &CompareArgs) -> Result<(), Failure> {
    let config = Config::of(&args.sources, 0)?;
    terminal::renamed(&config.renamed);
    let methods = methods(&args.methods)?;
    if !(1..=MOST_SEEDS).contains(&args.seeds) {
        return Err(Failure::Usage(format!("--seeds {}: expected 1 to {MOST_SEEDS}", args.seeds)));
    }
    let splits = task::splits(&config.data)?;
    let problem = task::problem(&config, &splits)?.on(device::named(&config.run.device)?);
    let costs = Cost::of(&problem);
    let budget = match &args.budget {
        Some(text) => costs.parse(text)?,
        None => costs.run(&config.settings) + costs.choosing(config.settings.mu + 1),
    };
    let name = task::name(&config);
    let out = args.out.clone().unwrap_or_else(|| Path::new("comparisons").join(name));
    let made = atomic_file::create_folders(&out);
    made.map_err(|e| Failure::Failed(format!("cannot make the folder {}: {e}", out.display())))?;
    let _lock = Lock::take(&out)?;
    let held = HeldFolder::of(&out);
    let held = held.map_err(|e| Failure::Failed(format!("cannot use {}: {e}", out.display())))?;
    // Not after all has run.
    for (name, kind) in [JSON, MARKDOWN, CSV, (report::PAGE, Kind::Page)] {
        own_file::check(&out.join(name), kind)?;
    }
    let first = config.settings.seed;
    // A config has no larger numbers.
    let last = first.checked_add(args.seeds - 1).filter(|last| i64::try_from(*last).is_ok());
    let last = last.ok_or_else(|| {
        Failure::Usage(format!(
            "--seeds {}: they would go from {first} on beyond {}, the largest seed; begin with a smaller --seed",
            args.seeds,
            i64::MAX
        ))
    })?;
    let seeds: Vec<u64> = (first..=last).collect();
    let task = Task {
        data: fingerprint(&splits)?,
        rest: format!("{:?}\n{}\n{}", problem.task(), problem.objective(), config.run.device),
    };
    let interrupt = Interrupt::listen()?;
    let bar = bar(args.quiet || args.json);
    let bench = Context {
        config: &config,
        problem: &problem,
        splits: &splits,
        held: &held,
        interrupt: &interrupt,
        bar: &bar,
    };
    let series = Grid {
        bench,
        threads: config.run.threads(),
        lines: !args.quiet && !args.json,
        out: &out,
        budget,
        task,
    };
    let (runs, folders) = series.run(&methods, &seeds, costs)?;
    bar.finish_and_clear();
    let rows = rows::rows(&runs, budget, problem.task().macs());
    let verdict = verdict::sentences(&rows, &runs, seeds.len());
    let comparison = Comparison {
        network: problem.task().name().to_owned(),
        macs: problem.task().macs(),
        data: task::name(&config),
        train: problem.train().len(),
        fitness: problem.fitness_data().len(),
        test: splits.test.len(),
        budget,
        seeds,
        rows,
        verdict,
        runs: folders,
    };
    let json =
        serde_json::to_string_pretty(&comparison).map_err(|e| Failure::Failed(e.to_string()))?;
    let json = terminal::lines(&json).into_owned();
    let texts = [(JSON, json.clone()), (MARKDOWN, comparison.markdown()), (CSV, comparison.csv())];
    for ((name, kind), text) in texts {
        own_file::write(&out.join(name), text.as_bytes(), kind)?;
    }
    report::write(&out, std::slice::from_ref(&out))?;
    if args.json {
        terminal::print(&format!("{json}\n"))?;
    } else if !args.quiet {
        terminal::print(&format!("{}\n\n{comparison}\n", comparison.heading()))?;
        terminal::line(&format!(
            "Saved in {}: report.html, figures, table.md, table.csv, comparison.json, runs",
            out.display()
        ))?;
    }
    Ok(())
}

/// The methods that are asked for, or all.
fn methods(names: &[String]) -> Result<Vec<Method>, Failure> {
    let mut asked = names.iter().map(|n| Method::named(n.trim())).collect::<Result<Vec<_>, _>>()?;
    if asked.is_empty() {
        return Ok(Method::ALL.to_vec());
    }
    asked.sort();
    asked.dedup();
    Ok(asked)
}

/// What the data are, so that results on others are not taken for theirs.
fn fingerprint(splits: &Splits) -> Result<String, Failure> {
    let mut hash = Sha256::new();
    for part in [&splits.train, &splits.validation, &splits.test] {
        part.visit_contents(|bytes| hash.update(bytes))?;
    }
    Ok(sha256::hex(hash))
}

/// A bar of forward passes, without a length yet.
pub fn bar(silent: bool) -> ProgressBar {
    let bar = ProgressBar::new(0);
    if silent || !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    } else {
        bar.enable_steady_tick(Duration::from_millis(200));
    }
    if let Ok(style) =
        ProgressStyle::with_template("[{bar:24}] {percent:>3}%  {msg}  {eta_precise} left")
    {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

/// All runs of a comparison.
struct Grid<'a> {
    bench: Context<'a>,
    threads: usize,
    /// Whether a line is printed for each run.
    lines: bool,
    out: &'a Path,
    budget: u64,
    task: Task,
}

impl Grid<'_> {
    fn run(
        &self,
        methods: &[Method],
        seeds: &[u64],
        costs: Cost,
    ) -> Result<(Vec<Runs>, Vec<Run>), Failure> {
        let dir = self.out.join("runs");
        let mut trials: Vec<(Trial, Option<Outcome>)> = vec![];
        let mut unused = vec![];
        for &method in methods {
            let jobs = method.jobs(self.bench.config, costs, self.budget)?;
            let rates = &self.bench.config.compare.rates;
            for &seed in seeds {
                for (i, job) in jobs.iter().enumerate() {
                    let rate = method.tries_rates().then(|| rates[i]);
                    let budget = match (method, job) {
                        (Method::Tuned, Job::Evolve(settings)) => costs.run(settings),
                        _ => self.budget,
                    };
                    let trial = Trial::new((method, rate), job, seed, budget, &self.task, &dir);
                    match trial.kept() {
                        Ok(kept) => trials.push((trial, kept)),
                        Err(why) => unused.push(why),
                    }
                }
            }
        }
        if let Some(first) = unused.first() {
            let others = match unused.len() {
                1 => String::new(),
                n => format!("; nor are {} more", n - 1),
            };
            return Err(Failure::Failed(format!("{first}{others}")));
        }
        self.run_missing(&mut trials)?;
        let of_method = |&method: &Method| {
            let of_seed = |seed: &u64| {
                let of = |(trial, _): &&(Trial, Option<Outcome>)| {
                    trial.method == method && trial.seed == *seed
                };
                trials.iter().filter(of).filter_map(|(_, outcome)| outcome.clone()).collect()
            };
            Runs { method, seeds: seeds.iter().map(of_seed).collect() }
        };
        let runs = methods.iter().map(of_method).collect();
        let folder = |(trial, _): (Trial, Option<Outcome>)| Run {
            method: trial.method,
            seed: trial.seed,
            rate: trial.rate,
            folder: trial.folder.strip_prefix(self.out).unwrap_or(&trial.folder).into(),
        };
        Ok((runs, trials.into_iter().map(folder).collect()))
    }

    /// Runs what was not run before, narrow runs first: as many side by side as have a thread for each of
    /// their networks.
    fn run_missing(&self, trials: &mut [(Trial, Option<Outcome>)]) -> Result<(), Failure> {
        let mut by_width: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for (trial, outcome) in trials.iter_mut().filter(|(_, outcome)| outcome.is_none()) {
            self.bench.bar.inc_length(trial.budget);
            by_width.entry(trial.job.width()).or_default().push((&*trial, outcome));
        }
        for (width, trials) in by_width {
            self.run_side_by_side(trials, width)?;
            self.interrupted()?;
        }
        Ok(())
    }

    fn run_side_by_side(
        &self,
        trials: Vec<(&Trial, &mut Option<Outcome>)>,
        width: usize,
    ) -> Result<(), Failure> {
        let lanes = (self.threads / width).clamp(1, trials.len().max(1));
        let workers = (0..lanes)
            .map(|i| Workers::new(self.threads / lanes + usize::from(i < self.threads % lanes)))
            .collect::<Result<Vec<_>, _>>()?;
        let queue = Mutex::new(trials.into_iter());
        let failure = Mutex::new(None);
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let failed = || failure.lock().unwrap_or_else(PoisonError::into_inner);
        thread::scope(|scope| {
            for workers in &workers {
                scope.spawn(|| {
                    while let Some((trial, outcome)) = next() {
                        if failed().is_some() || self.bench.interrupt.is_raised() {
                            return;
                        }
                        match self.run_one(trial, workers) {
                            Ok(done) => *outcome = done,
                            Err(why) => *failed() = Some(why),
                        }
                    }
                });
            }
        });
        failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }

    fn run_one(&self, trial: &Trial, workers: &Workers) -> Result<Option<Outcome>, Failure> {
        self.bench.bar.set_message(trial.title());
        let outcome = self.bench.run(trial, workers)?;
        if let (Some(outcome), true) = (&outcome, self.lines) {
            let test = outcome.best.test;
            let test = test.map_or(String::new(), |test| format!(", test {:.4}", test.loss));
            let line = format!(
                "{}: loss {:.4}{test}, {:.1} s",
                trial.title(),
                outcome.best.fitness,
                outcome.seconds
            );
            match self.bench.bar.is_hidden() {
                true => terminal::say(&line),
                false => self.bench.bar.println(terminal::one_line(&line)),
            }
        }
        Ok(outcome)
    }

    fn interrupted(&self) -> Result<(), Failure> {
        let message = || "interrupted; the same command goes on".to_owned();
        self.bench.interrupt.failure(message).map_or(Ok(()), Err)
    }
}
