"""Every page of the examples can be made by whoever installs assay: it ends well and leaves its figures."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "examples").glob("[0-9]*.py"))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_a_page_is_made_with_its_figures(page, tmp_path):
    if "Needs torch" in page.read_text():
        pytest.importorskip("torch", reason="the page needs the extra train")
    source = os.pathsep.join([str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"PYTHONPATH": source}
    command = [sys.executable, str(page), str(tmp_path / "out")]
    made = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    assert list((tmp_path / "out").glob("*.png"))
