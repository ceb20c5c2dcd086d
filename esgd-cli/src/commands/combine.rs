//! `esgd combine RUN`: a run's best network and those of its last population together, as an ensemble
//! and as a soup.

use std::iter;

use esgd_core::{
    Entry, Id, Individual, Problem, Scored,
    budget::{Metered, Spent},
};
use esgd_models::{Evaluation, Genome, OptimizerState, data::Dataset};
use serde::Serialize;

use crate::{
    commands::{args::CombineArgs, comparison_bar::bar, terminal},
    compare::{
        choosing::{self, Candidate},
        costs::Costs,
    },
    config::{Config, Part},
    failure::Failure,
    run::{
        checkpoint, combined_files::CombinedFiles, folder::RunFolder, known_data, metadata,
        restore, setting::Setting, summary::Cells,
    },
};

/// What was chosen, as `combined.json`.
#[derive(Serialize)]
struct Combined {
    /// The generation that the population is of.
    generation: usize,
    /// What they were chosen by.
    objective: String,
    best: Together,
    soup: Together,
    ensemble: Together,
}

/// Networks that answer together.
#[derive(Serialize)]
struct Together {
    /// Which individuals.
    members: Vec<String>,
    /// How many networks are evaluated for an answer.
    networks: usize,
    fitness: Evaluation,
    test: Option<Evaluation>,
}

/// Makes an ensemble and a soup of a run's best network and its last population.
pub(super) fn run(args: &CombineArgs) -> Result<(), Failure> {
    let folder = RunFolder::open(&args.run)?;
    let shown = folder.path().display();
    let files = CombinedFiles::of(&folder)?;
    let found = checkpoint::search(folder.path())?.ok_or_else(|| {
        Failure::Usage(format!("{shown} has no checkpoint, and so no population: has it begun?"))
    })?;
    for damaged in &found.damaged {
        terminal::notice(&format!("going back to checkpoint {}: {damaged}", found.number));
    }
    let source = format!("the config of checkpoint {}", found.number);
    let mut config = Config::with_changes(&found.manifest.config, &source, &[])?;
    if let Some(dir) = &args.data {
        config.data.read_from(dir)?;
    }
    if let Some(device) = &args.device {
        config.run.device.clone_from(device);
    }
    let setting = Setting::of(&config)?;
    let Setting { splits, problem, workers } = &setting;
    known_data::to_go_on(Some(&found), splits, &config.data)?;
    let population = restore::restore(folder.path(), &found, problem, &terminal::notice)?;

    let best = population.best();
    let (ids, ranked) = candidates(&best, population.individuals());
    if ranked.is_empty() {
        return Err(Failure::Failed(format!("every network in {shown} has diverged")));
    }
    let bar = bar(args.json);
    let costs = Costs::of(problem);
    bar.set_length(costs.choosing(ranked.len()));
    bar.set_message("choosing");
    let progress = |passes| bar.inc(passes);
    let metered = Metered::new(problem, costs.run, Spent::default(), &progress);
    let ensemble = choosing::ensemble(&metered, &ranked, workers)?;
    let (soup, theta) = choosing::soup(&metered, &ranked)?;
    bar.finish_and_clear();

    let evaluate = |networks: &[&Genome], data: &Dataset| match networks {
        [one] => problem.evaluate(one, data),
        _ => choosing::evaluate(&metered, networks, data, workers),
    };
    let on_test = |networks: &[&Genome]| match splits.test.is_empty() {
        true => Ok(None),
        false => evaluate(networks, &splits.test).map(Some),
    };
    let together = |members: &[usize], networks: &[&Genome]| {
        let fitness = evaluate(networks, problem.fitness_data())?;
        Ok::<_, Failure>(Together {
            members: members.iter().map(|&i| ids[i].to_string()).collect(),
            networks: networks.len(),
            fitness,
            test: on_test(networks)?,
        })
    };
    let members = ensemble.networks(&ranked);
    let combined = Combined {
        generation: population.generation(),
        objective: problem.objective().to_string(),
        best: Together {
            members: vec![best.id.to_string()],
            ..together(&[], &[best.scored.theta()])?
        },
        soup: together(&soup.members, &[&theta])?,
        ensemble: together(&ensemble.members, &members)?,
    };
    let card = |fitness| metadata::of(&config, problem, fitness);
    let fitness = problem.score().of(&combined.soup.fitness)?;
    let soup = card(Some(fitness)).file(&theta)?;
    let member = card(None);
    let ensemble = members.iter().map(|theta| Ok(member.file(theta)?));
    let list = serde_json::to_vec_pretty(&combined).map_err(|e| Failure::Failed(e.to_string()))?;
    files.write(&list, &soup, ensemble)?;
    if args.json {
        return terminal::json(&combined);
    }
    terminal::print(&combined.table(config.data.fitness))?;
    terminal::line(&format!("Saved in {shown}: soup.safetensors, ensemble, combined.json"))
}

/// The best network, which may be of an earlier generation and comes first, so that nothing chosen is
/// worse, and those of the last population that did not diverge.
fn candidates(
    best: &Entry<Genome>,
    last: &[Individual<Genome, OptimizerState>],
) -> (Vec<Id>, Vec<Candidate<Genome>>) {
    let is_best = |id: Id, scored: &Scored<Genome>| {
        id == best.id && scored.fitness() == best.scored.fitness()
    };
    let last = last.iter().map(|one| (one.id(), one.scored()));
    let others = last.filter(|&(id, scored)| scored.fitness().is_finite() && !is_best(id, scored));
    let first = iter::once((best.id, &best.scored)).filter(|(_, one)| one.fitness().is_finite());
    first.chain(others).map(|(id, scored)| (id, scored.into())).unzip()
}

impl Combined {
    fn table(&self, part: Part) -> String {
        let part = match part {
            Part::Train => "train",
            Part::Validation => "validation",
        };
        let of = |what: &str, one: &Together| format!("{what} of {}", one.members.len());
        let over_test = if self.has_test() { "test" } else { "" };
        let heads = self.heads_of_test();
        let mut table = format!("{:16}{:>8}{part:>20}{over_test:>24}\n", "", "");
        table += &format!("{:16}{:>8}{:>10}{:>10}{heads}\n", "", "networks", "loss", "error");
        for (name, one) in [
            ("best".into(), &self.best),
            (of("soup", &self.soup), &self.soup),
            (of("ensemble", &self.ensemble), &self.ensemble),
        ] {
            let test = one.test.map_or(String::new(), |test| format!("    {}", Cells(test)));
            table += &format!("{name:16}{:>8}{}{test}\n", one.networks, Cells(one.fitness));
        }
        table + "\n"
    }

    fn has_test(&self) -> bool {
        self.best.test.is_some()
    }

    fn heads_of_test(&self) -> String {
        if self.has_test() { format!("    {:>10}{:>10}", "loss", "error") } else { String::new() }
    }
}
