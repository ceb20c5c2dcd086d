//! Any candle model as a population: the 25 lines between the two marks are all it takes.
//!
//! `cargo run --release -p esgd-models --example plug_in`

use candle_core::{Result, Tensor};
use candle_nn::{BatchNorm, Linear, Module, ModuleT, VarBuilder, batch_norm, linear};
use esgd_core::{Domain, Esgd, OptimizerPool, OptimizerSpec, Settings};
use esgd_models::{Error, Pass, Supervised, Task, Workers, data};

/// Someone's own model, as candle code writes it.
struct MyModel(Linear, BatchNorm, Linear);

// ---- the plug-in ----
struct MyTask;

impl Task for MyTask {
    type Model = MyModel;

    fn build(&self, vb: VarBuilder<'_>) -> Result<MyModel> {
        let bn = batch_norm(32, 1e-5, vb.pp("bn"))?;
        Ok(MyModel(linear(64, 32, vb.pp("fc1"))?, bn, linear(32, 10, vb.pp("fc2"))?))
    }

    fn forward(&self, model: &MyModel, x: &Tensor, pass: &Pass) -> Result<Tensor> {
        let x = model.0.forward(&x.flatten_from(1)?)?;
        let x = model.1.forward_t(&x, pass.is_training())?;
        model.2.forward(&pass.dropout(&x.relu()?)?)
    }
}

fn problem() -> std::result::Result<Supervised<MyTask>, Error> {
    let data = data::digits(data::Sizes { validation: Some(300), ..Default::default() })?;
    Supervised::new(MyTask, data.train, data.validation)
}
// ---- that is all ----

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let problem = problem()?;
    let adam = [("lr", Domain::log_uniform(1e-3, 1e-2)), ("dropout", Domain::fixed(0.1))];
    let optimizers = OptimizerPool(vec![OptimizerSpec {
        kind: "adam".into(),
        weight: 1.0,
        domains: adam.map(|(name, range)| (name.to_owned(), range)).into(),
    }]);
    let settings =
        Settings { generations: 8, mu: 6, lambda: 24, m: 4, optimizers, ..Settings::paper() };
    let workers = Workers::new(2)?;
    let outcome = Esgd::new(&problem, &settings).executor(&workers).run().map_err(|f| f.error)?;
    let best = outcome.best.scored;
    println!("validation loss of the best of {}: {:.4}", settings.mu, best.fitness());
    std::fs::write(std::env::temp_dir().join("best.safetensors"), best.theta().to_safetensors()?)?;
    Ok(())
}
