//! `esgd resume`.

use std::{io, path::Path, time::Instant};

use esgd_core::{Effort, Esgd, Population};
use esgd_models::{
    Genome, Network, OptimizerState, Supervised,
    data::Fingerprint,
    regular_file::{self, Links},
};

use crate::{
    commands::{args::ResumeArgs, ended, progress::Terminal, terminal},
    config::Config,
    failure::Failure,
    run::{
        Around, Begin, ConfiguredRun, Setting,
        best_networks::{self, BestNetworks},
        checkpoint::{self, Checkpoints, Found, OfRun, Retention},
        folder::{MOST, RunFolder},
        forecast::Forecast,
        known_data,
        log::Writer,
        restore,
    },
};

/// Goes on with a run.
pub(super) fn run(args: &ResumeArgs) -> Result<(), Failure> {
    let began = Instant::now();
    let folder = RunFolder::open(&args.run)?;
    let found = checkpoint::search(folder.path())?;
    if let Some(found) = &found {
        for damaged in &found.damaged {
            terminal::notice(&format!("going back to checkpoint {}: {damaged}", found.number));
        }
        for damaged in &found.older_damaged {
            terminal::notice(&format!("an older checkpoint is dropped: {damaged}"));
        }
    }
    let (was, config) = configs(args, found.as_ref())?;
    if let Some(refusal) = was.refuses(&config) {
        return Err(refusal);
    }
    if found.is_none() && folder.path().join("best.safetensors").exists() {
        let shown = folder.path().display();
        return Err(Failure::Usage(format!(
            "{shown} has a best network and no checkpoint to go on from: begin a new run with `esgd train --init {shown}/best.safetensors`"
        )));
    }
    if found.is_none() && config.has_warm_start() {
        return Err(Failure::Usage(format!(
            "{} was stopped before its first checkpoint, and the networks that it began from are not in it: begin again with `esgd train --init FILE`",
            folder.path().display()
        )));
    }
    best_networks::check(folder.path(), config.run.keep_best)?;
    let setting = Setting::of(&config)?;
    let data = known_data::to_go_on(found.as_ref(), &setting.splits, &config.data)?;
    Forecast::of(&config, &setting, 0)?.check()?;
    let from = match &found {
        None => {
            terminal::notice(&format!(
                "{} has no checkpoint yet: it begins again",
                folder.path().display()
            ));
            Begin::Start(&[])
        }
        Some(found) => {
            let population =
                restore::restore(folder.path(), found, &setting.problem, &terminal::notice)?;
            refuse_others(folder.path(), population.best().scored.theta())?;
            if found.manifest.data.is_none() {
                terminal::notice(
                    "this run is of a version that did not know data by their contents: from here on their fingerprint is in its checkpoints, and every offspring in its log",
                );
            }
            Esgd::new(&setting.problem, &config.settings)
                .patience(config.run.patience)
                .fits(&population)
                .map_err(|e| Failure::Usage(e.to_string()))?;
            if restore::is_done(&population, &config.settings, config.run.patience)
                && is_complete(folder.path(), &population, config.run.keep_best)
            {
                if found.manifest.data.is_none() {
                    add_fingerprint(&folder, found, &setting.problem, &population, data)?;
                }
                if !regular_file::is_there(&folder.path().join("config.toml")) {
                    folder.write("config.toml", found.manifest.config.as_bytes())?;
                }
                terminal::notice(&format!(
                    "the run in {} is complete; add generations with --set generations=N",
                    folder.path().display()
                ));
                return Ok(());
            }
            Begin::Checkpoint(found, Box::new(population))
        }
    };
    let around = Around {
        watcher: &Terminal { silent: args.quiet || args.json },
        interrupt: terminal::interrupt()?,
        tensorboard: args.tensorboard,
    };
    let ended = ConfiguredRun::new(&config, &setting, data, &folder, began, around)?.run(from)?;
    ended::show(ended, &config, &folder, args.quiet, args.json)
}

