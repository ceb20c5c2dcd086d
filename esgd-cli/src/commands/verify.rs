//! `esgd verify`: whether a run's folder is what a run left there, with its guarantee kept.
//!
//! Every number is derived again: the log from its own account of each step, `run.json` and the files of
//! networks from the last checkpoint and the data. Checksums have no key: they tell damage and mistakes, and
//! do not keep out somebody who writes them anew.

use esgd_core::{Fitness, Problem};

use crate::{
    commands::{args::VerifyArgs, terminal},
    config::Config,
    failure::Failure,
    files::lock::Lock,
    run::{
        checkpoint::{self, Found},
        known_data, log, restore,
        setting::Setting,
        verify::{self, Check, claims, result::Checked},
    },
};

/// A check's name, and what it found.
type Named = (&'static str, Result<String, String>);

/// Checks a run's folder.
pub(super) fn run(args: &VerifyArgs) -> Result<(), Failure> {
    if args.contrast {
        terminal::notice("--contrast is called --control now; the name of before still works");
    }
    let run = &args.run;
    // It would change while it is looked at.
    Lock::check(run)?;
    let file = Config::of_run(&run.join("config.toml"));
    let found = checkpoint::search(run);
    let whole = found.as_ref().ok().and_then(Option::as_ref);
    let mut config = match (whole, &file) {
        // It has a checksum.
        (Some(found), _) => Config::with_changes(&found.manifest.config, "the checkpoint", &[])?,
        (None, Ok(config)) => config.clone(),
        (None, Err(_)) => return file.map(|_| ()),
    };
    if let Some(dir) = &args.data {
        config.data.read_from(dir)?;
    }
    let logged = claims::read(&run.join(log::NAME), whole.map(|found| &found.manifest.metrics));
    let lines = logged.as_ref().map(|(lines, _)| &lines[..]).unwrap_or_default();
    let mut checks = verify::without_problem(run, &found, &config.settings, &logged);
    match (whole, &found) {
        (Some(found), _) => {
            // Of before logs held an audit, and results the fingerprint of the data.
            let old = lines.last().is_none_or(|line| line.report.trace.is_empty());
            let of_networks = networks(args, &config, found, old);
            checks.extend(of_networks.into_iter().map(Check::of));
        }
        // Networks that no checkpoint vouches for.
        (None, _) if run.join("best.safetensors").exists() || run.join("run.json").exists() => {
            let why = "there is no checkpoint to compare the result and its networks with";
            checks.push(Check { name: "result", found: Err(why.into()) });
        }
        (None, _) => checks.push(Check { name: "result", found: Ok("there is none yet".into()) }),
    }
    let mut printed = Ok(());
    for Check { name, found: result } in &checks {
        printed = printed.and(match result {
            Ok(what) if !args.quiet => terminal::line(&format!("ok      {name:14}{what}")),
            Ok(_) => Ok(()),
            Err(why) => terminal::line(&format!("FAILED  {name:14}{why}")),
        });
    }
    let failed: Vec<_> =
        checks.iter().filter(|check| check.found.is_err()).map(|check| check.name).collect();
    match failed.is_empty() {
        true => printed,
        false => Err(Failure::Failed(format!(
            "{} is not as a run left it: {} of {} checks failed ({})",
            run.display(),
            failed.len(),
            checks.len(),
            failed.join(", ")
        ))),
    }
}

/// The checks that need the data and the networks of the last checkpoint.
fn networks(args: &VerifyArgs, config: &Config, found: &Found, old: bool) -> Vec<Named> {
    let checks = || -> Result<Vec<Named>, Failure> {
        let setting = Setting::of(config)?;
        let other = found
            .manifest
            .data
            .as_ref()
            .map_or(Ok(None), |was| known_data::between(was, &setting.splits, &config.data))?;
        let data = match (other, &found.manifest.data) {
            (Some(difference), _) => Err(difference),
            (None, Some(_)) => Ok("training, validation and test data are those of the run".into()),
            (None, None) => {
                Ok("the run is of before their fingerprint was kept; `esgd resume` adds it".into())
            }
        };
        let population = restore::population(&args.run, found, &setting.problem)?;
        let population = match population {
            Ok(population) => population,
            Err(why) => return Ok(vec![("data", data), ("best network", Err(why))]),
        };
        let checked = Checked {
            run: &args.run,
            config,
            setting: &setting,
            old,
            done: restore::is_done(&population, &config.settings, config.run.patience),
            control: args.control || args.contrast,
        };
        let best = population.best().scored;
        let now = setting.problem.fitness(best.theta()).map(Fitness::new)?;
        let fitness = match now == best.fitness() {
            true => Ok(format!("the best network's is {now}, as recorded, to the bit")),
            false => Err(format!(
                "the best network's is {now}, and recorded {}: the data, the network or the processor is another",
                best.fitness()
            )),
        };
        Ok(vec![
            ("data", data),
            ("fitness", fitness),
            ("networks", checked.networks(&population)),
            ("result", checked.result(population)),
        ])
    };
    checks().unwrap_or_else(|failure| vec![("data", Err(failure.to_string()))])
}
