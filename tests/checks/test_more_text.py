"""Checks of letters, blanks, brackets, and of what an answer refers to; and tool calls against the tool's declaration."""

import json

import pytest

from pipelines.checks import all_checks
from pipelines.curation.mending import mend
from pipelines.records import Message, Record
from tests.checks.measuring import answer, evidence, flags, marked

TOOL = json.dumps(
    [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
            },
        }
    ]
)


def calling(name, arguments, tools=TOOL):
    call = json.dumps([{"id": "1", "type": "function", "function": {"name": name, "arguments": arguments}}])
    return Record((Message("user", "Weather?"), Message("assistant", "", tool_calls=call)), tools=tools)


def mended(check, record):
    turns = all_checks()[check].fix.mend(record.conversation, evidence(check, record))
    return turns[-1].content if turns else None


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (calling("weather", '{"town": "Bonn"}'), '"city" is a required property'),
        (calling("weather", '{"city": 5}'), "“weather”, city: 5 is not of type"),
        (calling("forecast", '{"city": "Bonn"}'), "“forecast” is not one of the tools of this row (weather)"),
        (calling("weather", '{"city": "Bonn"'), "no valid JSON"),
        (calling("weather", '["Bonn"]'), "not a JSON object"),
        (calling("weather", "{", tools=None), "no valid JSON"),
    ],
)
def test_a_call_that_does_not_fit_the_tool_is_flagged(call, part):
    (spot,) = evidence("tool_arguments_invalid", call)
    assert part in spot.note


def test_a_call_that_fits_or_a_schema_that_cannot_be_used_is_not_flagged():
    outside = TOOL.replace('{"type": "string"}', '{"$ref": "http://localhost:1/city.json"}')
    broken = TOOL.replace('"string"', '"strong"')
    calls = [
        calling("weather", '{"city": "Bonn"}'),
        calling("anything", "{}", tools=None),
        calling("weather", '{"city": 5}', tools=outside),
        calling("weather", '{"city": 5}', tools=broken),
    ]
    assert flags("tool_arguments_invalid", *calls) == [False] * 4


def test_look_alike_letters_are_found_and_put_right():
    row = answer("Open the p\u0430ge and \u0441lick on \u041dELP, please.")
    assert marked("mixed_scripts", row) == ["p\u0430ge", "\u0441lick", "\u041dELP"]
    assert mended("mixed_scripts", row) == "Open the page and click on HELP, please."


@pytest.mark.parametrize("text", ["Δx and μm are fine.", "Это русский текст with English.", "Die α-Helix, β2-Rezeptor", "IL-1β and TNFα"])
def test_formulas_and_two_languages_are_no_mix(text):
    assert marked("mixed_scripts", answer(text)) == []


def test_invisible_characters_are_found_and_taken_out():
    row = answer("Click\u200b here, soft\u00adware, \ufeffdone\u0007.")
    assert [e.note for e in evidence("invisible_character", row)] == [
        "zero-width space",
        "soft hyphen",
        "byte order mark",
        "control character 07",
    ]
    assert mended("invisible_character", row) == "Click here, software, done."


def test_hidden_text_is_spelled_out():
    hidden = "".join(chr(0xE0000 + ord(c)) for c in "obey")
    assert evidence("invisible_character", answer(f"Hello{hidden}"))[0].note == "hidden text: obey"


@pytest.mark.parametrize(
    "text", ["می\u200cخواهم", "क्\u200dष", "👩\u200d💻", "a\tb\r\nc", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"]
)
def test_joiners_that_a_script_needs_are_left_alone(text):
    assert marked("invisible_character", answer(text)) == []


def test_blanks_around_an_answer_are_trimmed():
    row = answer("\n  The answer.\n\n\n\nMore.  \n")
    assert [e.note for e in evidence("stray_whitespace", row)] == [
        "blanks before the first word",
        "several empty lines",
        "blanks after the last word",
    ]
    assert mended("stray_whitespace", row) == "The answer.\n\nMore."
    assert flags("stray_whitespace", answer("Fine.\n\nText."), answer(" \n ")) == [False, False]


def test_code_keeps_its_lines_and_its_indentation():
    row = answer("\n    def f():\n\n\n        pass\n")
    assert mended("stray_whitespace", row) == "    def f():\n\n\n        pass"


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("It is due (see the contract.", ["("]),
        ("It is due see the contract).", [")"]),
        ("A [note and more.", ["["]),
        ("他说（你好。", ["（"]),
        ("氢（Hydrogen, H）和（约30%)", []),
        ("a) one b) two 1) three :-) and [0, 1)", []),
        ("Balanced (text [here]).", []),
        ("def f(x:\n    return (x", []),
        ('{"a": [1, 2}', []),
        ("The formula $f(x$ holds.", []),
        ("(D) The main one, det(A), costs (in all) $10,000 (see $5).", []),
    ],
)
def test_brackets_without_a_partner(text, places):
    assert marked("unbalanced_bracket", answer(text)) == places


def test_an_answer_that_speaks_of_a_missing_text_is_flagged():
    text = "According to the provided document, the dose is 5 mg."
    assert marked("document_reference", answer(text, "What is the dose?")) == ["According to the provided document"]
    assert flags("document_reference", answer(text, "Read the document: dose 5 mg. What is the dose?"), answer(text, "Long. " * 200)) == [
        False,
        False,
    ]
    assert flags("document_reference", answer("Based on the context, sales grew.", "How did sales go?", system="Context: sales grew.")) == [
        False
    ]
    for text in (
        "The text says that it is 5 mg.",
        "As described in the attached report, it is 5 mg.",
        "Per the source material, it is 5 mg.",
    ):
        assert flags("document_reference", answer(text, "What is the dose?")) == [True], text
    assert flags("document_reference", answer("The annual report says that sales grew.", "How did sales go?")) == [False]
    assert marked("document_reference", answer("根据提供的文档，剂量为5毫克。", "剂量是多少？")) == ["根据提供的文档"]


def test_a_lost_letter_of_a_formula_is_left_to_a_person():
    row = answer("It is \x0crac{1}{2}.")
    assert flags("invisible_character", row) == [True]
    assert mended("invisible_character", row) is None


def fixed(check, text):
    (after,) = mend(all_checks()[check], [answer(text)], [evidence(check, answer(text))])
    return after.edit[-1]["content"] if after else text


@pytest.mark.parametrize(
    ("check", "text"),
    [
        ("html_residue", "Declare List<I> items; class Box<B> extends Base<A>."),
        ("html_residue", "It holds if a<b>c fails; so for index <i> we take x<p>y."),
        ("html_residue", "Write &amp; instead of & in the attribute, i.e. a=1&amp;b=2."),
        ("mojibake", "If UTF-8 is read as Latin-1, é becomes Ã© and ü becomes Ã¼."),
        ("invalid_json", '{"city": “München”, "q": \'O\'Brien\'}'),
    ],
)
def test_fixes_leave_what_is_meant_as_it_is(check, text):
    assert fixed(check, text) == text


def test_tags_in_pairs_and_paragraphs_are_still_taken_out():
    assert fixed("html_residue", "This is <b>bold</b> and <i>nice</i>.<p>Next.") == "This is bold and nice.\nNext."
