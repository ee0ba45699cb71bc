"""Evaluations from a run's folder to the numbers, with a real tiny model and adapter."""

import json

import pyarrow.parquet as pq
import pytest

from pipelines import jobs
from pipelines.errors import Cancelled, WorkbenchError
from pipelines.evaluation import answers, compare
from pipelines.evaluation.compare import evaluate, evaluate_job, list_evaluations, read_answers, render_table
from pipelines.evaluation.table import OUTDATED
from pipelines.evaluation.tuned_run import find_run
from tests.evaluation.conftest import TEST, TRAIN, intent_record, train_further


@pytest.fixture
def no_model(monkeypatch):
    """From here on, loading a model is a failure."""

    def refuse(*_, **__):
        raise AssertionError("a model was loaded although everything was known")

    return lambda: monkeypatch.setattr(answers, "load_language_model", refuse)


def test_a_model_that_learned_the_format_is_shown_to_be_better(project, run):
    found = evaluate(project, run)
    assert found["n"] == 12 and found["excluded"] == {} and found["not_drawn"] == 0
    assert found["before"]["json_valid"]["mean"] == 0 and found["after"]["json_valid"]["mean"] == 1
    assert {name: found["verdicts"][name] for name in ("json_valid", "schema_keys", "answer_loss", "stopped")} == dict.fromkeys(
        ("json_valid", "schema_keys", "answer_loss", "stopped"), "better"
    )
    assert found["after"]["answer_loss"]["mean"] < found["before"]["answer_loss"]["mean"]
    assert found["difference"]["json_valid"]["n"] == 12
    assert set(found["before"]) == set(found["after"]) == set(found["difference"]) == set(found["verdicts"]) == set(found["metrics"])


def test_the_numbers_are_those_of_the_kept_answers(project, run):
    found = evaluate(project, run)
    table = read_answers(found)
    assert table.column_names[:5] == ["id", "prompt", "expected", "before", "after"]
    assert table.column("id").to_pylist() == [record.id for record in TEST]
    assert table.column("expected").to_pylist() == [record.answer for record in TEST]
    assert [json.loads(text).keys() for text in table.column("after").to_pylist()] == [{"intent"}] * 12
    assert table.column("after.schema_keys").to_pylist() == [1.0] * 12
    for name in found["metrics"]:
        scores = [score for score in table.column(f"after.{name}").to_pylist() if score is not None]
        assert sum(scores) / len(scores) == pytest.approx(found["after"][name]["mean"])


