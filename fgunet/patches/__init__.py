"""Patches: where they lie, drawing them, augmentation, and statistics of the training pixels."""
