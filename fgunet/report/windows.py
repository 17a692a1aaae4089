"""What the report says of the windows that the maps were made in."""

from collections.abc import Mapping, Sequence
from typing import Any

from fgunet.report.style import method_label
from fgunet.report.wording import decimals, whole


def window_notes(
    mappings: Sequence[Mapping[str, Any]], effect: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Sentences on what windows and rounding change.

    Parameters
    ----------
    mappings : sequence of mapping
        One a tile and method: method, mapped, ties, tie_tolerance, halo, needed_halo
        (`fgunet.mapping.tile.map_tile`).
    effect : sequence of mapping
        One a tile: pixels that the windows of the study change; empty where the windows are exact.
    """
    if not mappings:
        return []
    notes = [_ties(mappings)]
    cut = [mapping for mapping in mappings if mapping["halo"] < mapping["needed_halo"]]
    if cut and effect:
        notes.insert(0, _changed(cut, sum(tile["changed"] for tile in effect)))
    return notes


def _ties(mappings: Sequence[Mapping[str, Any]]) -> str:
    methods = list(dict.fromkeys(mapping["method"] for mapping in mappings))
    counts = []
    for method in methods:
        mapped, ties = (
            whole(sum(mapping[key] for mapping in mappings if mapping["method"] == method))
            for key in ("mapped", "ties")
        )
        counts.append(f"{ties} of {mapped} pixels ({method_label(method)})")
    return (
        f"In {' and '.join(counts)} the two best classes are equally probable, to "
        f"{mappings[0]['tie_tolerance']:.5f}. Not the image but rounding or the order of the codes "
        "decides there."
    )


def _changed(mappings: Sequence[Mapping[str, Any]], changed: int) -> str:
    mapped = sum(mapping["mapped"] for mapping in mappings)
    first = mappings[0]
    seen, needed = first["halo"], first["needed_halo"]
    return (
        f"{method_label(first['method'])}’s maps were made in the windows of the study: around "
        f"each window {seen} pixels were seen, where the network needs {needed}. "
        f"That gives {whole(changed)} of {whole(mapped)} mapped pixels "
        f"({decimals(100 * changed / mapped, 2)} %) another class than the map of the whole image "
        "has. Take mapping.overlap out of the configuration to have that map."
    )
