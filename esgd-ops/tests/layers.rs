//! The layers against PyTorch: outputs and gradients.
//!
//! `golden/layers.json` comes from the script beside it, which says how to run it.

use esgd_ops::layers::{
    activation::Activation,
    batch_norm::{self, Affine, GradientSums, Moments},
    conv::{Conv, Shape},
    cross_entropy, linear,
    pooling::{self, Plane},
};
use serde_json::Value;

fn file() -> Value {
    serde_json::from_str(include_str!("golden/layers.json")).unwrap()
}

/// The script's inputs.
fn pattern(n: usize, salt: usize) -> Vec<f32> {
    let value = |i: usize| (((i * 7919 + salt * 104_729) % 1009) as f64 / 504.5 - 1.0) as f32;
    (0..n).map(value).collect()
}

fn floats(values: &Value) -> Vec<f32> {
    values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap() as f32).collect()
}

/// That numbers are PyTorch's, but for the last places of the largest.
fn close(what: &str, found: &[f32], expected: &Value) {
    let expected = floats(expected);
    assert_eq!(found.len(), expected.len(), "{what}");
    let size = expected.iter().fold(1.0f32, |max, x| max.max(x.abs()));
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= 2e-6 * size, "{what} {i} is {f}, PyTorch's is {e}");
    }
}

#[test]
fn convolutions_are_pytorchs() {
    for case in file()["convolutions"].as_array().unwrap() {
        let of = |name: &str| case[name].as_u64().unwrap() as usize;
        let shape = Shape {
            inputs: of("inputs"),
            outputs: of("outputs"),
            height: of("height"),
            width: of("width"),
            kernel: of("kernel"),
            stride: of("stride"),
            padding: of("padding"),
        };
        let (x, w) = (pattern(shape.input_len(), 1), pattern(shape.weights(), 2));
        let dy = pattern(shape.output_len(), 3);
        let conv = Conv::new(shape);
        let mut work = conv.work();
        let (mut y, mut dx, mut dw) = (vec![0.0; dy.len()], vec![0.0; x.len()], vec![0.0; w.len()]);
        conv.set_weights(&w, &mut work);
        conv.forward(&x, &mut work, &mut y);
        conv.input_gradient(&dy, &mut work, &mut dx);
        conv.add_weight_gradient(&x, &dy, &mut work);
        conv.take_weight_gradient(&mut work, &mut dw);
        close(&format!("y of {shape:?}"), &y, &case["y"]);
        close(&format!("dx of {shape:?}"), &dx, &case["dx"]);
        close(&format!("dw of {shape:?}"), &dw, &case["dw"]);
    }
}

#[test]
fn batch_normalisation_is_pytorchs() {
    const EPSILON: f64 = 1e-5;
    let (all, expected) = (file(), |name: &str| file()["batch_norm"][name].clone());
    assert!(all["torch"].is_string());
    let (images, channels, plane) = (3, 2, 20);
    let x = pattern(images * channels * plane, 1);
    let plus =
        |salt: usize| pattern(channels, salt).into_iter().map(|v| v + 1.5).collect::<Vec<_>>();
    let (gamma, beta) = (plus(2), pattern(channels, 3));
    let (mean, variance, dy) = (pattern(channels, 4), plus(5), pattern(x.len(), 6));
    let planes = |values: &[f32], c: usize| -> Vec<Vec<f32>> {
        values.chunks_exact(plane).skip(c).step_by(channels).map(<[f32]>::to_vec).collect()
    };
    let (mut y, mut evaluated) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    let mut dx = vec![0.0; x.len()];
    let (mut d_gamma, mut d_beta, mut means, mut variances) = (vec![], vec![], vec![], vec![]);
    for c in 0..channels {
        let mut moments = Moments::default();
        planes(&x, c).iter().for_each(|plane| moments.add(plane));
        let by_batch = Affine::new(gamma[c], beta[c], moments.mean(), moments.variance(), EPSILON);
        let running = (f64::from(mean[c]), f64::from(variance[c]));
        let by_running = Affine::new(gamma[c], beta[c], running.0, running.1, EPSILON);
        means.push((0.9 * running.0 + 0.1 * moments.mean()) as f32);
        variances.push((0.9 * running.1 + 0.1 * moments.unbiased_variance()) as f32);
        let mut sums = GradientSums::default();
        for (g, y) in planes(&dy, c).iter().zip(planes(&x, c)) {
            sums.add(g, &y, moments.mean());
        }
        let parameters = sums.of_parameters(moments.variance(), EPSILON);
        d_gamma.push(parameters.0);
        d_beta.push(parameters.1);
        let k = sums.of_input(gamma[c], moments.mean(), moments.variance(), EPSILON);
        for i in 0..images {
            let here = (i * channels + c) * plane..(i * channels + c + 1) * plane;
            let from = &x[here.clone()];
            batch_norm::normalise(from, by_batch, None, false, &mut y[here.clone()]);
            batch_norm::normalise(from, by_running, None, false, &mut evaluated[here.clone()]);
            batch_norm::input_gradient(&dy[here.clone()], from, k, &mut dx[here]);
        }
    }
    close("evaluated", &evaluated, &expected("evaluated"));
    close("y", &y, &expected("y"));
    close("dx", &dx, &expected("dx"));
    close("dγ", &d_gamma, &expected("dgamma"));
    close("dβ", &d_beta, &expected("dbeta"));
    close("running mean", &means, &expected("mean"));
    close("running variance", &variances, &expected("variance"));
}

