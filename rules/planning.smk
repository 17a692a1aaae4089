# Snakemake asks the same of its rules for each of their jobs, a third of the time that a plan of
# 1,100 tiles takes: here the answers are kept. No rules here.

import gc
from functools import cache

import snakemake.common
import snakemake.jobs
import snakemake.rules
from snakemake.dag import ScriptProcessor

# The parameters of a function stay what they are.
parameters_of = cache(snakemake.common.get_function_params)
for place in (snakemake.common, snakemake.jobs, snakemake.rules):
    place.get_function_params = parameters_of


def check_once(check):
    """Look for a script once, not for each job: its path has no wildcards."""
    checked = set()

    def check_job(processor, job):
        if (processor.script_type, job.rule) not in checked:
            check(processor, job)
            checked.add((processor.script_type, job.rule))

    return check_job


ScriptProcessor.process_job = check_once(ScriptProcessor.process_job)

# A plan is millions of objects that stay: it is in vain to search them for garbage time and again.
gc.set_threshold(100_000, 20, 100)
