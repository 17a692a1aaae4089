"""Split the fused polygons into training, validation and test, once for all tiles."""

from fgunet.files import read_json, write_json
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.reference.audit import (
    check_leakage,
    count_left_out,
    count_polygons,
    require_no_leak,
)
from fgunet.reference.split import SPLIT_NAMES, split_polygons
from fgunet.vectors import read_layer, write_layer

COLUMNS = ["polygon_id", "feature", "code", "source", "area_ha", "tiles"]


def main(
    *,
    test_share: float,
    validation_share: float,
    minimum_polygons: int,
    leave_out_scarce: bool,
    seed: int,
    path_to_fused: str,
    path_to_fusion: str,
    path_to_nomenclature: str,
    path_to_polygons: str,
    path_to_audit: str,
) -> None:
    names = read_nomenclature(path_to_nomenclature).names
    frame = read_layer(path_to_fused, columns=COLUMNS)
    code = frame["code"].to_numpy()
    split = split_polygons(
        frame["polygon_id"].to_numpy(),
        code,
        feature=frame["feature"].to_numpy(),
        test_share=test_share,
        validation_share=validation_share,
        minimum_polygons=minimum_polygons,
        leave_out_scarce=leave_out_scarce,
        seed=seed,
        names=names,
    )
    left_out = count_left_out(code, split, names)
    frame, split = frame[split > 0], split[split > 0]
    leakage = check_leakage(
        frame.geometry.to_numpy(),
        frame["polygon_id"].to_numpy(),
        frame["feature"].to_numpy(),
        split,
    )
    require_no_leak(leakage)
    counts = count_polygons(
        code=frame["code"].to_numpy(),
        source=frame["source"].to_numpy(dtype=object),
        split=split,
        tiles=frame["tiles"].tolist(),
        area_m2=frame.geometry.area.to_numpy(),
        names=names,
    )
    frame = frame.assign(split=[SPLIT_NAMES[number] for number in split.tolist()])
    columns = ["polygon_id", "code", "source", "area_ha", "split", "tiles", "geometry"]
    write_layer(path_to_polygons, frame[columns], layer="polygons")
    audit = {"counts": counts, "left_out": left_out, "leakage": leakage}
    write_json(path_to_audit, {**audit, "fusion": read_json(path_to_fusion)})


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        test_share=snakemake.params.test_share,
        validation_share=snakemake.params.validation_share,
        minimum_polygons=snakemake.params.minimum_polygons,
        leave_out_scarce=snakemake.params.leave_out_scarce,
        seed=snakemake.params.seed,
        path_to_fused=snakemake.input.fused,
        path_to_fusion=snakemake.input.fusion,
        path_to_nomenclature=snakemake.input.nomenclature,
        path_to_polygons=snakemake.output.polygons,
        path_to_audit=snakemake.output.audit,
    )
