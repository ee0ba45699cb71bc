"""The card's JavaScript: positions in text, differences, JSON. Run under node, or in Chromium."""

import json

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.workbench.browser import run_javascript

ONE_PROCESS = settings(max_examples=3, phases=[Phase.explicit, Phase.reuse, Phase.generate])
"""Every example starts node and holds many cases; shrinking it would start node a thousand times."""

TEXTS = ["plain", "an 😀 emoji", "🙏🏽🙏🏽 two with a skin tone", "a👩‍👩‍👧b family", "é combined é", "我的卡", "\U0001f600" * 3, ""]


def test_code_points_become_utf16_units_as_python_cuts_them():
    cases = [(text, i) for text in TEXTS for i in range(len(text) + 2)]
    got = run_javascript(
        f"return {json.dumps(cases)}.map(([text, i]) => text.slice(0, unitOffsets(text, [i]).get(i)));", text="unitOffsets"
    )
    assert got == [text[:i] for text, i in cases]


@ONE_PROCESS
@given(st.lists(st.tuples(st.text(max_size=30), st.integers(0, 35), st.integers(0, 35)), min_size=40, max_size=80))
def test_a_marked_span_is_the_text_that_python_meant(cases):
    cases = [[text, min(a, b), max(a, b)] for text, a, b in cases]
    got = run_javascript(
        f"""return {json.dumps(cases)}.map(([text, start, end]) => {{
          const findings = [{{ title: "T", severity: "error", evidence: [{{ turn: 0, start, end, note: "n" }}] }}];
          return turnMarks(text, 0, findings).map((mark) => text.slice(mark.start, mark.end));
        }});""",
        text="turnMarks",
    )
    assert got == [[text[start:end]] if text[start:end] else [] for text, start, end in cases]


def test_evidence_of_another_turn_or_without_a_place_marks_nothing():
    findings = [{"title": "T", "severity": "info", "evidence": [{"turn": 1, "start": 0, "end": 2}, {"turn": 0}, {"record": "ab"}]}]
    assert run_javascript(f"return turnMarks('text', 0, {json.dumps(findings)});", text="turnMarks") == []


def test_overlapping_marks_cut_the_text_into_pieces_that_join_to_it():
    got = run_javascript(
        """const text = "the quick brown fox";
        const marks = [{ start: 4, end: 15, severity: "info" }, { start: 10, end: 19, severity: "error" }];
        return segments(0, text.length, marks).map((s) => [text.slice(s.start, s.end), s.marks.map((m) => m.severity)]);""",
        text="segments",
    )
    assert got == [["the ", []], ["quick ", ["info"]], ["brown", ["error", "info"]], [" fox", ["error"]]]


@ONE_PROCESS
@given(st.lists(st.tuples(st.text("ab c.\n😀我", max_size=25), st.text("ab c.\n😀我", max_size=25)), min_size=60, max_size=60))
def test_a_word_difference_holds_both_texts(cases):
    got = run_javascript(
        f"""return {json.dumps(cases)}.map(([a, b]) => {{
          const pieces = diffWords(a, b);
          const side = (other) => pieces.filter((p) => p.op !== other).map((p) => p.text).join("");
          return [side("new"), side("gone")];
        }});""",
        words="diffWords",
    )
    assert got == [list(case) for case in cases]


def test_a_space_that_stays_is_told_once():
    got = run_javascript("return diffWords('a ', ' a').map((p) => [p.op, p.text]);", words="diffWords")
    assert got in ([["gone", "a"], ["same", " "], ["new", "a"]], [["new", " "], ["same", "a"], ["gone", " "]])


def test_a_word_difference_names_the_words_that_changed():
    got = run_javascript(
        "return diffWords('It takes up to five days.', 'It takes up to seven days.').map((p) => [p.op, p.text]);", words="diffWords"
    )
    assert got == [["same", "It takes up to "], ["gone", "five"], ["new", "seven"], ["same", " days."]]


def test_chinese_is_compared_sign_by_sign():
    got = run_javascript("return diffWords('我的卡丢了', '我的卡坏了').map((p) => [p.op, p.text]);", words="diffWords")
    assert got == [["same", "我的卡"], ["gone", "丢"], ["new", "坏"], ["same", "了"]]


def test_texts_with_nothing_in_common_still_differ_in_full():
    got = run_javascript(
        """const a = Array.from({ length: 3000 }, (_, i) => `a${i}`).join(" ");
        const b = Array.from({ length: 3000 }, (_, i) => `b${i}`).join(" ");
        return diffWords(a, b).map((p) => [p.op, p.text === a || p.text === b]);""",
        words="diffWords",
    )
    assert got == [["gone", True], ["new", True]]


def test_laid_out_json_keeps_every_sign_of_its_values():
    text = '{"n": 99999999999999999999, "x": 1.50, "a": [1, {"b": "c, d: {e}"}], "a": [], "s": "q\\"uote 😀"}'
    got = run_javascript(
        f"""const text = {json.dumps(text)};
        return jsonLines(text).map((line) => [line.indent, line.pieces.map((p) => text.slice(p.start, p.end)).join("")]);""",
        json_text="jsonLines",
    )
    assert got == [
        [0, "{"],
        [1, '"n":99999999999999999999,'],
        [1, '"x":1.50,'],
        [1, '"a":['],
        [2, "1,"],
        [2, "{"],
        [3, '"b":"c, d: {e}"'],
        [2, "}"],
        [1, "],"],
        [1, '"a":[],'],
        [1, '"s":"q\\"uote 😀"'],
        [0, "}"],
    ]


def test_what_means_to_be_json_is_told_from_prose():
    texts = ['{"a": 1}', " [1, 2] ", "[]", "{}", '{"a": ', "[Your name], hello", "{{name}} was here", "[1] is the first source.", "no"]
    assert run_javascript(f"return {json.dumps(texts)}.map(meansJson);", json_text="meansJson") == [True] * 5 + [False] * 4


def test_broken_json_is_explained_in_words():
    texts = ['{"a": 1', '{"a": 1,}', "{'a': 1}", '{\n"a": 1\n"b": 2}']
    got = run_javascript(f"return {json.dumps(texts)}.map((t) => checkJson(t).message);", json_text="checkJson")
    assert got == [
        "it ends too early",
        'line 1: a comma before "}"',
        "line 1: single quotes where JSON needs double quotes",
        'line 3: unexpected """',
    ]


def test_numbers_are_written_for_people():
    got = run_javascript(
        """return [[0.83, "share of the words"], [1, "answers"], [1, "addresses"], [3, "tags"], [0.123456, "nats"], [1234567, "tokens"]]
          .map(([value, unit]) => measured({ value, unit }));""",
        panel="measured",
    )
    assert got == ["83 % of the words", "1 answer", "1 address", "3 tags", "0.123 nats", "1,234,567 tokens"]
