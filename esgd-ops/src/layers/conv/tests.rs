//! Convolution against its definition, on every set of vector instructions.

use proptest::prelude::*;

use super::*;
use crate::layers::definition;

/// Values between −1 and 1 that follow no pattern a mistake could hide in.
fn values(n: usize, salt: u64) -> Vec<f32> {
    let value = |i: u64| {
        let mixed = (i ^ (salt << 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        ((mixed ^ (mixed >> 27)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..n as u64).map(value).collect()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| f64::from(x)).collect()
}

fn assert_close(found: &[f32], expected: &[f64], terms: usize, what: &str) {
    assert_eq!(found.len(), expected.len());
    // Partial sums grow as √terms and lose some 1e-7 of themselves with each term.
    let bound = 1e-7 * (terms as f64).max(10.0);
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f64::from(*f) - e).abs() <= bound, "{what} {i}: {f}, expected {e}");
    }
}

/// Output and gradients of two images, compared with the definition.
fn check(shape: Shape, isa: Isa) {
    let conv = Conv::with_isa(shape, isa);
    let mut work = conv.work();
    let w = values(shape.weights(), 1);
    conv.set_weights(&w, &mut work);
    let mut dw_expected = vec![0.0; w.len()];
    for image in 0..2 {
        let x = values(shape.input_len(), 2 + image);
        let dy = values(shape.output_len(), 4 + image);
        // What was in memory before must not matter.
        let (mut y, mut dx) = (vec![f32::NAN; dy.len()], vec![f32::NAN; x.len()]);
        conv.forward(&x, &mut work, &mut y);
        conv.input_gradient(&dy, &mut work, &mut dx);
        conv.add_weight_gradient(&x, &dy, &mut work);
        let taps = shape.inputs * shape.kernel * shape.kernel;
        assert_close(&y, &definition::conv(&shape, &wide(&x), &wide(&w)), taps, "output");
        let (dx_expected, dw) =
            definition::conv_gradients(&shape, &wide(&x), &wide(&w), &wide(&dy));
        assert_close(&dx, &dx_expected, taps * shape.outputs / shape.inputs, "input's gradient");
        dw_expected.iter_mut().zip(dw).for_each(|(sum, dw)| *sum += dw);
    }
    let mut dw = vec![f32::NAN; w.len()];
    conv.take_weight_gradient(&mut work, &mut dw);
    let terms = 2 * shape.out_height() * shape.out_width();
    assert_close(&dw, &dw_expected, terms, "kernel's gradient");
    conv.take_weight_gradient(&mut work, &mut dw);
    assert!(dw.iter().all(|dw| *dw == 0.0), "a gradient taken is gone");
}

#[test]
fn the_layers_of_a_resnet_are_as_defined() {
    for isa in Isa::available() {
        for (inputs, outputs, side, kernel, stride) in [
            (3, 16, 32, 3, 1),
            (16, 16, 32, 3, 1),
            (16, 32, 32, 3, 2),
            (32, 32, 16, 3, 1),
            (64, 64, 8, 3, 1),
            (32, 64, 16, 1, 2),
            (1, 32, 28, 3, 1),
        ] {
            let padding = kernel / 2;
            let (height, width) = (side, side);
            check(Shape { inputs, outputs, height, width, kernel, stride, padding }, isa);
        }
    }
}

/// All that a convolution computes, one after another.
fn bits(shape: Shape, isa: Isa) -> Vec<u32> {
    let conv = Conv::with_isa(shape, isa);
    let mut work = conv.work();
    conv.set_weights(&values(shape.weights(), 1), &mut work);
    let (x, dy) = (values(shape.input_len(), 2), values(shape.output_len(), 3));
    let (mut y, mut dx) = (vec![0.0; dy.len()], vec![0.0; x.len()]);
    let mut dw = vec![0.0; shape.weights()];
    conv.forward(&x, &mut work, &mut y);
    conv.input_gradient(&dy, &mut work, &mut dx);
    conv.add_weight_gradient(&x, &dy, &mut work);
    conv.take_weight_gradient(&mut work, &mut dw);
    [y, dx, dw].concat().into_iter().map(f32::to_bits).collect()
}

#[test]
#[should_panic(expected = "the memory of another convolution")]
fn memory_of_another_convolution_is_refused() {
    let shape =
        Shape { inputs: 2, outputs: 2, height: 6, width: 6, kernel: 3, stride: 1, padding: 1 };
    let larger = Conv::new(Shape { height: 7, ..shape });
    Conv::new(shape).forward(&[0.0; 72], &mut larger.work(), &mut [0.0; 72]);
}

proptest! {
    #[test]
    fn vector_instructions_change_no_bit(
        inputs in 1usize..20,
        outputs in 1usize..20,
        height in 1usize..20,
        width in 1usize..40,
        kernel in 1usize..4,
        stride in 1usize..3,
    ) {
        let padding = kernel / 2;
        let shape = Shape { inputs, outputs, height, width, kernel, stride, padding };
        prop_assume!(shape.is_valid());
        let portable = bits(shape, Isa::PORTABLE);
        for isa in Isa::available() {
            prop_assert_eq!(&bits(shape, isa), &portable, "{}", isa);
        }
    }

    #[test]
    fn any_memory_is_what_was_forecast(
        inputs in 1usize..40,
        outputs in 1usize..40,
        height in 1usize..40,
        width in 1usize..70,
        kernel in 1usize..6,
        stride in 1usize..4,
        padding in 0usize..4,
        isa in prop::sample::select(Isa::available()),
    ) {
        let shape = Shape { inputs, outputs, height, width, kernel, stride, padding };
        prop_assume!(shape.is_valid());
        let made = Conv::with_isa(shape, isa).work().values();
        prop_assert_eq!(made, Work::forecast_with(&shape, isa));
    }

    #[test]
    fn any_shape_is_as_defined(
        inputs in 1usize..20,
        outputs in 1usize..20,
        height in 1usize..20,
        width in 1usize..40,
        kernel in 1usize..6,
        stride in 1usize..4,
        padding in 0usize..4,
        isa in prop::sample::select(Isa::available()),
    ) {
        let shape = Shape { inputs, outputs, height, width, kernel, stride, padding };
        prop_assume!(shape.is_valid());
        check(shape, isa);
    }
}

/// The definition's own gradients, by central differences.
#[test]
fn gradients_are_those_of_the_output() {
    let shape =
        Shape { inputs: 2, outputs: 3, height: 5, width: 4, kernel: 3, stride: 2, padding: 1 };
    let x = wide(&values(shape.input_len(), 1));
    let w = wide(&values(shape.weights(), 2));
    let dy = wide(&values(shape.output_len(), 3));
    let loss = |x: &[f64], w: &[f64]| -> f64 {
        definition::conv(&shape, x, w).iter().zip(&dy).map(|(y, dy)| y * dy).sum()
    };
    let (dx, dw) = definition::conv_gradients(&shape, &x, &w, &dy);
    let slope = |at: &[f64], i: usize, loss: &dyn Fn(&[f64]) -> f64| {
        let (mut up, mut down) = (at.to_vec(), at.to_vec());
        up[i] += 1e-4;
        down[i] -= 1e-4;
        (loss(&up) - loss(&down)) / 2e-4
    };
    for (i, dx) in dx.iter().enumerate() {
        assert!((slope(&x, i, &|x| loss(x, &w)) - dx).abs() < 1e-8);
    }
    for (i, dw) in dw.iter().enumerate() {
        assert!((slope(&w, i, &|w| loss(&x, w)) - dw).abs() < 1e-8);
    }
}
