"""Eigenpictures are principal components: equal to the definition, to scikit-learn, and to themselves when streamed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.utils.estimator_checks import parametrize_with_checks

from assay.errors import InputError
from assay.pixels import eigen
from assay.pixels.eigen import EigenPictures

SHAPES = {"fewer pictures": (14, 40), "fewer pixels": (60, 9), "as many": (12, 12)}
every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def pictures(n, d, *, dtype=float, seed=0):
    """Draw rows whose variances fall from component to component."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return (rng.normal(size=(n, d)) * 0.7 ** np.arange(d) @ turn + rng.normal(5, 2, d)).astype(dtype)


def written_out(X, k):
    """Oracle: the eigenvectors of the covariance, with the sign rule."""
    centred = X - X.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / (len(X) - 1))
    components = vectors[:, ::-1].T[:k]
    signs = [np.sign(row[np.abs(row).argmax()]) for row in components]
    return values[::-1][:k], components * np.array(signs)[:, None], values.sum()


@parametrize_with_checks([EigenPictures(), EigenPictures(1)])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_it_is_an_estimator_of_scikit_learn(estimator, check):
    check(estimator)


@every_shape
@pytest.mark.parametrize("k", [1, 8])
def test_components_are_their_definition(shape, k):
    X = pictures(*shape)
    values, components, total = written_out(X, k)
    found = EigenPictures(k).fit(X)
    np.testing.assert_allclose(found.mean_, X.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.explained_variance_, values, rtol=1e-9)
    np.testing.assert_allclose(found.explained_variance_ratio_, values / total, rtol=1e-9)
    np.testing.assert_allclose(found.components_, components, atol=1e-7)


@every_shape
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_it_says_what_scikit_learn_says(shape, dtype):
    X = pictures(*shape, dtype=dtype)
    found, peer = EigenPictures(6).fit(X), PCA(6, svd_solver="full").fit(X.astype(float))
    signs = np.sign((found.components_ * peer.components_).sum(axis=1))
    close = {"rtol": 1e-9, "atol": 1e-7} if dtype == np.float64 else {"rtol": 1e-3, "atol": 1e-4}
    np.testing.assert_allclose(found.components_, peer.components_ * signs[:, None], **close)
    for name in ("mean_", "explained_variance_", "explained_variance_ratio_", "singular_values_"):
        np.testing.assert_allclose(getattr(found, name), getattr(peer, name), **close)
    np.testing.assert_allclose(found.transform(X), peer.transform(X.astype(float)) * signs, **close)
    assert {getattr(found, name).dtype for name in ("mean_", "components_", "singular_values_")} == {np.dtype(dtype)}


def test_figures_of_the_example_in_scikit_learns_documentation():
    found = EigenPictures(2).fit(np.array([[-1, -1], [-2, -1], [-3, -2], [1, 1], [2, 1], [3, 2]]))
    np.testing.assert_allclose(found.explained_variance_ratio_, [0.99244289, 0.00755711], atol=1e-8)
    np.testing.assert_allclose(found.singular_values_, [6.30061232, 0.54980396], atol=1e-8)


def test_figures_of_iris():
    found = EigenPictures().fit(load_iris().data)
    ratios = [0.92461872, 0.05306648, 0.01710261, 0.00521218]
    np.testing.assert_allclose(found.explained_variance_ratio_, ratios, atol=1e-8)
    np.testing.assert_allclose(found.explained_variance_, [4.22824171, 0.24267075, 0.0782095, 0.02383509], atol=1e-8)


@every_shape
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_components_are_orthonormal_and_their_variances_fall_and_sum_to_all(shape, dtype):
    X = pictures(*shape, dtype=dtype)
    found = EigenPictures().fit(X)
    np.testing.assert_allclose(found.components_ @ found.components_.T, np.eye(min(shape)), atol=1e-6)
    assert (np.diff(found.explained_variance_) <= 1e-9).all()
    assert found.explained_variance_.sum() == pytest.approx(X.var(axis=0, ddof=1, dtype=float).sum(), rel=1e-5)
    assert found.explained_variance_ratio_.sum() == pytest.approx(1, abs=1e-6)
    largest = np.abs(found.components_).argmax(axis=1)
    assert (found.components_[np.arange(min(shape)), largest] > 0).all()


@every_shape
def test_all_components_give_the_pictures_back(shape):
    X = pictures(*shape)
    found = EigenPictures().fit(X)
    np.testing.assert_allclose(found.inverse_transform(found.transform(X)), X, atol=1e-9)


def test_fewer_components_lose_exactly_the_variance_they_leave_out():
    X = pictures(14, 40)
    found = EigenPictures().fit(X)
    scores = found.transform(X)
    for k in (1, 5, 13):
        lost = ((X - found.inverse_transform(scores[:, :k])) ** 2).sum() / (len(X) - 1)
        assert lost == pytest.approx(found.explained_variance_[k:].sum(), rel=1e-9, abs=1e-12)


@every_shape
def test_a_shift_moves_the_mean_alone(shape):
    X = pictures(*shape)
    here, there = EigenPictures(5).fit(X), EigenPictures(5).fit(X + 1e4)
    np.testing.assert_allclose(there.mean_, here.mean_ + 1e4)
    np.testing.assert_allclose(there.components_, here.components_, atol=1e-6)


@every_shape
def test_a_rotation_turns_the_components(shape):
    X = pictures(*shape)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(shape[1], shape[1])))[0]
    here, there = EigenPictures(5).fit(X), EigenPictures(5).fit(X @ turn)
    np.testing.assert_allclose(there.explained_variance_, here.explained_variance_, rtol=1e-9)
    np.testing.assert_allclose(np.abs((there.components_ * (here.components_ @ turn)).sum(axis=1)), 1, atol=1e-9)


