"""
Runs the trials of a sweep with Ray Tune, on this machine or on a cluster.

Takes one argument, the path of a job as JSON, which scripts/sweep/ray.ts writes. Prints JSON lines, each with a type: refused, plan,
epoch, restart, end. A trial is a process of `ferkit` that keeps its checkpoint in its own folder, so a trial whose worker dies resumes
there.
Exit status: 0, 1 if the sweep is refused, 130 after SIGINT or SIGTERM.
"""

import fcntl
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

os.environ.update(
    RAY_USAGE_STATS_ENABLED="0",
    RAY_AIR_NEW_OUTPUT="0",
    RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0",
    TUNE_DISABLE_SIGINT_HANDLER="1",
    TUNE_DISABLE_AUTO_CALLBACK_LOGGERS="1",
    TUNE_DISABLE_STRICT_METRIC_CHECKING="1",
)

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler, FIFOScheduler
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

# Times that a trial starts again after its worker died.
RETRIES = 5
# Seconds that a process has to save its state when it is asked to stop.
GRACE_S = 60
# Seconds to wait for the lock of a run whose earlier process, on any node, has not ended yet.
LOCKED_S = 60
# What decides how many threads a process of ferkit computes, reads and decodes with.
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "UV_THREADPOOL_SIZE", "VIPS_CONCURRENCY")


class Refused(Exception):
    """Something that the user can fix, in the parts of ferkit's own errors."""

    def __init__(self, expected, found, fix, where=None):
        super().__init__(expected)
        self.problem = {"expected": expected, "found": found, "fix": fix, **({"where": where} if where else {})}


class Trial(tune.Trainable):
    """A process of `ferkit`. Each step returns the result of an epoch; the last one says how the trial ended."""

    def setup(self, config, job=None):
        self.job = job
        self.trial = job["trials"][config["trial"]]
        self.process, self.lines, self.done = None, queue.Queue(), None
        self.latest = {"epoch": 0}
        self.locked_until = time.monotonic() + LOCKED_S
        # Epochs of earlier attempts, so that Ray knows them.
        for line in recorded_lines(self.trial["runDir"]):
            self.lines.put(line)

    def step(self):
        while True:
            self.start_if_idle()
            try:
                event = json.loads(self.lines.get(timeout=0.5))
            except queue.Empty:
                event = None
            if event and event["type"] == "done" and self.process:
                self.done = event
            elif event and event["type"] == "epoch" and event["epoch"] > self.latest["epoch"]:
                self.latest = {"epoch": event["epoch"], **scores(event)}
                # After its last epoch a trial saves its best model and its report: nothing is to stop it.
                compared = {"comparedEpoch": event["epoch"]} if event["epoch"] < self.trial["epochs"] else {}
                return {**self.latest, **compared}
            elif event is None and self.has_ended():
                return {**self.latest, "comparedEpoch": self.latest["epoch"], **self.end(), "done": True}

    def start_if_idle(self):
        if self.process or self.trial["isFinished"] or not self.lines.empty() or self.is_stopping():
            return
        if is_locked(self.trial["runDir"]) and time.monotonic() < self.locked_until:
            return
        threads = {name: str(self.job["cpus"]) for name in THREADS}
        self.log = Path(self.job["logs"]) / f"{self.trial['name']}.log"
        # The process must not outlive this one, or it would still train when the trial starts again.
        tied = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                tied + self.trial["command"],
                cwd=self.job["cwd"],
                env={**os.environ, **threads, **self.job["env"]},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            if line.startswith('{"type":"'):  # a notebook prints other lines
                self.lines.put(line)

    def is_stopping(self):
        return Path(self.job["stopFile"]).exists()

    def has_ended(self):
        if self.process is None:
            return self.trial["isFinished"] or self.is_stopping()
        if self.process.poll() is None and self.is_stopping():
            self.stop_process()
        return self.process.poll() is not None and not self.reader.is_alive() and self.lines.empty()

    def end(self):
        """Returns how the trial ended. Raises an error if its process was killed, so that Ray starts it again."""
        if self.process is None:
            return {"state": "completed" if self.trial["isFinished"] else "interrupted"}
        status = self.process.returncode
        if status == 130 or (status != 0 and self.is_stopping()):
            return {"state": "interrupted"}
        if status < 0:
            raise RuntimeError(f"the process of {self.trial['name']} was killed by signal {-status}")
        if status > 0:
            return {"state": "failed", "reason": last_error(self.log) or f"exit status {status}"}
        return {"state": self.done["reason"] if self.done else "completed"}

    def stop_process(self):
        self.process.terminate()
        try:
            self.process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def save_checkpoint(self, folder):
        return {"epoch": self.latest["epoch"]}  # Ray asks for one; the run's folder has the real one

    def load_checkpoint(self, checkpoint):
        pass

    def cleanup(self):
        if self.process and self.process.poll() is None:
            self.stop_process()


