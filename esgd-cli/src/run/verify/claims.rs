//! What the log of a run claims: that none of its lines is missing, that each follows from the one before, and
//! the guarantee, derived from it again.

use std::path::Path;

use esgd_core::{Auditor, EliteMean, Fitness, Objective, Phase, Settings, settings::Way};

use crate::run::log::{self, Extent, Line, Log, LogError};

/// The log of a run, and how much there is of it. A last line that was cut short is left out, if no
/// checkpoint vouches for it.
pub(crate) fn read(path: &Path, vouched: Option<&Extent>) -> Result<(Vec<Line>, String), String> {
    let shown = path.display();
    let log = log::read(path, log::MOST).map_err(|error| match error {
        LogError::Open(e) | LogError::Read { error: e, .. } => format!("cannot read {shown}: {e}"),
        LogError::TooLarge { .. } => format!("cannot read {shown}: {error}"),
        LogError::NoReport { .. } => format!("{shown}: {error}"),
        LogError::OutOfOrder { line, .. } => format!("{shown}: {}", does_not_follow(line)),
    })?;
    let what = whole(&log, vouched).map_err(|e| format!("{shown}: {e}"))?;
    Ok((log.lines, what))
}

/// Whether it is the log of a run from its start on, as long as a checkpoint says, in words.
fn whole(log: &Log, vouched: Option<&Extent>) -> Result<String, String> {
    let Log { lines, bytes, cut } = log;
    if vouched.is_some_and(|extent| extent.bytes > *bytes) {
        return Err("it is shorter than when the last checkpoint was made".into());
    }
    if !cut.is_empty() && !log::is_cut(cut) {
        return Err("what stands behind its last line is no line of a log".into());
    }
    without_gap(lines)?;
    let cut = if cut.is_empty() { "" } else { ", and one that was cut short" };
    Ok(format!("{} lines{cut}", lines.len()))
}

/// No line of a run is missing: a log in order begins with the start, has each generation, and what is spent
/// only grows.
fn without_gap(lines: &[Line]) -> Result<(), String> {
    if lines.first().is_some_and(|line| line.report.phase != Phase::Start) {
        return Err("it does not begin with the start".into());
    }
    for (i, pair) in lines.windows(2).enumerate() {
        let (before, now) = (&pair[0].report, &pair[1].report);
        let step = usize::from(now.phase == Phase::Generation);
        let grows = now.effort.epochs >= before.effort.epochs
            && now.effort.backed_off >= before.effort.backed_off
            && now.effort.offspring >= before.effort.offspring;
        if now.generation != before.generation + step || !grows {
            return Err(does_not_follow(i + 2));
        }
    }
    Ok(())
}

fn does_not_follow(line: usize) -> String {
    format!("line {line} does not follow the one before")
}

/// J(m') never rises, for any m' up to m; with an anchor, the best is never worse than that.
pub(crate) fn guarantee(lines: &[Line], settings: &Settings) -> Result<String, String> {
    let objective = Objective::new("log");
    let mean = |elite: &[Fitness], m| EliteMean::of(elite, m, &objective).value();
    let anchored = settings.guarantee.way == Way::BackOff && settings.guarantee.anchor;
    for (i, line) in lines.iter().enumerate() {
        let report = &line.report;
        let elite = &report.elite;
        let listed = |f: &Fitness| report.individuals.iter().any(|one| one.fitness == *f);
        let sound = elite.is_sorted()
            && elite.first() == Some(&report.best)
            && mean(elite, elite.len()) == report.elite_mean
            && report.individuals.is_sorted_by_key(|one| one.fitness)
            && report.individuals.len() == settings.mu
            && (settings.guarantee.way == Way::Archive || elite.iter().all(listed));
        if !sound {
            return Err(format!("line {} contradicts itself", i + 1));
        }
        let Some(before) = (if anchored { lines.first() } else { lines[..i].last() }) else {
            continue;
        };
        let bound = &before.report.elite;
        let rises = |m: &usize| mean(elite, *m) > mean(bound, *m);
        if elite.len() < bound.len() {
            return Err(format!("line {} guards fewer networks than before", i + 1));
        }
        if let Some(m) = (1..=bound.len()).find(rises) {
            return Err(format!("the mean fitness of the best {m} rises in line {}", i + 1));
        }
    }
    let m = lines.last().map_or(0, |line| line.report.elite.len());
    Ok(match (lines.len(), anchored) {
        (0, _) => "there is no line yet".into(),
        (_, true) => "the best is never worse than the anchor".into(),
        (n, false) => {
            format!("J(m') does not rise, for m' = 1 to {m}, in any of {} steps", n - 1)
        }
    })
}

