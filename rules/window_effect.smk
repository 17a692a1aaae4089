# Where the windows are those of the study: what that changes.


use rule classify_fgunet as classify_exact with:
    output:
        **maps_in("results/maps/fgunet/exact"),
    log:
        "logs/classify_exact/{tile}.log",
    benchmark:
        "results/benchmarks/classify_exact/{tile}.tsv"
    params:
        windows={"core": config["mapping"]["window"]},
        precision=config["mapping"]["precision"],
        layers=LAYERS,
        calibrated=config["mapping"]["calibrated"],
        memory_mb=own_memory,
        library=VERSION,
    message:
        "{wildcards.tile}: classifying with FG-UNET, as if the whole image at once"


rule window_effect:
    input:
        maps=expand("results/maps/fgunet/{tile}_class.tif", tile=TILES),
        exact=expand("results/maps/fgunet/exact/{tile}_class.tif", tile=TILES),
    output:
        "results/accuracy/window_effect.json",
    log:
        "logs/window_effect.log",
    benchmark:
        "results/benchmarks/window_effect.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(200),
        runtime=minutes(10 + 0.1 * ALL_MPX),
    params:
        tiles=TILES,
        library=VERSION,
    message:
        "counting the pixels that the windows of the study change"
    script:
        "../scripts/window_effect.py"
