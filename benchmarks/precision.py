"""What bfloat16 changes in the maps of a trained network, against float32.

Takes the folder of a finished run (``make demo`` makes one in the project's folder): its series,
network, reference and split. Each tile is mapped in both precisions by the job of the workflow, and
judged on the pixels of its test polygons: pooled kappa of each, and the share of pixels that
differ.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from jobs import run_job
from series import print_figures, write_result
from sklearn.metrics import cohen_kappa_score
from tile_on_disk import ROOT

from fgunet.rasters import read_band
from fgunet.reference.sides import TEST

TARGETS = {"kappa_moves": "< 0.001 where bfloat16 may be the default"}


def classify(results: Path, tile: str, precision: str, work: Path) -> np.ndarray:
    """Codes (y, x) of a tile."""
    models = results / "models" / "fgunet"
    run_job(
        "classify_fgunet",
        path_to_series=results / "series" / f"{tile}.zarr",
        path_to_model=models / "model.keras",
        path_to_metadata=models / "metadata.json",
        nomenclature=ROOT / "tables" / "oso17.yaml",
        precision=precision,
        windows={},
        layers={},
        calibrated=False,
        memory_mb=3000,
        threads=2,
        path_to_class=work / "class.tif",
        path_to_confidence=work / "confidence.tif",
        path_to_margin=None,
        path_to_probabilities=None,
        path_to_facts=work / "mapping.json",
    )
    codes: np.ndarray = read_band(work / "class.tif")
    return codes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    results = parser.parse_args().results
    maps: dict[str, list[np.ndarray]] = {"float32": [], "bfloat16": []}
    codes, tested = [], []
    for store in sorted((results / "series").glob("*.zarr")):
        tile = store.stem
        codes.append(read_band(results / "reference" / f"{tile}_code.tif").ravel())
        tested.append(read_band(results / "reference" / f"{tile}_split.tif").ravel() == TEST)
        with tempfile.TemporaryDirectory() as work:
            for precision, found in maps.items():
                found.append(classify(results, tile, precision, Path(work)).ravel())
        print(f"{tile} is mapped")
    reference, inside = np.concatenate(codes), np.concatenate(tested)
    full, half = (np.concatenate(found) for found in maps.values())
    figures = {
        "kappa_f32": cohen_kappa_score(reference[inside], full[inside]),
        "kappa_bf16": cohen_kappa_score(reference[inside], half[inside]),
        "share_differing": float((full != half).mean()),
    }
    figures["kappa_moves"] = abs(figures["kappa_bf16"] - figures["kappa_f32"])
    print_figures(figures, TARGETS)
    write_result("precision", figures, {name: [value] for name, value in figures.items()})


if __name__ == "__main__":
    main()
