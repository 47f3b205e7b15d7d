"""Side by side: every contestant does the same work in a process of its own, in turns, and medians are compared.

A contestant is a command that prints one JSON object with `pictures` and `seconds` (of the work, without imports).
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path


@dataclass
class Runs:
    """What the turns of one contestant gave: pictures a second, and the most memory of all its processes."""

    rates: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    missing: str = ""

    @property
    def rate(self):
        return statistics.median(self.rates) if self.rates else 0.0

    @property
    def spread(self):
        return f"{min(self.rates):,.1f} – {max(self.rates):,.1f}"


def race(work, contestants, folder, *, rounds, script):
    """Let contestants of a script do `work` on a folder in turns; return name to Runs."""
    runs = {name: Runs() for name in contestants}
    for _ in range(rounds):
        for name in contestants:
            if not runs[name].missing:
                _turn(script, work, name, folder, runs[name])
    return runs


def _turn(script, work, name, folder, runs):
    # A peer may need packages that do not go together with ours: name the Python that has them.
    python = os.environ.get(f"BENCH_PYTHON_{name.upper()}", sys.executable)
    command = [python, str(script), work, name, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        peak = [0.0]
        watch = threading.Thread(target=_watch, args=(process, peak), daemon=True)
        watch.start()
        out, err = process.communicate()
    if process.returncode:
        runs.missing = (err.strip().splitlines() or ["no message"])[-1][:100]
        print(f"  {name}: {runs.missing}", file=sys.stderr)
        return
    found = json.loads(out.strip().splitlines()[-1])
    runs.rates.append(found["pictures"] / found["seconds"])
    runs.memory.append(peak[0])
    print(f"  {name}: {runs.rates[-1]:,.1f}/s, {peak[0]:,.0f} MB", file=sys.stderr)


def _watch(process, peak):
    """Follow the memory of a process and all below it: proportional set size, so that shared pages count once."""
    while process.poll() is None:
        total = 0.0
        waiting = [process.pid]
        while waiting:
            pid = waiting.pop()
            try:
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
                total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1024
                for task in Path(f"/proc/{pid}/task").iterdir():
                    waiting += [int(child) for child in (task / "children").read_text().split()]
            except (OSError, ValueError):
                continue
        peak[0] = max(peak[0], total)
        time.sleep(0.5)  # the sum itself takes the processor away from those who are measured


def table(title, runs, ours="assay"):
    """Write results as Markdown: medians, spread, and how many times each contestant's rate ours is."""
    lines = [f"**{title}**", "", "| | pictures/s | lowest – highest | assay is | memory, MB |", "|---|---|---|---|---|"]
    for name, r in runs.items():
        if r.missing:
            lines.append(f"| {name} | not run: {r.missing} | | | |")
        else:
            ratio = "" if name == ours else f"{runs[ours].rate / r.rate:,.1f} x"
            lines.append(f"| {name} | {r.rate:,.1f} | {r.spread} | {ratio} | {statistics.median(r.memory):,.0f} |")
    return "\n".join(lines) + "\n"


def machine():
    """Say what this was measured on and with."""
    model = next(
        (x.split(":")[1].strip() for x in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in x), ""
    )
    packages = ["assay", "numpy", "opencv-python-headless", "simplejpeg", "openvino", "pylance", "cleanvision"]
    versions = []
    for name in packages:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    processors = f"{len(os.sched_getaffinity(0))} processors ({model})"
    return f"{processors}, Python {platform.python_version()}, {', '.join(versions)}."
