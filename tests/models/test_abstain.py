"""A rule for "none of these" refuses as many known pictures as it says, and strangers nearly all."""

import numpy as np
import pytest

from assay.errors import InputError, UndefinedError
from assay.models import abstain


def known(n, rng, d=24):
    """Draw pictures of three classes that spread in few directions."""
    labels = rng.integers(0, 3, n)
    world = np.random.default_rng(9)
    centres, mixing = 4 + world.normal(size=(3, d)), world.normal(size=(4, d))
    return centres[labels] + 0.3 * rng.normal(size=(n, 4)) @ mixing + 0.1 * rng.normal(size=(n, d)), labels


def written_out(rule, x):
    """Oracle: the Mahalanobis distance to each class, through the full inverse covariance."""
    d = len(x)
    along = rule.basis.astype(float)
    covariance = along @ np.diag(rule.spread - rule.rest) @ along.T + rule.rest * np.eye(d)
    away = [x / np.linalg.norm(x) - c for c in rule.centres.astype(float)]
    return min(a @ np.linalg.inv(covariance) @ a for a in away)


@pytest.mark.parametrize("n", [21, 120])  # fewer pictures than features, and more
def test_scores_equal_the_mahalanobis_distance_written_out(n):
    rng = np.random.default_rng(0)
    features, labels = known(n, rng)
    rule = abstain.fit(features, labels, np.arange(n), rng=np.random.default_rng(0))
    fresh = known(7, rng)[0]
    np.testing.assert_allclose(rule.score(fresh), [written_out(rule, x) for x in fresh], rtol=2e-3)


def test_the_spread_is_that_of_the_pictures_around_their_class():
    rng = np.random.default_rng(1)
    features, labels = known(400, rng)
    rule = abstain.fit(features, labels, np.arange(400), rng=np.random.default_rng(0))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    away = unit - np.stack([unit[labels == y].mean(axis=0) for y in range(3)])[labels]
    variances = np.linalg.svd(away, compute_uv=False) ** 2 / 400
    np.testing.assert_allclose(np.sort(rule.spread)[::-1], variances[: len(rule.spread)], rtol=1e-3)
    assert rule.rest == pytest.approx(variances[len(rule.spread) :].mean(), rel=1e-3)


@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_it_refuses_as_many_known_pictures_as_it_says(rate):
    refused = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        features, labels = known(90, rng)
        rule = abstain.fit(features, labels, np.arange(90), rate=rate, rng=np.random.default_rng(0))
        refused.append(rule.refuses(known(200, rng)[0]).mean())
    assert 0.4 * rate < np.mean(refused) < 1.1 * rate  # rules out of fold know a tenth less, so score a little higher


def test_strangers_are_refused():
    rng = np.random.default_rng(2)
    features, labels = known(90, rng)
    rule = abstain.fit(features, labels, np.arange(90), rng=np.random.default_rng(0))
    assert rule.refuses(4 + rng.normal(size=(100, 24))).mean() > 0.95


def test_the_threshold_is_the_conformal_quantile_of_scores_out_of_fold():
    features, labels = known(39, np.random.default_rng(3))
    groups = np.arange(39) // 2  # pairs stay together
    rule = abstain.fit(features, labels, groups, rate=0.1, rng=np.random.default_rng(8))
    folds = (np.random.default_rng(8).permutation(20) % 10)[groups]
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    scores = np.empty(39)
    for f in range(10):
        out = folds == f
        scores[out] = abstain._described(unit[~out], labels[~out], np.inf, 0.1).score(features[out])
    assert rule.threshold == pytest.approx(sorted(scores)[36 - 1], rel=1e-3)  # ceil(40 * 0.9) = 36


def test_copies_do_not_make_pictures_look_familiar():
    features, labels = known(60, np.random.default_rng(4))
    twice, groups = np.tile(np.arange(60), 2), np.tile(np.arange(60), 2)
    together = abstain.fit(features[twice], labels[twice], groups, rng=np.random.default_rng(0))
    torn = abstain.fit(features[twice], labels[twice], np.arange(120), rng=np.random.default_rng(0))
    assert together.threshold > torn.threshold


def test_too_few_pictures_for_the_rate_are_undefined():
    features, labels = known(19, np.random.default_rng(4))
    assert np.isfinite(abstain.fit(features, labels, np.arange(19), rng=np.random.default_rng(0)).threshold)
    with pytest.raises(UndefinedError, match="refusing 5% of known pictures needs 19 groups of them, got 18"):
        abstain.fit(features[:18], labels[:18], np.arange(18), rng=np.random.default_rng(0))


def test_brightness_alone_makes_no_stranger():
    features, labels = known(90, np.random.default_rng(5))
    rule = abstain.fit(features, labels, np.arange(90), rng=np.random.default_rng(0))
    np.testing.assert_allclose(rule.score(features * 3), rule.score(features), rtol=1e-3)


def test_a_rule_comes_back_from_its_arrays_and_is_small():
    features, labels = known(90, np.random.default_rng(6), d=1280)
    rule = abstain.fit(features, labels, np.arange(90), rng=np.random.default_rng(0))
    arrays = rule.arrays()
    again = abstain.Novelty.from_arrays(arrays)
    np.testing.assert_array_equal(again.score(features), rule.score(features))
    assert (again.threshold, again.rate) == (rule.threshold, rule.rate)
    assert sum(a.nbytes for a in arrays.values()) < 2**20
    del arrays["spread"]
    with pytest.raises(InputError, match=r"a novelty rule needs centres, .* got no spread"):
        abstain.Novelty.from_arrays(arrays)


def test_equal_pictures_can_be_learned_from():
    rule = abstain.fit(np.ones((40, 5)), np.zeros(40, int), np.arange(40), rng=np.random.default_rng(0))
    assert rule.threshold >= 1  # within one spread nothing is strange
    assert not rule.refuses(np.ones((1, 5))).any()
    assert rule.refuses(np.eye(5)).all()


def test_what_does_not_fit_is_refused():
    features, labels = known(30, np.random.default_rng(7))
    groups, rng = np.arange(30), np.random.default_rng(0)
    with pytest.raises(InputError, match=r"labels and groups must be \(30,\)"):
        abstain.fit(features, labels[1:], groups, rng=rng)
    with pytest.raises(InputError, match=r"features must be \(n, d\) and finite, got \(24,\)"):
        abstain.fit(features[0], labels, groups, rng=rng)
    with pytest.raises(InputError, match=r"rate must be in \(0, 1\), got 0"):
        abstain.fit(features, labels, groups, rate=0, rng=rng)
    with pytest.raises(InputError, match=r"features must be \(n, 24\), got \(30, 23\)"):
        abstain.fit(features, labels, groups, rng=rng).score(features[:, 1:])
