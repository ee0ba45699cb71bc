"""What fits no format is named in one sentence, with the turn and the column."""

import pytest

from tests.sources.test_formats import read


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"messages": []}, 'The column "messages" is an empty list: there are no turns.'),
        ({"messages": 7}, 'The column "messages" holds a number, not a list of turns.'),
        ({"messages": None}, 'The column "messages" holds null, not a list of turns.'),
        (
            {"messages": "see it"},
            'The column "messages" is a text, not a list of turns, and not JSON either. '
            "It is not JSON: a row begins with an opening brace.",
        ),
        ({"messages": ["hi"]}, 'Turn 1 of "messages" is a text, not an object with a role and a content.'),
        (
            {"messages": [{"content": "hi"}]},
            'Turn 1 of "messages" has no role (it has content). Say who speaks: system, user, assistant or tool.',
        ),
        (
            {"messages": {"from": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}]}},
            'Turn 1 of "messages" has a whole turn where the speaker should stand ("from").',
        ),
        ({"messages": [{"role": "user", "content": 7}]}, 'The content of turn 1 of "messages" is a number, not a text.'),
        ({"messages": [{"role": "user", "content": {"a": 1}}]}, 'The content of turn 1 of "messages" is an object, not a text.'),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]},
            'Turn 1 of "messages" holds a part that is not text (a picture, image_url). Only text can be trained: take it out.',
        ),
        ({"messages": [{"role": "user", "body": "hi"}]}, 'Turn 1 of "messages" has no content (it has role, body).'),
        ({"messages": [{"role": "user", "from": "hi"}]}, 'Turn 1 of "messages" has no content (it has role, from).'),
        (
            {"messages": [{"role": "assistant", "tool_calls": ["x"]}]},
            'A tool call of turn 1 of "messages" is a text, not an object with a name and arguments.',
        ),
        (
            {"messages": [{"role": "user", "content": "hi"}], "tools": "a calculator"},
            'The column "tools" is not a JSON list of tools. It is not JSON: a row begins with an opening brace.',
        ),
        ({"instruction": "I", "output": ["O"]}, 'The column "output" holds a list, not a text.'),
        (
            {"instruction": "I", "output": "O", "history": "Q"},
            'The column "history" holds a text, not a list of earlier questions and answers.',
        ),
        ({"instruction": "I", "output": "O", "history": [["Q"]]}, 'Entry 1 of "history" is not a list of a question and an answer.'),
        ({"question": None, "answer": None}, 'Its "question" and "answer" are both null.'),
        ({"prompt": "P", "chosen": None, "rejected": "R"}, 'The column "chosen" is null.'),
        (
            {"prompt": "P", "completion": "C", "chosen": {}, "rejected": "R"},
            'Turn 1 of "chosen" has no role (it has nothing). Say who speaks: system, user, assistant or tool.',
        ),
        (
            {"prompt": "P", "responses": ["A", "B"], "scores": [2, 2]},
            "All of its 2 answers are judged the same, so none is better than another.",
        ),
        (
            {"prompt": "P", "responses": ["A", "B"], "scores": [2]},
            'The column "scores" does not hold a number for each of the 2 answers.',
        ),
        (
            {"prompt": "P", "response_a": "A", "response_b": "B", "winner": "tie"},
            'The column "winner" is "tie": neither answer is better, so there is nothing to learn from the pair.',
        ),
        (
            {"prompt": "P", "response_a": "A", "response_b": "B", "winner": "C"},
            'The column "winner" is "C", which does not say which of the two answers is better.',
        ),
        ({"data": ["Q", "A", 3]}, 'Entry 3 of "data" is a number, not a text.'),
        (
            {"paragraphs": [{"qas": []}]},
            'Entry 1 of "paragraphs" is not an object with a context and its questions (qas).',
        ),
        ({"chosen": "C", "rejected": "R"}, 'It has no prompt: "chosen" and "rejected" do not begin with the same turns.'),
        (
            {"instruction": "I", "instances": []},
            'The column "instances" is an empty list, not a list of instances with an input and an output.',
        ),
        (
            {"instruction": "I", "instances": [{"input": "X"}]},
            "It has no output, which the format alpaca needs. Its columns are: instruction, input.",
        ),
        ({"question": "Q", "context": {"x": 1}, "answer": [1]}, 'The column "context" holds an object without a text (it has x).'),
        ({}, "It is an object without any column."),
        (
            {"foo": 1, "bar": 2},
            "No known format has its columns: foo, bar. Say in the mapping which column holds what, e.g. question and answer.",
        ),
    ],
)
def test_what_fits_no_format_is_named_in_one_sentence(row, reason):
    assert read(row) == reason


def test_a_format_that_is_asked_for_names_the_field_that_is_missing():
    assert (
        read({"question": "Q", "text": "T"}, asked="qa") == "It has no answer, which the format qa needs. Its columns are: question, text."
    )
