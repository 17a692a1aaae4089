"""Reference polygons: sources, fusion, split, rasters and their audit."""
