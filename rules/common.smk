# The configuration, checked, and what several rules share. No rules here.

import fcntl
import os
import re
import sys
from functools import cache
from pathlib import Path

# A job may run in an environment where the library is not installed (conda): let it find it.
os.environ.update(
    PYTHONPATH=os.pathsep.join(
        filter(None, [str(workflow.basedir), os.environ.get("PYTHONPATH")])
    )
)
# TensorFlow's start-up notes say nothing that a user could act on.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(workflow.basedir))

import fgunet
from fgunet.config import validated
from fgunet.errors import ConfigError, FgunetError
from fgunet.nomenclature import read_nomenclature
from fgunet.sentinel2.families import list_products
from fgunet.series.dates import dates_of

TABLES = f"{workflow.basedir}/tables"


def shipped(name, suffix):
    """Path of a table: a bare name is a file of the folder tables."""
    bare = Path(name).name == name and not Path(name).suffix
    return f"{TABLES}/{name}{suffix}" if bare else name


def refuse_unknown_protected(regularisation, nomenclature):
    """Raise a ConfigError where a filter is to protect a code that is no class."""
    for method, filters in regularisation.items():
        unknown = sorted(set(filters["protect"]) - set(nomenclature.codes))
        if unknown:
            raise ConfigError(
                f"mapping.regularisation.{method}.protect: {unknown} are no codes of the "
                f"nomenclature {nomenclature.name!r}; protect some of "
                f"{list(nomenclature.codes)}, or none"
            )


def stop_on_bad_configuration():
    """The configuration with its defaults, and its dates, or one clear error before any work."""
    try:
        complete = validated(config)
        nomenclature = read_nomenclature(shipped(complete["nomenclature"], ".yaml"))
        refuse_unknown_protected(complete["mapping"]["regularisation"], nomenclature)
        keys = "first_date", "n_dates", "step_days", "dates"
        dates = dates_of(**{key: complete["series"][key] for key in keys})
    except FgunetError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    return complete, dates


config, DATES = stop_on_bad_configuration()

