//! Which network a run trains.

use esgd_models::{
    Activation, Network as Layers,
    networks::{self, Size},
};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Network {
    pub kind: Kind,
    pub hidden: Vec<usize>,
    pub activation: Activation,
    pub depth: usize,
    pub width: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Mlp,
    Convnet,
    Resnet,
    WideResnet,
}

impl Network {
    /// The network for samples of this size.
    pub(crate) fn layers(&self, input: Size, classes: usize) -> Result<Layers, Failure> {
        let layers = match self.kind {
            Kind::Mlp => networks::mlp(input.len(), &self.hidden, classes, self.activation),
            Kind::Convnet => networks::convnet(input, classes),
            Kind::Resnet => networks::resnet(self.depth, input, classes),
            Kind::WideResnet => networks::wide_resnet(self.depth, self.width, input, classes),
        };
        layers.map_err(|e| Failure::Usage(format!("network: {e}")))
    }

    pub(crate) fn check(&self) -> Result<(), Failure> {
        let limits = [("network.depth", self.depth, 2000), ("network.width", self.width, 256)];
        for (name, value, most) in limits {
            if value > most {
                return Err(Failure::Usage(format!("{name} = {value}: expected at most {most}")));
            }
        }
        if self.hidden.len() > 1000 {
            return Err(Failure::Usage(format!(
                "network.hidden has {} layers: expected at most 1000",
                self.hidden.len()
            )));
        }
        match self.hidden.iter().find(|width| !(1..=65_536).contains(*width)) {
            Some(width) => Err(Failure::Usage(format!(
                "network.hidden has a layer of width {width}: expected 1 to 65536"
            ))),
            None => Ok(()),
        }
    }
}
