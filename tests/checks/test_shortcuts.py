"""The shortcuts that make checks fast change nothing of what they find."""

import re
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.checks import Batch, Feature, _by_parts, all_checks, national_id, phone_number, placeholder, secret, unbalanced_bracket
from pipelines.checks._turns import OTHER, SIGNS, matches_at, turns_of, turns_with
from pipelines.checks._utf8 import utf8
from pipelines.features import kernels
from pipelines.records import Message
from pipelines.store.tables import records_to_table
from tests.checks.measuring import SmallSet, answer, turns

PIECES = [
    "[Your Name]", "{{a}}", "{{{a}}}", "<insert x>", "Lorem ipsum", "TODO:", "FIXME", "TBD", "XXXX", "XXX-XXX", "$XX", "XX公司", "ＸＸ先生",
    "+49 30 1234567", "(212) 555-0147", "1 (212) 555 0147", "212.555.0147", "1", "2", "00 49 30 123456", "138 0013 8000", "0207 946 0018", "(0)", "call 555 0147 22", "电话：12345678",
    "TEL 5550147", "api_key=", "API KEY: ", "ſecret ", "secret key is ", "token ", "AbC4eFgH1jKlMn0pQr", " ", "x", "7", "-", ".", "(", "é", "\n",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
SEARCHES = {
    "placeholder": (placeholder._FIRST, re.compile(placeholder._PATTERN, re.MULTILINE)),
    "secret": (secret._KEY_START, secret._KEY),
    "international": (phone_number._INTERNATIONAL_START, phone_number._INTERNATIONAL),
    "american": (phone_number._AMERICAN_START, phone_number._AMERICAN),
    "chinese": (phone_number._CHINESE_START, phone_number._CHINESE_MOBILE),
    "national": (phone_number._NATIONAL_START, phone_number._NATIONAL),
}


@pytest.mark.parametrize("name", SEARCHES)
@given(text=TEXTS)
def test_a_search_from_likely_places_finds_what_a_search_of_all_places_finds(name, text):
    first, pattern = SEARCHES[name]
    assert [m.span() for m in matches_at(first, pattern, text)] == [m.span() for m in pattern.finditer(text)]


@given(TEXTS)
def test_an_ascii_text_with_a_labelled_phone_number_holds_one_of_the_labels(text):
    if text.isascii() and phone_number._LABELLED.search(text):
        assert phone_number._ASCII_LABEL.search(text)


@pytest.mark.parametrize("text", ["a@b", "x", "", "[1] <b>", "café", "1234567890123", "`~:"])
@pytest.mark.parametrize("sign", SIGNS + OTHER)
def test_a_text_is_passed_over_only_when_the_sign_is_not_in_it(text, sign):
    batch = Batch(records_to_table([answer(text)]))
    seen = [turn.content for turn in turns_with(batch, ".*", roles=["assistant"], having=sign)]
    assert seen == ([text] if (not text.isascii() if sign == OTHER else sign in text) else [])


@pytest.mark.parametrize(("digits", "seen"), [(0, 3), (1, 2), (7, 2), (8, 1), (13, 1), (14, 0)])
def test_texts_with_fewer_digits_are_passed_over(digits, seen):
    batch = Batch(records_to_table([turns(("user", "no ٣"), ("user", "1-2-3 4567"), ("user", "1234567890123"))]))
    assert len(list(turns_with(batch, ".*", digits=digits))) == seen


def test_turns_of_a_role_are_filtered_once_for_all_checks():
    batch = Batch(records_to_table([answer("Yes.")]))
    assert turns_of(batch, ["assistant"]) is turns_of(batch, ["assistant"])
    assert turns_of(batch, ["assistant"]).column("content").to_pylist() == ["Yes."]
    assert turns_of(batch).num_rows == 2


IDS = [
    "078-05-1120", "219-09-9990", "AB 12 34 56 C", "AB123456C", "1 85 05 78 006 084 36", "54362315K", "X-2482300W", "RCCMNL83S18D969H",
    "756.9217.0769.85", "811228-9874", "390.533.447-05", "11010519491231002X", "971013-9019902", "BSN: 111222333", "SSN 536-90-4399",
    "Sozialversicherung 1237 010180", "PESEL 44051401359", "Aadhaar 234123412346", "SIN 123 456 782", " ", "x", "7", "-", "é",
]  # fmt: skip


@given(st.lists(st.sampled_from(IDS), max_size=5).map("".join))
def test_a_text_with_an_identity_number_is_not_passed_over(text):
    if national_id._ids(text):
        batch = Batch(records_to_table([answer(text)]))
        assert [turn.content for turn in turns_with(batch, national_id._TRIGGER, roles=["assistant"], digits=6)] == [text]


@given(st.text(st.sampled_from("()（）[]［］{}【】「」《》a é😀、"), max_size=12))
def test_a_text_is_passed_over_only_when_its_brackets_are_as_many(text):
    kinds = (("(（", ")）"), ("[［", "]］"), ("{", "}"), ("【", "】"), ("「", "」"), ("《", "》"))
    differ = any(sum(map(text.count, opening)) != sum(map(text.count, closing)) for opening, closing in kinds)
    assert unbalanced_bracket._may_lack_one(pa.chunked_array([["(", text, ")"]])).to_pylist() == [True, differ, True]


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 7])
def test_what_is_worked_on_by_parts_comes_back_in_order(monkeypatch, rows):
    monkeypatch.setattr(_by_parts, "_FEWEST_ROWS", 2)
    texts = pa.chunked_array([[str(i) for i in range(rows)]], pa.string())
    assert [text for part in _by_parts.by_parts(lambda part: part.to_pylist(), texts) for text in part] == texts.to_pylist()


