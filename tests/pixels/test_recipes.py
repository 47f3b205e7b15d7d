"""A recipe is a plain value: what a person writes, what JSON gives back, and what may not stand in it."""

import dataclasses
import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InputError
from assay.pixels import recipes
from assay.pixels.recipes import CHANGES, FLIPS, RANGES, Recipe
from assay.report.record import as_json

chances = st.floats(0, 1)


@st.composite
def any_recipe(draw):
    values = {name: draw(chances) for name in FLIPS}
    for name, (_, least, most) in RANGES.items():
        low, high = sorted((draw(st.floats(least, most)), draw(st.floats(least, most))))
        values[name] = draw(st.sampled_from([None, (low, high), (low, high, draw(chances))]))
    return Recipe(**values, fill_mode=draw(st.sampled_from(recipes.FILLS)), cval=draw(st.floats(0, 255)))


@given(any_recipe())
def test_a_recipe_comes_back_from_its_json(recipe):
    assert recipes.read(json.loads(as_json(recipe))) == recipe
    assert recipes.read(json.loads(as_json({"recipe": recipe, "count": 3}))) == recipe
    assert pickle.loads(pickle.dumps(recipe)) == recipe  # as it goes to a worker


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_recipes_that_come_with_assay_come_back_from_their_json(name):
    recipe = recipes.RECIPES[name]
    assert recipes.read(json.loads(as_json(recipe))) == recipe


@pytest.mark.parametrize(
    ("name", "number", "pair"),
    [
        ("rotation_range", 25, (-25, 25)),
        ("width_shift_range", 0.1, (-0.1, 0.1)),
        ("shear_range", 8, (-8, 8)),
        ("zoom_range", 0.25, (0.75, 1.25)),
        ("brightness_range", 0.25, (0.75, 1.25)),
        ("contrast_range", 0.5, (0.5, 1.5)),
        ("channel_shift_range", 9, (-9, 9)),
        ("crop_range", 0.8, (0.8, 1)),
        ("noise_range", 12, (0, 12)),
        ("blur_range", 2, (0, 2)),
    ],
)
def test_one_number_stands_for_a_range_as_in_keras(name, number, pair):
    assert Recipe(**{name: number}) == Recipe(**{name: pair}) == Recipe(**{name: (*pair, 1)})


def test_changes_name_what_can_happen_and_nothing_else():
    recipe = Recipe(horizontal_flip=True, vertical_flip=0, rotation_range=5, noise_range=(1, 2, 0))
    assert recipe.changes() == {"horizontal_flip": (1, 1, 0.5), "rotation_range": (-5, 5, 1)}
    assert Recipe().changes() == {}


def test_every_field_that_is_a_change_is_documented():
    fields = {f.name for f in dataclasses.fields(Recipe)}
    assert fields - set(CHANGES) == {"pick", "fill_mode", "cval"}
    assert all(name in Recipe.__doc__ for name in fields - set(FLIPS))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"horizontal_flip": 1.5}, r"horizontal_flip must be a chance in \[0, 1\], got 1.5"),
        ({"horizontal_flip": "yes"}, "horizontal_flip must be made of finite numbers, got 'yes'"),
        ({"rotation_range": np.nan}, "rotation_range must be made of finite numbers, got nan"),
        ({"rotation_range": (5, -5)}, r"rotation_range must be from low to high within -360 to 360, got \(5, -5\)"),
        ({"zoom_range": 1}, r"zoom_range must be from low to high within 0.01 to 100, got 1"),
        ({"crop_range": 1.2}, "crop_range must be from low to high within 0.01 to 1, got 1.2"),
        ({"noise_range": (-1, 3)}, "noise_range must be from low to high within 0 to 255"),
        ({"blur_range": (0, 1, 2)}, r"the chance of blur_range must be in \[0, 1\]"),
        ({"blur_range": (1,)}, r"blur_range must be a number, \(low, high\) or \(low, high, chance\)"),
        ({"fill_mode": "mirror"}, "fill_mode must be one of constant, nearest, reflect, wrap, got 'mirror'"),
        ({"cval": 256}, "cval must be a level in 0 to 255, got 256"),
        ({"rotation_range": 5, "pick": (1, 2)}, r"pick must be \(fewest, most\) within 0 to the recipe's 1 changes"),
        ({"rotation_range": 5, "pick": 1}, r"pick must be \(fewest, most\)"),
    ],
)
def test_what_may_not_stand_in_a_recipe_is_said(values, message):
    with pytest.raises(InputError, match=message):
        Recipe(**values)


def test_a_name_that_is_no_field_is_refused():
    with pytest.raises(InputError, match=r"a recipe must be made of horizontal_flip, .* got 'rotate'"):
        recipes.read({"rotate": 5})
