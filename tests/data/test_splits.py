"""Splits keep groups whole, depend on content and seed only, and never let a picture move towards training."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.data.splits import PARTS, folds, split
from assay.errors import InputError, UndefinedError


def ids_of(n, start=0):
    return [hashlib.sha256(b"%d" % i).hexdigest() for i in range(start, start + n)]


@st.composite
def tables(draw, largest=60):
    """Labels and groups of a few pictures; groups cross labels now and then."""
    n = draw(st.integers(1, largest))
    labels = np.array(draw(st.lists(st.sampled_from(["ant", "bee", "cat"]), min_size=n, max_size=n)))
    groups = np.array(draw(st.lists(st.integers(0, max(1, n // 2)), min_size=n, max_size=n)))
    return labels, groups


@settings(max_examples=100, deadline=None)
@given(tables(), st.integers(0, 5), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_and_groups_stay_whole(table, seed, random):
    labels, groups = table
    ids = ids_of(len(labels))
    parts = split(ids, labels, groups, seed=seed)
    assert set(parts) <= set(PARTS)
    for g in np.unique(groups):
        assert len(set(parts[groups == g])) == 1
    order = list(range(len(ids)))
    random.shuffle(order)
    shuffled = split([ids[i] for i in order], labels[order], 1000 - groups[order], seed=seed)
    np.testing.assert_array_equal(shuffled, parts[order])


@settings(max_examples=100, deadline=None)
@given(tables(), st.integers(1, 20), st.integers(0, 3))
def test_pictures_added_later_never_move_one_towards_training(table, added, seed):
    labels, groups = table
    n = len(labels)
    old = max(1, n - added)
    ids = ids_of(n)
    first = split(ids[:old], labels[:old], groups[:old], seed=seed)
    # Some of the old pictures turn out to belong together.
    bridged = np.where(groups == groups[0], groups[-1], groups)
    later = split(ids, labels, bridged, seed=seed, before=dict(zip(ids, first, strict=False)))
    for a, b in zip(first, later[:old], strict=True):
        assert PARTS.index(b) >= PARTS.index(a)
    for g in np.unique(bridged):
        here = bridged == g
        assert len(set(later[here])) == 1
        met = set(first[here[:old]])
        if len(met) == 1:
            assert set(later[here]) == met


def test_a_copy_between_train_and_test_takes_the_whole_group_to_test():
    ids = ids_of(5)
    before = {ids[0]: "train", ids[1]: "test", ids[2]: "val"}
    parts = split(ids, np.array(["ant"] * 5), np.array([7, 7, 3, 7, 5]), seed=0, before=before)
    assert parts[:4].tolist() == ["test", "test", "val", "test"]


@pytest.mark.parametrize(("count", "expected"), [(1, "train"), (2, "test train"), (3, "test train val")])
def test_a_small_class_is_in_as_many_parts_as_it_has_groups(count, expected):
    labels = np.array(["many"] * 30 + ["few"] * count)
    for seed in range(5):
        parts = split(ids_of(30 + count), labels, np.arange(30 + count), seed=seed)
        assert sorted(parts[30:]) == expected.split()


@pytest.mark.parametrize("fractions", [(0.6, 0.2, 0.2), (0.8, 0.0, 0.2), (0.5, 0.25, 0.25)])
def test_every_label_gets_its_shares(fractions):
    labels = np.repeat(["ant", "bee", "cat"], [100, 37, 260])
    parts = split(ids_of(397), labels, np.arange(397), seed=3, fractions=fractions)
    for label, total in (("ant", 100), ("bee", 37), ("cat", 260)):
        for part, fraction in zip(PARTS, fractions, strict=True):
            assert abs((parts[labels == label] == part).sum() - fraction * total) <= 1


def test_new_pictures_fill_what_lacks_most():
    ids, labels = ids_of(100), np.array(["ant"] * 100)
    before = dict.fromkeys(ids[:40], "train")
    parts = split(ids, labels, np.arange(100), seed=0, before=before)
    assert [(parts == p).sum() for p in PARTS] == [60, 20, 20]


def test_another_seed_gives_another_split():
    labels, groups = np.array(["ant"] * 50), np.arange(50)
    a, b = (split(ids_of(50), labels, groups, seed=s) for s in (0, 1))
    assert (a != b).any()


def test_the_same_id_twice_is_one_picture():
    ids = ids_of(20)
    parts = split([*ids, *ids], np.array(["ant"] * 40), np.arange(40), seed=0)
    np.testing.assert_array_equal(parts[:20], parts[20:])


def test_the_split_is_the_same_in_another_process():
    code = (
        "import numpy as np; from assay.data.splits import split;"
        "print(''.join(p[1] for p in split([f'{i:04x}' for i in range(40)], np.array(['a', 'b'] * 20),"
        " np.arange(40), seed=5)))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


def test_nothing_splits_into_nothing():
    assert split([], np.array([], str), np.array([], int), seed=0).shape == (0,)


def test_what_cannot_be_split_is_refused():
    two = np.array(["ant", "bee"])
    with pytest.raises(InputError, match=r"labels and groups must be \(2,\) as ids are, got \(2,\) and \(3,\)"):
        split(ids_of(2), two, np.arange(3), seed=0)
    with pytest.raises(InputError, match="fractions must be three numbers >= 0 that add up to 1"):
        split(ids_of(2), two, np.arange(2), seed=0, fractions=(0.6, 0.2, 0.1))
    with pytest.raises(InputError, match="parts given before must be train, val or test, got 'holdout'"):
        split(ids_of(2), two, np.arange(2), seed=0, before={"aa": "holdout"})


@settings(max_examples=150, deadline=None)
@given(tables(), st.integers(2, 6), st.integers(0, 9))
def test_folds_keep_groups_whole_and_leave_every_label_outside_each(table, count, seed):
    labels, groups = table
    try:
        found = folds(labels, groups, count=count, rng=np.random.default_rng(seed))
    except UndefinedError:
        fewest = min(len(set(groups[labels == label])) for label in np.unique(labels))
        several = any(len(set(labels[groups == g])) > 1 for g in np.unique(groups))
        assert fewest < 2 or several
        return
    assert found.max() < count
    for g in np.unique(groups):
        assert len(set(found[groups == g])) == 1
    for f in np.unique(found):
        assert set(labels[found != f]) == set(labels)


def test_folds_spread_labels_evenly():
    rng = np.random.default_rng(0)
    labels = rng.choice(["ant", "bee", "cat"], 203, p=[0.6, 0.3, 0.1])
    found = folds(labels, np.arange(203), count=5, rng=rng)
    for label in ("ant", "bee", "cat"):
        counts = np.bincount(found[labels == label], minlength=5)
        assert counts.max() - counts.min() <= 1
    groups = np.arange(203) // 3  # of mixed labels
    uneven = np.bincount(folds(labels, groups, count=5, rng=rng), minlength=5)
    assert uneven.max() - uneven.min() <= 9


def test_folds_differ_from_draw_to_draw_and_repeat_with_the_seed():
    labels, groups = np.array(["ant", "bee"] * 30), np.arange(60)
    rng = np.random.default_rng(0)
    a, b = folds(labels, groups, rng=rng), folds(labels, groups, rng=rng)
    assert (a != b).any()
    np.testing.assert_array_equal(a, folds(labels, groups, rng=np.random.default_rng(0)))


def test_a_label_of_three_groups_makes_three_folds():
    labels = np.array(["ant"] * 20 + ["bee"] * 6)
    groups = np.r_[np.arange(20), [50, 50, 51, 51, 52, 52]]
    found = folds(labels, groups, count=5, rng=np.random.default_rng(0))
    assert sorted(np.unique(found)) == [0, 1, 2]
    assert len(set(found[20:])) == 3


def test_folds_are_found_where_groups_tangle_labels():
    # Only groups 1 and 4 in one fold, and 0 in the other, leave both labels outside each.
    found = folds(np.array([0, 1, 0, 1]), np.array([1, 4, 0, 0]), count=2, rng=np.random.default_rng(0))
    assert found[0] == found[1] != found[2]
    # Placed one after another in the first order, label 2 would end up in one fold.
    labels, groups = np.array([0, 0, 1, 0, 0, 1, 2, 2]), np.array([1, 0, 3, 2, 0, 1, 0, 3])
    found = folds(labels, groups, count=2, rng=np.random.default_rng(0))
    for f in (0, 1):
        assert set(labels[found != f]) == {0, 1, 2}


def test_labels_that_no_folds_can_part_are_undefined():
    labels, groups = np.array([1, 0, 2, 1, 2, 1, 1, 0, 0, 2]), np.array([1, 1, 3, 1, 2, 1, 3, 1, 2, 2])
    with pytest.raises(UndefinedError, match=r"every label must be in two folds, got . in one: its groups hold other"):
        folds(labels, groups, count=2, rng=np.random.default_rng(0))


def test_folds_say_what_they_need():
    rng = np.random.default_rng(0)
    with pytest.raises(UndefinedError, match="folds need 2 groups of pictures of every label, got bee has 1"):
        folds(np.array(["ant", "ant", "bee", "bee"]), np.array([0, 1, 2, 2]), rng=rng)
    with pytest.raises(UndefinedError, match="got no picture"):
        folds(np.array([], str), np.array([], int), rng=rng)
    with pytest.raises(InputError, match="count must be >= 2, got 1"):
        folds(np.array(["ant"] * 3), np.arange(3), count=1, rng=rng)
    with pytest.raises(InputError, match=r"labels and groups must be \(n,\)"):
        folds(np.array(["ant"] * 3), np.arange(4), rng=rng)
