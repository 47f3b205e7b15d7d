"""What was packed is unpacked to the bit, and nothing in a file is believed before it was checked."""

import io
import json
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import InputError
from assay.models import abstain, saved
from assay.models.heads import Head

D = 7


def model(*, novelty=True, card=None):
    rng = np.random.default_rng(0)
    head = Head(
        ("ant", "bee", "=x\n“"), rng.normal(size=(3, D)).astype("f4"), rng.normal(size=3).astype("f4"), 1.3, 0.1
    )
    rule = None
    if novelty:
        x = rng.normal(size=(60, D)).astype("f4")
        rule = abstain.fit(x, np.arange(60) % 3, np.arange(60), rng=rng)
    return saved.Model(head, rule, {"backbone": "b", "seed": 3} if card is None else card)


def written(path, card, arrays=None, *, compression=zipfile.ZIP_STORED):
    """Write a model file by hand, with what an attacker puts in it."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("model.json", card if isinstance(card, bytes) else json.dumps(card))
        if arrays is not None:
            archive.writestr("weights.safetensors", arrays)
    return path


@pytest.fixture
def parts(tmp_path):
    """The card and the weights of a good model."""
    path = tmp_path / "good.assay"
    path.write_bytes(saved.pack(model()))
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("model.json")), archive.read("weights.safetensors")


@pytest.mark.parametrize("novelty", [True, False])
def test_a_model_comes_back_to_the_bit(tmp_path, novelty):
    before = model(novelty=novelty)
    (tmp_path / "m.assay").write_bytes(saved.pack(before))
    after = saved.unpack(tmp_path / "m.assay")
    assert after.head.classes == before.head.classes
    assert (after.head.temperature, after.head.c) == (1.3, 0.1)
    np.testing.assert_array_equal(after.head.weight, before.head.weight)
    np.testing.assert_array_equal(after.head.bias, before.head.bias)
    assert {k: after.card[k] for k in before.card} == before.card
    x = np.random.default_rng(1).normal(size=(50, D)).astype("f4") * 3
    if novelty:
        np.testing.assert_array_equal(after.novelty.score(x), before.novelty.score(x))
        assert after.novelty.threshold == pytest.approx(before.novelty.threshold)
    else:
        assert after.novelty is None


def test_the_same_model_gives_the_same_bytes_and_holds_no_pickle():
    data = saved.pack(model())
    assert data == saved.pack(model())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["model.json", "weights.safetensors"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 3}, "must be of format 1 or 2, got 3"),
        ({"format": 2}, "a network must be a list of 2,000 steps at most, got NoneType"),
        ({"format": None}, "must be of format 1 or 2, got None"),
        ({"classes": ["ant", "bee"]}, "must fit its classes|must fit 2 classes"),
        ({"classes": ["ant", "ant", "bee"]}, "classes must be 2 or more different names"),
        ({"classes": ["ant", "bee", 3]}, "classes must be 2 or more different names"),
        ({"classes": [["ant"], "bee", "cat"]}, "must hold a head that fits its classes"),
        ({"classes": None}, "must hold a head that fits its classes"),
        ({"temperature": 0}, "temperature must be above 0, got 0.0"),
        ({"temperature": "nan"}, "temperature must be above 0, got nan"),
        ({"temperature": [1]}, "must hold a head that fits its classes"),
        ({"cutoff": {"positive": "wasp", "threshold": 0.5}}, "cutoff must name a class and a threshold"),
        ({"cutoff": {"positive": "ant", "threshold": "high"}}, "cutoff must name a class and a threshold"),
        ({"cutoff": {"positive": "ant"}}, "cutoff must name a class and a threshold"),
        ({"cutoff": 0.5}, "cutoff must name a class and a threshold"),
    ],
)
def test_a_card_that_contradicts_itself_is_refused(tmp_path, parts, change, words):
    card, weights = parts
    path = written(tmp_path / "m.assay", card | change, weights)
    with pytest.raises(InputError, match=words) as e:
        saved.unpack(path)
    assert str(path) in str(e.value)


def arrays(header, data=b""):
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    return struct.pack("<Q", len(text)) + text + data


WEIGHTS = {
    "no safetensors": b"\x80\x04garbage",
    "empty": b"",
    "header longer than any file": struct.pack("<Q", 2**63) + b"{}",
    "offsets beyond the data": arrays({"head.weight": {"dtype": "F32", "shape": [3, 7], "data_offsets": [0, 84]}}),
    "negative offsets": arrays({"head.weight": {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]}}),
    "shape that overflows": arrays(
        {"head.weight": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 4]}}, bytes(4)
    ),
    "no head": arrays({"other": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
    "numbers that numpy lacks": arrays(
        {"head.weight": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}}, bytes(4)
    ),
    "deep header": arrays(b"[" * 50_000),
}


@pytest.mark.parametrize("data", WEIGHTS.values(), ids=WEIGHTS)
def test_weights_that_lie_about_themselves_are_refused(tmp_path, parts, data):
    with pytest.raises(InputError, match=r"MODEL must .*m\.assay"):
        saved.unpack(written(tmp_path / "m.assay", parts[0], data))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(tmp_path, value):
    bad = model()
    bad.head.weight[1, 2] = value
    (tmp_path / "m.assay").write_bytes(saved.pack(bad))
    with pytest.raises(InputError, match=r"arrays must be finite numbers, got head\.weight"):
        saved.unpack(tmp_path / "m.assay")


@pytest.mark.parametrize("name", ["centres", "basis", "spread"])
def test_a_refusal_rule_whose_arrays_do_not_fit_is_refused(tmp_path, name):
    good = model()
    parts = good.novelty.arrays() | {name: np.ones((2, 4), np.float32)}
    bad = saved.Model(good.head, abstain.Novelty.from_arrays(parts), good.card)
    (tmp_path / "m.assay").write_bytes(saved.pack(bad))
    with pytest.raises(InputError, match=r"MODEL must hold a head that fits its classes"):
        saved.unpack(tmp_path / "m.assay")


def test_a_zip_bomb_is_refused_from_its_directory(tmp_path, parts):
    card = json.dumps(parts[0]).encode() + b" " * (saved._LARGEST + 1)
    path = written(tmp_path / "m.assay", card, parts[1], compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(InputError, match=r"model\.json must be 268,435,456 bytes at most, got 268,4"):
        saved.unpack(path)


@pytest.mark.parametrize("card", [b"", b"{", b"[]", b"3", b"\xff\xfe", b"[" * 100_000, b'{"format": 1e999}'])
def test_a_card_that_is_no_card_is_refused(tmp_path, parts, card):
    with pytest.raises(InputError, match="MODEL must"):
        saved.unpack(written(tmp_path / "m.assay", card, parts[1]))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_damage_is_refused_or_harmless(tmp_path, data):
    good = saved.pack(model())
    at = data.draw(st.integers(0, len(good) - 1))
    bad = good[:at] + data.draw(st.binary(min_size=0, max_size=3)) + good[at + data.draw(st.integers(0, 3)) :]
    (tmp_path / "m.assay").write_bytes(bad)
    try:
        found = saved.unpack(tmp_path / "m.assay")
    except InputError:
        return
    assert np.isfinite(found.head.probabilities(np.ones((1, D), np.float32))).all()
