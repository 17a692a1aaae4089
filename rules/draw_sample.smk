rule draw_sample:
    input:
        map=f"results/maps/{METHODS[0]}/mosaic_class.tif",
        nomenclature=NOMENCLATURE,
    output:
        # Not removed before the job: it refuses to draw over points that were filled in.
        points=update("results/sample/points.gpkg"),
        strata=update("results/sample/strata.json"),
    log:
        "logs/draw_sample.log",
    benchmark:
        "results/benchmarks/draw_sample.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(700),
        runtime=minutes(10 + 0.05 * ALL_MPX),
    params:
        size=SAMPLE["size"],
        minimum_per_class=SAMPLE["minimum_per_class"],
        seed=config["seed"],
        library=VERSION,
    message:
        f"drawing {SAMPLE['size']} points from the classes of the mosaic"
    script:
        "../scripts/draw_sample.py"
