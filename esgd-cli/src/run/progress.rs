//! Watching a run: the progress bar, and the log of metrics.

use std::{
    io::{self, IsTerminal},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use esgd_core::{
    EpochReport, Fitness, Observer, Phase, Population, Report, Settings,
    guarantee::{Improvement, Stage},
    settings::{SettingsError, Way, Workload},
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    run::{
        heartbeat::{Heartbeat, Pulse},
        log::Metrics,
        tensorboard::EventFile,
        timer::Timer,
    },
    terminal,
};

/// An observer for the terminal and for `metrics.jsonl`.
pub(crate) struct Progress<'a> {
    bar: ProgressBar,
    /// Lines instead of a bar, where there is no terminal.
    lines: bool,
    title: &'static str,
    settings: &'a Settings,
    workload: Workload,
    generation: AtomicUsize,
    heartbeat: Heartbeat,
    /// The thread that says it.
    timer: Mutex<Option<Timer>>,
    log: Option<&'a Mutex<Metrics>>,
    events: Option<&'a Mutex<EventFile>>,
    /// Time of the run before this program began.
    before: Duration,
    began: Instant,
}

impl<'a> Progress<'a> {
    /// A bar over all epochs of a run; nothing is shown if `silent`.
    ///
    /// # Errors
    /// The settings cannot work.
    pub(crate) fn new(
        title: &'static str,
        settings: &'a Settings,
        silent: bool,
    ) -> Result<Self, SettingsError> {
        let workload = settings.workload()?;
        let pulse = Pulse::new(title, settings, &workload);
        let bar = ProgressBar::new(pulse.all_epochs() as u64);
        let heartbeat = Heartbeat::new(pulse);
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
        bar.set_message("start");
        let timer = Mutex::new(if lines { heartbeat.say() } else { None });
        Ok(Self {
            bar,
            lines,
            title,
            settings,
            workload,
            generation: AtomicUsize::new(0),
            heartbeat,
            timer,
            log: None,
            events: None,
            before: Duration::ZERO,
            began: Instant::now(),
        })
    }

    /// Says first what the words of all that follows mean, where `fitness` is such as "validation loss".
    pub(crate) fn explained(self, fitness: &str, silent: bool) -> Self {
        if !silent {
            let say = || words(self.settings, fitness).iter().for_each(|line| terminal::say(line));
            self.bar.suspend(say);
        }
        self
    }

    /// The same, with logs to add each phase to.
    pub(crate) fn logged(
        self,
        log: Option<&'a Mutex<Metrics>>,
        events: Option<&'a Mutex<EventFile>>,
    ) -> Self {
        Self { log, events, ..self }
    }

    /// The same behind a run that was interrupted after so long and so many epochs.
    pub(crate) fn behind<G, S>(
        self,
        before: Duration,
        epochs: usize,
        population: &Population<G, S>,
    ) -> Self {
        self.bar.set_position(epochs as u64);
        self.bar.reset_eta();
        let best = population.guarded().first().copied().unwrap_or(Fitness::WORST);
        self.heartbeat.pulse().begin(epochs, population.generation(), best);
        if population.stage() != Stage::Generations {
            self.leave_out(population.generation());
        }
        Self { before, ..self }
    }

    /// There are no generations after the `k`-th.
    fn leave_out(&self, k: usize) {
        self.heartbeat.pulse().end_early(self.workload.epochs_after(k) as usize);
        let all = self.heartbeat.pulse().all_epochs();
        self.bar.set_length(all as u64);
    }

    /// Ends the bar and says how long the run took.
    pub(crate) fn finish(&self) -> Duration {
        drop(self.timer.lock().unwrap_or_else(PoisonError::into_inner).take());
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
                let (k, of) = (report.generation, self.settings.generations);
                let share = 100.0 * report.elite_offspring as f64 / report.m as f64;
                let share = match report.effort.offspring {
                    0 => String::new(),
                    _ => format!("  {share:.0} % of the elite are new offspring"),
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
            self.heartbeat.pulse().epoch(report.fitness);
        } else {
            self.heartbeat.pulse().candidate(report.fitness);
        }
    }

    fn offspring(&self, fitness: Fitness) {
        self.heartbeat.pulse().score(fitness);
    }

    fn phase(&self, report: &Report) {
        let message = self.message(report);
        match report.phase {
            Phase::Start => self.heartbeat.pulse().begin(0, 0, report.best),
            Phase::Generation => self.heartbeat.pulse().generation(report.generation, report.best),
            Phase::FineTune => {}
        }
        // About ten lines a run, and the last of each phase.
        let due = report.generation * 10 / self.settings.generations.max(1);
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

    fn strategy_ended(&self, k: usize, why: &str) {
        self.say_end(k, why);
    }

    fn stagnation(&self, k: usize, improved: Improvement) {
        self.say_end(k, &format!("the best has not got better since {}", since(improved)));
    }
}

impl Progress<'_> {
    /// Says why the generations end before all that were asked for.
    fn say_end(&self, k: usize, why: &str) {
        self.leave_out(k);
        let (title, of) = (self.title, self.settings.generations);
        if self.lines || !self.bar.is_hidden() {
            let said = format!("{title}  ends after generation {k}/{of}: {why}");
            self.bar.suspend(|| terminal::say(&said));
        }
    }
}

/// What progress speaks of, in two lines.
fn words(settings: &Settings, fitness: &str) -> [String; 2] {
    let Settings { mu, m, generations, evolution_steps, ref guarantee, .. } = *settings;
    let offspring = match evolution_steps {
        0 => "",
        _ => "; offspring are recombined from them",
    };
    let guarded = match (guarantee.way, guarantee.anchor) {
        (Way::Archive, _) => {
            format!("J({m}): its mean over the archive, the {m} best ever scored")
        }
        (Way::BackOff, false) => format!("J({m}): its mean over the elite"),
        (Way::BackOff, true) => "J(1): the same now".into(),
    };
    [
        format!("{mu} networks train for {generations} generations{offspring}"),
        format!(
            "best: the lowest {fitness} so far; {guarded}; elite: the {m} best of the population"
        ),
    ]
}

/// When the best last got better, in words.
pub(crate) fn since(improved: Improvement) -> String {
    match improved.generation {
        0 => "the start".into(),
        k => format!("generation {k}"),
    }
}
