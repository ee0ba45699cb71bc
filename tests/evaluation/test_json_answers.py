"""JSON answers: what counts as JSON, which fields are labels, and when two values are the same."""

import pytest

from pipelines.evaluation.json_answers import fields, has_keys, holds_fenced_json, label_fields, read_container, same_scalar, text_fields


@pytest.mark.parametrize(
    ("text", "is_json"),
    [
        ('{"a": 1}', True),
        (' \n[{"a": 1}]\n', True),
        ("{}", True),
        ('```json\n{"a": 1}\n```', False),
        ('Here it is: {"a": 1}', False),
        ('{"a": 1} Anything else?', False),
        ("{'a': 1}", False),
        ('{"a": 1,}', False),
        ('{"a": NaN}', False),
        ('{"a": 1', False),
        ('"a"', False),
        ("42", False),
        ("", False),
        ("[" * 5000, False),
        ('{"a": 1, "a": 2}', False),
    ],
)
def test_only_a_whole_strict_object_or_array_is_json(text, is_json):
    assert (read_container(text) is not None) is is_json


@pytest.mark.parametrize(
    ("text", "is_fenced"),
    [
        ('```json\n{"a": 1}\n```', True),
        ("Sure!\n```\n[1, 2]\n```\nDone.", True),
        ('{"a": "```json"}', False),
        ("```json\nnothing\n```", False),
        ('{"a": 1}', False),
    ],
)
def test_json_inside_a_fence_is_noticed(text, is_fenced):
    assert holds_fenced_json(text) is is_fenced


def test_inner_fields_have_dotted_names_and_lists_are_left_out():
    assert fields({"a": {"b": 1, "c": {"d": None}}, "e": [1], "f": "x"}) == {"a.b": 1, "a.c.d": None, "f": "x"}
    assert fields([1, 2]) == fields("text") == {}


def test_keys_are_wanted_at_every_level():
    wanted = {"a": {"b": 1}, "c": 2}
    assert has_keys(wanted, {"a": {"b": 0, "x": 0}, "c": None, "y": 1})
    assert not has_keys(wanted, {"a": {}, "c": 2})
    assert not has_keys(wanted, {"a": "b", "c": 2})
    assert not has_keys(wanted, None)


def test_labels_are_numbers_truth_values_and_texts_that_repeat():
    rows = [
        {"intent": "card", "urgent": True, "amount": n, "reply": f"answer {n}", "id": f"A-{n}", "long": "x" * 61, "none": None}
        for n in range(6)
    ]
    assert label_fields(rows) == ["intent", "urgent", "amount"]
    assert text_fields(rows) == ["reply", "id", "long"]


@pytest.mark.parametrize(("values", "is_label"), [("aab", True), ("ab", False), ("aabcd", False), ("aabbc", True), ("a", False)])
def test_at_most_two_different_texts_for_three_rows_make_a_label(values, is_label):
    assert (label_fields([{"x": value} for value in values]) == ["x"]) is is_label


@pytest.mark.parametrize(
    ("expected", "given", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (True, 1, False),
        (0, False, False),
        ("1", 1, False),
        (1, "1", False),
        (None, None, True),
        (None, "", False),
        ("a", "a", True),
        ("a", "A", False),
        ("a", ["a"], False),
    ],
)
def test_values_are_the_same_only_with_their_type(expected, given, same):
    assert same_scalar(expected, given) is same
