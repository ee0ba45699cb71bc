"""What JSON lines may hold, and the sentence for each that may not."""

import json

import pytest

from pipelines.sources.strict_json import BadJson, parse_json


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"a": 1,}', "It is not valid JSON at character 9: a key in double quotes is missing (a comma too many, or single quotes)."),
        ("{'a': 1}", "It is not valid JSON at character 2: a key in double quotes is missing (a comma too many, or single quotes)."),
        ('{"a": "say "hi" now"}', "It is not valid JSON at character 13: a comma is missing, or a quote inside a text is not escaped."),
        ('{"a" 1}', "It is not valid JSON at character 6: the colon after a key is missing."),
        ('{"a": yes}', "It is not valid JSON at character 7: a value is missing or not quoted."),
        (
            '{"a": "x\ty"}',
            "It is not valid JSON at character 9: a line break, tab or other control character inside a text is not escaped.",
        ),
        ('{"a": "C:\\Users"}', "It is not valid JSON at character 10: a backslash inside a text is not escaped."),
        ('{"a": 1} {"b": 2}', "It is not valid JSON at character 10: there is more text after the end of the value."),
        ("-- page 2 of 8", "It is not JSON: a row begins with an opening brace."),
        ('{"a": "cut o', "It is cut off: the JSON is not closed. Complete it or take it out."),
        ('{"a": [1, 2', "It is cut off: the JSON is not closed. Complete it or take it out."),
        ('{"a":', "It is cut off: the JSON is not closed. Complete it or take it out."),
        ('{"a": NaN}', "NaN is not JSON. Write null or a number."),
        ('{"a": -Infinity}', "-Infinity is not JSON. Write null or a number."),
        ('{"a": 1e999}', "The number 1e999 is too large. Put it in quotes."),
        ('{"a": ' + "9" * 5000 + "}", "It holds a number with thousands of digits. Put it in quotes."),
        ('{"a": 1, "b": 2, "a": 3}', 'The key "a" stands twice in one object. Keep one of the two.'),
        ('{"a": [{"x": 1, "x": 1}]}', 'The key "x" stands twice in one object. Keep one of the two.'),
        ('{"a": "\\ud83d"}', "It holds half a character (the lone surrogate U+D83D). Write the whole character or take it out."),
        ('{"\\ude00": 1}', "It holds half a character (the lone surrogate U+DE00). Write the whole character or take it out."),
        ('{"a": "x\\u0000"}', "It holds a NUL character (U+0000). Take it out."),
        ('{"a": "x\x00"}', "It holds a NUL byte. Take it out."),
        ("[" * 65 + "]" * 65, "Its lists and objects are nested deeper than 64 levels. Flatten it."),
        ('{"a":' * 100_000, "Its lists and objects are nested deeper than 64 levels. Flatten it."),
    ],
)
def test_what_is_not_usable_json_is_refused_with_one_sentence(text, sentence):
    with pytest.raises(BadJson) as refused:
        parse_json(text)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "\\ud83d\\ude00"}',
        '{"a": "\\\\ud83d"}',
        '{"a": "NaN"}',
        "[" * 64 + "]" * 64,
        ' {"a": 1e5} ',
        '{"a": {"a": 1}}',
        '{"é": "汉"}',
    ],
)
def test_what_only_looks_suspicious_is_read_as_any_parser_reads_it(text):
    assert parse_json(text) == json.loads(text)
