//! Any candle model with checkpoints and a report: run it, stop it whenever you like, and run it again.
//!
//! `cargo run --release -p esgd-cli --example session`

use std::{error::Error, path::Path};

use candle_core::Tensor;
use candle_nn::{Linear, Module, VarBuilder, linear};
use esgd::{Session, report};
use esgd_core::{Domain, OptimizerPool, OptimizerSpec, Settings};
use esgd_models::{Pass, Supervised, Task, Workers, data};

// ---- all that it takes ----
struct MyTask;

impl Task for MyTask {
    type Model = (Linear, Linear);

    fn build(&self, vb: VarBuilder<'_>) -> candle_core::Result<(Linear, Linear)> {
        Ok((linear(64, 32, vb.pp("fc1"))?, linear(32, 10, vb.pp("fc2"))?))
    }

    fn forward(&self, model: &Self::Model, x: &Tensor, _: &Pass) -> candle_core::Result<Tensor> {
        model.1.forward(&model.0.forward(&x.flatten_from(1)?)?.relu()?)
    }
}

/// Trains it in a folder, or goes on with it there; gives the validation loss of the best.
pub(crate) fn train(folder: &Path) -> Result<f64, Box<dyn Error>> {
    let data = data::digits(data::Sizes { validation: Some(300), ..Default::default() })?;
    let problem = Supervised::new(MyTask, data.train, data.validation)?;
    let domains = [("lr".to_owned(), Domain::log_uniform(1e-3, 1e-2))].into();
    let adam = OptimizerSpec { kind: "adam".into(), weight: 1.0, domains };
    let (optimizers, workers) = (OptimizerPool(vec![adam]), Workers::new(2)?);
    let settings = Settings { generations: 8, mu: 6, m: 4, optimizers, ..Settings::paper() };
    let run = Session::new(&problem, &settings, folder).executor(&workers).run()?;
    report::write(folder)?;
    Ok(run.best.scored.fitness().get())
}
// ---- and no more ----

#[allow(dead_code)] // The test of this example calls `train` alone.
fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new("runs/mine");
    let loss = train(folder)?;
    println!("validation loss of the best: {loss:.4}; {}", folder.join("report.html").display());
    Ok(())
}
