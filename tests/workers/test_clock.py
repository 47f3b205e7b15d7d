"""The clock counts the whole job: the stage under way by its rate, those to come by their guess."""

import io
import time

import pytest

from assay.workers.clock import Clock, line, words


def test_time_left_is_this_stage_at_its_rate_and_the_guess_for_the_rest():
    said = []
    clock = Clock({"reading": 100.0, "learning": 7.0}, tell=said.append)
    clock.begin("reading", 10)
    time.sleep(0.2)
    clock.advance(5)
    assert clock.left() == pytest.approx(7.2, abs=0.1)
    clock.begin("learning", 1)
    assert clock.times["reading"] == pytest.approx(0.2, abs=0.1)
    assert clock.left() == pytest.approx(7.0, abs=0.1)
    assert "5 of 10" in said[1] or said[0].startswith("reading")


def test_a_finished_job_has_no_time_left():
    clock = Clock({"reading": 100.0}, tell=lambda _: None)
    clock.begin("reading", 3)
    clock.finish()
    assert clock.left() == 0


def test_nothing_is_written_where_nobody_looks():
    stream = io.StringIO()
    line(stream)("reading")
    assert not stream.getvalue()


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (89.4, "89 s"), (90, "2 min"), (3600, "1 h 0 min")])
def test_durations_read_as_a_person_says_them(seconds, text):
    assert words(seconds) == text
