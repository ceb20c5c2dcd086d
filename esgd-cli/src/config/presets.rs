//! The presets: commented configs that are built in.

use super::nearest::did_you_mean;
use crate::failure::Failure;

/// Name, what it is, text.
const PRESETS: [(&str, &str, &str); 6] = [
    (
        "default",
        "handwritten digits; the way that did best on validation data",
        include_str!("../../presets/default.toml"),
    ),
    ("digits", "the same", include_str!("../../presets/default.toml")),
    (
        "paper",
        "the paper's way: strict back-off, recipes redrawn, independent start",
        include_str!("../../presets/paper.toml"),
    ),
    (
        "fashion-mnist",
        "a small ConvNet on Fashion-MNIST or MNIST; needs --data",
        include_str!("../../presets/fashion-mnist.toml"),
    ),
    ("cifar10", "ResNet-20 on CIFAR-10; needs --data", include_str!("../../presets/cifar10.toml")),
    (
        "cifar10-small",
        "a small ConvNet on a tenth of CIFAR-10; needs --data",
        include_str!("../../presets/cifar10-small.toml"),
    ),
];

/// The text of a preset.
pub(crate) fn text(name: &str) -> Result<&'static str, Failure> {
    let found = PRESETS.iter().find(|(known, ..)| *known == name);
    found.map(|(_, _, text)| *text).ok_or_else(|| {
        let hint = did_you_mean(name, PRESETS.iter().map(|p| p.0));
        let names = PRESETS.map(|p| p.0).join(", ");
        Failure::Usage(format!("there is no preset `{name}`: expected one of {names}{hint}"))
    })
}

/// What they are called.
#[cfg(test)]
pub(crate) fn names() -> [&'static str; PRESETS.len()] {
    PRESETS.map(|(name, ..)| name)
}

/// A line a preset.
pub(crate) fn listing() -> String {
    let lines = PRESETS.map(|(name, what, _)| format!("{name:15} {what}\n"));
    lines.concat()
        + "\nSee one with `esgd config --preset NAME`; lay them over one another with --preset A --preset B.\n"
}
