"""Fill in the points of a sample from the truth of a simulated world."""

from collections.abc import Sequence

import numpy as np

from fgunet.accuracy.points import DESIGN, REFERENCE, codes_at
from fgunet.errors import AccuracyError
from fgunet.logs import log_to
from fgunet.vectors import read_layer, write_layer


def main(*, path_to_points: str, paths_to_truth: Sequence[str], path_to_labelled: str) -> None:
    points = read_layer(path_to_points, columns=DESIGN).drop(columns="feature_id")
    reference = np.zeros(len(points), dtype=np.uint8)
    for path in paths_to_truth:
        without = reference == 0
        reference[without] = codes_at(path, points[without])[0]
    outside = points["point_id"][reference == 0]
    if len(outside):
        raise AccuracyError(
            f"{path_to_points}: {len(outside)} points lie outside of the truth of all "
            f"{len(paths_to_truth)} tiles, such as point_id {outside.iloc[0]}; draw the sample "
            "from the maps of these tiles: delete the file"
        )
    write_layer(path_to_labelled, points.assign(**{REFERENCE: reference.astype(np.int32)}))


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        path_to_points=snakemake.input.points,
        paths_to_truth=snakemake.input.truth,
        path_to_labelled=snakemake.output[0],
    )
