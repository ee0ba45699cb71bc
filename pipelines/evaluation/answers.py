"""Answers: what the base model and the tuned model say to every case. Kept as they come, and asked for only once."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines import jobs
from pipelines.evaluation.cases import Case, Selection, decode, pad_token, turn_ends
from pipelines.evaluation.decoding import Question
from pipelines.evaluation.generate import Reply, generate
from pipelines.evaluation.kept_replies import KeptReplies
from pipelines.evaluation.language_model import LanguageModel, base_fingerprint, load_language_model, with_adapter
from pipelines.evaluation.metrics import Answer
from pipelines.evaluation.tuned_run import TunedRun
from pipelines.records import content_hash
from pipelines.store.project import Project
from pipelines.tokens.template import ChatFormat

_SECONDS_BETWEEN_REPORTS = 0.5
_FIRST, _LAST = 0.02, 0.98
"""Of the progress bar: where asking begins and ends."""


@dataclass(slots=True)
class _Progress:
    """Tells how far both models are, at most every half second."""

    emit: jobs.Emit
    total: int
    """Questions to be asked of either model."""
    done: int = 0
    told_at: float = 0.0

    def tell(self, who: str, asked: float, of: int) -> None:
        """`asked` of the `of` questions for this model are answered."""
        now = time.monotonic()
        if now - self.told_at >= _SECONDS_BETWEEN_REPORTS:
            self.told_at = now
            fraction = _FIRST + (_LAST - _FIRST) * (self.done + asked) / self.total
            self.emit(fraction=fraction, message=f"{who}: {int(asked):,} of {of:,} prompts answered")


def ask_both(
    project: Project, tuned: TunedRun, adapter_sha256: str, chat: ChatFormat, selection: Selection, emit: jobs.Emit
) -> tuple[list[Answer], list[Answer]]:
    """The answers of the base model and of the tuned one (whose adapter has that hash), in the order of the cases.

    The base model's are kept in the project for all its runs, the tuned model's in the run's folder; what is kept is not asked again.
    """
    cases, limit = selection.cases, selection.answer_limit
    base = base_fingerprint(tuned.base)
    known = {
        "Base model": KeptReplies(project.features_folder / "answers" / f"{base}.jsonl"),
        "Tuned model": KeptReplies(tuned.evaluations / f"answers-{content_hash([base, adapter_sha256])}.jsonl"),
    }
    missing = {who: _missing(kept, cases, limit) for who, kept in known.items()}
    progress = _Progress(emit, sum(map(len, missing.values())))
    if progress.total:
        emit(fraction=_FIRST, message="Loading the model")
        model = _load(tuned.base, chat, cases)
        _ask(model, "Base model", missing["Base model"], known["Base model"], limit, progress)
        if missing["Tuned model"]:
            model = with_adapter(model, tuned.adapter)
            _ask(model, "Tuned model", missing["Tuned model"], known["Tuned model"], limit, progress)
    before, after = ([_answer(kept.find(case.question, limit), chat) for case in cases] for kept in known.values())
    return before, after


def _missing(kept: KeptReplies, cases: Sequence[Case], limit: int) -> list[Question]:
    """The questions without a reply, each once."""
    return list(dict.fromkeys(case.question for case in cases if kept.find(case.question, limit) is None))


def _load(base: str, chat: ChatFormat, cases: Sequence[Case]) -> LanguageModel:
    ends = turn_ends(chat, [case.question.expected for case in cases])
    return load_language_model(base, pad_id=pad_token(chat, ends), stop_ids=tuple(sorted(ends)))


def _ask(model: LanguageModel, who: str, questions: list[Question], kept: KeptReplies, limit: int, progress: _Progress) -> None:
    def tick(asked: float) -> None:
        progress.tell(who, asked, len(questions))

    for index, reply in generate(model, questions, limit=limit, tick=tick):
        kept.add(questions[index], reply)
    progress.done += len(questions)


def _answer(reply: Reply | None, chat: ChatFormat) -> Answer:
    if reply is None:
        raise RuntimeError("a question was left without a reply")
    loss = reply.loss if math.isfinite(reply.loss) else None  # a model in half precision can overflow
    return Answer(decode(chat, reply.tokens), reply.stopped, loss, len(reply.tokens))
