"""Running the script of a rule as a process of its own, for the benchmarks."""

import json
import subprocess
import sys
import time
from typing import Any

from tile_on_disk import ROOT

# A job as a script of the workflow runs it; what it took is its last line.
JOB = """
import importlib, json, re, sys, time
name, arguments = sys.argv[1], json.loads(sys.argv[2])
main = importlib.import_module(f"scripts.{name}").main
begin = time.perf_counter()
main(**arguments)
seconds = time.perf_counter() - begin
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
print(json.dumps([seconds, int(peak) * 1024 / 1e9]))
"""


def run_job(name: str, **arguments: Any) -> tuple[float, float, float]:
    """Run the script of a rule; seconds of its work, of its process, and its peak in GB."""
    begin = time.perf_counter()
    command = [sys.executable, "-c", JOB, name, json.dumps(arguments, default=str)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    whole = time.perf_counter() - begin
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stdout}{done.stderr}")
    seconds, peak = json.loads(done.stdout.splitlines()[-1])
    return seconds, whole, peak
