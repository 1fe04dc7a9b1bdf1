"""A real SLURM of one node, started by a test as any user, without systemd."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

PROGRAMS = {
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
    "sbatch": "slurm-client",
    "munged": "munge",
}
START_S = 30.0
CONFIGURATION = """\
ClusterName=tests
SlurmctldHost={host}({address})
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={port}
SlurmdPort={node_port}
{listen}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.sock
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/jobs.log
MailProg=/bin/true
EnforcePartLimits=ALL
PropagateResourceLimits=NONE
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=2
NodeName={host} NodeAddr={address} CPUs=8 RealMemory=64000 State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES State=UP
"""


def missing_packages() -> list[str]:
    """Return Debian's packages whose programs are not here."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    return [
        package
        for program, package in PROGRAMS.items()
        if shutil.which(program, path=path) is None
    ]


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


class LocalSlurm:
    """Context of a running SLURM; ``environment`` is what its clients need."""

    def __enter__(self):
        # A short path: a socket's name has at most 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="slurm_"))
        self.environment = {"SLURM_CONF": str(self.folder / "slurm.conf")}
        self._daemons = []
        self._write_configuration()
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        try:
            self._start(
                *("munged", "-F", "--force", "--num-threads=1"),
                f"--socket={self.folder}/munge.sock",
                f"--key-file={key}",
                f"--seed-file={self.folder}/munge.seed",
                f"--pid-file={self.folder}/munged.pid",
            )
            self._wait((self.folder / "munge.sock").exists)
            for program, *flags in (("slurmctld", "-D", "-i"), ("slurmd", "-D")):
                self._start(program, *flags, "-f", self.environment["SLURM_CONF"])
            self._wait(lambda: self.ask("sinfo", "-h", "-o", "%t") == "idle")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.ask("scancel", "--quiet", "--user", getpass.getuser())
        end = time.monotonic() + 10
        while self.ask("squeue", "-h") and time.monotonic() < end:
            time.sleep(0.1)
        for daemon in reversed(self._daemons):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(timeout=8)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait(timeout=8)
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, *words):
        """Return what a client's command prints."""
        return subprocess.run(
            words,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        ).stdout.strip()

    def ended_jobs(self):
        """Return the state of every job that has ended, in order."""
        path = self.folder / "jobs.log"
        lines = path.read_text().splitlines() if path.exists() else []
        words = [dict(w.split("=", 1) for w in x.split() if "=" in w) for x in lines]
        return [found["JobState"] for found in words]

    def _write_configuration(self):
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        host = socket.gethostname().split(".")[0]
        try:
            address = socket.gethostbyname(socket.gethostname())
            listen = "CommunicationParameters=NoInAddrAny,NoCtldInAddrAny"
        except OSError:
            address, listen = "127.0.0.1", ""
        text = CONFIGURATION.format(
            folder=self.folder,
            host=host,
            address=address,
            listen=listen,
            user=getpass.getuser(),
            port=free_port(),
            node_port=free_port(),
        )
        (self.folder / "slurm.conf").write_text(text)
        (self.folder / "cgroup.conf").write_text(
            "CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n"
        )

    def _start(self, program, *flags):
        path = f"/usr/sbin:{os.environ.get('PATH', '')}"
        log = (self.folder / f"{program}.out").open("wb")
        self._daemons.append(
            subprocess.Popen(
                [shutil.which(program, path=path), *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        )

    def _wait(self, ready):
        end = time.monotonic() + START_S
        while not ready():
            if self._daemons[-1].poll() is not None or time.monotonic() > end:
                logs = sorted(self.folder.glob("*.out")) + sorted(
                    self.folder.glob("slurm*.log")
                )
                tails = [f"{p.name}: {p.read_text()[-800:]}" for p in logs]
                raise RuntimeError("SLURM did not start.\n" + "\n".join(tails))
            time.sleep(0.05)
