//! A problem that makes no predictions, beside other methods at equal compute: stop it whenever you like, and run it again.
//!
//! `cargo run --release -p esgd-cli --example compare`

use std::{error::Error, path::Path};

use esgd::{
    compare::{Compare, Watcher},
    report,
};
use esgd_core::{Function, Settings, TestFunction};

/// Says what each run has come to.
struct Lines;

impl Watcher for Lines {
    fn end(&self, result: &str) {
        println!("{result}");
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new("comparisons/rosenbrock");
    let problem = TestFunction::new(Function::Rosenbrock, 10);
    let settings = Settings { optimizers: TestFunction::optimizers(), ..Settings::paper() };
    let compare = Compare::new("Rosenbrock in 10 dimensions", &problem, &settings, folder);
    if let Some(comparison) = compare.seeds(5).watcher(&Lines).run()? {
        report::write(folder)?;
        println!("\n{comparison}\n{}", folder.join("report.html").display());
    }
    Ok(())
}
