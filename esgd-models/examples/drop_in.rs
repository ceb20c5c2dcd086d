//! The same candle model with candle-nn's layers and with these: `use` lines are all that differs.
//!
//!     cargo run --release -p esgd-models --example drop_in
//!
//! A small residual network on images of CIFAR-10's size; a step is forwards, backwards and SGD.

use std::time::Instant;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{Optimizer, SGD, VarBuilder, VarMap};

/// The user's model, once for each set of layers.
macro_rules! model {
    ($name:ident => $($layers:item)*) => {
        mod $name {
            use candle_core::{Result, Tensor};
            use candle_nn::{Conv2dConfig, Module, ModuleT, VarBuilder};
            $($layers)*

            pub(super) struct Model {
                stem: (Conv2d, BatchNorm),
                blocks: Vec<[(Conv2d, BatchNorm); 2]>,
                head: Linear,
            }

            impl Model {
                pub(super) fn new(vb: VarBuilder<'_>) -> Result<Self> {
                    let config = Conv2dConfig { padding: 1, ..Default::default() };
                    let pair = |inputs, name: &str| -> Result<_> {
                        let vb = vb.pp(name);
                        let conv = conv2d_no_bias(inputs, 16, 3, config, vb.pp("conv"))?;
                        Ok((conv, batch_norm(16, 1e-5, vb.pp("bn"))?))
                    };
                    let block = |i| Ok([pair(16, &format!("{i}.0"))?, pair(16, &format!("{i}.1"))?]);
                    Ok(Self {
                        stem: pair(3, "stem")?,
                        blocks: (0..3).map(block).collect::<Result<_>>()?,
                        head: linear(16, 10, vb.pp("head"))?,
                    })
                }

                pub(super) fn loss(&self, x: &Tensor, y: &Tensor) -> Result<Tensor> {
                    let apply = |(conv, norm): &(Conv2d, BatchNorm), x: &Tensor| {
                        norm.forward_t(&conv.forward(x)?, true)
                    };
                    let mut x = relu(&apply(&self.stem, x)?)?;
                    for [first, second] in &self.blocks {
                        let inner = relu(&apply(first, &x)?)?;
                        x = relu(&(x + apply(second, &inner)?)?)?;
                    }
                    let logits = self.head.forward(&x.mean((2, 3))?)?;
                    cross_entropy(&logits, y)
                }
            }
        }
    };
}

model! {
    candles =>
    use candle_nn::{BatchNorm, Conv2d, Linear, batch_norm, conv2d_no_bias, linear};
    use candle_nn::loss::cross_entropy;
    fn relu(x: &Tensor) -> Result<Tensor> {
        x.relu()
    }
}
model! {
    ours =>
    use esgd_models::layers::{
        BatchNorm, Conv2d, Linear, batch_norm, conv2d_no_bias, cross_entropy, linear, relu,
    };
}

const BATCH: usize = 64;

/// The seconds of a step, the fastest of several, and the loss after them.
fn train(
    map: &VarMap,
    steps: usize,
    loss: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
) -> Result<(f64, f32)> {
    let value = |i: usize| ((i * 7919) % 1009) as f32 / 504.5 - 1.0;
    let x = (0..BATCH * 3 * 32 * 32).map(value).collect();
    let x = Tensor::from_vec(x, (BATCH, 3, 32, 32), &Device::Cpu)?;
    let y = Tensor::from_vec((0..BATCH as u32).map(|i| i % 10).collect(), BATCH, &Device::Cpu)?;
    let mut sgd = SGD::new(map.all_vars(), 0.1)?;
    let mut fastest = f64::INFINITY;
    for _ in 0..steps {
        let begin = Instant::now();
        sgd.backward_step(&loss(&x, &y)?)?;
        fastest = fastest.min(begin.elapsed().as_secs_f64());
    }
    Ok((fastest, loss(&x, &y)?.to_scalar()?))
}

fn main() -> Result<()> {
    let (ours, candles) = (VarMap::new(), VarMap::new());
    let builder = |map| VarBuilder::from_varmap(map, DType::F32, &Device::Cpu);
    let our_model = ours::Model::new(builder(&ours))?;
    let candles_model = candles::Model::new(builder(&candles))?;
    // Both begin with the same weights, as the names are the same.
    for (name, var) in candles.data().lock().unwrap().iter() {
        var.set(&ours.data().lock().unwrap()[name])?;
    }
    let (candles_time, candles_loss) = train(&candles, 5, |x, y| candles_model.loss(x, y))?;
    let (our_time, our_loss) = train(&ours, 5, |x, y| our_model.loss(x, y))?;
    println!("a step on {BATCH} images            time    loss after 5");
    println!("candle-nn's layers       {:>10.1} ms  {candles_loss:.4}", 1e3 * candles_time);
    println!("esgd_models::layers      {:>10.1} ms  {our_loss:.4}", 1e3 * our_time);
    println!("{:.1} times as fast", candles_time / our_time);
    Ok(())
}
