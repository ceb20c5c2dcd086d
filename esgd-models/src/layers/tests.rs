//! Each layer against candle's own: the output, all gradients, and the statistics.

use candle_core::{Device, Var};
use candle_nn::{Conv2dConfig, Module, ModuleT, VarBuilder, VarMap};

use super::*;

/// A variable of values that follow no pattern a mistake could hide in.
fn var(shape: &[usize], salt: usize) -> Var {
    let n: usize = shape.iter().product();
    let value = |i: usize| ((i * 7919 + salt * 104_729) % 1009) as f32 / 504.5 - 1.0;
    Var::from_vec((0..n).map(value).collect(), shape, &Device::Cpu).unwrap()
}

fn assert_close(found: &Tensor, expected: &Tensor, what: &str) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let size = flat(expected).iter().fold(1e-3f32, |max, x| max.max(x.abs()));
    for (i, (f, e)) in flat(found).iter().zip(flat(expected)).enumerate() {
        assert!((f - e).abs() < 1e-4 * size, "{what}[{i}]: {f}, expected {e}");
    }
}

/// Compares two functions of the same variables, and their gradients for the same output's.
fn compare(
    what: &str,
    vars: &[&Var],
    ours: impl Fn() -> Result<Tensor>,
    candles: impl Fn() -> Result<Tensor>,
) {
    let (ours, candles) = (ours().unwrap(), candles().unwrap());
    assert_close(&ours, &candles, what);
    let weights = var(ours.dims(), 99);
    let gradients = |y: &Tensor| (y * weights.as_tensor()).unwrap().sum_all().unwrap().backward();
    let (found, expected) = (gradients(&ours).unwrap(), gradients(&candles).unwrap());
    for (i, var) in vars.iter().enumerate() {
        let what = format!("{what}: gradient {i}");
        assert_close(found.get(var).expect(&what), expected.get(var).expect(&what), &what);
    }
}

#[test]
fn convolutions_are_candles() {
    for (n, inputs, outputs, side, kernel, stride) in
        [(3, 3, 8, 9, 3, 1), (40, 8, 16, 8, 3, 1), (2, 5, 6, 8, 3, 2), (2, 4, 4, 7, 1, 1)]
    {
        let config = Conv2dConfig { padding: kernel / 2, stride, ..Default::default() };
        let (map, x) = (VarMap::new(), var(&[n, inputs, side, side], 1));
        let vb = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
        let ours = conv2d(inputs, outputs, kernel, config, vb.clone()).unwrap();
        // The same names, so the same tensors.
        let candles = candle_nn::conv2d(inputs, outputs, kernel, config, vb).unwrap();
        assert_eq!(map.all_vars().len(), 2);
        let mut vars = map.all_vars();
        vars.push(x.clone());
        let vars: Vec<&Var> = vars.iter().collect();
        let what = format!("{inputs} to {outputs} on {side} by {kernel}, stride {stride}");
        compare(&what, &vars, || ours.forward(&x), || candles.forward(&x));
    }
}

#[test]
fn what_the_kernels_do_not_have_is_candles_own() {
    let (map, x) = (VarMap::new(), var(&[2, 4, 8, 8], 1));
    let vb = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
    for (i, (groups, dilation)) in [(2, 1), (1, 2)].into_iter().enumerate() {
        let config = Conv2dConfig { padding: 2, groups, dilation, ..Default::default() };
        let vb = vb.pp(i);
        let ours = conv2d_no_bias(4, 6, 3, config, vb.clone()).unwrap();
        let candles = candle_nn::conv2d_no_bias(4, 6, 3, config, vb).unwrap();
        let (found, expected) = (ours.forward(&x).unwrap(), candles.forward(&x).unwrap());
        assert_close(&found, &expected, "groups or dilation");
    }
    let wide = VarBuilder::from_varmap(&VarMap::new(), DType::F64, &Device::Cpu);
    let ours = conv2d_no_bias(4, 6, 3, Conv2dConfig::default(), wide).unwrap();
    let y = ours.forward(&x.to_dtype(DType::F64).unwrap()).unwrap();
    assert_eq!((y.dtype(), y.dims()), (DType::F64, &[2, 6, 6, 6][..]));
}

