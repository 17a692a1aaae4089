"""Count the pixels that the windows of the study change, against the map of the whole image."""

from collections.abc import Sequence
from functools import partial

from fgunet.files import write_json
from fgunet.logs import log_to
from fgunet.mapping.effect import count_changed
from fgunet.rasters import read_band, read_grid, require_same_grid


def main(
    *,
    tiles: Sequence[str],
    paths_to_maps: Sequence[str],
    paths_to_exact_maps: Sequence[str],
    path_to_effect: str,
) -> None:
    effect = []
    for tile, *pair in zip(tiles, paths_to_maps, paths_to_exact_maps, strict=True):
        grid = require_same_grid((path, read_grid(path)) for path in pair)
        changed = count_changed(*(partial(read_band, path) for path in pair), grid.shape)
        effect.append({"tile": tile, "changed": changed})
    write_json(path_to_effect, effect)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        tiles=snakemake.params.tiles,
        paths_to_maps=snakemake.input.maps,
        paths_to_exact_maps=snakemake.input.exact,
        path_to_effect=snakemake.output[0],
    )