/// Refuses files in the places of a run's results that no run wrote.
fn refuse_others(run: &Path, shape: &Genome) -> Result<(), Failure> {
    let theirs = |name: &str, is_ours: &dyn Fn(&[u8]) -> bool| {
        let path = run.join(name);
        match regular_file::read(&path, 8 * shape.len() as u64 + MOST, Links::Refuse) {
            Ok(bytes) if is_ours(&bytes) => Ok(()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            _ => Err(Failure::Usage(format!(
                "{} is not what a run wrote there: move it away, so that it is not overwritten",
                path.display()
            ))),
        }
    };
    theirs("best.safetensors", &|bytes| shape.with_safetensors(bytes).is_ok())?;
    theirs("run.json", &|bytes| {
        let run = serde_json::from_slice::<serde_json::Value>(bytes);
        run.is_ok_and(|run| run.pointer("/versions/esgd").is_some())
    })
}

/// Writes a checkpoint of a complete run once more, with the fingerprint of its data.
fn add_fingerprint(
    folder: &RunFolder,
    found: &Found,
    problem: &Supervised<Network>,
    population: &Population<Genome, OptimizerState>,
    data: Fingerprint,
) -> Result<(), Failure> {
    let log = Writer::new(folder.log(Some(found))?, Some(found), &());
    let of = OfRun { config: found.manifest.config.clone(), data: Some(data) };
    let retention = Retention { keep: found.manifests.len() + 1, share: 1.0 };
    let checkpoints = Checkpoints::new(folder.path(), problem, of, retention, &log, Some(found))?;
    checkpoints.save(population).map_err(Failure::Failed)
}

/// The config that the run has, and the one that it goes on with.
fn configs(args: &ResumeArgs, found: Option<&Found>) -> Result<(Config, Config), Failure> {
    let file = args.run.join("config.toml");
    let was = match found {
        // The checkpoint's own has a checksum.
        Some(found) => {
            let source = format!("the config of checkpoint {}", found.number);
            Config::with_changes(&found.manifest.config, &source, &[])?
        }
        None => Config::of_run(&file)?,
    };
    let text = regular_file::read(&file, MOST, Links::Refuse);
    let theirs = match &text {
        Ok(text) => !Config::is_of_run(text),
        Err(e) => e.kind() != io::ErrorKind::NotFound,
    };
    if theirs {
        return Err(Failure::Usage(format!(
            "{} is not a config that a run wrote: move it away, the checkpoint has the run's own, and change settings with --set",
            file.display()
        )));
    }
    // As text: a file that was cut may say the same by what is not in it.
    let is_own = |found: &Found| text.is_ok_and(|text| text == found.manifest.config.as_bytes());
    if found.is_some_and(|found| !is_own(found)) {
        terminal::notice(&format!(
            "{} is not what the checkpoint was made with, which is used: change settings with --set",
            file.display()
        ));
    }
    let text = was.to_toml()?;
    let sets = [&args.set[..], &args.ending.sets()].concat();
    let mut config = Config::with_changes(&text, "the run's config", &sets)?;
    terminal::renamed(&config.renamed);
    if let Some(dir) = &args.data {
        config.data.read_from(dir)?;
    }
    if let Some(device) = &args.device {
        config.run.device.clone_from(device);
    }
    Ok((was, config))
}

/// Whether the result of the run is there, and not that of a shorter one.
fn is_complete(
    run: &Path,
    population: &Population<Genome, OptimizerState>,
    keep_best: usize,
) -> bool {
    let spent = || {
        let text = regular_file::read(&run.join("run.json"), MOST, Links::Refuse).ok()?;
        let run = serde_json::from_slice::<serde_json::Value>(&text).ok()?;
        let complete = run.get("status")?.as_str()? == "complete";
        complete.then(|| serde_json::from_value::<Effort>(run.get("spent")?.clone()).ok())?
    };
    spent() == Some(population.effort())
        && regular_file::is_there(&run.join("best.safetensors"))
        && best_networks::are_there(run, BestNetworks::of(population, keep_best).list.len())
}
