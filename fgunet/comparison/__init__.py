"""A fair comparison: which polygons the methods may learn from, and what each of them saw."""
