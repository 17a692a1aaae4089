"""What a run that was killed leaves: processes, jobs of a queue, and temporary files.

Each is known by its run: processes by a variable of their environment, jobs by their working
folder and their name, files by theirs. So another run in another folder is never touched. To be
called by who has the lock of the folder: then all that is still at work there is a leftover.
"""

import logging
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from fgunet.files import is_part, remove

_log = logging.getLogger(__name__)

RUN_VARIABLE = "FGUNET_RUN"
"""Environment variable that holds the folder of the run, as `run_name` gives it, in all of its
processes."""

JOB_PREFIX = "fgunet"
"""How the names of the run's jobs begin in a queue."""

_NOT_SET_UP = "configuration source"
"""In what Slurm's commands say on a machine that knows of no Slurm."""

_POLL_S = 0.5
_PATIENCE_S = 10
# Snakemake's mark in an output that is a folder: what has it is whole.
_WHOLE = ".snakemake_timestamp"
# Files by which workers of a training find one another lie in a folder of this prefix.
_MEETING = ".workers-"
# What Snakemake itself removes when it ends: copies of the scripts of jobs, scripts that a cluster
# was given.
_OF_SNAKEMAKE = (".snakemake/scripts/tmp*", ".snakemake/tmp.*")


def run_name(folder: str | os.PathLike[str] = ".") -> str:
    """What the processes of a run in `folder` are told by: its path without links."""
    return os.path.realpath(folder)


def clear(folder: str | os.PathLike[str], written: Iterable[str | os.PathLike[str]]) -> None:
    """End what an earlier run in `folder` left at work, then remove its temporary files.

    To be called before Snakemake starts jobs: the copies of scripts that are there go, too.

    Parameters
    ----------
    folder : path
        Folder of the run; the caller has its lock.
    written : iterable of path
        Folders that the run writes to.
    """
    cancel_jobs(folder)
    end_processes(folder)
    remove_parts(written)
    remove_scripts(folder)


def end_processes(folder: str | os.PathLike[str], *, grace_s: float = 60) -> list[int]:
    """End the processes on this host that an earlier run in `folder` has left.

    They are asked to (SIGTERM), so that a training can write its checkpoint, and killed when the
    grace is over. Processes of other users, of other runs, this process and its own are left.

    Parameters
    ----------
    folder : path
        Folder of the run.
    grace_s : float
        Time from the request to the kill, in seconds.

    Returns
    -------
    list of int
        Their numbers.
    """
    asked: dict[psutil.Process, str] = {}
    end = time.monotonic() + grace_s
    while (left := _left(folder, asked)) and time.monotonic() < end + _PATIENCE_S:
        for process in left:
            with suppress(psutil.Error):
                if time.monotonic() >= end:
                    process.kill()
                elif process not in asked:
                    asked[process] = process.name()
                    process.terminate()
                    process.resume()  # one that was halted would hear it only then
        psutil.wait_procs(left, timeout=_POLL_S)
    if asked:
        told = ", ".join(f"{name} ({process.pid})" for process, name in asked.items())
        _log.warning("ended what a killed run had left at work in %s: %s", folder, told)
    if left:
        _log.warning("these do not end, not even when killed: %s", [each.pid for each in left])
    return [process.pid for process in asked]


def _left(folder: str | os.PathLike[str], asked: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Processes of the run, those that `asked` to end among them until they have.

    One that ends has no environment any more while its memory is freed, which takes a training
    long; its files are closed, and their locks given back, only after that.
    """
    found = _processes(folder)
    return found + [each for each in asked if each not in found and not _has_ended(each)]


def _has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _processes(folder: str | os.PathLike[str]) -> list[psutil.Process]:
    """Processes of the user that bear the mark of the run, without this one and its family."""
    here, name, user = psutil.Process(), run_name(folder), os.getuid()
    own = {here, *here.parents(), *here.children(recursive=True)}
    found = []
    for process in psutil.process_iter():
        # One may end, or become another user's, while it is looked at.
        with suppress(psutil.Error, OSError):
            if process in own or process.uids().real != user:
                continue
            if process.environ().get(RUN_VARIABLE) == name:
                found.append(process)
    return found


def cancel_jobs(folder: str | os.PathLike[str], *, patience_s: float = 120) -> list[str]:
    """Cancel the jobs of a Slurm queue that an earlier run in `folder` has left, and wait.

    Those of the user are taken whose working folder is `folder` and whose name begins with
    `JOB_PREFIX`, but for the job that this process runs in. Where there is no Slurm, nothing is
    done, nor where its commands are not set up; where it does not answer, a warning says so.

    Parameters
    ----------
    folder : path
        Folder of the run.
    patience_s : float
        How long to wait until they have ended, in seconds.

    Returns
    -------
    list of str
        Their numbers.
    """
    if shutil.which("squeue") is None:
        return []
    try:
        jobs = found = _jobs(folder)
        if not jobs:
            return []
        _log.warning("cancelling jobs that a killed run has left: %s", ", ".join(jobs))
        _slurm("scancel", *jobs)
        end = time.monotonic() + patience_s
        while (found := _jobs(folder)) and time.monotonic() < end:
            time.sleep(_POLL_S)
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", None) or error).strip()
        if _NOT_SET_UP in said:
            return []
        _log.warning("the queue cannot be asked for jobs that a killed run has left: %s", said)
        return []
    if found:
        _log.warning("the jobs %s were cancelled, and have not ended yet", ", ".join(found))
    return jobs


def _jobs(folder: str | os.PathLike[str]) -> list[str]:
    """Numbers of the jobs of a run that are queued or at work."""
    name, own = run_name(folder), os.environ.get("SLURM_JOB_ID")
    # A folder stands last, because it may hold any character but those between lines.
    listed = _slurm("squeue", "--noheader", f"--user={os.getuid()}", "--format=%A\t%j\t%Z")
    rows = (line.split("\t", 2) for line in listed.splitlines())
    return sorted(
        {
            row[0]
            for row in rows
            if len(row) == 3
            and row[0] != own
            and row[1].startswith(JOB_PREFIX)
            and run_name(row[2]) == name
        }
    )


def _slurm(*command: str) -> str:
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def remove_parts(folders: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Remove temporary files and folders that killed jobs have left.

    What the next job goes on with stays: windows of a map and shards of a series that are done,
    checkpoints, unpacked products. Outputs that are folders and whole are not looked into.

    Parameters
    ----------
    folders : iterable of path
        Where to look, at any depth; those that are not there are passed over.

    Returns
    -------
    list of pathlib.Path
        What was removed.
    """
    found = [path for folder in folders for path in _parts(Path(folder))]
    for path in found:
        try:
            remove(path)
        except OSError as error:
            _log.warning("%s, left by a killed job, cannot be removed: %s", path, error)
    if found:
        _log.warning("removed %d temporary files that killed jobs had left", len(found))
    return found


def remove_scripts(folder: str | os.PathLike[str]) -> None:
    """Remove the copies of scripts that a killed Snakemake left in a run's `folder`."""
    for pattern in _OF_SNAKEMAKE:
        for path in Path(folder).glob(pattern):
            with suppress(OSError):
                remove(path)


def _parts(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        if _WHOLE in files:
            folders.clear()
            continue
        strays = [name for name in (*folders, *files) if is_part(name) or name.startswith(_MEETING)]
        folders[:] = [name for name in folders if name not in strays]
        yield from (Path(place, name) for name in strays)