def test_a_model_without_a_difference_shows_none(project, run, byte_chat, tiny_base):
    """An adapter that changes nothing, as they all are before the first step."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = get_peft_model(AutoModelForCausalLM.from_pretrained(tiny_base), LoraConfig(r=2, target_modules="all-linear"))
    model.save_pretrained(project.runs_folder / run / "adapter", save_embedding_layers=False)
    found = evaluate(project, run)
    assert set(found["verdicts"].values()) == {"no difference shown"}
    assert found["difference"]["json_valid"]["low"] < 0 < found["difference"]["json_valid"]["high"]


def test_what_is_known_is_not_asked_again(project, run, no_model):
    first = evaluate(project, run)
    no_model()
    again = evaluate(project, run)
    changed = {name for name in first if first[name] != again[name]}
    assert changed <= {"created_at", "seconds"}
    assert evaluate(project, run, limit=5)["n"] == 5
    assert len(list_evaluations(find_run(project, run))) == 2


def test_an_evaluation_is_outdated_once_its_run_was_trained_further(project, run):
    first = evaluate(project, run, limit=3)
    assert not first["is_outdated"] and OUTDATED not in render_table(first)
    train_further(project, run)
    (stored,) = list_evaluations(find_run(project, run))
    assert stored["is_outdated"] and OUTDATED in render_table(stored)
    evaluate(project, run, limit=3)
    (again,) = list_evaluations(find_run(project, run))
    assert not again["is_outdated"] and again["adapter_sha256"] != first["adapter_sha256"]


def test_a_run_trained_further_while_it_is_evaluated_leaves_an_outdated_evaluation(project, run, monkeypatch):
    def ask_and_train(*asked):
        answers = ask_both(*asked)
        train_further(project, run)
        return answers

    ask_both = compare.ask_both
    monkeypatch.setattr(compare, "ask_both", ask_and_train)
    assert evaluate(project, run, limit=3)["is_outdated"]


def test_a_second_run_on_the_same_base_asks_only_the_tuned_model(project, run, monkeypatch):
    import shutil

    evaluate(project, run)
    shutil.copytree(project.runs_folder / run, project.runs_folder / "run-2", ignore=shutil.ignore_patterns("evaluations"))
    asked = []
    ask = answers._ask

    def listen(model, who, questions, *rest):
        asked.append((who, len(questions)))
        ask(model, who, questions, *rest)

    monkeypatch.setattr(answers, "_ask", listen)
    assert evaluate(project, "run-2")["n"] == 12
    assert asked == [("Base model", 0), ("Tuned model", 12)]


def test_a_stopped_evaluation_goes_on_where_it_was_stopped(project, run, monkeypatch):
    uninterrupted = evaluate(project, run)
    for path in [*project.features_folder.rglob("*.jsonl"), *(project.runs_folder / run / "evaluations").rglob("answers-*.jsonl")]:
        path.unlink()
    monkeypatch.setattr("pipelines.evaluation.generate.CPU_ROWS", 4)
    monkeypatch.setattr(answers, "_SECONDS_BETWEEN_REPORTS", 0)

    def stop_in_the_tuned_half(fraction=None, message=None, **_):
        if fraction and fraction > 0.7:
            raise Cancelled

    with pytest.raises(Cancelled):
        evaluate(project, run, emit=stop_in_the_tuned_half)
    told = []
    found = evaluate(project, run, emit=lambda message=None, **_: told.append(message or ""))
    assert not any(message.startswith("Base model") for message in told)
    assert any("of 8 prompts" in message for message in told), "four of twelve were kept"
    for name, estimate in uninterrupted["after"].items():
        assert found["after"][name]["mean"] == pytest.approx(estimate["mean"], abs=1e-5)


def test_another_file_is_evaluated_without_the_rows_seen_in_training(project, run, tmp_path):
    path = tmp_path / "hold-out.jsonl"
    records = [TRAIN[0], *(intent_record(n) for n in range(80, 84)), TRAIN[1]]
    path.write_text("\n".join(json.dumps({"messages": [m.to_json() for m in record.messages]}) for record in records))
    found = evaluate(project, run, on=path)
    assert (found["n"], found["rows"], found["excluded_seen_in_training"], found["on_name"]) == (4, 6, 2, "hold-out.jsonl")
    assert pq.read_table(found["answers"]).column("prompt").to_pylist() == [record.prompt for record in records[1:5]]


def test_the_job_does_the_same_in_a_process_of_its_own(project, run):
    config = {"project": str(project.folder), "run": run, "on": None, "limit": 3}
    folder = jobs.prepare(project.jobs_folder / "evaluate-1", "evaluate", config)
    result = jobs.run(folder, evaluate_job)
    assert result["n"] == 3 and jobs.view(folder).state == "done"
    assert list_evaluations(find_run(project, run)) == [result]


def test_a_table_of_nothing_is_no_evaluation(project, run):
    assert list_evaluations(find_run(project, run)) == []
    with pytest.raises(WorkbenchError, match="at least one row"):
        evaluate(project, run, limit=0)


def test_a_run_that_cannot_be_tried_is_an_error_with_a_next_step(project, run):
    with pytest.raises(WorkbenchError, match=r'no run "run-9".*Runs: run-1'):
        find_run(project, "run-9")
    with pytest.raises(WorkbenchError, match="no run"):
        find_run(project, "../snapshots")
    weights = project.runs_folder / run / "adapter" / "adapter_model.safetensors"
    weights.unlink()
    with pytest.raises(WorkbenchError, match=r"no adapter_model\.safetensors"):
        find_run(project, run)
    (project.runs_folder / run / "run.json").unlink()
    with pytest.raises(WorkbenchError, match="has not finished"):
        find_run(project, run)


def test_an_adapter_with_broken_numbers_is_named(project, run):
    import torch
    from safetensors.torch import load_file, save_file

    path = project.runs_folder / run / "adapter" / "adapter_model.safetensors"
    save_file({name: torch.full_like(tensor, float("nan")) for name, tensor in load_file(path).items()}, path)
    with pytest.raises(WorkbenchError, match="diverged"):
        evaluate(project, run)


def test_losses_that_are_no_numbers_are_counted_in_a_note(project, run, monkeypatch):
    from pipelines.evaluation.metrics import Answer

    def answer(_project, _tuned, _adapter, _chat, selection, _emit):
        cases = selection.cases
        return [Answer("{}", True, 1.0) for _ in cases], [Answer("{}", True, 0.5 if n else None) for n in range(len(cases))]

    monkeypatch.setattr("pipelines.evaluation.compare.ask_both", answer)
    found = evaluate(project, run)
    assert "For 1 of 12 expected answers the surprise of the tuned model is no finite number; it is left out there." in found["notes"]
    assert not any("base model is no finite" in note for note in found["notes"])
    assert found["difference"]["answer_loss"]["n"] == 11


def test_thoughts_before_the_answer_are_not_scored(project, run):
    from pipelines.evaluation.compare import _visible
    from pipelines.evaluation.metrics import Answer

    assert _visible(Answer("<think>\nhm\n</think>\n\n{}", True), "{}").text == "{}"
    assert _visible(Answer("<think>\nhm", False), "{}").text == "<think>\nhm"
    assert _visible(Answer("<think>a</think>b", True), "<think>c</think>b").text == "<think>a</think>b"
