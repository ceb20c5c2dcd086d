//! Watching a run: the progress bar, and the log of metrics.

use std::{
    io::{self, IsTerminal},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use esgd_core::{EpochReport, Observer, Phase, Report, Settings};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{metrics::Metrics, tensorboard::EventFile, terminal};

/// An observer for the terminal and for `metrics.jsonl`.
pub struct Progress<'a> {
    bar: ProgressBar,
    /// Lines instead of a bar, where there is no terminal.
    lines: bool,
    title: &'static str,
    generations: usize,
    generation: AtomicUsize,
    log: Option<&'a Mutex<Metrics>>,
    events: Option<&'a Mutex<EventFile>>,
    /// Time of the run before this program began.
    before: Duration,
    began: Instant,
}

impl<'a> Progress<'a> {
    /// A bar over all epochs of a run; nothing is shown if `silent`.
    pub fn new(title: &'static str, settings: &Settings, silent: bool) -> Self {
        let generations = settings.mu * settings.generations * settings.epochs;
        let tuning = settings.fine_tune.seats(settings.mu) * settings.fine_tune.epochs;
        let bar = ProgressBar::new((generations + tuning) as u64);
        let lines = !silent && !io::stderr().is_terminal();
        if silent || lines {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        } else {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        let template = "{prefix} [{bar:24}] {percent:>3}%  {msg}  {eta_precise} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(title);
        Self {
            bar,
            lines,
            title,
            generations: settings.generations,
            generation: AtomicUsize::new(0),
            log: None,
            events: None,
            before: Duration::ZERO,
            began: Instant::now(),
        }
    }

    /// The same, with logs to add each phase to.
    pub fn logged(
        self,
        log: Option<&'a Mutex<Metrics>>,
        events: Option<&'a Mutex<EventFile>>,
    ) -> Self {
        Self { log, events, ..self }
    }

    /// The same behind a run that was interrupted after so long and so many epochs.
    pub fn behind(self, before: Duration, epochs: usize) -> Self {
        self.bar.set_position(epochs as u64);
        self.bar.reset_eta();
        Self { before, ..self }
    }

    /// Ends the bar and says how long the run took.
    pub fn finish(&self) -> Duration {
        self.bar.finish_and_clear();
        self.elapsed()
    }

    fn elapsed(&self) -> Duration {
        self.before + self.began.elapsed()
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

impl Observer for Progress<'_> {
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
            terminal::say(&format!("{}  {message}", self.title));
        }
        self.bar.set_message(message);
        if let Some(log) = self.log {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.add(self.elapsed().as_secs_f64(), report);
        }
        if let Some(events) = self.events {
            let mut events = events.lock().unwrap_or_else(PoisonError::into_inner);
            // A copy for other tools: a run does not fail for it, and `esgd report` writes it again.
            let _ = events.add(self.elapsed().as_secs_f64(), report);
        }
    }
}
