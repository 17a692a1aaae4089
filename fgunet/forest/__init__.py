"""The Random Forest: which pixels it learns from, training, and its file."""
