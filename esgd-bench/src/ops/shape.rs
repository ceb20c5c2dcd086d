//! The size of a population and of the networks in it.

use std::{fmt, str::FromStr};

/// How many parents and offspring there are, and of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Individuals that offspring are made of, μ.
    pub parents: usize,
    /// Individuals that are made, λ.
    pub offspring: usize,
    /// Parents of each offspring, ρ.
    pub rho: usize,
    /// The length of each tensor of an individual.
    pub lengths: Vec<usize>,
}

impl Shape {
    /// Parameters of one individual, d.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.lengths.iter().sum()
    }

    /// Parameters that one run makes: λ d.
    #[must_use]
    pub fn made(&self) -> f64 {
        self.offspring as f64 * self.parameters() as f64
    }

    /// The parents of offspring `k`: the same for every contestant.
    #[must_use]
    pub fn parents_of(&self, k: usize) -> Vec<usize> {
        (0..self.rho).map(|j| (7 * k + 3 * j) % self.parents).collect()
    }
}

/// As the line that a contestant reads has it.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.parents, self.offspring, self.rho)?;
        self.lengths.iter().try_for_each(|length| write!(f, " {length}"))
    }
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let numbers: Option<Vec<usize>> =
            line.split_whitespace().map(|word| word.parse().ok().filter(|&n| n > 0)).collect();
        match numbers.as_deref() {
            Some([parents, offspring, rho, lengths @ ..]) if !lengths.is_empty() => Ok(Self {
                parents: *parents,
                offspring: *offspring,
                rho: *rho,
                lengths: lengths.to_vec(),
            }),
            _ => Err(format!(
                "`{line}` is no shape, expected parents, offspring, rho and a length for each \
                 tensor, all above 0"
            )),
        }
    }
}

/// The tensors of a ResNet-18 for small images whose first stage has `width` channels:
/// convolutions, scales and shifts of batch normalisation, and the last layer.
#[must_use]
pub fn resnet18(width: usize) -> Vec<usize> {
    let mut lengths = vec![];
    let mut convolution = |from: usize, to: usize, kernel: usize| {
        lengths.extend([from * to * kernel * kernel, to, to]);
    };
    convolution(3, width, 3);
    let mut from = width;
    for stage in 0..4 {
        let to = width << stage;
        for block in 0..2 {
            convolution(from, to, 3);
            convolution(to, to, 3);
            if block == 0 && from != to {
                convolution(from, to, 1);
            }
            from = to;
        }
    }
    lengths.extend([from * 10, 10]);
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_gives_its_shape_back() {
        let shape = Shape { parents: 16, offspring: 64, rho: 2, lengths: vec![100, 7] };
        assert_eq!(shape.to_string().parse(), Ok(shape));
        for wrong in ["", "16 64 2", "16 64 2 0", "16 64 two 5"] {
            assert!(wrong.parse::<Shape>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn resnet_18_has_the_parameters_that_others_count() {
        // Of the CIFAR-10 variant, as counted by kuangliu/pytorch-cifar.
        assert_eq!(resnet18(64).iter().sum::<usize>(), 11_173_962);
        assert_eq!(resnet18(64).len(), 62);
    }
}