def recorded_lines(run_dir):
    path = Path(run_dir) / "metrics.jsonl"
    if not path.is_file():
        return []
    with open(path, encoding="utf-8") as file:
        return [line for line in file if line.startswith('{"type":"epoch"') and line.endswith("}\n")]


def is_locked(run_dir):
    """Tells whether a process trains the run, which locks a file of it."""
    try:
        with open(Path(run_dir) / "lock", "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def scores(event):
    validation = event["validation"]
    return {name: validation[name] for name in ("accuracy", "macroF1", "loss")}


def last_error(log):
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    own = [line for line in lines if line.startswith("ferkit: ")]
    return (own or lines or [""])[-1]


class Report(tune.Callback):
    """Prints what happens to the trials."""

    def __init__(self, trials):
        self.trials = trials

    def say(self, kind, trial, **more):
        name = self.trials[trial.config["trial"]]["name"]
        print(json.dumps({"type": kind, "trial": name, "attempts": 1 + trial.num_failures, **more}), flush=True)

    def on_trial_result(self, iteration, trials, trial, result, **info):
        if "state" not in result:
            self.say("epoch", trial, epoch=result["epoch"], **{name: result[name] for name in ("accuracy", "macroF1", "loss")})

    def on_trial_complete(self, iteration, trials, trial, **info):
        result = trial.last_result or {}
        where = {"host": result.get("hostname"), "pid": result.get("pid")}
        # Without a state of its own, the scheduler has stopped it.
        self.say("end", trial, state=result.get("state", "stopped by ASHA"), reason=result.get("reason"), **where)

    def on_trial_recover(self, iteration, trials, trial, **info):
        self.say("restart", trial)

    def on_trial_error(self, iteration, trials, trial, **info):
        self.say("end", trial, state="failed", reason=f"its worker died {trial.num_failures} times")


class StopFlag(tune.Stopper):
    """Ends the sweep in order when a signal asks for it: the file tells the trials, on all nodes."""

    def __init__(self, file):
        self.file = Path(file)
        self.is_set = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.set())

    def set(self):
        self.is_set = True
        self.file.touch()

    def __call__(self, trial_id, result):
        return False

    def stop_all(self):
        return self.is_set

    def __getstate__(self):
        return {"file": self.file, "is_set": self.is_set}


def connect(job):
    """Starts Ray on this machine, or joins the cluster at the job's address."""
    address = job["address"]
    if address is None:
        ray.init(address="local", num_cpus=job["cores"], include_dashboard=False, log_to_driver=False, logging_level="error")
        return
    fix = "Start one with `ray start --head`, or unset RAY_ADDRESS to use this machine alone (docs/cluster.md)."
    host, _, port = address.rpartition(":")
    if address != "auto" and (not host or "/" in host or not port.isdigit()):
        raise Refused("HOST:PORT of a Ray cluster, or auto, as RAY_ADDRESS", address, "Fix RAY_ADDRESS, and run the sweep on a node of the cluster.")
    try:
        if address != "auto":
            socket.create_connection((host, int(port)), timeout=5).close()
        ray.init(address=address, log_to_driver=False, logging_level="error")
    except (OSError, RuntimeError, ValueError) as error:
        raise Refused("a Ray cluster", str(error).splitlines()[0], fix, where=address) from error


def content_of(path):
    """Describes what is at a path, so that an empty mount point is not taken for the data."""
    if not os.path.exists(path):
        return "no such path"
    if os.path.isdir(path):
        count = len(os.listdir(path))
        return f"a folder with {count} {'entry' if count == 1 else 'entries'}"
    return f"a file of {os.path.getsize(path)} bytes"


