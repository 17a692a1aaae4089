# What jobs may take: memory and time by size of tile, number of tiles and attempt. The figures in
# the rules were measured; docs/resources.md has them. No rules here.

import math

# Side of a tile in pixels: as it is simulated, or that of all Sentinel-2 tiles.
SIDE = config["simulation"]["tile_size"] if SIMULATED else 10980
# Millions of pixels: of a tile, and of all.
TILE_MPX = SIDE**2 / 1e6
ALL_MPX = TILE_MPX * len(TILES)
# A job on a cluster is run by a Snakemake there (by two with Slurm), which knows of all tiles.
SNAKEMAKE_MB = 2 * (240 + len(TILES) // 8)


def memory(megabytes, of_a_thread=0):
    """Memory of a job, and of its Snakemake on a cluster; doubled at each further attempt."""
    return lambda wildcards, attempt, threads: (
        math.ceil(SNAKEMAKE_MB + megabytes + of_a_thread * threads) * 2 ** (attempt - 1)
    )


def minutes(seconds, shared=0):
    """Time of a job: three times what was measured, and twice that at each further attempt.

    `shared` are seconds of work that its threads share.
    """
    return lambda wildcards, attempt, threads: (
        max(10, math.ceil(3 * (seconds + shared / threads) / 60)) * 2 ** (attempt - 1)
    )


def own_memory(wildcards, resources):
    """What a script may use that is told: the memory of its job without that of Snakemake."""
    return resources.mem_mb - SNAKEMAKE_MB


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
