import json
import re
from html.parser import HTMLParser

import pytest

from pipelines.curation.decisions import Decision, bulk, decide
from pipelines.curation.recipe import Recipe
from pipelines.curation.report import columns, fitted, percent, render_report, report
from pipelines.errors import WorkbenchError
from pipelines.records import Message, Record
from tests.conftest import chat
from tests.curation.measured import measure, place

RECIPE = Recipe(drop=())
HOSTILE = '</div><script>alert(1)</script><img src="http://evil.example/x.png" onerror=x> [link](http://evil.example) `x` | # y'


def rows(count):
    return [chat(f"question {i}", f"answer {i}") for i in range(count)]


def check(found, name):
    return next(c for c in found["checks"] if c["check"] == name)


def test_ready_looked_at_and_dropped_add_up(project, fill):
    ids = fill(project, rows(10))
    measure(project, "refusal", {id: float(i < 6) for i, id in enumerate(ids)})
    decide(project, [Decision(ids[0], "keep"), Decision(ids[1], "drop"), Decision(ids[2], "flag"), Decision(ids[9], "flag")])
    found = report(project, RECIPE)
    ready = found["readiness"]
    assert (ready["ready"], ready["to_look_at"], ready["dropped"]) == (4, 5, 1)
    assert ready["sentence"] == "4 of 9 rows are ready to train on; 5 rows need a look."
    assert found["decisions"] == {"keep": 1, "drop": 1, "flag": 2, "edited": 0, "undecided": 6, "people": 1}
    refusal = check(found, "refusal")
    assert (refusal["flagged"], refusal["measured"], refusal["undecided"]) == (6, 10, 3)


def test_a_finding_for_information_does_not_stand_in_the_way(project, fill):
    ids = fill(project, rows(3))
    measure(project, "ip_address", dict.fromkeys(ids, 5.0))
    found = report(project, RECIPE)
    assert found["readiness"]["sentence"] == "All 3 rows are ready to train on. Freeze a snapshot next."
    assert found["next_steps"] == []
    assert check(found, "ip_address")["flagged"] == 3


def test_next_steps_are_ordered_by_payoff(project, fill):
    ids = fill(project, rows(40))
    measure(project, "refusal", {id: float(i < 30) for i, id in enumerate(ids)})  # 30 rows worth a look
    measure(project, "no_answer", {id: float(i >= 36) for i, id in enumerate(ids)})  # 4 serious ones
    bulk(project, ids[:25], "keep")
    assert [(s["check"], s["undecided"], s["payoff"]) for s in report(project, RECIPE)["next_steps"]] == [
        ("no_answer", 4, 400),
        ("refusal", 5, 50),
    ]


def test_before_a_scan_the_report_says_so(project, fill):
    fill(project, rows(3))
    found = report(project, RECIPE)
    assert found["readiness"]["sentence"] == "The 3 rows have not been checked yet. Scan the project to see what is in the way."
    assert "have not been checked yet" in render_report(found, "html")
    assert "have not been checked yet" in render_report(found, "md")


@pytest.mark.parametrize("format", ["html", "md", "json"])
def test_an_empty_project_has_a_report_too(project, format):
    assert "There are no rows to train on" in render_report(report(project, RECIPE), format)


def test_examples_are_the_worst_rows_with_the_words_around_what_was_found(project, fill):
    records = [chat("a prompt", f"{'x' * 300} needle {'y' * 300}" if i == 3 else "short needle") for i in range(1)] + [
        chat(f"prompt {i}", "w" * 200 + f"😀 needle{i} " + "z" * 200) for i in range(7)
    ]
    ids = fill(project, records)
    spot = {"turn": 1, "start": 202, "end": 209, "note": "seen here", "record": ids[0]}
    measure(project, "refusal", {id: float(i) for i, id in enumerate(ids)}, {id: [spot] for id in ids[1:]})
    examples = check(report(project, RECIPE), "refusal")["examples"]
    assert [e["record"] for e in examples] == [ids[i] for i in (7, 6, 5, 4, 3)]
    assert (examples[0]["found"], examples[0]["role"], examples[0]["note"]) == ("needle6", "assistant", "seen here")
    assert examples[0]["before"].startswith("…www") and examples[0]["before"].endswith("w😀 ")
    assert examples[0]["after"].endswith("z…") and len(examples[0]["after"]) <= 111
    assert (examples[0]["file"], examples[0]["row"]) == ("test.jsonl", 8)
    assert examples[0]["other"]["text"] == "short needle"


def test_evidence_that_points_outside_the_text_shows_the_beginning(project, fill):
    ids = fill(project, [chat("a prompt", "an answer")])
    for spot in ({"turn": 7}, {"turn": 1, "start": 5, "end": 500}, {"note": "the row as a whole"}):
        measure(project, "refusal", {ids[0]: 1.0}, {ids[0]: [spot]})
        (example,) = check(report(project, RECIPE), "refusal")["examples"]
        assert (example["before"], example["found"]) == ("an answer", "")


