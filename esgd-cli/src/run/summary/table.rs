//! A result as a table to read, which says what was measured on which data.

use std::fmt;

use esgd_core::{Fitness, guarantee::Improvement};
use esgd_models::{Evaluation, Score};

use super::{Best, EndedEarly, Kind, Status, Summary};
use crate::{config::Config, text::safe::one_line};

/// When the best last got better, in words.
pub(crate) fn since(improved: Improvement) -> String {
    match improved.generation {
        0 => "the start".into(),
        k => format!("generation {k}"),
    }
}

/// A summary as text.
pub(crate) struct Table<'a> {
    pub(super) summary: &'a Summary,
    pub(super) config: &'a Config,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { best, top, spent, control, .. } = self.summary;
        let config = self.config;
        let (reached, of) = (self.summary.generations, config.settings.generations);
        if self.summary.status == Status::Stopped {
            writeln!(f, "Stopped after {reached} of {of} generations. So far:\n")?;
        }
        if let Some(EndedEarly { patience, improved }) = self.summary.ended_early {
            writeln!(
                f,
                "Ended after {reached} of {of} generations: the best has not got better since {}, and run.patience = {patience}.\n",
                since(improved)
            )?;
        }
        write!(f, "The best of {} networks: ", config.settings.mu)?;
        best.write(f, self.summary)?;
        writeln!(f)?;
        match control {
            None => writeln!(f, "{:12}{:>10}{:>10}", "", "loss", "error")?,
            Some(_) => {
                writeln!(f, "{:12}{:>20}    {:>20}", "", "with evolution", "without evolution")?;
                writeln!(
                    f,
                    "{:12}{:>10}{:>10}    {:>10}{:>10}",
                    "", "loss", "error", "loss", "error"
                )?;
            }
        }
        let without: Vec<_> = control.iter().flat_map(|c| c.best.rows()).collect();
        for (i, (name, e)) in best.rows().enumerate() {
            write!(f, "{name:12}{}", Cells(e))?;
            if let Some((_, e)) = without.get(i) {
                write!(f, "    {}", Cells(*e))?;
            }
            match name == config.data.fitness.to_string() {
                true => writeln!(f, "    <- fitness: this {}", config.data.score)?,
                false => writeln!(f)?,
            }
        }
        writeln!(f)?;
        let (part, [low, high]) = (config.data.fitness, top.fitness);
        write!(f, "The {} best of the population: {part} ", top.count)?;
        match config.data.score {
            Score::Loss => write!(f, "loss {low:.4} to {high:.4}")?,
            Score::Error => write!(f, "error {} to {}", Percent(low), Percent(high))?,
        }
        if let Some([low, high]) = top.test_error {
            write!(f, ", test error {:.2} % to {:.2} %", 100.0 * low, 100.0 * high)?;
        }
        writeln!(f)?;
        write!(f, "Recipes of the elite, its {} best:", config.settings.m)?;
        for (i, (kind, part)) in self.summary.elite.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            let Kind { individuals, lr: [low, high], annealed } = part;
            let kind = one_line(kind);
            write!(f, "{comma} {kind} {individuals} (lr {low:.1e} to {high:.1e}")?;
            match 100.0 * annealed {
                percent if percent < 99.5 => write!(f, ", annealed to {percent:.0} % of that)")?,
                _ => write!(f, ")")?,
            }
        }
        writeln!(f)?;
        let back = match spent.backed_off {
            0 => String::new(),
            n => format!(" ({n} taken back, as they made a network worse)"),
        };
        let offspring = match spent.offspring {
            0 => String::new(),
            n => format!(", {n} offspring (recombined networks) scored"),
        };
        writeln!(
            f,
            "Spent: {} epochs{back}{offspring}, {:.0} s on {} threads",
            spent.epochs, self.summary.seconds, self.summary.threads
        )?;
        if let Some(c) = control {
            writeln!(
                f,
                "Without evolution: the same initial recipes, {} epochs, {:.0} s",
                c.epochs, c.seconds
            )?;
        }
        Ok(())
    }
}

/// An error rate.
struct Percent(Fitness);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.is_finite() {
            true => write!(f, "{:.2} %", 100.0 * self.0.get()),
            false => write!(f, "{}", self.0),
        }
    }
}

/// Loss and error in columns.
pub(crate) struct Cells(pub Evaluation);

impl fmt::Display for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.loss {
            // Four decimals of what diverges would fill the line.
            loss if loss.abs() >= 1e5 => write!(f, "{loss:>10.2e}")?,
            loss => write!(f, "{:>10.4}", Fitness::new(loss))?,
        }
        match self.0.error {
            Some(error) => write!(f, "{:>8.2} %", 100.0 * error),
            None => write!(f, "{:>10}", "-"),
        }
    }
}

impl Best {
    /// Who it is and how it was trained.
    fn write(&self, f: &mut fmt::Formatter<'_>, run: &Summary) -> fmt::Result {
        let Self { id, generation, .. } = self;
        let born = id.trim_start_matches('g').split('.').next().unwrap_or_default();
        match born {
            "0" => writeln!(f, "{id}, of the initial population")?,
            k => writeln!(f, "{id}, an offspring of generation {k}")?,
        }
        let Some(recipe) = &self.recipe else { return Ok(()) };
        let when = match generation {
            k if *k > run.generations && run.status != Status::Stopped => "in fine-tuning".into(),
            k => format!("in generation {k}"),
        };
        let drawn = match self.lr_drawn {
            Some(lr) => format!(" (lr was drawn as {lr:.1e}, and annealed)"),
            None => String::new(),
        };
        writeln!(f, "last trained {when} with {recipe}{drawn}")
    }
}
