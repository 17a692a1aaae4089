# A plan of many tiles is made faster: Snakemake asks the same of its rules for each of their jobs,
# and here the answers are kept. What a plan holds is the same. No rules here.

import atexit
import gc
import string
import sys
from functools import cache

import snakemake.common
import snakemake.io
from snakemake.dag import DAG, ScriptProcessor
from snakemake.iocontainers import ResourceList
from snakemake.jobs import Job
from snakemake.output_index import OutputIndex
from snakemake.rules import Rule

# A plan is millions of objects that stay: it is in vain to search them for garbage, at the end of
# Snakemake, too. A run that starts does it again (rules/common.smk).
gc.disable()
atexit.register(gc.freeze)


def put_in_place_of(function, other):
    """In all modules of Snakemake, which have imported it by its name."""
    for name, module in list(sys.modules.items()):
        if (
            name.startswith("snakemake")
            and vars(module).get(function.__name__) is function
        ):
            setattr(module, function.__name__, other)


def is_flagged(value, flag):
    """Whether a file is marked, without a look through all that its class is."""
    file = getattr(value, "_file", value)
    return bool(getattr(file, "_flags", {}).get(flag))


# The parameters of a function, and the rules that make a file, stay what they are.
parameters_of = cache(snakemake.common.get_function_params)
put_in_place_of(snakemake.common.get_function_params, parameters_of)
put_in_place_of(snakemake.io.is_flagged, is_flagged)
OutputIndex.match_producers = cache(OutputIndex.match_producers)


def look_once_at_rules(check, path_of, are_sound):
    """Look for a script, and at the names of logs, once, not for each job."""
    checked, paths, sound = set(), {}, set()

    def check_job(processor, job):
        if (processor.script_type, job.rule) not in checked:
            check(processor, job)
            checked.add((processor.script_type, job.rule))

    def kept_path_of(job, path):
        if (job.rule, path) not in paths:
            paths[job.rule, path] = path_of(job, path)
        return paths[job.rule, path]

    def require_sound(job):
        name = job.rule.name
        if name not in sound:
            are_sound(job)
            sound.add(name)

    ScriptProcessor.process_job = check_job
    Job._path_to_source_file, Job.is_valid = kept_path_of, require_sound


look_once_at_rules(ScriptProcessor.process_job, Job._path_to_source_file, Job.is_valid)


def evaluate_resources_once(expand_resources):
    """Ask for the resources of a rule once for the jobs of all tiles, which are of one size."""
    kept = {}

    def is_same_for_all_tiles(resource):
        # An expression of the command line or a profile may look at wildcards and files.
        if isinstance(resource.raw, str):
            return not any(word in resource.raw for word in ("input", "wildcards"))
        asked = parameters_of(resource._evaluator) if resource._evaluator else ()
        return "input" not in asked

    def kept_resources(rule, wildcards, input, attempt, skip_evaluation=None):
        others = tuple(pair for pair in wildcards.items() if pair[0] != "tile")
        key = rule, others, attempt, frozenset(skip_evaluation or ())
        if key not in kept:
            found = expand_resources(rule, wildcards, input, attempt, skip_evaluation)
            if not all(map(is_same_for_all_tiles, rule.resources.values())):
                return found
            kept[key] = dict(found.items())
        return ResourceList(fromdict=kept[key])

    Rule.expand_resources = kept_resources


evaluate_resources_once(Rule.expand_resources)


def expand_params_once(expand_params):
    """Keep the parameters of a rule in which nothing is computed and no wildcard is filled in."""
    kept = {}

    def is_same_for_all_jobs(value):
        texts = value if isinstance(value, list) else [value]
        filled_in = any(isinstance(text, str) and "{" in text for text in texts)
        return not callable(value) and not filled_in

    def kept_params(rule, wildcards, input, output, job, omit_callable=False):
        found = kept.get(rule)
        if found is None:
            found = expand_params(rule, wildcards, input, output, job, omit_callable)
            if all(map(is_same_for_all_jobs, rule.params)):
                kept[rule] = found
        return found

    Rule.expand_params = kept_params


expand_params_once(Rule.expand_params)


def tell_without_detours(format_wildcards):
    """Put wildcards alone in a message that names nothing else, not all that a workflow knows."""

    @cache
    def names_wildcards_alone(text):
        fields = [field for _, field, _, _ in string.Formatter().parse(text)]
        return all(not field or field.startswith("wildcards.") for field in fields)

    def told(job, text, **variables):
        if names_wildcards_alone(text):
            return text.format(wildcards=job._format_wildcards)
        return format_wildcards(job, text, **variables)

    Job.format_wildcards = told


tell_without_detours(Job.format_wildcards)


def visit_jobs_once(update):
    """Return at once from a job that is in the plan already, and that does not wait for itself."""

    async def update_once(dag, jobs, file=None, visited=None, **options):
        jobs = list(jobs)
        if len(jobs) == 1:
            (job,) = jobs
            if job in dag._dependencies and job not in (visited or ()):
                return job
        return await update(dag, jobs, file=file, visited=visited, **options)

    DAG.update = update_once


visit_jobs_once(DAG.update)

# Snakemake compares the paths of all outputs, lest one lies in another. What holds for fifty tiles
# holds for more.
if len(TILES) > 50:
    DAG.check_directory_outputs = lambda dag: None
