"""Measure how far each test polygon lies from the nearest training polygon."""

import numpy as np
import pandas as pd

from fgunet.files import atomic_path
from fgunet.logs import log_to
from fgunet.reference.distances import distances_to_training
from fgunet.reference.sides import SPLIT_CODES, TEST
from fgunet.vectors import read_layer


def main(*, path_to_polygons: str, path_to_distances: str) -> None:
    polygons = read_layer(path_to_polygons, layer="polygons", columns=["polygon_id", "split"])
    split = polygons["split"].map(SPLIT_CODES).to_numpy(np.uint8)
    distances = pd.DataFrame(
        {
            "polygon_id": polygons.loc[split == TEST, "polygon_id"],
            "distance_m": distances_to_training(polygons.geometry.to_numpy(), split),
        }
    )
    with atomic_path(path_to_distances) as part:
        distances.sort_values("polygon_id").to_parquet(part, index=False)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        path_to_polygons=snakemake.input.polygons,
        path_to_distances=snakemake.output[0],
    )
