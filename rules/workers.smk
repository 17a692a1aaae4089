# How the workers of the training are started: by horovodrun, or as the tasks of a job where a
# profile sets the resource mpi, in the way of Snakemake's Slurm plugin. No rules here.

import shlex

from fgunet.training.connection import connection_of
from fgunet.training.launch import HOROVODRUN


def setting(rulename, name, otherwise):
    """What a resource of a rule is set to; resources are not told to one another."""
    resources = workflow.get_rule(rulename).resources
    return resources[name].value if name in resources else otherwise


def workers(wildcards, threads, rulename):
    """The tasks of a job; else a worker a thread, as far as they share a step evenly."""
    batch = config["fgunet"]["batch_size"]
    possible = [number for number in range(1, batch + 1) if batch % number == 0]
    if "mpi" not in workflow.get_rule(rulename).resources:
        return max(number for number in possible if number <= threads)
    tasks = setting(rulename, "tasks", 0)
    if tasks not in possible:
        raise ConfigError(
            f"{rulename}: with the resource mpi, the resource tasks is the number of workers. It "
            f"is {tasks or 'not set'}; the {batch} patches of a step (fgunet.batch_size) can be "
            f"shared evenly by {possible}: set tasks to one of these, or change fgunet.batch_size"
        )
    return tasks


def memory_of_workers(megabytes, of_a_worker):
    """Memory of the workers that share a node, as `memory` has it."""

    def of_a_node(wildcards, attempt, threads, rulename):
        count = workers(wildcards, threads, rulename)
        here = math.ceil(count / setting(rulename, "nodes", 1))
        return memory(megabytes + of_a_worker * here)(wildcards, attempt, threads)

    return of_a_node


def threads_of_a_worker(wildcards, threads, resources):
    """Slurm gives each task the threads of the rule."""
    return threads if "mpi" in resources.keys() else 1


def launcher(wildcards, threads, resources):
    """Words of the command that starts the workers."""
    count = resources.workers
    if "mpi" not in resources.keys():
        return [HOROVODRUN, "-np", count, "-H", f"localhost:{count}", "--gloo"]
    words = shlex.split(resources.mpi)
    if Path(words[0]).name != "srun":
        return [*words, "-n", count]
    nodes = [f"--nodes={resources.nodes}"] if "nodes" in resources.keys() else []
    tasks = [f"--ntasks={count}", f"--cpus-per-task={threads}"]
    return [*words, *nodes, *tasks, "--kill-on-bad-exit=1"]


def way_of_starting(wildcards, resources):
    """Where workers run, what starts them and what connects them, in words."""
    name, nodes = HOROVODRUN, 1
    if "mpi" in resources.keys():
        name = Path(shlex.split(resources.mpi)[0]).name
        nodes = resources.get("nodes", "any number of")
    where = f"{nodes} node{'' if nodes == 1 else 's'}"
    return f"on {where}, started by {name} ({connection_of(name, os.environ)})"
