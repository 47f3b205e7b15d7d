"""Pictures drawn in code, folders of them, and one finished run that many tests look at."""

import os
import shutil
import signal
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from sklearn.datasets import load_sample_images
from typer.testing import CliRunner

KINDS = ("flower", "shapes", "temple")
EACH = 14  # pictures of each kind in the finished run
HOSTILE = (
    b"<img src=x onerror=alert(1)>.jpg",
    b"new\nline.jpg",
    b"esc\x1b[2J.jpg",
    b"no\xff\xfeutf8.jpg",
    b"=cmd().jpg",
    b"turn\xe2\x80\xaeed.jpg",
)


def _draw(kind, seed):
    """Draw a picture: a part of one of two photographs, turned, stretched and relit, or shapes on a rough ground."""
    rng = np.random.default_rng([KINDS.index(kind), seed])
    height, width = (int(n) for n in rng.integers(96, 160, 2))
    if kind == "shapes":
        image = rng.normal(rng.integers(60, 200, 3), 12, (height, width, 3)).clip(0, 255).astype(np.uint8)
        for _ in range(rng.integers(2, 7)):
            at, size = rng.integers(0, (width, height)), int(rng.integers(8, 40))
            colour = tuple(int(c) for c in rng.integers(0, 255, 3))
            if rng.random() < 0.5:
                cv2.circle(image, at.tolist(), size // 2, colour, -1)
            else:
                cv2.rectangle(image, at.tolist(), (at + size).tolist(), colour, -1)
        return image
    photo = load_sample_images().images[kind == "flower"]
    rows, columns = photo.shape[:2]
    side = rng.uniform(0.35, 0.8) * rows
    centre = rng.uniform(side / 2, (columns - side / 2, rows - side / 2))
    turn = cv2.getRotationMatrix2D(centre.tolist(), rng.uniform(-25, 25), width / side)
    turn[:, 2] += np.array([width, height]) / 2 - centre
    image = cv2.warpAffine(photo, turn, (width, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT_101)
    image = image[:, ::-1] if rng.random() < 0.5 else image
    light = image.astype(float) * rng.uniform(0.6, 1.2, 3) + rng.uniform(-20, 40)
    return light.clip(0, 255).astype(np.uint8)


def _save(image, path):
    """Write a picture in the format of its name, making the folders above it; return its bytes."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 90] if path.suffix == ".jpg" else []
    good, data = cv2.imencode(path.suffix, image[..., ::-1], options)
    assert good
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.tobytes())
    return data.tobytes()


def _album(folder, *, kinds=KINDS, count=EACH, first=0):
    """Fill folder/kind/ with pictures, every third of them a PNG; return the folder."""
    for kind in kinds:
        for i in range(first, first + count):
            _save(_draw(kind, i), folder / kind / f"{i:03d}{'.png' if i % 3 == 0 else '.jpg'}")
    return folder


def _huge():
    """Return a PNG whose header promises 2 ** 31 - 1 pixels a side."""

    def chunk(name, data):
        return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)

    side = (2**31 - 1).to_bytes(4)
    header = chunk(b"IHDR", side + side + bytes([8, 2, 0, 0, 0]))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """Keep what the clock learns in tests out of the user's cache."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield
    os.environ.pop("XDG_CACHE_HOME")
    if before is not None:
        os.environ["XDG_CACHE_HOME"] = before


@pytest.fixture(scope="session")
def draw():
    return _draw


@pytest.fixture(scope="session")
def save():
    return _save


@pytest.fixture(scope="session")
def album():
    return _album


@dataclass(frozen=True)
class Finished:
    """A folder, its workspace, and what the run that made it returned."""

    folder: Path
    out: Path
    result: object


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Run on three classes with two copies, five files that are no pictures, and names that mean harm."""
    from assay.tasks.run import run

    top = tmp_path_factory.mktemp("finished")
    folder = _album(top / "photos")
    first = (folder / "flower" / "001.jpg").read_bytes()
    (folder / "flower" / "copy.jpg").write_bytes(first)
    _save(cv2.imdecode(np.frombuffer(first, np.uint8), 1)[..., ::-1], folder / "flower" / "again.png")
    for i, name in enumerate(HOSTILE):
        data = _save(_draw("temple", 100 + i), top / "drawn.jpg")
        Path(os.fsdecode(os.fsencode(folder / "temple") + b"/" + name)).write_bytes(data)
    broken = folder / "broken"
    broken.mkdir()
    (broken / "empty.jpg").write_bytes(b"")
    (broken / "text.jpg").write_text("this is no picture\n" * 9)
    (broken / "half.jpg").write_bytes(first[: len(first) // 2])
    (broken / "huge.png").write_bytes(_huge())
    (broken / "start.png").write_bytes((folder / "temple" / "000.png").read_bytes()[:40])
    return Finished(folder, top / "photos.assay", run(folder, out=top / "photos.assay", processes=2))


@pytest.fixture
def again(finished, tmp_path):
    """Copy the finished run, for tests that change the folder or the workspace."""
    folder = shutil.copytree(finished.folder, tmp_path / "photos")
    return Finished(folder, shutil.copytree(finished.out, tmp_path / "photos.assay"), finished.result)


@pytest.fixture
def assay(monkeypatch, tmp_path):
    """Call the command line in this process, in an empty folder; the result has exit_code, stdout and stderr."""
    from assay.cli import app

    handlers = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        result = CliRunner().invoke(app, [os.fsdecode(a) for a in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    yield call
    for name, handler in handlers.items():
        signal.signal(name, handler)
