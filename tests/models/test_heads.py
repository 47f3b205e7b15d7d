"""A head is the minimum of its objective; what it says out of fold never saw the fold."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression

from assay.errors import InputError, UndefinedError
from assay.models import heads


def clouds(n=90, d=7, k=3, *, spread=1.0, seed=0):
    """Draw k clouds of points, the classes in turn."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % k
    centres = rng.normal(size=(k, d))
    return (centres[labels] + spread * rng.normal(size=(n, d))).astype(np.float32), labels


def names(k):
    return tuple("abcdefgh"[:k])


def written_out(features, labels, k, c):
    """Oracle: the objective term by term, minimised without its slope."""

    def objective(flat):
        weight, bias = flat[:-k].reshape(k, -1), flat[-k:]
        total = 0.5 * (weight**2).sum()
        for x, y in zip(features.astype(float), labels, strict=True):
            logits = weight @ x + bias
            total += c * (logsumexp(logits) - logits[y])
        return total

    return minimize(objective, np.zeros(k * features.shape[1] + k), options={"gtol": 1e-6}).x


def test_the_fit_minimises_the_objective_written_out():
    features, labels = clouds(24, 2)
    flat = written_out(features, labels, 3, 0.5)
    head = heads.fit(features, labels, classes=names(3), c=0.5)
    np.testing.assert_allclose(head.weight, flat[:6].reshape(3, 2), atol=2e-3)
    np.testing.assert_allclose(head.bias, flat[6:] - flat[6:].mean(), atol=2e-3)


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize(("n", "d"), [(70, 9), (40, 61)])  # more pictures than features, and fewer
@pytest.mark.parametrize("c", [0.01, 1.0, 30.0])
def test_the_fit_equals_scikit_learn(k, n, d, c):
    features, labels = clouds(n, d, k)
    peer = LogisticRegression(C=c, tol=1e-8, max_iter=5000).fit(features.astype(float), labels)
    ours = heads.fit(features, labels, classes=names(k), c=c).probabilities(features)
    np.testing.assert_allclose(ours, peer.predict_proba(features.astype(float)), atol=3e-3)


def test_features_that_say_nothing_give_back_the_shares_of_the_classes():
    labels = np.array([0, 0, 0, 1, 2, 2])
    head = heads.fit(np.ones((6, 4)), labels, classes=names(3), c=1.0)
    np.testing.assert_allclose(head.probabilities(np.ones((1, 4)))[0], [3 / 6, 1 / 6, 2 / 6], atol=1e-3)


def test_moving_and_turning_the_features_changes_nothing():
    features, labels = clouds()
    turn = np.linalg.qr(np.random.default_rng(4).normal(size=(7, 7)))[0]
    a = heads.fit(features, labels, classes=names(3), c=1.0).logits(features)
    moved = features @ turn + 5
    b = heads.fit(moved, labels, classes=names(3), c=1.0).logits(moved)
    np.testing.assert_allclose(a, b, atol=0.02)


def test_the_temperature_softens_and_keeps_the_order():
    features, labels = clouds()
    cold, warm = (heads.fit(features, labels, classes=names(3), c=1.0, temperature=t) for t in (1.0, 3.0))
    np.testing.assert_array_equal(cold.weight, warm.weight)
    p, q = cold.probabilities(features), warm.probabilities(features)
    np.testing.assert_allclose(q, (p ** (1 / 3)) / (p ** (1 / 3)).sum(axis=1, keepdims=True), atol=1e-6)
    np.testing.assert_allclose(q.sum(axis=1), 1)


def folds_of(n, repeats=2, count=4, seed=1):
    rng = np.random.default_rng(seed)
    return np.stack([rng.permutation(n) % count for _ in range(repeats)])


def test_out_of_fold_logits_come_from_heads_fitted_without_the_fold():
    features, labels = clouds(61, 11)
    folds = folds_of(61)
    found = heads.cross_validate(features, labels, folds, classes=names(3), cs=(0.3,))
    for r, row in enumerate(folds):
        for f in range(4):
            out = row == f
            alone = heads.fit(features[~out], labels[~out], classes=names(3), c=0.3).logits(features[out])
            np.testing.assert_allclose(found.logits[r, out], alone, atol=0.02)


def test_c_of_a_fold_is_chosen_on_the_other_folds():
    features, labels = clouds(61, 40, spread=1.5)
    folds = folds_of(61, repeats=1)
    cs = (0.003, 0.03, 0.3, 3.0)
    alone = [heads.cross_validate(features, labels, folds, classes=names(3), cs=(c,)).logits[0] for c in cs]
    losses = np.array([logsumexp(x.astype(float), axis=1) - x[np.arange(61), labels] for x in alone])
    found = heads.cross_validate(features, labels, folds, classes=names(3), cs=cs)
    own_would_differ = False
    for f in range(4):
        out = folds[0] == f
        best, own = losses[:, ~out].mean(axis=1).argmin(), losses[:, out].mean(axis=1).argmin()
        np.testing.assert_allclose(found.logits[0, out], alone[best][out], atol=0.02)
        own_would_differ |= np.abs(alone[best][out] - alone[own][out]).max() > 0.1
    assert own_would_differ
    assert found.c == cs[int(losses.mean(axis=1).argmin())]


