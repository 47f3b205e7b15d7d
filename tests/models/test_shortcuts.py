"""A fact about files is named when it alone tells labels that were never seen, and only then."""

import numpy as np
import pytest

from assay.models import shortcuts


def found(metadata, labels, groups=None, seed=0):
    groups = np.arange(len(labels)) if groups is None else groups
    return shortcuts.find(metadata, labels, groups, rng=np.random.default_rng(seed))


def noise(n, seed=0):
    return np.random.default_rng(seed).random(n)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_a_fact_that_gives_the_label_away_is_named_first(classes):
    labels = np.arange(40 * classes) % classes
    metadata = {"noise": noise(len(labels)), "half": labels + noise(len(labels), 1) * 1.3, "size": labels * 7.0}
    names = [s.name for s in found(metadata, labels)]
    assert names[0] == "size"
    assert "noise" not in names


def test_an_order_that_is_not_monotone_is_found_too():
    labels = np.arange(90) % 2
    value = np.where(labels == 1, 5.0, np.where(np.arange(90) % 4 == 0, 1.0, 9.0)) + noise(90)
    (one,) = found({"value": value}, labels)
    assert one.accuracy.value > 0.95
    assert one.chance == 0.5


def test_one_value_for_all_says_nothing():
    assert found({"format": np.ones(60)}, np.arange(60) % 2) == []


def test_the_commoner_class_alone_is_no_shortcut():
    # 95 of 100 are of one class: accuracy is easy, balanced accuracy is not.
    labels = (np.arange(200) % 20 == 0).astype(int)
    assert found({"noise": noise(200)}, labels) == []


def test_copies_do_not_make_a_shortcut_of_chance():
    # Each picture is there five times, its value with it: a tree that saw a copy knows the label.
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(24), 5)
    labels = np.repeat(np.arange(24) % 2, 5)
    values = np.repeat(rng.random(24), 5)
    assert found({"size": values}, labels, groups) == []
    assert [s.name for s in found({"size": values}, labels)] == ["size"]


def test_too_few_pictures_say_nothing():
    labels = np.array([0] * 30 + [1] * 4)
    assert found({"size": labels * 1.0}, labels) == []


def test_chance_is_seldom_called_a_shortcut():
    labels = np.arange(60) % 2
    wrong = sum(len(found({"a": noise(60, s), "b": noise(60, 1000 + s)}, labels, seed=s)) for s in range(60))
    assert wrong <= 2


def test_the_same_seed_gives_the_same():
    labels = np.arange(60) % 3
    metadata = {"size": labels + noise(60), "other": noise(60, 3)}
    assert found(metadata, labels, seed=4) == found(metadata, labels, seed=4)
