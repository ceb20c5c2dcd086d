//! A line every minute in a log that is no terminal, whatever happens between generations.

use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use esgd_core::{Fitness, Settings, guarantee::Stage, settings::Workload};

use crate::{commands::terminal, config::max_time, run::timer::Timer};

/// How long a log may be silent.
const INTERVAL: Duration = Duration::from_secs(60);

/// How far a run is.
#[derive(Clone, Debug)]
pub(crate) struct Pulse {
    title: &'static str,
    /// Trainings of the start that are done, and of how many.
    start: Counted,
    /// Epochs behind the start.
    epochs: Counted,
    /// Epochs that were done when the clock began.
    before: usize,
    generations: Counted,
    stage: Stage,
    best: Fitness,
    /// When the first epoch behind the start began.
    clock: Option<Instant>,
}

/// So many of so many.
#[derive(Clone, Copy, Debug)]
struct Counted {
    done: usize,
    of: usize,
}

impl Pulse {
    /// A run at its beginning.
    pub(crate) fn new(title: &'static str, settings: &Settings, workload: &Workload) -> Self {
        let (start, generations) = (workload.start(), settings.generations);
        // Of a start that trains, each training is scored once.
        let trainings = if start.epochs > 0 { start.evaluations } else { 0 };
        let epochs = (workload.generations() + workload.fine_tune()).epochs;
        Self {
            title,
            start: Counted { done: 0, of: trainings as usize },
            epochs: Counted { done: 0, of: epochs as usize },
            before: 0,
            generations: Counted { done: 0, of: generations },
            stage: Stage::Generations,
            best: Fitness::WORST,
            clock: None,
        }
    }

    /// The epochs of all generations and of fine-tuning.
    pub(crate) fn all_epochs(&self) -> usize {
        self.epochs.of
    }

    /// Goes on behind so many epochs and generations.
    pub(super) fn begin(&mut self, epochs: usize, generations: usize, best: Fitness) {
        (self.epochs.done, self.before) = (epochs, epochs);
        (self.generations.done, self.best) = (generations, best);
        self.clock = Some(Instant::now());
    }

    /// A network was scored, after an epoch or as an offspring.
    pub(super) fn score(&mut self, fitness: Fitness) {
        self.best = self.best.min(fitness);
    }

    /// A candidate of the start has been trained.
    pub(super) fn candidate(&mut self, fitness: Fitness) {
        self.start.done += 1;
        self.score(fitness);
    }

    /// An epoch of an individual is done.
    pub(super) fn epoch(&mut self, fitness: Fitness) {
        self.epochs.done += 1;
        self.score(fitness);
    }

    /// A generation is done, and what is best now.
    pub(super) fn generation(&mut self, k: usize, best: Fitness) {
        (self.generations.done, self.best) = (k, best);
        if k >= self.generations.of {
            self.stage = Stage::FineTuning;
        }
    }

    /// The generations end early: their other epochs are left out.
    pub(super) fn end_early(&mut self, epochs_left_out: usize) {
        self.epochs.of = self.epochs.of.saturating_sub(epochs_left_out);
        self.stage = Stage::FineTuning;
    }

    /// The line, with the time that the epochs behind the start have taken so far.
    fn line(&self, took: Option<Duration>) -> String {
        let Self { title, start, epochs, generations, best, .. } = self;
        let percent = 100 * epochs.done.min(epochs.of) / epochs.of.max(1);
        let Some(took) = took else {
            let trained = match start.of {
                0 => String::new(),
                of => format!("  {} of {of} trainings  best {best:.4}", start.done),
            };
            return format!("{title}  {percent} %  start{trained}");
        };
        let phase = match self.stage {
            Stage::Generations => {
                let k = (generations.done + 1).min(generations.of);
                format!("generation {k}/{}", generations.of)
            }
            Stage::FineTuning | Stage::FineTuned => "fine-tuning".into(),
        };
        let left = match epochs.done - self.before {
            0 => String::new(),
            done => {
                let left = epochs.of.saturating_sub(epochs.done);
                let seconds = took.as_secs_f64() * left as f64 / done as f64;
                format!("  about {} left", about(seconds))
            }
        };
        format!(
            "{title}  {percent} %  {} of {} epochs  {phase}  best {best:.4}{left}",
            epochs.done, epochs.of
        )
    }
}

/// A duration to the second, or from an hour on to the minute.
fn about(seconds: f64) -> String {
    let whole = match seconds.min(1e9).round() as u64 {
        s @ 0..=3599 => s.max(1),
        s => s / 60 * 60,
    };
    max_time::words(Duration::from_secs(whole))
}

/// What is known of a run, which a thread may read a line from.
#[derive(Clone, Debug)]
pub(super) struct Heartbeat(Arc<Mutex<Pulse>>);

