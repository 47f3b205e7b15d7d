"""Raters: the slope is that of the loss, what is learned comes back, and a file holds all of it."""

from dataclasses import replace

import numpy as np
import pytest

from assay.errors import InputError, UndefinedError
from assay.models import ratings, saved, saved_ratings
from assay.models.graph import Graph, Step
from assay.models.ratings import Kind
from assay.models.saved_ratings import RatingModel
from assay.stats import votes

SCALE = np.arange(1.0, 8)
LINE, LIKENESS = Kind(("a",), 0.0), Kind(("a",), 1.0)


def pictures(n=90, seed=0):
    """Features whose first two numbers tell the mean rating: one straight, one by its square."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6))
    mean = np.clip(4 + 1.2 * x[:, 0] - 0.8 * (x[:, 1] ** 2 - 1), 1.2, 6.8)
    return {"a": x, "b": rng.normal(size=(n, 4))}, votes.maximum_entropy(mean, np.full(n, 0.9), scale=SCALE)


def test_the_slope_is_that_of_the_loss():
    rng = np.random.default_rng(1)
    logits, shares = rng.normal(size=(4, 6)), rng.dirichlet(np.ones(6), 4)
    losses, slopes = ratings.loss(logits, shares)
    for i, j in np.ndindex(4, 6):
        moved = logits.copy()
        moved[i, j] += 1e-6
        assert (ratings.loss(moved, shares)[0][i] - losses[i]) / 1e-6 == pytest.approx(slopes[i, j], abs=1e-6)


def test_the_loss_is_the_squared_emd():
    rng = np.random.default_rng(2)
    logits, shares = rng.normal(size=(5, 7)), rng.dirichlet(np.ones(7), 5)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(ratings.loss(logits, shares)[0], votes.emd(p, shares, r=2) ** 2)


@pytest.mark.parametrize("kind", [LINE, LIKENESS], ids=str)
def test_a_fit_is_a_minimum(kind):
    features, shares = pictures(40)
    rater = ratings.fit(features, shares, scale=SCALE, kind=kind, penalty=1e-3)
    said = rater.shares(features)
    np.testing.assert_allclose(said.sum(axis=1), 1)
    least = (votes.emd(said, shares, r=2) ** 2).mean()
    always = np.tile(shares.mean(axis=0), (40, 1))
    assert least < (votes.emd(always, shares, r=2) ** 2).mean()


def test_likeness_learns_what_a_line_cannot():
    features, shares = pictures(240)
    folds = np.arange(240) % 5
    found = ratings.cross_validate(features, shares, folds, candidates=(LINE, LIKENESS))
    assert found.losses[str(LIKENESS)] < found.losses[str(LINE)]
    truth, guess = (votes.moments(s, SCALE)[0] for s in (shares, found.shares))
    assert np.corrcoef(truth, guess)[0, 1] > 0.8


def test_what_is_said_of_a_fold_does_not_know_its_labels():
    features, shares = pictures(60)
    folds = np.arange(60) % 3
    before = ratings.cross_validate(features, shares, folds, candidates=(LINE,), penalties=(1e-3,))
    changed = shares.copy()
    changed[folds == 0] = shares[folds == 0][:, ::-1]
    after = ratings.cross_validate(features, changed, folds, candidates=(LINE,), penalties=(1e-3,))
    np.testing.assert_allclose(after.shares[folds == 0], before.shares[folds == 0], atol=1e-9)
    assert np.abs(after.shares[folds == 1] - before.shares[folds == 1]).max() > 0.01


def test_the_full_scale_keeps_the_order_and_has_peoples_spread():
    features, shares = pictures(60)
    rng = np.random.default_rng(0)
    rated = votes.moments(shares, SCALE)[0]
    guess = rated.mean() + 0.4 * (rated - rated.mean()) + rng.normal(0, 0.05, 60)
    rater = ratings.fit(features, shares, scale=SCALE, kind=LINE, penalty=1e-2).stretched(guess, rated)
    wide = rater.full(guess)
    assert (np.argsort(wide) == np.argsort(guess)).all() or len(np.unique(wide)) < 60  # the ends are cut
    assert wide.std() == pytest.approx(rated.std(), rel=0.05)
    assert wide.min() >= SCALE[0]
    assert wide.max() <= SCALE[-1]


def test_under_sampling_leaves_so_many_of_each_part():
    mean = np.r_[np.full(50, 5.0), np.full(3, 1.1), np.full(20, 9.9)]
    kept = ratings.balanced(mean, np.arange(1.0, 11), bins=10, most=7, rng=np.random.default_rng(0))
    assert [np.count_nonzero(mean[kept] == m) for m in (5.0, 1.1, 9.9)] == [7, 3, 7]
    assert (np.diff(kept) > 0).all()


@pytest.mark.parametrize("kind", [LINE, LIKENESS, Kind(("a", "b"), 2.0)], ids=str)
def test_a_model_comes_back_from_its_file(kind, tmp_path):
    features, shares = pictures(30)
    features["a"][:, 5] = 3.0  # does not vary
    rater = ratings.fit(features, shares, scale=SCALE, kind=kind, penalty=1e-3)
    data = saved_ratings.pack(RatingModel(rater, {"features": "x"}))
    (tmp_path / "m.assay").write_bytes(data)
    again = saved_ratings.unpack(tmp_path / "m.assay")
    np.testing.assert_array_equal(again.rater.shares(features), rater.shares(features))
    assert saved_ratings.pack(RatingModel(again.rater, {"features": "x"})) == data


def network_of(width):
    """Return a rater of a network of one layer, that layer, and what goes in."""
    rng = np.random.default_rng(3)
    weights = {"tail.weight": rng.normal(size=(width, 1280)), "tail.bias": np.zeros(width)}
    tail = Graph(
        {"features": (1280,)},
        (Step("tail", "dense", ("features",), {}),),
        {name: a.astype(np.float32) for name, a in weights.items()},
    )
    features, shares = pictures(30)
    rater = ratings.fit({"network": features["a"]}, shares, scale=SCALE, kind=Kind(("network",), 0.0), penalty=1e-3)
    return rater, tail


def test_a_network_comes_back_from_its_file(tmp_path):
    width = pictures(30)[0]["a"].shape[1]
    rater, tail = network_of(width)
    data = saved_ratings.pack(RatingModel(rater, {"features": "x"}, tail))
    (tmp_path / "m.assay").write_bytes(data)
    again = saved_ratings.unpack(tmp_path / "m.assay")
    assert again.tail.steps == tail.steps
    for name, array in tail.weights.items():
        np.testing.assert_array_equal(again.tail.weights[name], array)
    assert saved_ratings.pack(RatingModel(again.rater, {"features": "x"}, again.tail)) == data


def test_a_network_that_does_not_fit_is_refused(tmp_path):
    width = pictures(30)[0]["a"].shape[1]
    rater, tail = network_of(width)
    for made, words in (
        (RatingModel(rater, {}, network_of(width + 1)[1]), "the head must fit what the network gives"),
        (RatingModel(rater, {}), "a network must be looked at by a line of its own"),
        (RatingModel(replace(rater, kind=Kind(("damage",), 0.0)), {}, tail), "a network must be looked at by a line"),
        (RatingModel(rater, {"format": 5}, tail), "MODEL must be of format 3 or 4, got 5"),
    ):
        (tmp_path / "m.assay").write_bytes(saved_ratings.pack(made))
        with pytest.raises(InputError, match=words):
            saved_ratings.unpack(tmp_path / "m.assay")


def test_a_rater_is_no_classifier_and_the_other_way_round(tmp_path):
    from assay.models import heads
    from assay.models.saved import Model

    features, shares = pictures(30)
    rater = ratings.fit(features, shares, scale=SCALE, kind=LINE, penalty=1e-3)
    (tmp_path / "rater.assay").write_bytes(saved_ratings.pack(RatingModel(rater, {})))
    with pytest.raises(InputError, match="rate pictures with `assay rate FOLDER"):
        saved.unpack(tmp_path / "rater.assay")
    head = heads.fit(features["a"], np.arange(30) % 2, classes=("x", "y"), c=1.0)
    (tmp_path / "classifier.assay").write_bytes(saved.pack(Model(head, None, {})))
    with pytest.raises(InputError, match=r"got a classifier in .*`assay predict MODEL PATH`"):
        saved_ratings.unpack(tmp_path / "classifier.assay")


def test_what_cannot_be_learned_is_refused():
    features, shares = pictures(20)
    with pytest.raises(InputError, match="features must have the blocks c, got a, b"):
        ratings.fit(features, shares, scale=SCALE, kind=Kind(("c",), 0.0), penalty=1.0)
    with pytest.raises(UndefinedError, match="features that vary"):
        ratings.fit({"a": np.ones((20, 3))}, shares, scale=SCALE, kind=LINE, penalty=1.0)
    bad = features["a"].copy()
    bad[3, 2] = np.nan
    with pytest.raises(InputError, match="must be finite, got 1 that are not"):
        ratings.fit({"a": bad}, shares, scale=SCALE, kind=LINE, penalty=1.0)
