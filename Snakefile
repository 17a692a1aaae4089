from snakemake.utils import min_version

min_version("9.27")


# A configuration of the user's stands alone: it is not laid over the shipped one.
if not workflow.overwrite_configfiles:

    configfile: f"{workflow.basedir}/workflow_config.yaml"


report: "rules/captions/workflow.rst"


include: "rules/common.smk"


if "simulation" in config:

    include: "rules/simulate.smk"


include: "rules/series.smk"
include: "rules/reference.smk"
include: "rules/training.smk"
include: "rules/mapping.smk"
include: "rules/products.smk"
include: "rules/accuracy.smk"
include: "rules/comparison.smk"


if BUDGETS:

    include: "rules/learning_curve.smk"


include: "rules/report.smk"
include: "rules/scripts.smk"


localrules:
    all,


rule all:
    default_target: True
    input:
        "results/report.html",
        "results/stac/collection.json",  # tells of all maps: asks for them
        rules.table_pages.output,
