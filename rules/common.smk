# The configuration, checked, and what several rules share. No rules here.

import gc
import os
import re
import sys
from contextlib import nullcontext
from functools import cache
from pathlib import Path

from snakemake.workflow import Workflow


def put_first(variable, folder):
    """Let the jobs look into a folder first."""
    others = os.environ.get(variable, "").split(os.pathsep)
    os.environ[variable] = os.pathsep.join(
        [folder, *(other for other in others if other not in ("", folder))]
    )


# A job may run in an environment where the library is not installed (conda): let it find it; and
# the commands beside this Python where the environment was not activated.
put_first("PYTHONPATH", str(workflow.basedir))
put_first("PATH", os.path.dirname(sys.executable))
# TensorFlow's start-up notes say nothing that a user could act on.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(workflow.basedir))

import fgunet
from fgunet.config import require_keys_once, validated
from fgunet.errors import ConfigError, FgunetError
from fgunet.files import lock, remove, scratch_beside
from fgunet.leftovers import RUN_VARIABLE, clear, remove_parts, run_name
from fgunet.nomenclature import read_nomenclature
from fgunet.sentinel2.families import list_products
from fgunet.series.dates import dates_of

# All that this run starts can be told by it.
os.environ[RUN_VARIABLE] = run_name()

# As seen from the run: both may be moved together.
TABLES = os.path.relpath(f"{workflow.basedir}/tables")
# Folders that jobs write to.
WRITTEN = ["results", "simulated"]


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
        for path in workflow.configfiles:
            require_keys_once(path)
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
# What reference and models take of it: another colour makes maps and figures anew, no model.
CLASSES = [read_nomenclature(NOMENCLATURE).name, read_nomenclature(NOMENCLATURE).names]
# In any order they make the same.
TILES = sorted(config["tiles"])
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
# Nothing is made of the series before it exists; it does not make them anew.
CHECKED = ancient("results/inputs_checked.json")
# Whether this Snakemake plans the whole run, not a single job or part of the rules.
ALL_RULES = workflow.is_main_process and "--allowed-rules" not in sys.argv
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
    # A pattern, wider than the schema's: a thousand names would be tried one by one at every path.
    tile="T[0-9]{2}[A-Z]{3}",
    method="|".join(METHODS),
    budget="|".join(map(re.escape, ["all", *BUDGETS])),


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


def products_found(tile):
    """A tile's products, so that one that comes, goes or changes makes its tile anew.

    Of each its name and, of a local one, the time of change (ns) of its archive or folder.
    """
    if SIMULATED:
        return []
    return [
        (product.name, time_of_change(product.path))
        for product in products_by_tile().get(tile, [])
    ]


def time_of_change(path):
    """Time of change of a file or folder (ns), None of an address."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None


def files_of_source(path):
    """The files of a source: of a shapefile also those beside it, of a folder all in it."""
    place = Path(path)
    beside = [place.with_suffix(suffix) for suffix in (".dbf", ".prj", ".cpg")]
    parts = (
        place.glob("*") if place.is_dir() else beside if place.suffix == ".shp" else []
    )
    return [path, *(str(part) for part in parts if part.is_file())]


def locations_of_products(wildcards, input):
    """Where to look for a tile's products; Snakemake compares nothing that is made of inputs."""
    return [input.products] if SIMULATED else LOCATIONS


def search_for_grid(wildcards, input):
    """What finds a product of a tile; made of inputs, for any of its products has its grid."""
    keys = "family", "collections", "bands", "reflectance"
    return {
        "locations": locations_of_products(wildcards, input),
        "dates": [DATES[0], DATES[-1]],
        **{key: config["products"][key] for key in keys},
    }


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


def take_folder():
    """Keep a second run out of this folder, and clear what a killed one has left here.

    The kernel lets go of the lock when this process ends.
    """
    held = open(".snakemake/run.lock", "w")
    try:
        alone = lock(held)
    except BlockingIOError:
        sys.exit(f"another run is at work in {os.getcwd()}; wait for it, or stop it")
    if workflow.non_local_exec:
        wait_for_slurm()
    # Without locks, what is at work here may be another run.
    if alone:
        clear(".", WRITTEN)
    return held


def remove_temporary_outputs():
    """Remove outputs that are temporary.

    Snakemake does so as it ends the last job that needs one. Of a run that was killed right then
    they would stay for ever.
    """
    if workflow.storage_settings.notemp:
        return
    for job in workflow.dag.jobs:
        for path in set(job.temp_output) - workflow.dag.derived_targetfiles:
            remove(path)
    # Folders that are empty by that.
    workflow.dag.cleanup_workdir()


def stop_where_nothing_can_be_written():
    """One clear error before any work where a folder of the results is read-only or none."""
    try:
        for folder in filter(os.path.lexists, [*WRITTEN, "logs"]):
            if not os.path.isdir(folder):
                sys.exit(f"{folder} is no folder, but jobs write there: take it away")
            with scratch_beside(f"{folder}/run"):
                pass
    except FgunetError as error:
        sys.exit(f"{type(error).__name__}: {error}")


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
    # What the plan is made of stays (rules/planning.smk).
    gc.freeze()
    gc.enable()
    globals()["run_lock"] = take_folder()
    stop_where_nothing_can_be_written()
    if "forest" in METHODS:
        stop_on_unusable_classifier()


# Of a job that was cancelled and tried again, and of a run that was killed.
onsuccess:
    remove_parts(WRITTEN)
    remove_temporary_outputs()


def clear_where_nothing_is_to_be_done(execute):
    """Clear what a killed run left there, too: Snakemake then calls neither hook."""

    def executed(flow, *arguments, **options):
        execute(flow, *arguments, **options)
        if not len(flow.dag) and not flow.dryrun and flow.is_main_process:
            with take_folder():
                remove_temporary_outputs()

    Workflow.execute = executed


clear_where_nothing_is_to_be_done(Workflow.execute)


def delete_nothing_beside_a_run(delete_output):
    """Refuse --delete-all-output and --delete-temp-output where another run is at work."""

    def deleted(flow, only_temp=False, dryrun=False):
        with nullcontext() if dryrun else take_folder():
            delete_output(flow, only_temp=only_temp, dryrun=dryrun)

    Workflow.delete_output = deleted


delete_nothing_beside_a_run(Workflow.delete_output)


include: "planning.smk"
include: "resources.smk"
include: "workers.smk"
include: "groups.smk"
include: "failures.smk"
include: "missing.smk"
include: "slurm.smk"
include: "shown.smk"
