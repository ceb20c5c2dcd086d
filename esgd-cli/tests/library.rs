//! The library without the program: a run goes on with more generations from its checkpoint, and its log
//! is read and drawn.

use std::{path::Path, time::Instant};

use esgd::{
    config::{Config, Sources},
    report,
    run::{
        Around, Begin, ConfiguredRun, End, Ended, Interrupt, RunFolder, Setting, read_log, restore,
        search,
    },
};

fn config(sets: &[&str]) -> Config {
    let small = [
        "mu=3",
        "m=2",
        "lambda=4",
        "rho=2",
        "epochs=1",
        "start=independent",
        "network.hidden=[4]",
        "data.train=60",
        "data.validation=30",
        "data.test=30",
        "run.control=false",
        "run.threads=2",
    ];
    let sets = small.iter().chain(sets).map(|set| (*set).to_owned()).collect();
    Config::of(&Sources { sets, ..Sources::default() }, 0).unwrap()
}

fn train(config: &Config, folder: &RunFolder, goes_on: bool) -> Ended {
    let setting = Setting::of(config).unwrap();
    let data = setting.splits.fingerprint().unwrap();
    let around = Around { watcher: &(), interrupt: Interrupt::default(), tensorboard: false };
    let run = ConfiguredRun::new(config, &setting, data, folder, Instant::now(), around).unwrap();
    let found = search(folder.path()).unwrap().filter(|_| goes_on);
    let begin = match &found {
        None => Begin::Start(&[]),
        Some(found) => {
            let population = restore(folder.path(), found, &setting.problem, &|_| ()).unwrap();
            Begin::Checkpoint(found, Box::new(population))
        }
    };
    run.run(begin).unwrap()
}

fn generations(folder: &Path) -> Vec<usize> {
    let log = read_log(&folder.join("metrics.jsonl"), 1 << 20).unwrap();
    assert!(log.cut.is_empty());
    log.lines.iter().map(|line| line.report.generation).collect()
}

#[test]
fn a_run_goes_on_and_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let run = |name: &str| RunFolder::create(Some(&dir.path().join(name)), "").unwrap();

    let whole = run("whole");
    let of_four = ["generations=4", "fine_tune.epochs=0"];
    assert!(matches!(train(&config(&of_four), &whole, false).end, End::Complete));
    assert_eq!(generations(whole.path()), [0, 1, 2, 3, 4]);

    let longer = run("longer");
    let of_two = ["generations=2", "fine_tune.epochs=0"];
    assert!(matches!(train(&config(&of_two), &longer, false).end, End::Complete));
    assert!(matches!(train(&config(&of_four), &longer, true).end, End::Complete));
    assert_eq!(generations(longer.path()), [0, 1, 2, 3, 4]);

    let folders = [whole.path().to_owned(), longer.path().to_owned()];
    let request = report::Request { folders: &folders, out: dir.path(), tensorboard: false };
    assert!(report::run(&request).unwrap().figures > 0);
    assert!(dir.path().join("report.html").is_file());
}
