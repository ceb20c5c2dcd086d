//! A network in words, for whoever has its file and not this program.

use super::{Layer, Network, Size, layer::stride};

impl Network {
    /// Its layers in words, first to last.
    ///
    /// ```
    /// use esgd_models::{Activation, networks};
    ///
    /// let mlp = networks::mlp(64, &[8], 10, Activation::Relu)?;
    /// assert_eq!(mlp.in_words(), "fc1: linear 64 -> 8, relu, dropout; fc2: linear 8 -> 10");
    /// # Ok::<(), esgd_models::Error>(())
    /// ```
    #[must_use]
    pub fn in_words(&self) -> String {
        words(&self.layers, self.input)
    }
}

fn words(layers: &[Layer], input: Size) -> String {
    let mut size = input;
    let mut all = vec![];
    for layer in layers {
        // It fits: that was checked when the network was made.
        let output = layer.output(size).unwrap_or(size);
        all.push(of(layer, size, output));
        size = output;
    }
    all.join("; ")
}

fn of(layer: &Layer, input: Size, output: Size) -> String {
    let dropped = |dropout: bool| if dropout { ", dropout" } else { "" };
    match layer {
        Layer::Linear { name, outputs, activation, dropout } => {
            let activation =
                activation.map_or_else(String::new, |a| format!(", {a:?}").to_lowercase());
            format!("{name}: linear {} -> {outputs}{activation}{}", input.len(), dropped(*dropout))
        }
        Layer::Conv { name, outputs, kernel, stride, norm, relu } => {
            let norm = norm.as_ref().map_or_else(String::new, |n| format!(", {n}: batch norm"));
            let relu = if *relu { ", relu" } else { "" };
            format!(
                "{name}: conv {kernel}x{kernel} {} -> {outputs}, stride {stride}, padding {}, no bias{norm}{relu}",
                input.channels,
                kernel / 2
            )
        }
        Layer::Norm { name, dropout } => {
            format!("{name}: batch norm, relu{}", dropped(*dropout))
        }
        Layer::MaxPool { size } => format!("max-pool {size}x{size}"),
        Layer::MeanPool => "mean of each channel".into(),
        Layer::Residual { body, projection } => {
            let (step, new) = (stride(body), output.channels.saturating_sub(input.channels));
            let around = match projection {
                Some(name) => format!(
                    "{name}: conv 1x1 {} -> {}, stride {step}, no bias",
                    input.channels, output.channels
                ),
                None if new == 0 && step == 1 => "its input".into(),
                None => format!(
                    "its input, one pixel of {step} each way, {} channels of zeros before and {} behind",
                    new / 2,
                    new - new / 2
                ),
            };
            format!("block ({}), its last relu after the sum with {around}", words(body, input))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{convnet, resnet, wide_resnet};
    use super::*;

    #[test]
    fn layers_are_told_in_order() {
        let convnet = convnet(Size::image(1, 28, 28), 10).unwrap();
        assert_eq!(
            convnet.in_words(),
            "conv1: conv 3x3 1 -> 32, stride 1, padding 1, no bias, bn1: batch norm, relu; max-pool 2x2; \
             conv2: conv 3x3 32 -> 32, stride 1, padding 1, no bias, bn2: batch norm, relu; max-pool 2x2; \
             linear: linear 1568 -> 10"
        );
        let cifar = Size::image(3, 32, 32);
        let resnet = resnet(20, cifar, 10).unwrap().in_words();
        assert!(resnet.contains("sum with its input; "), "{resnet}");
        assert!(
            resnet.contains("one pixel of 2 each way, 8 channels of zeros before and 8 behind"),
            "{resnet}"
        );
        let wide = wide_resnet(16, 4, cifar, 10).unwrap().in_words();
        assert!(wide.contains("layer1.0.shortcut: conv 1x1 16 -> 64, stride 1"), "{wide}");
    }
}
