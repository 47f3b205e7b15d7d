"""A network learns ratings: its loss is that of the raters without torch, and both phases come to their end."""

import numpy as np
import pytest

from assay.errors import InputError
from assay.models import rating_network, ratings


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="the extra train is not installed")


def test_the_loss_is_that_of_the_raters(torch):
    rng = np.random.default_rng(0)
    logits, shares = rng.normal(size=(6, 10)), rng.dirichlet(np.ones(10), 6)
    outputs = torch.tensor(logits, requires_grad=True)
    losses = rating_network.squared_emd(outputs, torch.tensor(shares))
    losses.sum().backward()
    expected, slopes = ratings.loss(logits, shares)
    np.testing.assert_allclose(losses.detach().numpy(), expected, atol=1e-12)
    np.testing.assert_allclose(outputs.grad.numpy(), slopes, atol=1e-12)


@pytest.mark.slow
def test_two_phases_learn_what_is_bright(torch):
    rng = np.random.default_rng(1)
    level = rng.integers(20, 235, 48)
    views = np.clip(level[:, None, None, None] + rng.normal(0, 12, (48, 64, 64, 3)), 0, 255).astype(np.uint8)
    shares = np.stack([np.where(np.arange(3) == i, 0.8, 0.1) for i in np.digitize(level, [90, 165])])
    made, (first, second) = rating_network.teach(
        views[:32],
        shares[:32],
        validate=(views[32:], shares[32:]),
        epochs=(4, 2),
        learning_rate=1e-2,
        dropout=0.2,
        batch_size=8,
    )
    assert first.stopped in {"done", "patience"}
    assert second.stopped in {"done", "patience"}
    said = rating_network.predict(made, views[32:])
    np.testing.assert_allclose(said.sum(axis=1), 1)
    assert np.corrcoef(said @ np.arange(3), level[32:])[0, 1] > 0.5


def test_without_validation_both_phases_are_gone_through(torch):
    views = np.random.default_rng(2).integers(0, 255, (6, 32, 32, 3)).astype(np.uint8)
    shares = np.full((6, 4), 0.25)
    _, phases = rating_network.teach(views, shares, epochs=(2, 1), batch_size=3)
    assert [len(history.epochs) for history in phases] == [2, 1]
    assert [history.best for history in phases] == [2, 1]


def test_views_and_shares_must_fit(torch):
    with pytest.raises(InputError, match=r"views must be uint8 \(3, size, size, 3\)"):
        rating_network.teach(np.zeros((2, 32, 32, 3), np.uint8), np.full((3, 2), 0.5))
