"""A saved learner is one that assay wrote, of this version, whole; anything else is refused in a sentence."""

import json

import numpy as np
import pytest
from safetensors.numpy import save

from assay.errors import InputError
from assay.td import saved
from assay.td.codings import Table
from assay.td.control import Control
from assay.td.prediction import Values


@pytest.fixture
def path(tmp_path):
    Values(Table(3)).save(tmp_path / "v.safetensors")
    return tmp_path / "v.safetensors"


def rewrite(path, change, arrays=None):
    card, before = saved.read(path, "values")
    path.write_bytes(save(before if arrays is None else arrays, {"assay": json.dumps(card | change)}))


def test_the_same_learner_gives_the_same_bytes(path):
    assert Control(Table(3), 2).pack() == Control(Table(3), 2).pack()


@pytest.mark.parametrize("data", [b"", b"nothing", b"\xff" * 40, b"\x80\x02}q\x00."])
def test_other_files_are_refused(path, data):
    path.write_bytes(data)
    with pytest.raises(InputError, match="must be a file that assay wrote"):
        Values.load(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="must be a file that assay wrote"):
        Values.load(tmp_path / "none")


@pytest.mark.parametrize("length", [9, 40, 200])
def test_half_a_file_is_refused(path, length):
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match="must be a file that assay wrote"):
        Values.load(path)


def test_another_version_is_refused(path):
    rewrite(path, {"format": 2})
    with pytest.raises(InputError, match="must be of format 1, got 2"):
        Values.load(path)


def test_another_kind_is_refused(path):
    with pytest.raises(InputError, match="must be of kind control, got 'values'"):
        Control.load(path)


@pytest.mark.parametrize(
    "change", [{"alpha": 7}, {"coding": {"coding": "table", "n": "x"}}, {"coding": 3}, {"more": 1}]
)
def test_a_card_that_makes_no_sense_is_refused(path, change):
    rewrite(path, change)
    with pytest.raises(InputError, match="must hold values"):
        Values.load(path)


@pytest.mark.parametrize("weights", [np.full(3, np.nan), np.arange(3)])
def test_weights_must_be_finite_numbers(path, weights):
    rewrite(path, {}, {"weights": weights, "visits": np.zeros(3)})
    with pytest.raises(InputError, match="must be finite numbers, got weights"):
        Values.load(path)


def test_weights_must_fit_the_coding(path):
    rewrite(path, {}, {"weights": np.zeros(4), "visits": np.zeros(4)})
    with pytest.raises(InputError, match=r"weights must be \(3,\), got \(4,\)"):
        Values.load(path)


@pytest.mark.parametrize("change", [{"policy": ["bold", 1]}, {"policy": 3}, {"actions": 0}])
def test_a_policy_that_makes_no_sense_is_refused(tmp_path, change):
    path = tmp_path / "q.safetensors"
    Control(Table(3), 2).save(path)
    card, arrays = saved.read(path, "control")
    path.write_bytes(save(arrays, {"assay": json.dumps(card | change)}))
    with pytest.raises(InputError, match="must hold action values"):
        Control.load(path)
