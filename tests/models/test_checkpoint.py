"""A checkpoint gives its tensors and nothing else: any other name in it is refused before it runs."""

import os
import pickle
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay.errors import InputError
from assay.models import backbone, checkpoint


class Payload:
    """What an attacker would put in: unpickled by a careless reader, it runs a command."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


def test_the_weights_of_the_package_are_all_there():
    weights = checkpoint.read(backbone.weights())
    assert len(weights) == 296
    assert weights["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert weights["_fc.weight"].shape == (1000, 1280)
    assert weights["_fc.weight"].dtype == np.float32
    assert all(np.isfinite(w).all() for w in weights.values())


@pytest.mark.parametrize("zipped", [False, True])
def test_a_payload_is_refused_and_never_run(tmp_path, zipped):
    mark, path = tmp_path / "owned", tmp_path / "w.pth"
    evil = pickle.dumps({"w": Payload(mark)})
    if zipped:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("w/data.pkl", evil)
    else:
        path.write_bytes(pickle.dumps(0x1950A86A20F9469CFC6C) + pickle.dumps(1001) + pickle.dumps({}) + evil)
    with pytest.raises(InputError, match=r"may hold tensors only, got (posix|os)\.system"):
        checkpoint.read(path)
    assert not mark.exists()


@settings(derandomize=True)
@example(b"\x95\x00\x00\x00\x00\x00\x00\x00\x01")  # a frame of 2**56 bytes
@given(st.binary(max_size=200))
def test_noise_is_refused_with_an_input_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("noise") / "w.pth"
    path.write_bytes(data)
    with pytest.raises(InputError, match="checkpoint"):
        checkpoint.read(path)


def test_a_truncated_file_is_refused(tmp_path):
    path = tmp_path / "w.pth"
    path.write_bytes(backbone.weights().read_bytes()[:-1000])
    with pytest.raises(InputError, match="must be a torch checkpoint"):
        checkpoint.read(path)


def test_a_view_outside_its_storage_is_refused():
    storage = checkpoint._Storage(np.dtype("<f4"), 4)
    storage.values = np.frombuffer(struct.pack("<4f", 1, 2, 3, 4), "<f4")
    np.testing.assert_array_equal(checkpoint._View(storage, 1, (3,), (1,)).array(), [2, 3, 4])
    for offset, size, strides in [(2, (3,), (1,)), (0, (2, 3), (3, 1)), (-1, (2,), (1,)), (0, (2,), (-1,))]:
        with pytest.raises(InputError, match="must lie inside its storage"):
            checkpoint._View(storage, offset, size, strides).array()
