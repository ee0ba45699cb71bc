"""Difficulty: the loss of an answer with its question against that without, by a tiny model, against transformers' own loss."""

import json
from dataclasses import replace

import pytest

from pipelines import cli
from pipelines.curation.issues import issues
from pipelines.curation.recipe import load_recipe, save_recipe
from pipelines.errors import Cancelled, WorkbenchError
from pipelines.evaluation.difficulty import measure_difficulty
from pipelines.rules.rule_file import known_checks
from pipelines.scan import scan
from pipelines.store import query
from pipelines.tokens.difficulty_check import UNHELPFUL_QUESTION, Difficulty
from pipelines.tokens.template import load_chat_format
from tests.conftest import chat

ROWS = [
    chat(f"Question {i}: say the word {word}.", f"{word} " * (i + 2)) for i, word in enumerate(("red", "blue", "green", "grey", "pink"))
]


@pytest.fixture
def rows(project, fill):
    fill(project, [*ROWS, chat("No answer?", "")])
    return project


def quiet(**_):
    return None


def values(project):
    with query.connect(project, known_checks(project)) as connection:
        found = connection.execute(
            "SELECT m.id, m.value FROM measurements m WHERE m.check = $check", {"check": UNHELPFUL_QUESTION}
        ).fetchall()
    return dict(found)


def expected(record, base):
    """The definition, with the loss that transformers itself computes."""
    import torch
    from transformers import AutoModelForCausalLM

    model, form = AutoModelForCausalLM.from_pretrained(base).eval(), load_chat_format(base)
    prompt = form.tokenizer(form.render(record.messages[:1], add_generation_prompt=True), add_special_tokens=False)["input_ids"]
    answer = form.tokenizer(record.messages[1].content + "<|im_end|>", add_special_tokens=False)["input_ids"]
    start = form.tokenizer.bos_token_id if form.tokenizer.bos_token_id is not None else form.tokenizer.eos_token_id

    def loss(before):
        ids = torch.tensor([before + answer])
        with torch.inference_mode():
            return model(input_ids=ids, labels=torch.tensor([[-100] * len(before) + answer])).loss.item()

    return loss(prompt) / loss([start])


def test_the_value_is_the_ratio_of_the_two_losses(rows, tiny_base):
    seen = measure_difficulty(rows, Difficulty(tiny_base, 100), emit=quiet)
    assert (seen["measured"], seen["left_out"]) == (5, 1)
    found = values(rows)
    assert len(found) == 6 and sum(value is None for value in found.values()) == 1
    for record in ROWS:
        assert found[record.id] == pytest.approx(expected(record, tiny_base), rel=1e-3)
    assert {issue["record"] for issue in issues(rows, UNHELPFUL_QUESTION)} == {id for id, value in found.items() if value and value > 1}


def test_it_goes_on_where_it_was_stopped(rows, tiny_base):
    def stop(fraction=None, **_):
        if fraction:
            raise Cancelled()

    with pytest.raises(Cancelled):
        measure_difficulty(rows, Difficulty(tiny_base, 100), emit=stop)
    (kept,) = rows.features_folder.glob("difficulty-*.jsonl")
    assert len(kept.read_text().splitlines()) == 4
    kept.write_text(kept.read_text() + '{"id": "half a li')
    told = []
    measure_difficulty(rows, Difficulty(tiny_base, 100), emit=lambda **event: told.append(event.get("message")))
    assert told[-1] == "Measured 1 of 1 rows"
    told.clear()
    measure_difficulty(rows, Difficulty(tiny_base, 100), emit=lambda **event: told.append(event.get("message") or ""))
    assert not [message for message in told if message.startswith("Measured")], "what came after the broken line is kept too"
    assert sum(value is not None for value in values(rows).values()) == 5


def test_a_sample_is_drawn_and_a_scan_of_everything_leaves_it_alone(rows, tiny_base):
    assert measure_difficulty(rows, Difficulty(tiny_base, 2), emit=quiet)["measured"] <= 2
    assert UNHELPFUL_QUESTION not in scan(rows, without=("embeddings",))["checks"]


@pytest.mark.parametrize(("limit", "unhelpful"), [(0.0, 5), (99.0, 0)])
def test_the_limit_of_the_recipe_counts(rows, tiny_base, limit, unhelpful):
    measure_difficulty(rows, Difficulty(tiny_base, 100), emit=quiet)
    save_recipe(rows, replace(load_recipe(rows), thresholds={UNHELPFUL_QUESTION: limit}))
    assert measure_difficulty(rows, Difficulty(tiny_base, 100), emit=quiet)["unhelpful"] == unhelpful


def test_by_command_and_what_cannot_be_measured_is_told(rows, project, tiny_base, capsys):
    assert cli.main(["--project", str(rows.folder), "--json", "difficulty", "--base", tiny_base, "--rows", "6"]) == 0
    assert json.loads(capsys.readouterr().out)["measured"] == 5
    with pytest.raises(WorkbenchError, match="1 or more"):
        Difficulty(tiny_base, 0)
    with pytest.raises(WorkbenchError):
        measure_difficulty(rows, Difficulty("/nowhere/at/all", 5), emit=quiet)