def problems_here(job, contents):
    """
    Returns what a node lacks to run a trial, as the parts of errors.

    contents -- path to its content where the sweep was started.
    """
    found = []
    package = Path(job["projectDir"]) / "package.json"
    version = json.loads(package.read_text("utf-8"))["version"] if package.is_file() else None
    if version != job["version"]:
        fix = "Install the same ferkit at the same path on all nodes, as from one image (docs/cluster.md)."
        found.append((f"ferkit {job['version']} in {job['projectDir']}", f"ferkit {version}" if version else "none", fix))
    if not shutil.which(job["node"]):
        found.append((f"Node.js as {job['node']}", "none", "Install it at the same path on all nodes, as from one image."))
    for path, content in contents.items():
        if content_of(path) != content:
            fix = "Mount the disk that holds it at the same path on all nodes (docs/cluster.md)."
            found.append((f"{content} as {path}", content_of(path), fix))
    if not os.path.isdir(job["cwd"]):
        found.append((f"the folder {job['cwd']}", content_of(job["cwd"]), "Run the sweep in a folder that all nodes have."))
    token = Path(job["token"])
    runs = token.parent.parent
    if not token.is_file() or not os.access(runs, os.W_OK):
        fix = "Choose a folder with --run that all nodes mount at the same path and can write to."
        lack = "no permission to write" if token.is_file() else "another folder or none"
        found.append((f"the folder of the runs as {runs}", lack, fix))
    return found


def check_nodes(job, nodes):
    """Raises Refused if a node cannot run a trial."""
    check = ray.remote(num_cpus=0, max_retries=0)(problems_here)
    contents = {path: content_of(path) for path in job["paths"]}
    pending = []
    for node in nodes:
        strategy = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        here = check.options(scheduling_strategy=strategy).remote(job, contents)
        pending.append((node["NodeManagerAddress"], here))
    for address, here in pending:
        for expected, found, fix in ray.get(here):
            raise Refused(expected, found, fix, where=f"node {address}")


def plan(job, nodes):
    """Chooses the processors of a trial: all of them divided by the trials that are left, at least one."""
    cores = [int(node["Resources"].get("CPU", 0)) for node in nodes]
    num_left = sum(not trial["isFinished"] for trial in job["trials"])
    cpus = job["cpus"] or max(1, min(max(cores), sum(cores) // max(1, num_left)))
    at_once = sum(count // cpus for count in cores)
    if at_once == 0:
        raise Refused(f"a node with {cpus} processors for a trial", f"at most {max(cores)}", "Choose fewer with --cpus.")
    return {"type": "plan", "nodes": len(nodes), "cores": sum(cores), "cpus": cpus, "atOnce": min(at_once, num_left)}


def run(job):
    connect(job)
    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
    if not nodes:
        raise Refused("a cluster of nodes with processors", "none", "Start nodes with `ray start`.")
    check_nodes(job, nodes)
    planned = plan(job, nodes)
    print(json.dumps(planned), flush=True)
    job = {**job, "cpus": planned["cpus"]}
    stop = StopFlag(job["stopFile"])
    scheduler = FIFOScheduler()
    if job["asha"]:
        scheduler = ASHAScheduler(
            time_attr="comparedEpoch",
            metric=job["metric"],
            mode=job["mode"],
            max_t=job["maxEpochs"],
            grace_period=job["graceEpochs"],
        )
    resources = {"CPU": job["cpus"], **({"GPU": job["gpus"]} if job["gpus"] else {})}
    tuner = tune.Tuner(
        tune.with_resources(tune.with_parameters(Trial, job=job), resources),
        param_space={"trial": tune.grid_search(list(range(len(job["trials"]))))},
        tune_config=tune.TuneConfig(scheduler=scheduler),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=job["storage"],
            stop=stop,
            verbose=0,
            callbacks=[Report(job["trials"])],
            failure_config=tune.FailureConfig(max_failures=RETRIES),
        ),
    )
    tuner.fit()
    return 130 if stop.is_set else 0


def main():
    job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    try:
        return run(job)
    except Refused as refused:
        print(json.dumps({"type": "refused", "problem": refused.problem}), flush=True)
        return 1
    finally:
        ray.shutdown()


if __name__ == "__main__":
    sys.exit(main())
