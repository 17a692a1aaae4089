# A result that is missing is made again. No rules here.

from itertools import chain

from snakemake.dag import DAG


def make_what_is_missing(update_needrun):
    """Let a job run where a lasting output of it is missing.

    Snakemake asks only whether the last results of a run are there. A model or a map that was
    removed, or lost with a job that failed or was stopped, would be missing in a run that says
    that there is nothing to be done.
    """

    async def missing_outputs(job):
        return [
            file
            for file in job.output
            if file not in job.temp_output and not await file.exists()
        ]

    async def update(dag, **options):
        await update_needrun(dag, **options)
        missing = {
            job: files
            for job in list(dag.jobs)
            if not (dag.needrun(job) or dag.finished(job))
            and (files := await missing_outputs(job))
        }
        if not missing:
            return
        forced = dag.forcefiles
        dag.forcefiles = forced.union(chain(*missing.values()))
        await update_needrun(dag)
        dag.forcefiles = forced
        for job, files in missing.items():
            dag.reason(job).forced = False
            dag.reason(job).missing_output.update(files)

    DAG.update_needrun = update


# A job of a cluster plans itself alone.
if workflow.is_main_process:
    make_what_is_missing(DAG.update_needrun)
