"""Which training pixels the forest's sample showed, by polygon."""

from collections.abc import Mapping, Sequence
from typing import Any

from fgunet.comparison.seen import seen_in_samples
from fgunet.comparison.tables import write_table
from fgunet.forest.samples import merge_samples
from fgunet.forest.sampling import Sampling
from fgunet.forest.tables import read_samples
from fgunet.logs import log_to


def main(
    *, paths_to_samples: Sequence[str], sampling: Mapping[str, Any], path_to_seen: str
) -> None:
    parts = (read_samples(path) for path in paths_to_samples)
    pixels = merge_samples(parts, Sampling(**sampling)).pixels
    seen = seen_in_samples(pixels["polygon_id"].to_numpy(), pixels["code"].to_numpy())
    write_table(path_to_seen, seen)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        paths_to_samples=snakemake.input.samples,
        sampling=snakemake.params.sampling,
        path_to_seen=snakemake.output[0],
    )
