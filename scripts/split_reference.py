"""Split the fused polygons into training, validation and test, once for all tiles."""

from fgunet.files import read_json, write_json
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.reference.audit import audit_split
from fgunet.reference.split import SPLIT_NAMES, split_polygons
from fgunet.vectors import read_layer, write_layer

COLUMNS = ["polygon_id", "feature", "code", "source", "area_ha", "tiles"]
KEPT_COLUMNS = ["polygon_id", "code", "source", "area_ha", "split", "tiles", "geometry"]


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
    split = split_polygons(
        frame["polygon_id"].to_numpy(),
        frame["code"].to_numpy(),
        feature=frame["feature"].to_numpy(),
        test_share=test_share,
        validation_share=validation_share,
        minimum_polygons=minimum_polygons,
        leave_out_scarce=leave_out_scarce,
        seed=seed,
        names=names,
    )
    audit = audit_split(frame, split, names)
    kept = frame[split > 0].assign(split=[SPLIT_NAMES[n] for n in split[split > 0].tolist()])
    write_layer(path_to_polygons, kept[KEPT_COLUMNS], layer="polygons")
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
