//! How fast offspring are made, next to a memory copy, PyTorch and NumPy.

use std::{fs, process::ExitCode};

use esgd_bench::{
    Result,
    ops::{
        answers, breakdown, comparison, growth,
        options::{HELP, Options, Part},
        other_operations, picture,
    },
};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| matches!(arg.as_str(), "-h" | "--help")) {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    // As a contestant of its own, it only answers lines.
    let done = if args == ["serve"] { answers::answer_all() } else { run(&args) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ops: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &[String]) -> Result<()> {
    let options = Options::parse(args)?;
    for part in &options.parts {
        match part {
            Part::Comparison => comparison::print(&options)?,
            Part::Breakdown => breakdown::print(&options)?,
            Part::Growth => {
                let panels = growth::print(&options)?;
                if let Some(file) = &options.figure {
                    let svg = picture::svg(&panels)?;
                    let written = fs::write(file, svg);
                    written.map_err(|error| format!("cannot write {}: {error}", file.display()))?;
                }
            }
            Part::Operations => other_operations::print(&options)?,
        }
    }
    Ok(())
}
