"""Time series on regular dates: interpolation of acquisitions, and the store they are kept in."""
