//! The networks that are timed, by name, and data for them.

use candle_core::{Device, Tensor};
use esgd_core::rng::{Key, Purpose};
use esgd_models::{
    Activation, Network,
    data::Dataset,
    networks::{self, Size},
};

use crate::Result;

/// The networks by name, with their batch size.
const NETWORKS: [(&str, usize); 5] =
    [("mlp-64", 64), ("mlp-784", 128), ("bn50", 128), ("convnet", 100), ("resnet20", 128)];

/// The batch size of a network, if there is one of that name.
pub fn batch(name: &str) -> Option<usize> {
    NETWORKS.iter().find(|(known, _)| *known == name).map(|(_, batch)| *batch)
}

pub(super) fn network(name: &str) -> Result<Network> {
    let relu = Activation::Relu;
    Ok(match name {
        "mlp-64" => networks::mlp(64, &[64], 10, relu)?,
        "mlp-784" => networks::mlp(784, &[256, 128], 10, relu)?,
        "bn50" => networks::bn50(relu)?,
        "convnet" => networks::convnet(Size::image(3, 32, 32), 10)?,
        "resnet20" => networks::resnet(20, Size::image(3, 32, 32), 10)?,
        "resnet56" => networks::resnet(56, Size::image(3, 32, 32), 10)?,
        other => return Err(format!("there is no network `{other}`").into()),
    })
}

/// `n` random samples and classes: what is in them makes no difference to the time.
pub(super) fn data(network: &Network, n: usize) -> Result<Dataset> {
    let Size { channels, height, width } = network.input();
    let mut x = vec![0.0; n * network.input().len()];
    esgd_ops::noise::normals(Key::new(3, Purpose::Init), 0, &mut x);
    let classes: Vec<u32> = (0..n as u32).map(|i| i * 7919 % network.classes() as u32).collect();
    let x = Tensor::from_vec(x, (n, channels, height, width), &Device::Cpu)?;
    Ok(Dataset::new("random", x, Tensor::from_vec(classes, n, &Device::Cpu)?)?)
}
