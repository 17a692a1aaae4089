# How good the maps are.


include: "scores.smk"
include: "differences.smk"
include: "context.smk"
include: "sample.smk"