/// With the shortcut and max(0, ·) in one, from definitions in f64.
#[test]
fn normalising_adds_the_shortcut_and_cuts_at_zero() {
    for n in [1, 7, 16, 33, 100] {
        let (y, shortcut) = (pattern(n, 1), pattern(n, 2));
        let affine = Affine { scale: 1.25, shift: -0.375 };
        for (shortcut, relu) in
            [(None, false), (None, true), (Some(&shortcut[..]), false), (Some(&shortcut[..]), true)]
        {
            let (mut z, mut in_place) = (vec![f32::NAN; n], y.clone());
            batch_norm::normalise(&y, affine, shortcut, relu, &mut z);
            batch_norm::normalise_in_place(&mut in_place, affine, shortcut, relu);
            assert_eq!(z, in_place);
            for i in 0..n {
                let sum =
                    1.25 * f64::from(y[i]) - 0.375 + shortcut.map_or(0.0, |s| f64::from(s[i]));
                let expected = if relu { sum.max(0.0) } else { sum };
                assert!((f64::from(z[i]) - expected).abs() < 3e-7, "{i}: {} {expected}", z[i]);
            }
        }
    }
    let mut z = [0.0; 2];
    let same = Affine { scale: 1.0, shift: 0.0 };
    batch_norm::normalise(&[f32::NAN, -1.0], same, None, true, &mut z);
    assert!(z[0].is_nan() && z[1] == 0.0);
}

#[test]
fn linear_layers_are_pytorchs() {
    let case = &file()["linear"];
    let (x, w, b, dy) = (pattern(35, 1), pattern(21, 2), pattern(3, 3), pattern(15, 4));
    let (mut y, mut dx) = (vec![0.0; 15], vec![0.0; 35]);
    let (mut dw, mut db) = (vec![0.0; 21], vec![0.0; 3]);
    linear::forward(&x, &w, Some(&b), &mut y, 7);
    linear::input_gradient(&dy, &w, &mut dx, 7);
    linear::weight_gradient(&dy, &x, &mut dw, 7);
    linear::bias_gradient(&dy, &mut db);
    for (name, found) in [("y", y), ("dx", dx), ("dw", dw), ("db", db)] {
        close(name, &found, &case[name]);
    }
}

#[test]
fn pooling_is_pytorchs() {
    let x = pattern(180, 1);
    for case in file()["pooling"].as_array().unwrap() {
        let n = case["y"].as_array().unwrap().len();
        let (mut y, mut dx, dy) = (vec![0.0; n], vec![0.0; 180], pattern(n, 2));
        match case["size"].as_u64().unwrap() as usize {
            0 => {
                pooling::mean(&x, &mut y);
                pooling::mean_gradient(&dy, &mut dx);
            }
            size => {
                let plane = Plane { height: 5, width: 6 };
                pooling::max(&x, plane, size, &mut y);
                pooling::max_gradient(&x, &y, &dy, plane, size, &mut dx);
            }
        }
        close("y", &y, &case["y"]);
        close("dx", &dx, &case["dx"]);
    }
}

#[test]
fn activations_are_pytorchs() {
    let activations = [Activation::Relu, Activation::Sigmoid, Activation::Tanh];
    for (activation, case) in activations.into_iter().zip(file()["activations"].as_array().unwrap())
    {
        let mut y: Vec<f32> = pattern(60, 1).into_iter().map(|x| 5.0 * x).collect();
        activation.apply(&mut y);
        close(&format!("{activation:?}"), &y, &case["y"]);
        let mut g = pattern(60, 2);
        activation.gradient(&y, &mut g);
        close(&format!("gradient of {activation:?}"), &g, &case["dx"]);
    }
}

#[test]
fn cross_entropy_is_pytorchs() {
    let case = &file()["cross_entropy"];
    let mut x: Vec<f32> = pattern(44, 1).into_iter().map(|x| 5.0 * x).collect();
    let loss = cross_entropy::with_gradient(&mut x, &[0, 10, 3, 7]);
    assert!((loss - case["loss"].as_f64().unwrap()).abs() < 1e-6);
    close("gradient", &x, &case["dx"]);
}
