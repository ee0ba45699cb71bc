"""HTML made from data: everything in it is text, and what differs is marked."""

import re

from workbench.answer_pairs import answer_html, pair_html
from workbench.excerpt import excerpt_html
from workbench.fix_dialog import change_html
from workbench.funnel import funnel_html
from workbench.preflight_panel import ledger_html

EVIL = '<img src=x onerror="alert(1)"><script>alert(1)</script>'


def tags(html: str) -> set[str]:
    return set(re.findall(r"<\s*/?\s*(\w+)", html))


def test_no_tag_of_the_data_becomes_a_tag_of_the_page():
    example = {
        "file": EVIL, "row": 3, "role": EVIL, "verdict": "keep", "note": EVIL, "before": EVIL, "found": EVIL, "after": EVIL,
        "other": {"file": EVIL, "row": 1, "text": EVIL},
    }  # fmt: skip
    pair = {"prompt": EVIL, "expected": EVIL, "before": EVIL, "after": '{"<b>": "<img src=x>"}'}
    ledger = {"rows_in": 1, "trained": 0, "dropped": {EVIL: 1}, "truncated": {"rows": 0, "tokens_lost": 0}}
    counts = {"records": 2, "kept": 1, "dropped": {EVIL: 1}}
    change = {"turn": 1, "before": f"assistant: {EVIL}", "after": f"assistant: {EVIL} {EVIL}"}
    for html in (excerpt_html(example), pair_html(pair), ledger_html(ledger), funnel_html(counts), change_html(change)):
        assert not tags(html) & {"img", "script", "b"}, html
        assert "&lt;img" in html


def test_a_wrong_field_of_a_json_answer_is_marked_and_a_right_one_is_not():
    html = answer_html('{"category": "sales", "priority": "low"}', '{"category": "billing", "priority": "low"}')
    assert "<mark>sales</mark>" in html and "<dd>low</dd>" in html


def test_a_missing_and_an_invented_field_are_marked():
    html = answer_html('{"urgency": 1}', '{"priority": "low"}')
    assert html.count("<mark>") == 2 and "missing" in html


def test_words_that_differ_are_marked():
    assert answer_html("Thirty two days.", "Thirty days.") == '<p class="words">Thirty<mark> two</mark> days.</p>'


def test_free_text_where_json_was_expected_says_so_instead_of_marking_every_word():
    html = answer_html("I am sorry.", '{"category": "billing"}')
    assert "Not in the form" in html and "<mark>" not in html


def test_an_empty_answer_is_visible():
    assert "nothing" in answer_html("  ", "Thirty days.")


def test_the_bars_of_the_funnel_follow_each_other_down_to_what_is_kept():
    html = funnel_html({"records": 10, "kept": 5, "dropped": {"decision": 3, "undecided": 2}})
    assert re.findall(r"left:([\d.]+)%;width:([\d.]+)%", html) == [
        ("0.000", "100.000"), ("70.000", "30.000"), ("50.000", "20.000"), ("0.000", "50.000"),
    ]  # fmt: skip
    assert "Dropped by a person&#x27;s decision" in html


def test_a_change_shows_what_goes_and_what_comes_and_only_the_words_around():
    long = "word " * 100
    html = change_html({"turn": 1, "before": f"assistant: {long}FranÃ§oise", "after": f"assistant: {long}Françoise"})
    assert "<del>FranÃ§oise</del><ins>Françoise</ins>" in html and html.count("word") < 25 and ">Answer<" in html


def test_a_long_row_with_many_changes_shows_each_of_them():
    words = [f"word{i % 400}" for i in range(2_000)]  # none of them is in the text only once
    before = " ".join(f"<b>{word}</b>" if i % 12 == 0 else word for i, word in enumerate(words))
    html = change_html({"turn": 1, "before": f"assistant: {before}", "after": f"assistant: {' '.join(words)}"})
    assert len(before) > 15_000
    assert html.count("<del>&lt;b&gt;</del>") == html.count("<del>&lt;/b&gt;</del>") == before.count("<b>") and "<ins>" not in html


def test_of_a_text_too_long_to_compare_the_first_change_is_shown_and_where_it_is_cut_is_no_change():
    rest = " ".join(f"word{i}" for i in range(10_000))
    html = change_html({"turn": 1, "before": f"user: {rest} caf&eacute; {rest}", "after": f"user: {rest} café {rest}"})
    assert html.count("<del>") == html.count("<ins>") == 1 and "word9999 caf<del>&amp;eacute;</del>" not in html
    assert re.search(r"word9999 <del>caf&amp;eacute;</del><ins>café</ins> word0 .*…</p>", html)


def test_a_changed_speaker_is_named():
    html = change_html({"turn": 0, "before": "customer: Hello", "after": "user: Hello"})
    assert "<del>customer</del><ins>user</ins>: Hello" in html
