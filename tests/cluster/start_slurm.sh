#!/usr/bin/env bash
# Starts a Slurm of two nodes on this machine, with all of its state in FOLDER:  start_slurm.sh FOLDER
# As root, with slurmctld, slurmd and munged installed; no systemd, no accounting. SLURM_BASE_PORT
# (else made of the process number) and the nine ports after it must be free.
set -euo pipefail
folder=$(realpath -m "${1:?usage: $0 FOLDER}")
port=${SLURM_BASE_PORT:-$((10000 + $$ % 2000 * 10))}
conf=$folder/slurm.conf
export PATH=$PATH:/usr/sbin SLURM_CONF=$conf
trap '"$(dirname "$0")/stop_slurm.sh" "$folder"; echo "Slurm did not start; see $folder/log" >&2' ERR

mkdir -p "$folder"/{log,munge,controller,node1,node2} /etc/slurm
chmod 755 "$folder"
chmod 700 "$folder/munge"
(umask 077 && head -c 1024 /dev/urandom >"$folder/munge/key")

# Nodes claim more than this machine may have, so that jobs of several threads find room. A job over
# its memory is killed, as cgroups do elsewhere; jobs that have ended are told of for two hours. A node
# that was taken for lost takes jobs again once it answers; and a step that ended while slurmctld was
# away, and tells it a minute later, has the time to: as shipped, Slurm may drain its node before that.
cat >"$conf" <<CONF
ClusterName=fgunet
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmctldPort=$port
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd-%n.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd-%n.log
StateSaveLocation=$folder/controller
SlurmdSpoolDir=$folder/%n
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
MinJobAge=7200
ReturnToService=2
KillWait=2
UnkillableStepTimeout=300
MpiDefault=none
MailProg=/bin/true
NodeName=DEFAULT CPUs=4 RealMemory=24000
NodeName=node1 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=$((port + 1))
NodeName=node2 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=$((port + 2))
PartitionName=main Nodes=node1,node2 Default=YES DefMemPerCPU=500
CONF

# Steps of Snakemake's jobs look for the configuration in its usual place; stop_slurm.sh puts back
# what was there.
if [ "$(readlink /etc/slurm/slurm.conf)" != "$conf" ]; then
	if [ -e /etc/slurm/slurm.conf ] || [ -L /etc/slurm/slurm.conf ]; then
		mv /etc/slurm/slurm.conf "$folder/slurm.conf.before"
	fi
	ln -s "$conf" /etc/slurm/slurm.conf
fi

munged --force --socket="$folder/munge.socket" --key-file="$folder/munge/key" \
	--log-file="$folder/log/munged.log" --pid-file="$folder/munged.pid" --seed-file="$folder/munge/seed"
slurmctld
slurmd -N node1
slurmd -N node2
for _ in $(seq 100); do
	[ "$(sinfo --noheader --Node --states=idle --format=%N | wc -l)" = 2 ] && exit
	sleep 0.1
done
false
