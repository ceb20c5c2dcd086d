//! Runs of a problem that the program does not know: gone on with to the bit, checked, reported, refused.

use std::{
    cell::RefCell,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicBool, Ordering},
};

use esgd::{Error, Session, report, verify};
use esgd_core::{
    Function, Observer, Outcome, Report, Settings, TestFunction, guarantee::PopulationRecord,
    settings::Way,
};

#[path = "../examples/session.rs"]
mod example;

fn problem() -> TestFunction {
    TestFunction::new(Function::Rosenbrock, 4)
}

fn settings(way: Way) -> Settings {
    let mut settings = Settings {
        mu: 5,
        lambda: 8,
        m: 3,
        rho: 2,
        generations: 6,
        epochs: 3,
        optimizers: TestFunction::optimizers(),
        ..Settings::paper()
    };
    settings.guarantee.way = way;
    settings
}

/// What a run came to, to the bit.
fn bits(run: &Outcome<TestFunction>) -> (PopulationRecord, Vec<Vec<u32>>) {
    let networks = run.population.individuals().iter().map(|one| one.scored().theta());
    let networks = networks.chain([run.best.scored.theta()]);
    let bits = networks.map(|theta| theta.iter().map(|x| x.to_bits()).collect());
    (run.population.record(), bits.collect())
}

/// The log without its times.
fn log(folder: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    let line = |line: &str| {
        let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
        value.as_object_mut().unwrap().remove("seconds");
        value
    };
    text.lines().map(line).collect()
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry?.file_name()));
        if path.is_dir() { copy(&path, &to)? } else { fs::copy(&path, &to).map(drop)? }
    }
    Ok(())
}

/// After some generation, copies the folder as a process that is killed leaves it, and asks to stop.
struct Breaker<'a> {
    after: usize,
    folder: &'a Path,
    copy: PathBuf,
    stop: AtomicBool,
}

impl Observer for Breaker<'_> {
    fn phase(&self, report: &Report) {
        if report.generation == self.after {
            copy(self.folder, &self.copy).unwrap();
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

/// A run that was stopped after some generation, and a copy of its folder from just before.
fn broken(folder: &Path, settings: &Settings, after: usize) -> PathBuf {
    let copy = folder.with_extension("killed");
    let breaker = Breaker { after, folder, copy, stop: AtomicBool::new(false) };
    let problem = problem();
    let session = Session::new(&problem, settings, folder).checkpoint_share(1.0);
    let run = session.observer(&breaker).stop_when(&breaker.stop).run().unwrap();
    assert!(run.stopped && run.population.generation() == after);
    breaker.copy
}

fn run(folder: &Path, settings: &Settings) -> Result<Outcome<TestFunction>, Error> {
    Session::new(&problem(), settings, folder).checkpoint_share(1.0).run()
}

fn sentence(result: Result<Outcome<TestFunction>, Error>) -> String {
    let message = result.unwrap_err().to_string();
    assert!(!message.contains('\n') && !message.is_empty(), "{message}");
    message
}

#[test]
fn a_run_that_is_stopped_or_killed_goes_on_to_the_same_bits() {
    for way in [Way::BackOff, Way::Archive] {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(way);
        let whole = run(&dir.path().join("whole"), &settings).unwrap();
        for after in [0, 3] {
            let stopped = dir.path().join(format!("stopped{after}"));
            let killed = broken(&stopped, &settings, after);
            for folder in [stopped, killed] {
                let run = run(&folder, &settings).unwrap();
                assert_eq!(bits(&run), bits(&whole), "{way:?}, {}", folder.display());
                assert_eq!(log(&folder), log(&dir.path().join("whole")));
                let checks = verify(&folder).unwrap();
                assert_eq!(checks.len(), 7);
                assert!(checks.iter().all(|check| check.found.is_ok()), "{checks:?}");
            }
        }
    }
}

#[test]
fn a_complete_run_gives_what_it_came_to_and_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(Way::BackOff);
    let first = run(dir.path(), &settings).unwrap();
    let result = fs::read(dir.path().join("run.json")).unwrap();
    let again = run(dir.path(), &settings).unwrap();
    assert_eq!(bits(&again), bits(&first));
    assert_eq!(fs::read(dir.path().join("run.json")).unwrap(), result);
    let result: serde_json::Value = serde_json::from_slice(&result).unwrap();
    assert_eq!((&result["status"], &result["generations"]), (&"complete".into(), &6.into()));
    assert_eq!(result["fitness"], first.best.scored.fitness().get());
}

#[test]
fn a_complete_run_goes_on_with_more_generations() {
    let dir = tempfile::tempdir().unwrap();
    let mut long = settings(Way::Archive);
    long.fine_tune.epochs = 0;
    let short = Settings { generations: 4, ..long.clone() };
    let folder = dir.path().join("run");
    assert_eq!(run(&folder, &short).unwrap().population.generation(), 4);
    let goes_on = run(&folder, &long).unwrap();
    assert_eq!(bits(&goes_on), bits(&run(&dir.path().join("whole"), &long).unwrap()));
    assert!(verify(&folder).unwrap().iter().all(|check| check.found.is_ok()));
    let told = sentence(run(&folder, &short));
    assert!(told.contains("generations = 4, and 6 are complete"), "{told}");
}

#[test]
fn what_is_not_the_run_is_refused_in_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("run");
    let settings = settings(Way::BackOff);
    broken(&folder, &settings, 2);
    let other = Settings { lambda: 9, ..settings.clone() };
    let told = sentence(run(&folder, &other));
    assert!(told.contains("other settings, settings.lambda was 8 and is 9"), "{told}");
    let sphere = TestFunction::new(Function::Sphere, 4);
    let told = sentence(Session::new(&sphere, &settings, &folder).run());
    assert!(told.contains("another problem, measured with \"Rosenbrock in 4"), "{told}");
    let told = sentence(Session::new(&problem(), &settings, &folder).patience(3).run());
    assert!(told.contains("patience was 0 and is 3"), "{told}");

    let new = dir.path().join("new");
    let told = sentence(run(&new, &Settings { m: 9, ..settings.clone() }));
    assert!(told.contains("m = 9 is more than mu = 5") && !new.exists(), "{told}");
    let stop = AtomicBool::new(true);
    let session = Session::new(&sphere, &other, &new).stop_when(&stop);
    assert!(session.run().unwrap().stopped);
    run(&new, &settings).expect("nothing was kept that other settings could spoil");

    let theirs = dir.path().join("theirs");
    fs::create_dir(&theirs).unwrap();
    fs::write(theirs.join("notes.txt"), "mine").unwrap();
    assert!(sentence(run(&theirs, &settings)).contains("is not empty and has no run in it"));
    assert_eq!(fs::read_dir(&theirs).unwrap().count(), 1);
    assert!(verify(&theirs).unwrap_err().to_string().contains("has no run of a session"));

    let trained = dir.path().join("trained");
    let small = ["--set", "generations=1", "--set", "mu=2", "--set", "m=2", "--set", "lambda=2"];
    let out = [&["train", "--quiet", "--set", "run.control=false", "--out"][..], &["trained"]];
    let args: Vec<&str> = [&out.concat()[..], &small].concat();
    let trains = esgd(dir.path(), &args);
    assert!(trains.status.success(), "{trains:?}");
    assert!(sentence(run(&trained, &settings)).contains("go on with that by `esgd resume"));
}

