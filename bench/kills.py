"""Kill `assay run` at random moments: `python bench/kills.py FOLDER [--labels CSV] [--kills 40] [--seed 0]`.

Each run is killed with all its processes at a random moment after it has made progress: rows in the table, a step
that was kept, or a file for the user. After each kill the table must open, hold every row that was there before, and
none twice. Where a run ends before it is killed, its result must be that of a run that nobody disturbed, and the next
one begins anew.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import lance

ASSAY = [str(Path(sys.executable).with_name("assay")), "run"]
RESULTS = ("pictures.csv", "model.assay", "splits.json", "sealed.json")


def rows(out):
    """Return the keys in the table; a table that no first write has finished has none."""
    try:
        return lance.dataset(str(out / "pictures.lance")).to_table(["key"])["key"].to_pylist()
    except ValueError:
        return []


def progress(out):
    """Name everything a run has achieved so far."""
    files = [p for p in out.rglob("*") if p.suffix in {".safetensors", ".json", ".csv", ".html", ".assay"}]
    done = {(p.relative_to(out), p.stat().st_mtime_ns) for p in files if not p.name.startswith(".")}
    return done | set(rows(out))


def start(command):
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def results(out):
    return {name: (out / name).read_bytes() for name in RESULTS}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--labels", default="folders")
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    temporary = Path(tempfile.mkdtemp())
    out = temporary / "killed"
    command = [*ASSAY, str(options.folder), "--labels", options.labels, "--out"]
    began = time.perf_counter()
    subprocess.run([*command, str(temporary / "whole")], check=True, capture_output=True)
    whole, seconds = results(temporary / "whole"), time.perf_counter() - began
    print(f"undisturbed: {seconds:.0f} s, {len(rows(temporary / 'whole')):,} rows")
    kills = ended = lost = doubled = differ = 0
    while kills < options.kills:
        before, known = progress(out), set(rows(out))
        process = start([*command, str(out)])
        while process.poll() is None and progress(out) == before:
            time.sleep(0.05)
        deadline = time.perf_counter() + draw.uniform(0, seconds / 6)
        while process.poll() is None and time.perf_counter() < deadline:
            known |= set(rows(out))
            time.sleep(0.02)
        if process.poll() is not None:
            error = process.stderr.read().decode()
            if process.returncode:
                raise SystemExit(f"a run ended with status {process.returncode}: {error}")
            ended += 1
            differ += sum(whole[name] != found for name, found in results(out).items())
            shutil.rmtree(out)
            continue
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
        counted = Counter(rows(out))
        lost += len(known - set(counted))
        doubled += sum(n > 1 for n in counted.values())
        print(f"kill {kills}: {len(counted):,} rows, {len(progress(out)) - len(before):+,} things done", flush=True)
    subprocess.run([*command, str(out)], check=True, capture_output=True)
    differ += sum(whole[name] != found for name, found in results(out).items())
    shutil.rmtree(temporary)
    print(f"{kills} kills, {ended + 1} results: {lost} rows lost, {doubled} doubled, {differ} files that differ")
    sys.exit(bool(lost or doubled or differ))


if __name__ == "__main__":
    main()
