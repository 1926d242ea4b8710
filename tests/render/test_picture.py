"""Where boxes stand: what is needed stands left of what needs it, nothing covers anything, and nobody rolls dice."""

from __future__ import annotations

import re
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.render.picture import BOX_HEIGHT, BOX_WIDTH, layers, picture

NAMES = st.sampled_from("abcdefghijkl")
PAIRS = st.lists(st.tuples(NAMES, NAMES), max_size=25)


def test_a_layer_is_the_longest_walk_to_a_name() -> None:
    pairs = [("a", "b"), ("b", "c"), ("a", "c"), ("d", "c")]
    assert layers("abcde", pairs) == {"a": 0, "b": 1, "c": 2, "d": 0, "e": 0}


def test_a_circle_stands_at_the_end_and_hangs_nobody() -> None:
    assert layers("abcd", [("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")]) == {"a": 0, "b": 1, "c": 1, "d": 1}


def test_lines_that_need_not_cross_do_not() -> None:
    places = {box.name: box.y for box in picture("abxy", [("a", "y"), ("b", "x")]).boxes}
    assert places["a"] < places["b"]
    assert places["y"] < places["x"]


def test_a_long_line_passes_beside_the_boxes_between() -> None:
    drawn = picture("abc", [("a", "b"), ("b", "c"), ("a", "c")])
    (between,) = (box for box in drawn.boxes if box.name == "b")
    (long,) = (line for line in drawn.lines if (line.first, line.then) == ("a", "c"))
    (turn,) = re.findall(rf"{between.x} (\d+) H{between.x + BOX_WIDTH}", long.path)
    assert not between.y <= int(turn) <= between.y + BOX_HEIGHT


def test_nothing_is_a_picture_without_boxes() -> None:
    assert picture([], []).boxes == ()


@settings(max_examples=60, deadline=None)
@given(PAIRS)
def test_boxes_cover_nothing_and_stand_the_same_however_they_come(pairs: list[tuple[str, str]]) -> None:
    names = sorted({name for pair in pairs for name in pair})
    drawn = picture(names, pairs)
    assert drawn == picture(reversed(names), [*reversed(pairs), *pairs])
    assert sorted(box.name for box in drawn.boxes) == names
    at = {box.name: box for box in drawn.boxes}
    for one, other in combinations(drawn.boxes, 2):
        assert abs(one.x - other.x) >= BOX_WIDTH or abs(one.y - other.y) >= BOX_HEIGHT
    for box in drawn.boxes:
        assert 0 <= box.x <= drawn.width - BOX_WIDTH
        assert 0 <= box.y <= drawn.height - BOX_HEIGHT
    for line in drawn.lines:
        assert at[line.first].x < at[line.then].x
        assert line.path.startswith(f"M{at[line.first].x + BOX_WIDTH} {at[line.first].y + BOX_HEIGHT // 2} C")
        assert line.path.endswith(f" {at[line.then].x} {at[line.then].y + BOX_HEIGHT // 2}")
