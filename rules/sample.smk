# A probability sample of the mosaic, and what it tells. Who labels it: a person, or the truth of a
# simulated world.

# Once a person's labels are named no rule can draw the points anew.
if not SAMPLE["labelled"]:

    include: "draw_sample.smk"


if LABELLED:

    include: "areas.smk"