@every_shape
def test_the_order_of_the_pictures_does_not_matter(shape):
    X = pictures(*shape)
    here, there = EigenPictures(5).fit(X), EigenPictures(5).fit(X[::-1])
    np.testing.assert_allclose(there.explained_variance_ratio_, here.explained_variance_ratio_, rtol=1e-9)
    np.testing.assert_allclose(there.components_, here.components_, atol=1e-7)


@pytest.mark.parametrize("cuts", [[30, 60], [3, 8, 20, 90, 91], [119], [41], [40]])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8])
def test_a_stream_gives_what_all_at_once_gives(cuts, dtype):
    X = pictures(120, 40)
    X = (X - X.min()) / (X.max() - X.min()) * 255
    X = X.round().astype(dtype)
    whole, streamed = EigenPictures(6).fit(X), EigenPictures(6).fit_batches(np.split(X, cuts))
    for name in ("mean_", "components_", "explained_variance_ratio_"):
        np.testing.assert_allclose(getattr(streamed, name), getattr(whole, name), rtol=1e-5, atol=1e-5)
    assert (streamed.n_samples_, streamed.n_features_in_) == (120, 40)


def test_fewer_pictures_than_pixels_stream_as_well():
    X = pictures(30, 40)
    whole, streamed = EigenPictures(6).fit(X), EigenPictures(6).fit_batches(iter(np.split(X, [7, 11])))
    np.testing.assert_allclose(streamed.components_, whole.components_, atol=1e-9)


@pytest.mark.parametrize("shape", [(70, 150), (150, 70)])
def test_panels_parts_and_lanczos_change_nothing(shape, monkeypatch):
    X = pictures(*shape)
    whole = EigenPictures(3).fit(X)
    for name, small in (("_PANEL", 16), ("_FLOATS", 999), ("_FEW", 0), ("_DENSE", 20)):
        monkeypatch.setattr(eigen, name, small)
    pieces = EigenPictures(3).fit(X)
    np.testing.assert_allclose(pieces.components_, whole.components_, atol=1e-9)
    np.testing.assert_allclose(pieces.explained_variance_ratio_, whole.explained_variance_ratio_, rtol=1e-9)


@settings(max_examples=200, deadline=None)
@given(st.integers(2, 9), st.integers(1, 9), st.integers(0, 2**32 - 1), st.booleans())
def test_repeated_pictures_and_constant_pixels_leave_components_orthonormal(n, d, seed, flat):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 3, (n, d)).astype(float)
    X[:, rng.random(d) < 0.4] = 2
    X[rng.random(n) < 0.4] = X[0]
    X = np.full_like(X, 7) if flat else X
    found = EigenPictures().fit(X)
    np.testing.assert_allclose(found.components_ @ found.components_.T, np.eye(min(n, d)), atol=1e-6)
    assert found.explained_variance_.sum() == pytest.approx(X.var(axis=0, ddof=1).sum(), abs=1e-9)
    assert (found.explained_variance_ >= 0).all()
    assert np.isfinite(found.explained_variance_ratio_).all()
    np.testing.assert_allclose(found.inverse_transform(found.transform(X)), X, atol=1e-7)


def test_pictures_outside_the_fit_change_nothing():
    X = pictures(30, 12)
    poisoned = np.vstack([X, np.full((5, 12), 1e9)])
    here, there = EigenPictures(4).fit(X), EigenPictures(4).fit(poisoned[:30])
    np.testing.assert_array_equal(there.components_, here.components_)
    there.transform(poisoned)
    np.testing.assert_array_equal(there.components_, here.components_)


@every_shape
def test_the_input_is_left_alone_and_views_are_as_good(shape):
    X = pictures(*shape)
    before = X.copy()
    wide = np.repeat(X, 2, axis=1)[:, ::2]
    wide.flags.writeable = False
    here, there = EigenPictures(3).fit(X), EigenPictures(3).fit(wide)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_allclose(there.components_, here.components_, atol=1e-9)


@pytest.mark.parametrize(
    ("k", "X", "message"),
    [
        (0, np.zeros((5, 9)), "n_components must be a whole number >= 1 or None, got 0"),
        (2.5, np.zeros((5, 9)), "n_components must be a whole number >= 1 or None, got 2.5"),
        (True, np.zeros((5, 9)), "got True"),
        (6, np.zeros((5, 9)), "n_components must be at most 5 for 5 pictures of 9 pixels, got 6"),
        (1, np.zeros((1, 9)), "components need 2 pictures at least, got n_samples = 1"),
        (1, np.full((5, 9), np.nan), "rows of finite numbers.*NaN"),
        (1, np.full((5, 9), np.inf), "rows of finite numbers.*infinity"),
        (1, np.zeros((0, 9)), "rows of finite numbers"),
        (1, np.zeros(9), "rows of finite numbers"),
    ],
)
def test_what_has_no_components_is_refused(k, X, message):
    with pytest.raises(InputError, match=message):
        EigenPictures(k).fit(X)


def test_a_stream_of_nothing_or_of_two_sizes_is_refused():
    with pytest.raises(InputError, match="got no batch of them"):
        EigenPictures(1).fit_batches([])
    with pytest.raises(InputError, match="X has 8 features, but EigenPictures is expecting 9"):
        EigenPictures(1).fit_batches([np.zeros((3, 9)), np.zeros((3, 8))])


def test_more_scores_than_components_are_refused():
    found = EigenPictures(3).fit(pictures(14, 40))
    with pytest.raises(InputError, match=r"scores must be \(n, 1 to 3\), got \(2, 4\)"):
        found.inverse_transform(np.zeros((2, 4)))
