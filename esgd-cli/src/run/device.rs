//! Where networks are trained: `cpu` or `cuda:N`.

use candle_core::Device;

use crate::{failure::Failure, text::first_line::first_line};

/// The device of that name, ready to use.
pub(crate) fn named(name: &str) -> Result<Device, Failure> {
    if name == "cpu" {
        return Ok(Device::Cpu);
    }
    let ordinal = name.strip_prefix("cuda:").and_then(|n| n.parse::<usize>().ok());
    let Some(ordinal) = ordinal else {
        return Err(Failure::Usage(format!(
            "there is no device `{name}`: expected cpu, or cuda:N for GPU number N"
        )));
    };
    if !cfg!(feature = "cuda") {
        return Err(Failure::Usage(format!(
            "{name} is asked for and this program is built without CUDA: build it with \
             `--features cuda`, or choose --device cpu"
        )));
    }
    Device::new_cuda(ordinal).map_err(|e| {
        // candle puts a backtrace behind its first line.
        let why = first_line(&e);
        Failure::Failed(format!(
            "{name} cannot be used ({why}): expected a GPU that `nvidia-smi` lists, or choose \
             --device cpu"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_one_sentence() {
        assert!(named("cpu").unwrap().is_cpu());
        for (name, expected) in [
            ("gpu", "expected cpu, or cuda:N"),
            ("cuda", "expected cpu, or cuda:N"),
            ("cuda:x", "expected cpu, or cuda:N"),
            ("cuda:4096", "choose --device cpu"),
        ] {
            let message = named(name).unwrap_err().to_string();
            assert!(message.contains(expected) && !message.contains('\n'), "{message}");
        }
    }
}