def test_distributions_count_every_row_once(project, fill):
    records = [
        *rows(5),
        chat("a", "b", "c", "d"),
        Record((Message("user", "x"),), kind="preference", chosen=(Message("assistant", "y" * 700),)),
    ]
    ids = fill(project, records)
    place(project, {id: i % 2 for i, id in enumerate(ids)}, {0: "left", 1: "right"})
    measure(project, "refusal", {ids[0]: 1.0})
    found = report(project, RECIPE)
    by_key = {d["key"]: d for d in found["distributions"]}
    assert {key: sum(bar["count"] for bar in d["bars"]) for key, d in by_key.items()} == {
        "prompt_length": 7, "answer_length": 7, "turns": 7, "kinds": 7,
    }  # fmt: skip
    assert by_key["answer_length"]["bars"][0] == {"label": "1 to 49", "count": 6}
    assert by_key["answer_length"]["bars"][-1] == {"label": "500 to 999", "count": 1}
    assert by_key["turns"]["bars"] == [{"label": "2", "count": 6}, {"label": "3", "count": 0}, {"label": "4", "count": 1}]
    assert found["topics"] == [
        {"cluster": 0, "name": "left", "size": 4, "flagged": 1},
        {"cluster": 1, "name": "right", "size": 3, "flagged": 0},
    ]


@pytest.mark.parametrize(
    ("answer", "kinds"),
    [
        ("The fee is currently under review.", ["words"]),
        ("As of now it is free.", ["words"]),
        ("It was founded in 2019.", ["years"]),
        ("该公司成立于2021年", ["years"]),
        ("It costs $5 a month.", ["prices"]),
        ("It costs 5,00 € a month.", ["prices"]),
        ("Currently, in 2024, it costs £3.", ["words", "years", "prices"]),
        ("Take 2 tablets a day.", []),
        ("The year 1848 was a year of revolutions.", []),
        ("Order number 20241 is on its way; it was a flight of stairs.", []),
    ],
)
def test_facts_that_age_are_counted_by_kind(project, fill, answer, kinds):
    fill(project, [chat("q", answer)])
    facts = report(project, RECIPE)["facts"]
    assert [k["kind"] for k in facts["kinds"] if k["count"]] == kinds
    assert (facts["with_facts"], facts["answers"]) == (bool(kinds), 1)


def test_many_ageing_facts_are_said_with_their_number(project, fill):
    fill(project, [chat(f"q {i}", "It costs $5." if i < 2 else "Yes.") for i in range(20)])
    assert "2 of 20 answers (10 %)" in render_report(report(project, RECIPE), "html")
    fill(project, [chat("one more", "No.")], part="0002-x-00000")
    assert "may be out of date" not in render_report(report(project, RECIPE), "html")


class Page(HTMLParser):
    """Collects what a page would load or run."""

    def __init__(self):
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href", "action", "data") and value]
        assert not [name for name, _ in attributes if name.startswith("on")], "no event handler ever"


def test_text_from_the_data_can_neither_run_nor_load_anything(project, fill):
    ids = fill(project, [chat(HOSTILE, HOSTILE)])
    measure(project, "refusal", {ids[0]: 1.0}, {ids[0]: [{"turn": 1, "start": 0, "end": 12, "note": HOSTILE}]})
    place(project, {ids[0]: 0}, {0: HOSTILE})
    found = report(project, RECIPE)
    page = Page()
    html = render_report(found, "html")
    page.feed(html)
    assert not {"script", "img", "iframe", "object", "link", "form"} & set(page.tags)
    assert all(address.startswith("#") for address in page.addresses)
    assert "url(" not in html and "@import" not in html
    text = render_report(found, "md")
    assert re.search(r"(?<!\\)<script|(?<!\\)\[link\](?<!\\)\(|(?<!\\)!\[", text) is None
    assert json.loads(render_report(found, "json")) == found


def test_an_unknown_format_names_the_known_ones(project):
    with pytest.raises(WorkbenchError, match=r'cannot be written as "pdf"\. Use one of html, md, json'):
        render_report(report(project, RECIPE), "pdf")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [
        (0, 9, "0 %"),
        (9, 9, "100 %"),
        (1, 9, "11 %"),
        (1, 100, "1.0 %"),
        (1, 5000, "under 0.1 %"),
        (4999, 5000, "over 99.9 %"),
        (0, 0, "0 %"),
        (97, 100, "97.0 %"),
    ],
)
def test_a_percentage_is_never_rounded_to_none_or_all(part, whole, words):
    assert percent(part, whole) == words


def test_a_label_fits_its_columns():
    assert fitted("short", 10) == "short"
    assert fitted("a much longer label", 10) == "a much lo…"
    assert fitted("政府公司社会", 6) == "政府…"
    assert columns(fitted("政府公司社会", 7)) <= 7


@pytest.mark.browser
def test_the_page_fits_a_phone_and_loads_nothing(project, fill, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    from pathlib import Path

    chromium = Path("/usr/bin/chromium")
    if not chromium.exists():
        pytest.skip("Chromium is not installed")
    ids = fill(project, [*rows(30), chat("长" * 40, "answer " * 200)])
    measure(project, "refusal", {id: float(i < 6) for i, id in enumerate(ids)})
    place(project, {id: i % 5 for i, id in enumerate(ids)}, {i: f"a topic with quite a long name, number {i}" for i in range(5)})
    path = tmp_path / "report.html"
    path.write_text(render_report(report(project, RECIPE), "html"), encoding="utf-8")
    arguments = [
        "--no-sandbox",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(chromium), args=arguments)
        for width in (360, 1280):
            page = browser.new_page(viewport={"width": width, "height": 800})
            asked: list[str] = []
            said: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.on("console", lambda message, said=said: said.append(message.text))
            page.goto(path.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert (asked, said) == ([path.as_uri()], [])
        browser.close()
