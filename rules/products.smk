# What is made of the maps of the tiles.


include: "regularisation.smk"
include: "mosaic.smk"
include: "deliverables.smk"


if config["mapping"]["polygon_minimum_m2"] is not None:

    include: "polygons.smk"


if STUDY_WINDOWS:

    include: "window_effect.smk"


include: "stac.smk"
