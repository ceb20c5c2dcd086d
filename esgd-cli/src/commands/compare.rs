//! `esgd compare`.

use std::path::Path;

use crate::{
    commands::{args::CompareArgs, comparison_bar::ComparisonBar, terminal},
    compare::{self, Folder, Method, Request, costs::Costs},
    config::Config,
    failure::Failure,
    files::own_file::{self, Kind},
    report,
    run::Setting,
};

/// Compares methods, and makes the page of it.
pub(super) fn run(args: &CompareArgs) -> Result<(), Failure> {
    let config = Config::of(&args.sources.with(&[]), 0)?;
    terminal::renamed(&config.renamed);
    let methods = methods(&args.methods)?;
    let setting = Setting::of(&config)?;
    let costs = Costs::of(&setting.problem);
    let budget = match &args.budget {
        Some(text) => costs.parse(text)?,
        None => costs.run.run(&config.settings)? + costs.choosing(config.settings.mu + 1),
    };
    let out = args.out.clone();
    let out = out.unwrap_or_else(|| Path::new("comparisons").join(config.data.folder_name()));
    let folder = Folder::open(&out)?;
    own_file::check(&out.join(report::PAGE), Kind::Page)?;
    let bar = ComparisonBar::new(args.quiet || args.json);
    let interrupt = terminal::interrupt()?;
    let request = Request {
        config: &config,
        setting: &setting,
        methods,
        seeds: args.seeds,
        budget,
        watcher: &bar,
        stop: interrupt.flag(),
    };
    let comparison = compare::run(&request, &folder);
    drop(bar);
    let Some(comparison) = comparison? else {
        let message = || "interrupted; the same command goes on".to_owned();
        return interrupt.failure(message).map_or(Ok(()), Err);
    };
    super::report::write(&out, std::slice::from_ref(&out), false)?;
    if args.json {
        terminal::print(&format!("{}\n", comparison.to_json()?))?;
    } else if !args.quiet {
        terminal::print(&format!("{}\n\n{comparison}\n", comparison.heading()))?;
        terminal::line(&format!(
            "Saved in {}: report.html, figures, table.md, table.csv, comparison.json, runs",
            out.display()
        ))?;
    }
    Ok(())
}

/// The methods that are asked for, or all.
fn methods(names: &[String]) -> Result<Vec<Method>, Failure> {
    match names {
        [] => Ok(Method::ALL.to_vec()),
        names => names.iter().map(|name| Method::named(name.trim())).collect(),
    }
}