impl Heartbeat {
    pub(super) fn new(pulse: Pulse) -> Self {
        Self(Arc::new(Mutex::new(pulse)))
    }

    pub(super) fn pulse(&self) -> MutexGuard<'_, Pulse> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says a line every minute, until what is returned is dropped. A run does not fail for it.
    pub(super) fn say(&self) -> Option<Timer> {
        let this = self.clone();
        let say = move || {
            let pulse = this.pulse().clone();
            terminal::say(&pulse.line(pulse.clock.map(|clock| clock.elapsed())));
            ControlFlow::Continue(())
        };
        Timer::every(INTERVAL, say).ok()
    }
}

#[cfg(test)]
mod tests {
    use esgd_core::{
        budget::STEP,
        settings::{FineTune, Start},
    };

    use super::*;
    use crate::{
        compare::{Method, costs::Costs, methods::Job},
        config::{Config, presets},
        run::{
            Setting,
            forecast::{Forecast, Work},
        },
    };

    fn pulse() -> Pulse {
        let paper = Settings::paper();
        let settings = Settings {
            mu: 4,
            generations: 10,
            epochs: 5,
            start: Start::Shared { epochs: 1, candidates: 6, halvings: 1 },
            fine_tune: FineTune { epochs: 5, best: 2, ..paper.fine_tune.clone() },
            ..paper
        };
        Pulse::new("ESGD", &settings, &settings.workload().unwrap())
    }

    #[test]
    fn a_line_tells_how_far_the_run_is() {
        let mut pulse = pulse();
        pulse.candidate(Fitness::new(0.9));
        assert_eq!(pulse.line(None), "ESGD  0 %  start  1 of 9 trainings  best 0.9000");
        pulse.begin(0, 0, Fitness::new(0.8));
        let minutes = |n: u64| Some(Duration::from_secs(60 * n));
        assert_eq!(
            pulse.line(minutes(1)),
            "ESGD  0 %  0 of 210 epochs  generation 1/10  best 0.8000"
        );
        for _ in 0..20 {
            pulse.epoch(Fitness::new(0.5));
        }
        pulse.generation(1, Fitness::new(0.5));
        pulse.epoch(Fitness::WORST);
        assert_eq!(
            pulse.line(minutes(21)),
            "ESGD  10 %  21 of 210 epochs  generation 2/10  best 0.5000  about 3 h 9 min left"
        );
        pulse.end_early(179);
        assert_eq!(
            pulse.line(minutes(21)),
            "ESGD  67 %  21 of 31 epochs  fine-tuning  best 0.5000  about 10 min left"
        );
    }

    /// A run that goes on counts its own time alone.
    #[test]
    fn time_left_is_by_the_epochs_of_this_process() {
        let mut pulse = pulse();
        pulse.begin(100, 5, Fitness::new(0.5));
        pulse.epoch(Fitness::new(0.6));
        let line = pulse.line(Some(Duration::from_secs(1)));
        assert_eq!(
            line,
            "ESGD  48 %  101 of 210 epochs  generation 6/10  best 0.5000  about 1 min 49 s left"
        );
    }

    /// What is planned, what progress counts up to, and what a comparison gives to each.
    #[test]
    fn all_say_the_same_of_every_preset() {
        // A small network on small data, as these change nothing.
        let small = [
            "data.name=digits",
            "data.train=100",
            "data.validation=50",
            "data.test=50",
            "network.kind=mlp",
            "network.hidden=[4]",
        ];
        for preset in presets::names() {
            let text = presets::text(preset).unwrap();
            let config = Config::with_changes(text, preset, &small.map(str::to_owned)).unwrap();
            let setting = Setting::of(&config).unwrap();
            let costs = Costs::of(&setting.problem);

            let planned = Forecast::of(&config, &setting, 0).unwrap().work;
            let Work { epochs, evaluations, .. } = planned;
            let compared = costs.run.run(&config.settings).unwrap();
            let fitness = setting.problem.fitness_data().len() as u64;
            assert_eq!(compared, STEP * 100 * epochs + fitness * evaluations, "{preset}");
            if preset == "default" {
                assert_eq!((epochs, evaluations), (4360, 4938));
            }

            let workload = config.settings.workload().unwrap();
            let shown = Pulse::new("ESGD", &config.settings, &workload).all_epochs();
            assert_eq!(shown as u64 + workload.start().epochs, epochs, "{preset}");

            let budget = compared + costs.choosing(config.settings.mu + 1);
            let jobs = Method::Esgd.jobs(&config.settings, &config.compare, costs, budget).unwrap();
            assert_eq!(jobs, [Job::Evolve(config.settings.clone())], "{preset}");
        }
    }
}
