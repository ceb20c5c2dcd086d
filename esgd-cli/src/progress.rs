//! Watching a run: the progress bar, and the log of metrics.

use std::{
    fs::File,
    io::{self, IsTerminal, Write},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use esgd_core::{EpochReport, Observer, Phase, Report, Settings};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

/// An observer for the terminal and for `metrics.jsonl`.
pub struct Progress {
    bar: ProgressBar,
    /// Lines instead of a bar, where there is no terminal.
    lines: bool,
    title: &'static str,
    generations: usize,
    generation: AtomicUsize,
    log: Option<Mutex<Log>>,
    began: Instant,
}

struct Log {
    file: File,
    failed: Option<io::Error>,
}

#[derive(Serialize)]
struct Line<'a> {
    seconds: f64,
    #[serde(flatten)]
    report: &'a Report,
}

impl Progress {
    /// A bar over all epochs of a run; nothing is shown if `silent`.
    pub fn new(title: &'static str, settings: &Settings, silent: bool, log: Option<File>) -> Self {
        let epochs = settings.generations * settings.epochs + settings.fine_tune.epochs;
        let bar = ProgressBar::new((settings.mu * epochs) as u64);
        let lines = !silent && !io::stderr().is_terminal();
        if silent || lines {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let template = "{prefix} [{bar:24}] {percent:>3}%  {msg}  {eta_precise} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(title);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self {
            bar,
            lines,
            title,
            generations: settings.generations,
            generation: AtomicUsize::new(0),
            log: log.map(|file| Mutex::new(Log { file, failed: None })),
            began: Instant::now(),
        }
    }

    /// Ends the bar and says how long it took, and what went wrong with the log.
    pub fn finish(&self) -> (Duration, Option<io::Error>) {
        self.bar.finish_and_clear();
        let failed = self
            .log
            .as_ref()
            .and_then(|log| log.lock().unwrap_or_else(PoisonError::into_inner).failed.take());
        (self.began.elapsed(), failed)
    }

    fn message(&self, report: &Report) -> String {
        let Report { best, elite_mean, elite, .. } = report;
        let fitness = format!("best {best:.4}  J({}) {elite_mean:.4}", elite.len());
        match report.phase {
            Phase::Start => format!("start  {fitness}"),
            Phase::FineTune => format!("fine-tuned  {fitness}"),
            Phase::Generation => {
                let (k, of) = (report.generation, self.generations);
                let share = 100.0 * report.elite_offspring as f64 / report.m as f64;
                let share = match report.tally.offspring {
                    0 => String::new(),
                    _ => format!("  {share:.0} % of the elite are offspring"),
                };
                format!("generation {k}/{of}  {fitness}{share}")
            }
        }
    }
}

impl Observer for Progress {
    fn epoch(&self, report: &EpochReport<'_>) {
        // The epochs of a shared start come before the bar's first.
        if report.k > 0 {
            self.bar.inc(1);
        }
    }

    fn phase(&self, report: &Report) {
        let message = self.message(report);
        // About ten lines a run, and the last of each phase.
        let due = report.generation * 10 / self.generations.max(1);
        if self.lines
            && (due > self.generation.swap(due, Ordering::Relaxed)
                || report.phase != Phase::Generation)
        {
            eprintln!("{}  {message}", self.title);
        }
        self.bar.set_message(message);
        if let Some(log) = &self.log {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            let line = Line { seconds: self.began.elapsed().as_secs_f64(), report };
            let written = serde_json::to_string(&line)
                .map_err(io::Error::from)
                .and_then(|text| writeln!(log.file, "{text}"));
            if let Err(error) = written {
                log.failed.get_or_insert(error);
            }
        }
    }
}
