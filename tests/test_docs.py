"""What the pages show is so: commands run, blocks of Python run, links lead somewhere, make has the targets."""

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

from assay.cli import app

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(?:\.venv/bin/)?assay (\w.*?)(?: {2,}#.*)?$", re.MULTILINE)
TRAIN = {"export", "learn", "look"}  # commands that need the extra
EXAMPLES = [re.sub(r"^Example: assay ", "", c.epilog) for c in app.registered_commands]


def blocks(language):
    return [text for page in PAGES for name, text in FENCE.findall(page.read_text()) if name == language]


def commands():
    return list(dict.fromkeys([c for text in blocks("") for c in COMMAND.findall(text)] + EXAMPLES))


@pytest.fixture(scope="module")
def photos(tmp_path_factory, album, save):
    """The places that the pages speak of: photos/ of two classes, new/, checked/, tables, a model, pictures."""
    from assay.tasks.compress import compress
    from assay.tasks.rating_training import train
    from assay.tasks.run import run

    top = tmp_path_factory.mktemp("docs")
    album(top / "photos", kinds=("shapes", "temple"), count=9)
    (top / "photos" / "shapes").rename(top / "photos" / "defect")
    album(top / "new", kinds=("temple",), count=2, first=30)
    album(top / "checked", kinds=("shapes", "temple"), count=4, first=50)
    (top / "checked" / "shapes").rename(top / "checked" / "defect")
    rows = [f"{'ill' if i % 4 == 0 else 'well'},{(i * 37) % 101 + 60 * (i % 4 == 0)}" for i in range(80)]
    (top / "scores.csv").write_text("\n".join(["label,score", *rows]))
    (top / "other.csv").write_text("\n".join(["label,score", *(f"{r}1" for r in rows)]))
    columns = [f"{i % 7},{(i * i) % 11 + 3 * (i % 3)},{'ill' if i % 3 == 0 else 'well'}" for i in range(60)]
    (top / "patients.csv").write_text("\n".join(["dose,age,diagnosis", *columns]))
    shutil.copy(top / "photos" / "temple" / "001.jpg", top / "photo.jpg")
    rated = sorted(p.name for p in (top / "photos" / "temple").iterdir())
    rated += sorted(f"defect/{p.name}" for p in (top / "photos" / "defect").iterdir())
    lines = [f"{name if '/' in name else f'temple/{name}'},{3 + i % 5},1.5" for i, name in enumerate(rated)]
    (top / "ratings.csv").write_text("\n".join(["file,mean,sd", *lines]))
    files = [p.relative_to(top / "photos") for p in (top / "photos").rglob("*.*")]
    (top / "labels.csv").write_text("\n".join(["file,label", *(f"{p},{p.parent}" for p in files)]))
    run(top / "photos", out=top / "photos.assay", processes=1)
    train(top / "photos", top / "ratings.csv", out=top / "photos.rated", processes=1)
    compress(top / "photos", components=[5], out=top / "photos.compressed", side=32)
    for name, file in zip(("first.jpg", "second.jpg"), sorted((top / "new").rglob("*.jpg")) * 2, strict=False):
        shutil.copy(file, top / name)
    save(np.where(np.indices((40, 56)).sum(0) % 9, 255, 0).astype(np.uint8), top / "noisy.png")
    return top


@pytest.fixture
def here(photos, tmp_path, monkeypatch):
    shutil.copytree(photos, tmp_path / "docs")
    monkeypatch.chdir(tmp_path / "docs")
    return tmp_path / "docs"


def test_the_pages_show_every_command():
    assert {c.split()[0] for c in commands()} == {c.callback.__name__ for c in app.registered_commands}


@pytest.mark.parametrize("command", commands())
def test_a_command_that_is_shown_runs(assay, here, command, monkeypatch):
    if command.split()[0] in TRAIN or "finetune" in command:
        pytest.importorskip("torch", reason="the extra train is not installed")
    monkeypatch.chdir(here)  # the command line has its own empty folder
    words = shlex.split(command)
    words = words[: words.index(">")] if ">" in words else words
    result = assay(*words)
    assert result.exit_code == 0, result.stderr
    assert result.stdout


@pytest.mark.parametrize("block", blocks("python"))
def test_a_block_of_python_that_is_shown_runs(here, block, capsys):
    exec(compile(block, "README.md", "exec"), {})
    assert capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_targets_of_make_are_there(page):
    shown = set(re.findall(r"(?:^|`)make ([\w-]+)", page.read_text(), re.MULTILINE))
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert shown <= targets


def test_files_that_the_architecture_names_are_there():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = set(re.findall(r"`((?:pixels|stats|data|models|workers|report|tasks)/\w+\.py)`", text))
    assert named
    assert not [name for name in named if not (ROOT / "src" / "assay" / name).exists()]
    spoken = set(re.findall(r"\b((?:data|models|workers|tasks)\.\w+)\.(\w+)", text))
    for module, attribute in spoken:
        source = (ROOT / "src" / "assay" / f"{module.replace('.', '/')}.py").read_text()
        assert re.search(rf"^(?:def|class) {attribute}\b", source, re.MULTILINE), f"{module}.{attribute}"
