//! Draws a run: fitness over generations, and offspring among the elite.

use std::{fs, path::Path, process::ExitCode};

use esgd_bench::{Result, drawing, metrics};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("figure: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &[String]) -> Result<()> {
    let [folder, file] = args else {
        let n = args.len();
        return Err(format!(
            "got {n} arguments, expected two: the folder of a run and the .svg file to write"
        )
        .into());
    };
    let svg = drawing::svg(&metrics::read(Path::new(folder))?)?;
    fs::write(file, svg).map_err(|error| format!("cannot write {file}: {error}").into())
}
