//! ResNet-20's weights from and to files that PyTorch's users have, and the same logits.
//!
//! `golden/resnet20.json` comes from the script beside it, which says how to run it.

use std::collections::BTreeMap;

use candle_core::{D, Device, Tensor};
use esgd_core::{
    Problem,
    rng::{Key, Purpose},
};
use esgd_models::{
    Pass, Supervised, Task,
    data::Dataset,
    networks::{self, Size},
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::Value;

const IMAGE: Size = Size::image(3, 32, 32);

fn pattern(n: usize, salt: usize) -> Vec<f32> {
    let value = |i: usize| (((i * 7919 + salt * 104_729) % 1009) as f64 / 504.5 - 1.0) as f32;
    (0..n).map(value).collect()
}

/// The script's weights, in bytes.
fn weights(name: &str, shape: &[usize], salt: usize) -> Vec<u8> {
    let values = pattern(shape.iter().product(), salt);
    let is_scale = ["bn1.weight", "bn2.weight", "running_var"].iter().any(|s| name.ends_with(s));
    let scale = (6.0 / shape[1..].iter().product::<usize>() as f64).sqrt() as f32;
    let value = |x: f32| match () {
        () if shape.len() > 1 => x * scale,
        () if is_scale => x * 0.25 + 1.0,
        () => x * 0.25,
    };
    values.into_iter().flat_map(|x| value(x).to_le_bytes()).collect()
}

/// A file as PyTorch's users save it: with the counters of batches.
fn file(shapes: &BTreeMap<String, Vec<usize>>) -> Vec<u8> {
    let mut tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = vec![];
    for (salt, (name, shape)) in shapes.iter().enumerate() {
        tensors.push((name.clone(), Dtype::F32, shape.clone(), weights(name, shape, salt)));
        if let Some(layer) = name.strip_suffix("running_var") {
            let counter = format!("{layer}num_batches_tracked");
            tensors.push((counter, Dtype::I64, vec![], 7i64.to_le_bytes().to_vec()));
        }
    }
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        (name.clone(), TensorView::new(*dtype, shape.clone(), bytes).unwrap())
    });
    safetensors::serialize(views, None).unwrap()
}

#[test]
fn its_weights_come_from_pytorch_and_give_the_same_logits() {
    let golden: Value = serde_json::from_str(include_str!("golden/resnet20.json")).unwrap();
    let shapes: BTreeMap<String, Vec<usize>> =
        serde_json::from_value(golden["shapes"].clone()).unwrap();
    let network = networks::resnet(20, IMAGE, 10).unwrap();
    assert_eq!(network.parameters(), golden["parameters"].as_u64().unwrap() as usize);

    let x = Tensor::from_vec(pattern(2 * IMAGE.len(), 1000), (2, 3, 32, 32), &Device::Cpu).unwrap();
    // Classes at which the loss shows what the engine's logits are.
    let classes = [3u32, 8];
    let data =
        Dataset::new("two", x.clone(), Tensor::new(&classes, &Device::Cpu).unwrap()).unwrap();
    let problem = Supervised::new(network.clone(), data.clone(), data.clone()).unwrap();
    let bytes = file(&shapes);
    let init = problem.init(Key::new(1, Purpose::Init)).unwrap();
    let theta = init.with_safetensors(&bytes).unwrap();

    let expected: Vec<Vec<f64>> = serde_json::from_value(golden["logits"].clone()).unwrap();
    let model = network.build(theta.var_builder()).unwrap();
    let found = network.forward(&model, &x, &Pass::evaluation()).unwrap();
    let rows = found.to_vec2::<f32>().unwrap();
    let size = expected.iter().flatten().fold(0.0f64, |max, x| max.max(x.abs()));
    for (found, expected) in rows.iter().flatten().zip(expected.iter().flatten()) {
        assert!((f64::from(*found) - expected).abs() < 2e-5 * size, "{found} {expected}");
    }
    // The engine, by its loss.
    let loss = |logits: &[f64], class: u32| {
        let max = logits.iter().copied().fold(f64::MIN, f64::max);
        let sum: f64 = logits.iter().map(|x| (x - max).exp()).sum();
        sum.ln() + max - logits[class as usize]
    };
    let expected_loss =
        expected.iter().zip(classes).map(|(row, class)| loss(row, class)).sum::<f64>() / 2.0;
    let evaluation = problem.evaluate(&theta, &data).unwrap();
    assert!((evaluation.loss - expected_loss).abs() < 1e-4 * size, "{evaluation:?}");
    let answers = found.argmax(D::Minus1).unwrap().to_vec1::<u32>().unwrap();
    let wrong = answers.iter().zip(classes).filter(|(found, right)| **found != *right).count();
    assert_eq!(evaluation.error, Some(wrong as f64 / 2.0));

    // What is written has the same names and bits; PyTorch takes it, as the script shows.
    let written = theta.to_safetensors().unwrap();
    let (back, given) =
        (SafeTensors::deserialize(&written).unwrap(), SafeTensors::deserialize(&bytes).unwrap());
    assert_eq!(back.len(), shapes.len());
    for (name, shape) in &shapes {
        let tensor = back.tensor(name).unwrap();
        assert_eq!(tensor.shape(), shape);
        assert_eq!(tensor.data(), given.tensor(name).unwrap().data(), "{name}");
    }
}