def test_a_fold_of_wrong_labels_does_not_touch_its_own_logits():
    features, labels = clouds(60, 8, 2)
    folds = np.arange(60) // 15
    before = heads.cross_validate(features, labels, folds, classes=names(2), cs=(0.1,))
    poisoned = np.where(folds == 2, 1 - labels, labels)
    after = heads.cross_validate(features, poisoned, folds, classes=names(2), cs=(0.1,))
    np.testing.assert_allclose(after.logits[0, folds == 2], before.logits[0, folds == 2], atol=0.02)


def test_the_walk_stops_when_the_loss_has_risen_twice():
    features, labels = clouds(60, 30, spread=3.0)
    found = heads.cross_validate(features, labels, folds_of(60), classes=names(3))
    assert len(found.cs) < len(heads.CS)
    assert found.losses[-1] > found.losses[-2] > found.losses[-3]
    assert found.c == found.cs[int(np.argmin(found.losses))]


def test_noise_stays_noise():
    rng = np.random.default_rng(5)
    features, labels = rng.normal(size=(200, 30)), rng.permutation(200) % 2
    found = heads.cross_validate(features, labels, folds_of(200), classes=names(2))
    assert abs((found.logits.argmax(axis=2) == labels).mean() - 0.5) < 0.12
    assert found.losses[int(np.argmin(found.losses))] > 0.68  # log 2 is 0.693


def test_no_error_out_of_fold_is_not_certainty():
    features, labels = clouds(40, 5, 2, spread=0.01)
    found = heads.cross_validate(features, labels, folds_of(40), classes=names(2))
    assert (found.logits.argmax(axis=2) == labels).all()
    head = heads.fit(features, labels, classes=names(2), c=found.c, temperature=found.temperature)
    sure = head.probabilities(features).max(axis=1)
    assert 1 - 2 / 40 < np.median(sure) < 1 - 0.5 / 40  # about one wrong in 41


def test_copies_of_a_picture_weigh_as_one_in_the_temperature():
    features, labels = clouds(60, 5, 2, spread=1.5)
    folds, many = folds_of(60), np.r_[np.arange(60), np.full(25, 7)]
    plain = heads.cross_validate(features, labels, folds, classes=names(2), cs=(0.1,))
    copied = heads.cross_validate(
        features[many], labels[many], folds[:, many], classes=names(2), groups=many, cs=(0.1,)
    )
    logits = copied.logits[:, :60].reshape(-1, 2)
    assert copied.temperature == pytest.approx(heads.calibrate(labels, logits.reshape(2, 60, 2)), rel=0.05)
    assert plain.logits.shape == (2, 60, 2)


def test_the_same_pictures_give_the_same_head_twice():
    features, labels = clouds()
    a, b = (heads.fit(features, labels, classes=names(3), c=1.0) for _ in range(2))
    np.testing.assert_array_equal(a.weight, b.weight)


def test_solving_in_turns_equals_solving_together(monkeypatch):
    features, labels = clouds(50, 6)
    together = heads.cross_validate(features, labels, folds_of(50), classes=names(3))
    monkeypatch.setattr(heads, "_LOGIT_BYTES", 1)
    turns = heads.cross_validate(features, labels, folds_of(50), classes=names(3))
    np.testing.assert_allclose(together.logits, turns.logits, atol=0.05)


def test_a_class_that_only_one_fold_holds_is_undefined():
    features, labels = clouds(30, 4)
    with pytest.raises(UndefinedError, match="got no 'a' left in repeat 0"):
        heads.cross_validate(features, labels, labels, classes=names(3))


def test_what_does_not_fit_is_refused():
    features, labels = clouds(30, 4)
    with pytest.raises(InputError, match=r"features and labels must be \(n, d\) and \(n,\), got"):
        heads.fit(features, labels[:-1], classes=names(3), c=1.0)
    with pytest.raises(InputError, match="features must be finite, got 1 that are not"):
        heads.fit(np.where(features == features[3, 1], np.nan, features), labels, classes=names(3), c=1.0)
    with pytest.raises(InputError, match=r"labels must be whole numbers in 0\.\.1"):
        heads.fit(features, labels, classes=names(2), c=1.0)
    with pytest.raises(UndefinedError, match="every class needs a picture, got none of 'd'"):
        heads.fit(features, labels, classes=names(4), c=1.0)
    with pytest.raises(UndefinedError, match="a classifier needs 2 classes, got 1"):
        heads.fit(features, labels * 0, classes=names(1), c=1.0)
    with pytest.raises(InputError, match="c must be a finite number > 0, got 0"):
        heads.fit(features, labels, classes=names(3), c=0)
    with pytest.raises(InputError, match=r"folds must be \(repeats, 30\)"):
        heads.cross_validate(features, labels, np.zeros(29), classes=names(3))
    with pytest.raises(InputError, match="cs must rise from above 0"):
        heads.cross_validate(features, labels, folds_of(30), classes=names(3), cs=(1.0, 0.1))
    with pytest.raises(InputError, match=r"features must be \(n, 4\), got \(30, 3\)"):
        heads.fit(features, labels, classes=names(3), c=1.0).logits(features[:, :3])


def test_only_features_that_are_not_negative_have_roots():
    with pytest.raises(InputError, match="features must be >= 0 to have square roots, got -1"):
        heads.root(np.array([[4.0, -1.0]]))
