"""The main job on real pictures: 2,624 solar cells, photographed by the light they give off under current.

The pictures and their defect probabilities come with the package `elpv-dataset` (Buerhop-Lutz et al. 2018,
CC BY-NC-SA 4.0). A probability of one half or more counts as a defect. In the field few cells are: 1 in 20 is assumed.
"""

import csv
import importlib.resources
import subprocess
import sys
import time
from pathlib import Path

DATA = Path(str(importlib.resources.files("elpv_dataset"))) / "data"
OUT = Path("demo")


def main() -> int:
    """Write the labels as a table, run assay on it, and say where the report is."""
    OUT.mkdir(exist_ok=True)
    labels = OUT / "labels.csv"
    with labels.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "label"])
        for line in (DATA / "labels.csv").read_text().splitlines():
            name, probability, _kind = line.split()
            table.writerow([Path(name).name, "defect" if float(probability) >= 0.5 else "functional"])
    began = time.monotonic()
    command = [str(Path(sys.executable).with_name("assay")), "run", str(DATA / "images")]
    command += [
        "--labels",
        str(labels),
        "--out",
        str(OUT / "solar-cells.assay"),
        "--positive",
        "defect",
        "--prevalence",
        "0.05",
    ]
    code = subprocess.run(command, check=False).returncode
    print(f"\n{time.monotonic() - began:.0f} s. Open {(OUT / 'solar-cells.assay' / 'report.html').resolve()}")
    return code


if __name__ == "__main__":
    sys.exit(main())
