"""Likeness is 1 for the same picture in any turn, and falls for another of the same kind."""

import cv2
import numpy as np
import pytest
from sklearn.datasets import load_sample_images

from assay.pixels.likeness import correlation, detail

FLOWER = load_sample_images().images[1]


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("quarters", range(4))
def test_any_turn_of_a_picture_is_the_same_picture(quarters, mirrored):
    turned = np.ascontiguousarray(np.rot90(FLOWER[:, ::-1] if mirrored else FLOWER, quarters))
    assert correlation(detail(FLOWER), detail(turned)) > 0.99


def test_saving_again_smaller_and_brighter_keeps_it():
    small = cv2.resize(FLOWER, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    brighter = cv2.convertScaleAbs(small, beta=10)
    again = cv2.imdecode(cv2.imencode(".jpg", brighter, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_COLOR)
    assert correlation(detail(FLOWER), detail(again)) > 0.95


def test_another_part_of_the_same_scene_is_another_picture():
    h, w = FLOWER.shape[:2]
    assert correlation(detail(FLOWER[: h // 2]), detail(FLOWER[h // 2 :])) < 0.5
    assert correlation(detail(FLOWER[:, : w // 2]), detail(load_sample_images().images[0])) < 0.5


def test_it_is_symmetric_and_the_input_is_left_alone():
    a, b = detail(FLOWER[:200, :300]), detail(FLOWER[100:, 100:])
    before = FLOWER.copy()
    assert correlation(a, b) == pytest.approx(correlation(b, a), abs=1e-5)
    np.testing.assert_array_equal(FLOWER, before)


def test_a_flat_picture_is_like_nothing():
    assert correlation(detail(np.full((9, 12), 7, np.uint8)), detail(FLOWER)) == 0