#[test]
fn damage_is_gone_back_behind_or_told_in_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(Way::Archive);
    let whole = run(&dir.path().join("whole"), &settings).unwrap();
    let folder = dir.path().join("run");
    broken(&folder, &settings, 3);
    let entries = fs::read_dir(folder.join("checkpoints")).unwrap();
    let mut manifests: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    manifests.retain(|path| path.extension().is_some_and(|end| end == "json"));
    manifests.sort();
    let damage = |path: &Path| {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    let all = dir.path().join("all");
    copy(&folder, &all).unwrap();
    damage(manifests.last().unwrap());
    assert!(verify(&folder).unwrap().iter().any(|check| check.found.is_err()));
    let (problem, told) = (problem(), RefCell::new(vec![]));
    let notice = |text: &str| told.borrow_mut().push(text.to_owned());
    let again = Session::new(&problem, &settings, &folder).notice(&notice).run().unwrap();
    assert_eq!(bits(&again), bits(&whole));
    let told = told.into_inner();
    assert!(told.len() == 1 && told[0].contains("goes back to an earlier checkpoint"), "{told:?}");
    for path in manifests {
        damage(&all.join("checkpoints").join(path.file_name().unwrap()));
    }
    assert!(sentence(run(&all, &settings)).contains("is whole, so the run cannot go on"));
}

fn esgd(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_esgd")).current_dir(dir).args(args).output().unwrap()
}

#[test]
fn the_program_reports_a_run_that_it_cannot_rebuild_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    run(&dir.path().join("mine"), &settings(Way::BackOff)).unwrap();
    for command in ["verify", "resume", "evaluate"] {
        let output = esgd(dir.path(), &[command, "mine"]);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{command}: {message}");
        assert!(message.contains("does not know and cannot rebuild"), "{command}: {message}");
        assert_eq!(message.trim().lines().count(), 1, "{message}");
    }
    let output = esgd(dir.path(), &["report", "mine"]);
    assert!(output.status.success(), "{output:?}");
    assert!(dir.path().join("mine/report.html").is_file());
}

#[test]
fn the_example_trains_and_its_page_has_figures() {
    let dir = tempfile::tempdir().unwrap();
    let loss = example::train(dir.path()).unwrap();
    assert!(loss < 0.5, "{loss}");
    let page = fs::read_to_string(report::write(dir.path()).unwrap()).unwrap();
    for figure in ["Fitness over generations", "Fitness against work", "Fitness against time"] {
        assert!(page.contains(figure), "{figure}");
    }
    assert!(page.matches("<figure>").count() >= 5, "{}", page.matches("<figure>").count());
    let text = page.split("<script>").next().unwrap();
    assert!(!text.contains("NaN") && !text.contains("inf\""), "a number is none");
    assert_eq!(example::train(dir.path()).unwrap().to_bits(), loss.to_bits());
}
