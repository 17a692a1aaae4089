"""What the jobs of a finished run have made, and of what."""

import csv
import io
from dataclasses import dataclass, field
from functools import cache

from tests.faults.chain import Chain


@dataclass(eq=False)
class Job:
    """A job of a rule: its log, its inputs and its outputs."""

    rule: str
    log: str
    inputs: list[str]
    outputs: list[str] = field(default_factory=list)


def jobs_of(chain: Chain) -> list[Job]:
    """The jobs of a finished run, as Snakemake's summary lists them by their outputs."""
    said = chain.run("--detailed-summary").said
    table = io.StringIO(said[said.index("output_file\t") :])
    jobs: dict[str, Job] = {}
    for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE):
        log = row["log-file(s)"]
        made = Job(row["rule"], log, row["input-file(s)"].split(","))
        jobs.setdefault(log, made).outputs.append(row["output_file"])
    return list(jobs.values())


def layers(jobs: list[Job]) -> list[list[Job]]:
    """One job of each rule, in layers from the last to the first: none needs another of its own."""
    makers = {path: job for job in jobs for path in job.outputs}

    @cache
    def depth(job: Job) -> int:
        return 1 + max((depth(makers[path]) for path in job.inputs if path in makers), default=0)

    chosen = {job.rule: job for job in jobs}.values()
    depths = sorted({depth(job) for job in chosen}, reverse=True)
    return [[job for job in chosen if depth(job) == each] for each in depths]