def repeated(text, stretch=2, times=2, tail=3):
    """Share of words in repeated stretches, and the longest repeated run: the plain way of `kernels.repeated_words`."""
    found = [(m.start(), m.end(), m.group().lower()) for m in re.finditer(r"[\u3000-\udfff]|[^\W_\u3000-\udfff]+", text)]
    starts = [tuple(word for _, _, word in found[i : i + stretch]) for i in range(len(found) - stretch + 1)]
    covered = [False] * len(found)
    for i, one in enumerate(starts):
        if starts.count(one) >= times and sum(word.isdigit() for word in one) * 2 <= stretch:
            covered[i : i + stretch] = [True] * stretch
    share = max(sum(covered) / max(len(found), 1), sum(covered[-tail:]) / max(min(len(found), tail), 1))
    best, start = (0, 0), None
    for i, one in enumerate(covered):
        start = (found[i][0] if start is None else start) if one else None
        if start is not None and len(text[start : found[i][1]].encode()) > len(text[slice(*best)].encode()):  # in bytes
            best = (start, found[i][1])
    return share, *best


@example("a中 a b 中a中")
@given(st.lists(st.sampled_from(["a", "b", "A", "7", "12", "中", "文", " ", ", ", " a b ", "\n"]), max_size=30).map("".join))
def test_repeated_words_are_those_of_the_plain_way(text):
    bytes_of = utf8(pa.chunked_array([["before a b", text, "a b a b after"]], pa.string()))
    shares, first, last = np.empty(3), np.empty(3, np.int64), np.empty(3, np.int64)
    kernels.repeated_words(bytes_of.letters, bytes_of.starts, bytes_of.stops, 2, 2, 3, shares, first, last)
    encoded = text.encode()
    in_characters = tuple(len(encoded[:at].decode()) for at in (first[1], last[1]))
    assert (shares[1], *in_characters) == repeated(text)


@given(st.lists(st.one_of(st.none(), st.text(max_size=4)), max_size=6), st.integers(0, 6))
def test_the_bytes_of_a_column_are_those_of_its_texts(texts, cut):
    column = pa.chunked_array([pa.array(texts[:cut], pa.string()), pa.array(texts[cut:], pa.string())]).slice(1)
    found = utf8(column)
    read = [bytes(found.letters[a:b]).decode() for a, b in zip(found.starts, found.stops, strict=True)]
    assert read == [text or "" for text in texts[1:]]


class Watched(SmallSet):
    """A set of records that notes which costly features are asked for."""

    def __getattribute__(self, name):
        if name in get_args(Feature):
            self.asked = {*self.__dict__.get("asked", ()), name}
        return super().__getattribute__(name)


@pytest.mark.parametrize("name", [name for name, check in all_checks().items() if check.scope == "set"])
def test_a_check_asks_for_no_feature_that_it_does_not_declare(name):
    check = all_checks()[name]
    levels = ("low" if i % 4 < 2 else "high" for i in range(120))
    said = [f'{{"level": "{level}", "why": "It is {level} because of what number {i} costs."}}' for i, level in enumerate(levels)]
    rows = [answer(text, prompt=f"What is the price of number {i // 2}?") for i, text in enumerate(said)]
    some = Watched(records_to_table(rows))
    check.measure(some)
    assert some.__dict__.get("asked", set()) == set(check.needs)


def test_a_batch_computes_what_checks_share_once():
    batch, made = Batch(records_to_table([turns(Message("user", "Hi"))])), []
    assert [batch.shared("key", lambda: made.append(1) or "value") for _ in range(2)] == ["value", "value"]
    assert made == [1]
