"""ferkit's network, augmentation and training in PyTorch, for the bench, the experiments and the golden values."""
