"""The shipped model, for real: what is measured with the tiny one holds for it too."""

import pytest

from pipelines.evaluation.cases import EvaluationRows, decode, pad_token, select_cases, turn_ends
from pipelines.evaluation.generate import generate
from pipelines.evaluation.language_model import context_tokens, load_language_model
from pipelines.models import BASE_MODEL
from pipelines.store.tables import records_to_table, write_parquet
from pipelines.tokens.template import load_chat_format
from tests.conftest import chat
from tests.evaluation.test_generate import alone

pytestmark = pytest.mark.slow

ASKED = [
    chat("What is the capital of France?", "Paris", system="Answer with one word."),
    chat("Is water wet? Say yes or no.", "Yes", system="Answer with one word."),
    chat("Write a long story about a river, a mill and a miller who could not sleep.", "Once upon a time.", system="Answer with one word."),
    chat("2 + 2", "4", system="Answer with one word."),
]


def test_the_shipped_model_answers_in_a_batch_as_alone(tmp_path):
    format_ = load_chat_format(BASE_MODEL)
    write_parquet(records_to_table([]), tmp_path / "train.parquet")
    rows = EvaluationRows("these", [(record.id, record) for record in ASKED])
    cases = select_cases(rows, tmp_path / "train.parquet", format_, context_tokens=context_tokens(BASE_MODEL)).cases
    ends = turn_ends(format_, [case.question.expected for case in cases])
    model = load_language_model(BASE_MODEL, pad_id=pad_token(format_, ends), stop_ids=tuple(sorted(ends)))
    replies = dict(generate(model, [case.question for case in cases], limit=24))
    for index, case in enumerate(cases):
        tokens, stopped, loss = alone(model, case.question, 24)
        assert (replies[index].tokens, replies[index].stopped) == (tokens, stopped)
        assert replies[index].loss == pytest.approx(loss, abs=1e-3)
    assert "Paris" in decode(format_, replies[0].tokens)
    assert not replies[2].stopped
