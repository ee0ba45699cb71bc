"""Checks of JSON and code blocks."""

import json

import pytest

from tests.checks.measuring import answer, evidence, flags, marked, measure

TICKET = {"category": "billing", "priority": "normal", "needs_human": False, "reply": "We look into it."}


def ticket(**changed: object) -> str:
    return json.dumps({k: v for k, v in (TICKET | changed).items() if v is not ...}, ensure_ascii=False)


@pytest.mark.parametrize(
    ("text", "reason", "span"),
    [
        ('{"a": 1, "b": [1, 2]}', None, None),
        ('```json\n{"a": 1}\n```\nI hope that helps.', None, None),
        ('{"größe": "5 μm", "ok": true}', None, None),
        ('{"a": 1}\n{"a": 2}', None, None),  # JSON Lines
        ("", None, None),
        ("[Name], thank you.", None, None),
        ("[1] Smith, J. (2001)", None, None),
        ('["a", "b"].forEach(print)', None, None),
        ("{{customer}} has called", None, None),
        ("{ int a = 1; }", None, None),
        ('{"a": 1', "the answer ends before the JSON is complete", "1"),
        ('{"a": "Open Domains >', "the answer ends before the JSON is complete", '"Open Domains >'),
        ('{"a": 1,}', "a name in double quotes belongs here", "}"),
        ("{'a': 1}", "a name in double quotes belongs here", "'"),
        ('{"a" 1}', "a colon is missing here", "1"),
        ('{"a": 1 "b": 2}', "a comma or a closing bracket is missing here", '"'),
        ('{"a": True}', "a value is missing here, or its text is not in double quotes", "T"),
        ('{"a": NaN}', "NaN is not a JSON value", "NaN"),
        ('{"a": "x\ny"}', "a line break or tab inside a text; in JSON it is written \\n or \\t", "\n"),
        ('{"a": "C:\\dir"}', "a backslash that starts no known sign; in JSON it is written \\\\", "\\"),
        ('{"a": 1} Let me know!', "the JSON ends before this text", "Let me know!"),
        ('{"a": 1, "b": 2, "a": 3}', 'the name "a" stands here a second time', '"a":'),
        ('{"größe": 1, "größe": 2}', 'the name "größe" stands here a second time', '"größe":'),
    ],
)
def test_invalid_json(text, reason, span):
    found = evidence("invalid_json", answer(text))
    assert ([e.note for e in found], marked("invalid_json", answer(text))) == (([reason], [span]) if reason else ([], []))


def test_invalid_json_survives_what_breaks_parsers():
    assert flags("invalid_json", answer('{"a":' * 100_000), answer('{"n": ' + "9" * 10_000 + "}")) == [True, False]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("```python\nprint(1)\n```", 0),
        ("```python\nprint(1)", 1),
        ("Zuerst:\n\n~~~\nab\n~~~\n\ndann:\n\n```\ncd\n", 1),
        ("Use ```ls -l``` in one line", 0),
        ("````\n```\n````", 0),
        ("1. Run\n   ```\n   make\n   ```\n", 0),
        ("no code (here", 0),
    ],
)
def test_unbalanced_fence(text, count):
    assert measure("unbalanced_fence", answer(text)).values == [count]


def drift(*odd: str, usual: int = 60) -> list[tuple[float | None, list[str]]]:
    """Value and notes of some answers in a set of usual ones."""
    regular = [answer(ticket(category=["billing", "ssl", "email"][i % 3], reply=f"We look into case {i}.")) for i in range(usual)]
    found = measure("json_schema_drift", *regular, *map(answer, odd))
    assert all(value in (0.0, None) for value in found.values[:usual])
    return [(value, [e.note for e in spans]) for value, spans in list(zip(found.values, found.evidence or [], strict=False))[usual:]]


@pytest.mark.parametrize(
    ("odd", "notes"),
    [
        (ticket(reply="Wir prüfen das."), []),
        (ticket(priority=...), ["priority is missing"]),
        (ticket(priority=..., category=...), ["category is missing", "priority is missing"]),
        (ticket(note="x"), ["the other answers have no note"]),
        (ticket(needs_human="false"), ["needs_human is a text, in the others true or false"]),
        (ticket(priority=None), ["priority is empty (null), in the others a text"]),
        (ticket(category="Billing"), ['category is "Billing", which hardly any other answer has']),
        (ticket(category="facturación"), ['category is "facturación", which hardly any other answer has']),
        ("We look into it.", ["prose, where the other answers are JSON"]),
        ('[{"a": 1}]', ["not an object, as the other answers are"]),
    ],
)
def test_json_schema_drift(odd, notes):
    ((value, found),) = drift(odd)
    assert (value, sorted(found)) == (len(notes), sorted(notes))


def test_json_schema_drift_marks_the_odd_value_and_the_unknown_field():
    usual = [answer(ticket(reply=f"Case {i}")) for i in range(40)]
    found = measure("json_schema_drift", *usual, answer(ticket(category="biling", note="x"))).evidence[-1]
    text = ticket(category="biling", note="x")
    assert [text[e.start : e.end] for e in found] == ['"biling"', '"note":']


def test_json_schema_drift_is_not_measured_for_broken_json_small_sets_and_prose_sets():
    assert drift('{"category": ') == [(None, [])]
    assert set(measure("json_schema_drift", *[answer(ticket())] * 10).values) == {None}
    assert set(measure("json_schema_drift", *[answer(ticket())] * 30, *[answer("Hello.")] * 30).values) == {None}


def test_json_schema_drift_looks_into_nested_fields():
    usual = [answer(json.dumps({"where": {"city": "Hull", "zip": str(i)}, "tags": ["a"]})) for i in range(40)]
    odd = [
        {"where": {"city": "Hull"}, "tags": ["a"]},
        {"where": "Hull", "tags": ["a"]},
        {"where": {"city": "Hull", "zip": "1"}, "tags": "a"},
    ]
    found = measure("json_schema_drift", *usual, *(answer(json.dumps(value)) for value in odd))
    assert [[e.note for e in spans] for spans in found.evidence[-3:]] == [
        ["where.zip is missing"],
        ["where is a text, in the others an object"],
        ["tags is a text, in the others a list"],
    ]