/// Each population follows from the one before by the steps that the log has of it.
pub(crate) fn steps(lines: &[Line], settings: &Settings) -> Result<String, String> {
    let mut auditor = Auditor::new(settings);
    for (i, line) in lines.iter().enumerate() {
        auditor.read(&line.report).map_err(|why| format!("line {}: {why}", i + 1))?;
    }
    let (audited, steps) = (auditor.audited(), lines.len().saturating_sub(1));
    Ok(match steps - audited {
        0 => format!(
            "each of {steps} populations follows from the one before, and the elite from all that was scored"
        ),
        before => format!(
            "{audited} of {steps} populations follow from the one before; the log does not say how the first {before} came about, as logs of before did not"
        ),
    })
}

#[cfg(test)]
mod tests {
    use esgd_core::{Esgd, Function, Observer, Report, TestFunction, laws::corrupted};
    use proptest::prelude::*;
    use std::{fs, sync::Mutex};

    use super::*;
    use crate::run::log::Metrics;

    fn settings() -> Settings {
        Settings {
            mu: 4,
            m: 3,
            rho: 2,
            generations: 3,
            optimizers: TestFunction::optimizers(),
            ..Settings::paper()
        }
    }

    struct Writer(Mutex<Metrics>);

    impl Observer for Writer {
        fn phase(&self, report: &Report) {
            self.0.lock().unwrap().add(1.0, report);
        }
    }

    /// The log of a run.
    fn written() -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metrics.jsonl");
        let writer = Writer(Mutex::new(Metrics::open(&path, None).unwrap()));
        let problem = TestFunction::new(Function::Rosenbrock, 3);
        let run = Esgd::new(&problem, &settings()).observer(&writer).run();
        run.map_err(|failure| failure.error).unwrap();
        fs::read(path).unwrap()
    }

    fn parsed(bytes: &[u8]) -> Log {
        log::parse(bytes).unwrap()
    }

    fn lines_of(bytes: &[u8]) -> Vec<Line> {
        parsed(bytes).lines
    }

    #[test]
    fn a_log_proves_the_guarantee_and_a_worse_elite_does_not() {
        let log = written();
        let lines = lines_of(&log);
        assert_eq!(whole(&parsed(&log), None).unwrap(), "5 lines");
        assert!(guarantee(&lines, &settings()).unwrap().contains("m' = 1 to 3"));
        assert!(steps(&lines, &settings()).unwrap().starts_with("each of 4 populations"));
        let cut = &log[..log.len() - 1];
        assert_eq!(whole(&parsed(cut), None).unwrap(), "4 lines, and one that was cut short");
        let vouched = Extent { bytes: log.len() as u64, ..Extent::default() };
        assert!(whole(&parsed(cut), Some(&vouched)).unwrap_err().contains("shorter"));
        let behind = [&log[..], b"nonsense"].concat();
        assert!(whole(&parsed(&behind), None).unwrap_err().contains("no line of a log"));

        let mut lines = lines_of(&log);
        drop(lines.remove(2));
        assert!(without_gap(&lines).unwrap_err().contains("line 3"));
        drop(lines.remove(0));
        assert!(without_gap(&lines).unwrap_err().contains("does not begin with the start"));
        let mut lines = lines_of(&log);
        lines[0].report.elite_mean = Fitness::WORST;
        assert!(guarantee(&lines, &settings()).unwrap_err().contains("line 1 contradicts"));
        // An elite that rises, with all that follows from it.
        let mut lines = lines_of(&log);
        let mut first = lines[0].report.clone();
        (first.phase, first.generation) = (lines[4].report.phase, lines[4].report.generation);
        lines[4].report = first;
        assert!(guarantee(&lines, &settings()).unwrap_err().contains("rises in line 5"));
    }

    proptest! {
        #[test]
        fn no_damage_makes_it_panic(bytes in corrupted(&written())) {
            if let Ok(Log { lines, .. }) = log::parse(&bytes[..]) {
                let _ = without_gap(&lines);
                let _ = guarantee(&lines, &settings());
                let _ = steps(&lines, &settings());
            }
        }
    }
}