VERSION = fgunet.__version__
SIMULATED = "simulation" in config
NOMENCLATURE = shipped(config["nomenclature"], ".yaml")
TILES = config["tiles"]
LOCATIONS = (
    [folder] if isinstance(folder := config["products"]["folder"], str) else folder
)
# Many tiles keep all cores busy with one each; few need several.
THREADS_OF_A_TILE = max(1, 8 // len(TILES))
METHODS = config["mapping"]["methods"]
# The filters over each method's maps, and the methods that have any.
FILTERS = config["mapping"]["regularisation"]
REGULARISED = [
    method
    for method in METHODS
    if FILTERS[method]["majority_radius"] or FILTERS[method]["minimum_area_m2"]
]
# What is made of a tile besides class and confidence.
LAYERS = {
    "margin": config["mapping"]["margin"],
    "probabilities": config["mapping"]["probabilities"],
}
# How scores are made.
SCORING = {key: config["accuracy"][key] for key in ("bootstrap_samples", "focus_group")}
# Whether there are two methods to compare, and whether also after the same majority filter.
COMPARED = len(METHODS) > 1
SMOOTHED = COMPARED and config["comparison"]["majority_radius"] > 0
# The group of classes that is looked at by itself.
FOCUS_GROUP = config["accuracy"]["focus_group"]
URBAN = bool(FOCUS_GROUP and read_nomenclature(NOMENCLATURE).group(FOCUS_GROUP))
# Folder of a run with the other kind of split.
BLOCK_RUN = config["accuracy"]["block_run"]
# A probability sample of the mosaic; who labels it: a person, or the truth of a simulated world.
SAMPLE = config["accuracy"]["sample"]
LABELLED = SAMPLE["labelled"] or ("results/sample/labelled.gpkg" if SIMULATED else None)
# Whether the network's maps are made in the windows of the study.
STUDY_WINDOWS = config["mapping"]["overlap"] is not None and "fgunet" in METHODS
EQUAL_LABELS = config["comparison"]["equal_labels"] and COMPARED
# Where both methods learn from the same polygons, training without the others.
LEARNING_SPLIT = (
    "results/comparison/all/{tile}_split.tif"
    if EQUAL_LABELS
    else "results/reference/{tile}_split.tif"
)
BUDGETS = [str(share) for share in sorted(config["comparison"]["learning_curve"])]
# The classifier of pixels, and which pixels it learns from and is scored on.
CLASSIFIER = {
    key: config["forest"][key]
    for key in ("classifier", "parameters", "trees", "depth", "levels", "score_on")
}
SAMPLING = {
    "strategy": config["forest"]["sampling"],
    "samples_per_class": config["forest"]["samples_per_class"],
    "samples": config["forest"]["samples"],
    "samples_per_polygon": config["forest"]["samples_per_polygon"],
    "every_polygon": EQUAL_LABELS,
}
VALIDATION_SAMPLING = {
    "strategy": "proportional",
    "samples_per_class": config["forest"]["samples_per_class"],
    "samples": config["forest"]["validation_samples"],
    "samples_per_polygon": None,
}
SOURCES = [
    {
        **source,
        "precedence": source["precedence"] or place,
        "translation": source["translation"] and shipped(source["translation"], ".csv"),
    }
    for place, source in enumerate(config["reference"]["sources"], start=1)
]


wildcard_constraints:
    tile="|".join(TILES),
    method="|".join(METHODS),
    budget="|".join(map(re.escape, ["all", *BUDGETS])),


def memory(megabytes, of_a_thread=0):
    """Memory of a job, doubled at each further attempt."""
    return lambda wildcards, attempt, threads: (
        (megabytes + of_a_thread * threads) * 2 ** (attempt - 1)
    )


def megabytes_of_samples(*samplings):
    """Megabytes of the pixels of samplings at most, without those beyond, one of each polygon."""
    classes = len(read_nomenclature(NOMENCLATURE).codes)
    pixels = sum(
        (
            sampling["samples"]
            if sampling["strategy"] == "proportional"
            else sampling["samples_per_class"] * classes
        )
        for sampling in samplings
    )
    return pixels * len(DATES) * len(config["products"]["bands"]) * 2 // 10**6


def workers(wildcards, threads):
    """Most workers, one a thread, that can share the patches of a step evenly."""
    batch = config["fgunet"]["batch_size"]
    return max(n for n in range(1, threads + 1) if batch % n == 0)


def maps_in(folder):
    """The maps of a tile that a classifier writes to a folder."""
    return {
        "map": f"{folder}/{{tile}}_class.tif",
        "table": f"{folder}/{{tile}}_class.tif.aux.xml",
        "confidence": f"{folder}/{{tile}}_confidence.tif",
        "facts": f"{folder}/{{tile}}_mapping.json",
        **{
            layer: f"{folder}/{{tile}}_{layer}.tif" for layer in LAYERS if LAYERS[layer]
        },
    }


def ends_of_products(method):
    """Ends of the names of a method's products of each tile."""
    optional = {
        "regularised.tif": method in REGULARISED,
        **{f"{layer}.tif": wanted for layer, wanted in LAYERS.items()},
        "polygons.gpkg": config["mapping"]["polygon_minimum_m2"] is not None,
    }
    wanted = [product for product, wanted in optional.items() if wanted]
    return ["class.tif", "confidence.tif", *wanted]


def map_to_polygonise(wildcards):
    """A method's product: the regularised map where it has one."""
    kind = "regularised" if wildcards.method in REGULARISED else "class"
    return f"results/maps/{wildcards.method}/{wildcards.tile}_{kind}.tif"


@cache
def products_by_tile():
    """The products of all tiles, found in one walk; services are asked later."""
    try:
        return list_products(LOCATIONS, family=config["products"]["family"])
    except FgunetError as error:
        sys.exit(f"{type(error).__name__}: {error}")


def product_names(tile):
    """Names of a tile's products, so that a product that comes or goes makes its tile anew."""
    if SIMULATED:
        return []
    return [product.name for product in products_by_tile().get(tile, [])]


def products_of(wildcards):
    """Where a tile's products lie: made by the simulation, or the user's folder as it is."""
    return f"simulated/products/{wildcards.tile}" if SIMULATED else []


def files_of_block_run(wildcards):
    """What the other run says of itself, or one clear error before any work."""
    from fgunet.accuracy.split_gap import files_of_run

    try:
        paths = files_of_run(BLOCK_RUN)
    except FgunetError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    return {f"other_{name}": path for name, path in paths.items()}


def take_lock():
    """Keep a second run out of this folder; the kernel lets go when this process ends."""
    lock = open(".snakemake/run.lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"another run is at work in {os.getcwd()}; wait for it, or stop it")
    return lock


def stop_on_unusable_classifier():
    """One clear error before any work where the classifier of pixels cannot be made.

    Not in a job that others wait for: a change of it would then hide from Snakemake that the
    models have to be made anew.
    """
    from fgunet.forest.classifiers import ForestSettings, make_classifier

    try:
        make_classifier(ForestSettings(**CLASSIFIER), config["seed"])
    except FgunetError as error:
        sys.exit(f"{type(error).__name__}: {error}")


onstart:
    if "forest" in METHODS:
        stop_on_unusable_classifier()
    globals()["run_lock"] = take_lock()


include: "shown.smk"
