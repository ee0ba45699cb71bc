"""Chats with a real process that holds a tiny model."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipelines import jobs
from pipelines.errors import WorkbenchError
from pipelines.evaluation.chat import ask, start_chat
from pipelines.store.project import Project
from tests.evaluation.conftest import TEST, put_run, train_further

MESSAGES = [message.to_json() for message in TEST[0].messages[:2]]


@pytest.fixture(scope="module")
def living(tmp_path_factory, tiny_base, adapter):
    """A project with a run, and the folder of a chat with it; one process for all the tests."""
    project = Project.create(tmp_path_factory.mktemp("chat") / "project")
    folder = start_chat(project, put_run(project, tiny_base, adapter))
    yield project, folder
    jobs.cancel(folder)


@pytest.fixture
def chat_folder(living):
    return living[1]


def wait_until(holds, seconds=60):
    deadline = time.time() + seconds
    while not holds() and time.time() < deadline:
        time.sleep(0.05)
    assert holds()


def test_the_tuned_model_answers_as_it_learned_and_the_base_model_does_not(chat_folder):
    tuned = list(ask(chat_folder, MESSAGES, model="tuned"))
    assert json.loads("".join(tuned)).keys() == {"intent"}
    assert len(tuned) > 5, "the answer comes in pieces"
    base = "".join(ask(chat_folder, MESSAGES, model="base", max_new_tokens=20))
    assert base != "".join(tuned)
    assert "".join(ask(chat_folder, MESSAGES, model="tuned")) == "".join(tuned), "asking the base model in between changes nothing"
    assert "".join(ask(chat_folder, MESSAGES, model="base", max_new_tokens=20)) == base
    assert not list((chat_folder / "replies").iterdir()) and not list((chat_folder / "requests").iterdir())


def test_chance_comes_from_the_seed(chat_folder):
    def said(seed):
        return "".join(ask(chat_folder, MESSAGES, model="base", temperature=1.5, seed=seed, max_new_tokens=20))

    assert said(1) == said(1) != said(2)


def test_a_living_chat_is_used_again(living):
    project, folder = living
    assert start_chat(project, "run-1") == folder
    with pytest.raises(WorkbenchError, match="no run"):
        start_chat(project, "run-9")


def test_a_run_that_was_trained_further_is_loaded_anew(project, run):
    before = start_chat(project, run)
    train_further(project, run)
    after = start_chat(project, run)
    try:
        assert after != before and start_chat(project, run) == after
    finally:
        for folder in (before, after):
            jobs.cancel(folder, wait_seconds=0)


def test_what_cannot_be_answered_comes_back_as_a_sentence_and_the_chat_goes_on(chat_folder):
    for messages, reason in [
        ([], "nothing to answer"),
        ([*MESSAGES, {"role": "assistant", "content": "done"}], "nothing to answer"),
        ([{"role": "user", "content": "x" * 600}], "reads at most 512"),
    ]:
        with pytest.raises(WorkbenchError, match=reason):
            list(ask(chat_folder, messages))
    (chat_folder / "requests" / "0.json").write_text("not json")
    wait_until(lambda: not (chat_folder / "requests" / "0.json").exists())
    reply = chat_folder / "replies" / "0.jsonl"
    assert "cannot be read" in reply.read_text()
    reply.unlink()
    assert list(ask(chat_folder, MESSAGES))


def test_two_people_are_answered_one_after_the_other(chat_folder):
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda _: "".join(ask(chat_folder, MESSAGES)), range(2))
    assert first == second and json.loads(first)


def test_closing_the_answer_stops_the_model(chat_folder):
    list(ask(chat_folder, MESSAGES))
    pieces = ask(chat_folder, MESSAGES, model="base", temperature=2.0, max_new_tokens=400)
    next(pieces)
    pieces.close()
    wait_until(lambda: not list((chat_folder / "replies").iterdir()))
    assert not list((chat_folder / "requests").iterdir())


def test_a_chat_nobody_talks_to_ends_and_says_so_when_asked(project, run):
    config = {"project": str(project.folder), "run": run, "base": "", "idle_seconds": 0.5}
    folder = jobs.prepare(project.jobs_folder / "chat-idle", "chat", config)
    jobs.start(folder)
    assert list(ask(folder, MESSAGES))
    wait_until(lambda: jobs.view(folder).is_finished)
    assert jobs.view(folder).state == "done" and jobs.view(folder).result == {"answered": 1}
    with pytest.raises(WorkbenchError, match="put away"):
        list(ask(folder, MESSAGES))


def test_a_base_model_can_be_talked_to_alone(project, tiny_base):
    folder = start_chat(project, base=tiny_base)
    try:
        assert list(ask(folder, MESSAGES, model="base", max_new_tokens=5, temperature=1.0))
        with pytest.raises(WorkbenchError, match="no tuned model"):
            list(ask(folder, MESSAGES, model="tuned"))
    finally:
        jobs.cancel(folder)


def test_a_model_that_cannot_be_loaded_says_why(project, tmp_path):
    folder = start_chat(project, base=str(tmp_path / "nowhere"))
    with pytest.raises(WorkbenchError, match="does not exist"):
        list(ask(folder, MESSAGES, model="base"))


def test_asking_needs_no_torch():
    modules = ", ".join(f"pipelines.evaluation.{name}" for name in ("chat", "compare", "tuned_run"))
    code = f"import sys, {modules}; print([name for name in ('torch', 'transformers', 'peft') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