#[test]
fn a_convolution_is_the_same_on_any_number_of_threads() {
    let (x, w) = (var(&[70, 8, 8, 8], 1), var(&[8, 8, 3, 3], 2));
    let bits = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let config = Conv2dConfig { padding: 1, ..Default::default() };
            let conv = Conv2d::new(w.as_tensor().clone(), None, config);
            let y = conv.forward(&x).unwrap();
            let gradients = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            let all = [&y, gradients.get(&w).unwrap(), gradients.get(&x).unwrap()];
            let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            all.into_iter().flat_map(flat).map(f32::to_bits).collect::<Vec<_>>()
        })
    };
    let one = bits(1);
    assert!(bits(2) == one && bits(5) == one);
}

#[test]
fn normalisations_are_candles() {
    for dims in [&[4, 5, 3, 3][..], &[6, 7]] {
        for train in [true, false] {
            let x = var(dims, 1);
            let pair = || {
                let map = VarMap::new();
                let vb = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
                let ours = batch_norm(dims[1], 1e-5, vb).unwrap();
                for (i, name) in ["weight", "bias"].into_iter().enumerate() {
                    let data = map.data().lock().unwrap();
                    data[name].set(&(var(&[dims[1]], i + 2).as_tensor() + 1.5).unwrap()).unwrap();
                }
                (map, ours)
            };
            let ((map, ours), (other, candles)) = (pair(), pair());
            let candles = candles.inner;
            let data = (map.data().lock().unwrap(), other.data().lock().unwrap());
            // Two passes: the second begins with statistics that have moved.
            for _ in 0..2 {
                let (found, expected) =
                    (ours.forward_t(&x, train).unwrap(), candles.forward_t(&x, train).unwrap());
                assert_close(&found, &expected, "normalised");
                let weights = var(dims, 99);
                let loss = |y: &Tensor| (y * weights.as_tensor()).unwrap().sum_all().unwrap();
                let found = loss(&found).backward().unwrap();
                let expected = loss(&expected).backward().unwrap();
                assert_close(found.get(&x).unwrap(), expected.get(&x).unwrap(), "dx");
                for name in ["weight", "bias"] {
                    let (a, b) = (&data.0[name], &data.1[name]);
                    assert_close(found.get(a).unwrap(), expected.get(b).unwrap(), name);
                }
                for name in ["running_mean", "running_var"] {
                    assert_close(&data.0[name], &data.1[name], name);
                }
            }
        }
    }
}

#[test]
fn fully_connected_layers_are_candles() {
    let (map, x) = (VarMap::new(), var(&[4, 3, 7], 1));
    let vb = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
    let (ours, candles) = (linear(7, 5, vb.clone()).unwrap(), candle_nn::linear(7, 5, vb).unwrap());
    let mut vars = map.all_vars();
    vars.push(x.clone());
    let vars: Vec<&Var> = vars.iter().collect();
    compare("linear", &vars, || ours.forward(&x), || candles.forward(&x));
}

#[test]
fn activations_and_pooling_are_candles() {
    let x = var(&[3, 4, 6, 6], 1);
    compare("relu", &[&x], || relu(&x), || x.relu());
    compare("sigmoid", &[&x], || sigmoid(&x), || candle_nn::ops::sigmoid(&x));
    compare("tanh", &[&x], || tanh(&x), || x.tanh());
    // Its gradient in candle is wrong; this is what it means.
    let pooled = || x.reshape(&[3, 4, 3, 2, 3, 2])?.max(5)?.max(3);
    compare("max-pool", &[&x], || max_pool2d(&x, 2), pooled);
    assert!(max_pool2d(&x, 0).is_err() && max_pool2d(&x, 7).is_err());
}

#[test]
fn the_loss_is_candles() {
    let x = var(&[5, 9], 1);
    let y = Tensor::new(&[0u32, 8, 3, 3, 5], &Device::Cpu).unwrap();
    let candles = || candle_nn::loss::cross_entropy(&x, &y);
    compare("cross-entropy", &[&x], || cross_entropy(&x, &y), candles);
    let wrong = Tensor::new(&[0u32, 9, 3, 3, 5], &Device::Cpu).unwrap();
    let message = cross_entropy(&x, &wrong).unwrap_err().to_string();
    assert!(message.contains("class 9 of 9"), "{message}");
}
