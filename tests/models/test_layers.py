"""A line of text becomes layers whose sizes are those of the definition, or says which layer is wrong."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InputError
from assay.models import layers
from assay.models.layers import Convolution, Dense, Dropout, Mean, Norm, Pool

KNOWN = st.one_of(
    st.builds(Convolution, st.integers(1, 4096), st.integers(1, 64), st.integers(1, 64), st.booleans()),
    st.builds(Pool, st.integers(2, 4096)),
    st.just(Norm()),
    st.builds(Dropout, st.decimals(0, "0.9999", places=4).map(float)),
)


def written(layer):
    match layer:
        case Convolution(width, kernel, stride, same):
            return f"conv {width} kernel {kernel} stride {stride} {'same' if same else 'valid'}"
        case Pool(size):
            return f"pool {size}"
        case Dropout(rate):
            return f"dropout {rate:.4f}"
        case Dense(width):
            return f"dense {width}"
    return type(layer).__name__.lower()


@given(st.lists(KNOWN, min_size=1, max_size=20), st.lists(st.builds(Dense, st.integers(1, 4096)), max_size=3))
def test_layers_that_are_written_are_read_again(first, last):
    text = ", ".join(map(written, first + last))
    assert layers.parse(text) == tuple(first + last)
    assert layers.parse(text.upper().replace(" ", "  ")) == tuple(first + last)


def test_the_line_of_the_help_is_read():
    found = layers.parse("conv 32, pool, conv 64, pool, dense 128, dropout .5")
    assert found == (Convolution(32), Pool(), Convolution(64), Pool(), Dense(128), Dropout(0.5))


@given(st.text(max_size=40))
def test_any_other_text_is_refused_in_words(text):
    with contextlib.suppress(InputError):
        assert layers.parse(text)


@pytest.mark.parametrize("n", range(1, 20))
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("stride", [1, 2, 3, 8])
@pytest.mark.parametrize("same", [True, False])
def test_sizes_are_those_of_windows_that_are_counted(n, kernel, stride, same):
    text = f"conv 1 kernel {kernel} stride {stride}" + ("" if same else " valid")
    if not same and kernel > n:
        with pytest.raises(InputError, match="layer 1"):
            layers.steps(text, size=(n, 40), channels=1)
        return
    # A window begins at each step that is in the picture; a valid one also ends in it.
    begins = [i for i in range(0, n, stride) if same or i + kernel <= n]
    (step,) = layers.steps(text, size=(n, 40), channels=1)
    assert step.shape[0] == len(begins)


def test_the_tutorials_example_gives_four_by_four():
    (step,) = layers.steps("conv 6 kernel 4 stride 8", size=(32, 32), channels=3)
    assert step.shape == (4, 4, 6)
    assert step.weights == 6 * (4 * 4 * 3) + 6


def test_steps_have_names_and_weights_that_can_be_counted():
    found = layers.steps("conv 4, norm, pool, conv 6, mean, dense 7", size=(9, 12), channels=3)
    assert [s.name for s in found] == ["conv 1", "norm 1", "pool 1", "conv 2", "mean 1", "dense 1"]
    assert [s.shape for s in found] == [(9, 12, 4), (9, 12, 4), (4, 6, 4), (4, 6, 6), (6,), (7,)]
    assert [s.weights for s in found] == [3 * 9 * 4 + 4, 8, 0, 4 * 9 * 6 + 6, 0, 6 * 7 + 7]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("conv 8, pool, pool, pool, pool", "layer 5, 'pool', must fit what reaches it, 1 x 1 x 8"),
        ("conv 8 kernel 9 valid, conv 8 kernel 3 valid", "layer 2, 'conv 8 kernel 3 valid'"),
        ("conv 512, conv 512, dense 4096", "layer 3, 'dense 4096'.* weights"),
    ],
)
def test_the_layer_that_does_not_fit_is_named(text, message):
    size = (9, 10) if "dense" not in text else (256, 200)
    with pytest.raises(InputError, match=message):
        layers.steps(text, size=size, channels=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must name at least one"),
        ("conv", "layer 1 must be one of"),
        ("conv 8, fly 3", "layer 2 must be one of.*got 'fly 3'"),
        ("conv 8,", "layer 2 must be one of"),
        ("pool kernel 3", "layer 1 must be one of"),
        ("pool 1", "layer 1 must be one of"),
        ("conv 0", "whole number from 1 to 4096"),
        ("dense 1.5", "whole number from 1 to 4096"),
        ("dense ١٢", "layer 1 must be one of"),
        ("conv 8 kernel 65", "kernel of layer 1 must be 1 to 64"),
        ("conv 8 stride 0", "stride of layer 1 must be 1 to 64"),
        ("dropout 1", "layer 1 must be one of"),
        ("dense 8, conv 8", "layer 2, 'conv 8', must come before"),
        ("mean, pool", "layer 2, 'pool', must come before"),
        ("__import__('os').system('true')", "layer 1 must be one of"),
        ("norm," * 100 + "norm", "at most 100"),
    ],
)
def test_what_is_no_layer_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        layers.parse(text)


@pytest.mark.parametrize(("size", "channels"), [((0, 5), 1), ((5, 5), 2)])
def test_pictures_that_cannot_be_are_refused(size, channels):
    with pytest.raises(InputError, match="size must be two sides"):
        layers.steps("mean", size=size, channels=channels)


def test_a_whole_number_of_any_size_is_a_number_or_refused():
    with pytest.raises(InputError, match="layer 1"):
        layers.parse(f"conv {'9' * 5000}")
    assert np.isfinite(layers.parse("dropout .12345")[0].rate)
    assert layers.parse("mean") == (Mean(),)
