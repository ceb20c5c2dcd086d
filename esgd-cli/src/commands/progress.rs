//! What the terminal shows of a run: a bar, or lines where there is none.

use std::{
    io::{self, IsTerminal},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use esgd_core::{
    EpochReport, Fitness, Observer, Phase, Report, Settings,
    guarantee::{Improvement, Stage},
    settings::{SettingsError, Way, Workload},
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    commands::{
        heartbeat::{Heartbeat, Pulse},
        terminal,
    },
    run::{
        summary::since,
        timer::Timer,
        watcher::{Behind, Of, Training, Watcher},
    },
};

/// The terminal, which watches runs.
pub(super) struct Terminal {
    /// Whether nothing is shown but notices.
    pub silent: bool,
}

impl Watcher for Terminal {
    fn watch<'a>(
        &'a self,
        training: Training<'a>,
    ) -> Result<Box<dyn Observer + 'a>, SettingsError> {
        Ok(Box::new(Progress::new(training, self.silent)?))
    }

    fn notice(&self, text: &str) {
        terminal::notice(text);
    }
}

/// A bar over all epochs of a run.
struct Progress<'a> {
    bar: ProgressBar,
    /// Lines instead of a bar, where there is no terminal.
    lines: bool,
    title: &'static str,
    settings: &'a Settings,
    workload: Workload,
    generation: AtomicUsize,
    heartbeat: Heartbeat,
    /// The thread that says it.
    timer: Option<Timer>,
}

impl<'a> Progress<'a> {
    /// Nothing is shown if `silent`.
    fn new(training: Training<'a>, silent: bool) -> Result<Self, SettingsError> {
        let Training { title, settings, of, behind } = training;
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
        let timer = if lines { heartbeat.say() } else { None };
        let generation = AtomicUsize::new(0);
        let this = Self { bar, lines, title, settings, workload, generation, heartbeat, timer };
        if !silent {
            this.bar
                .suspend(|| introduced(&of, settings).iter().for_each(|line| terminal::say(line)));
        }
        if let Some(behind) = behind {
            this.go_on(behind);
        }
        Ok(this)
    }

    /// Goes on where a run was.
    fn go_on(&self, behind: Behind) {
        let Behind { epochs, generation, best, stage } = behind;
        self.bar.set_position(epochs as u64);
        self.bar.reset_eta();
        self.heartbeat.pulse().begin(epochs, generation, best);
        if stage != Stage::Generations {
            self.leave_out(generation);
        }
    }

    /// There are no generations after the `k`-th.
    fn leave_out(&self, k: usize) {
        self.heartbeat.pulse().end_early(self.workload.epochs_after(k) as usize);
        let all = self.heartbeat.pulse().all_epochs();
        self.bar.set_length(all as u64);
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
    }

    fn strategy_ended(&self, k: usize, why: &str) {
        self.say_end(k, why);
    }

    fn stagnation(&self, k: usize, improved: Improvement) {
        self.say_end(k, &format!("the best has not got better since {}", since(improved)));
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        drop(self.timer.take());
        self.bar.finish_and_clear();
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

/// What there is to read before training begins.
fn introduced(of: &Of, settings: &Settings) -> Vec<String> {
    match of {
        Of::Run { fitness } => words(settings, fitness).into(),
        Of::Control => {
            vec![
                "as a control, the same again without evolution (not if run.control = false)"
                    .into(),
            ]
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
