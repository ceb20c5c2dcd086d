//! Operations of other evolution strategies, on networks as tables of tensors.
