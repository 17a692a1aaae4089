#!/usr/bin/env bash
# Stops the Slurm that start_slurm.sh started, with its jobs:  stop_slurm.sh FOLDER
set -euo pipefail
folder=$(realpath -m "${1:?usage: $0 FOLDER}")
export SLURM_CONF=$folder/slurm.conf

ours() { # the daemon of a file of a process number, if it runs
	[ -s "$1" ] && grep -q "^${2}" "/proc/$(cat "$1")/comm" 2>/dev/null
}
runs() { # a process; one that has ended and that nobody waits for does not
	grep -q "^State:[[:space:]]*[^ZX[:space:]]" "/proc/$1/status" 2>/dev/null
}
if ours "$folder/slurmctld.pid" slurmctld; then
	timeout 10 scancel --user="$(id -un)" || true
	for _ in $(seq 50); do # until all jobs have ended
		[ -z "$(timeout 5 squeue --noheader)" ] && break
		sleep 0.1
	done
fi
stopped=()
for name in slurmctld slurmd-node1 slurmd-node2 munged; do
	ours "$folder/$name.pid" "${name%-*}" || continue
	stopped+=("$(cat "$folder/$name.pid")")
	kill "${stopped[-1]}"
done
for process in "${stopped[@]}"; do
	while runs "$process"; do sleep 0.05; done
done
if [ "$(readlink /etc/slurm/slurm.conf)" = "$SLURM_CONF" ]; then
	rm /etc/slurm/slurm.conf
	if [ -e "$folder/slurm.conf.before" ] || [ -L "$folder/slurm.conf.before" ]; then
		mv "$folder/slurm.conf.before" /etc/slurm/slurm.conf
	fi
fi
