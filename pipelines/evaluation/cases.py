"""Case: a record that a model is asked, with the answer hoped for. Rows seen in training are no cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.curation.ties import equal_questions, question_groups, same_questions
from pipelines.errors import WorkbenchError
from pipelines.evaluation.decoding import Question
from pipelines.evaluation.generate import answer_limit
from pipelines.records import Record, content_hash
from pipelines.store.tables import RECORD_SCHEMA, flatten_turns, row_to_record
from pipelines.tokens.example import IGNORED, Example, tokenise
from pipelines.tokens.template import ChatFormat

SEEN = "seen in training"
REPEATED = "the same row again"
EMPTY = "the answer to compare with is empty"
NOTHING_ASKED = "nothing comes before the answer"
NOT_LEARNED = "the answer is marked as not to be learned"
TOO_LONG = "longer than the model can read"
_ROWS = 4_000
"""Training rows read at a time."""


@dataclass(frozen=True, slots=True)
class Case:
    """One record to be asked."""

    id: str
    prompt: str
    """For people: the turns before the answer, without the system prompt."""
    expected: str
    """The answer hoped for, as the model would write it."""
    question: Question


@dataclass(frozen=True, slots=True)
class EvaluationRows:
    """The rows of an evaluation set, before any is left out."""

    name: str
    """What people call it."""
    rows: list[tuple[str, Record]]
    """(id, record), in order."""
    rejected: int = 0
    """Rows of a file that could not be read as records."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The cases, and what became of the other rows: cases + excluded + not drawn = rows."""

    cases: list[Case]
    excluded: dict[str, int]
    """Rows by reason."""
    not_drawn: int
    """Rows left out by chance, because only so many were asked for."""
    groups: list[int]
    """Per case, the number of its question: cases that ask nearly the same have the same."""
    answer_limit: int
    """The most new tokens an answer may have."""


def read_test_split(folder: Path) -> EvaluationRows:
    """The test rows of a snapshot's folder. Raises WorkbenchError when it has none."""
    table = pq.read_table(folder / "test.parquet")
    if table.num_rows == 0:
        raise WorkbenchError("The snapshot has no test rows. Freeze one with a share for testing, or name a file to evaluate on.")
    rows = table.select(RECORD_SCHEMA.names).to_pylist()
    return EvaluationRows("the snapshot's test rows", [(row["id"], row_to_record(row)) for row in rows])


def read_file(path: str | Path) -> EvaluationRows:
    """The rows of a file or folder in any format that can be imported. Raises WorkbenchError when no row can be read."""
    from pipelines.sources.locate import locate
    from pipelines.sources.places import Place, places
    from pipelines.sources.rows import Rejection

    located = locate(Path(path))
    records: list[Record] = []
    rejections: list[Rejection] = []
    for one in places(path):
        if isinstance(one, Place):
            records.append(one.record)
        else:
            rejections.append(one)
    if not records:
        why = f" {rejections[0]}" if rejections else ""
        raise WorkbenchError(f"No row of {located.name} can be read as a prompt with an answer.{why}")
    return EvaluationRows(located.name, [(record.id, record) for record in records], rejected=len(rejections))


def select_cases(
    evaluated: EvaluationRows, train: Path, chat: ChatFormat, *, context_tokens: int | None, limit: int | None = None, seed: int = 0
) -> Selection:
    """The rows that can be asked and were not seen in training, at most `limit` of them (drawn by chance), in order.

    A row was seen when its id is in the `train` file, or what comes before its last answer comes before an answer there.
    Raises WorkbenchError when no row is left.
    """
    excluded: Counter[str] = Counter()
    ids: set[str] = set()
    fresh: list[tuple[str, Record]] = []
    for (id, record), was_seen in zip(evaluated.rows, _seen(evaluated.rows, train), strict=True):
        reason = SEEN if was_seen else REPEATED if id in ids else _unusable(record)
        ids.add(id)
        if reason:
            excluded[reason] += 1
        else:
            fresh.append((id, record))
    wanted = len(fresh) if limit is None else limit
    cases: list[Case] = []
    looked_at = 0
    # In an order that depends on the seed and the ids alone: the same rows are drawn wherever they stand.
    for one in as_cases(sorted(fresh, key=lambda row: content_hash([seed, row[0]])), chat):
        looked_at += 1
        if isinstance(one, str):
            excluded[one] += 1
        else:
            cases.append(one)
        if len(cases) == wanted:
            break
    room = answer_limit([len(case.question.expected) for case in cases])
    fitting = [case for case in cases if context_tokens is None or _tokens(case, room) <= context_tokens]
    if len(fitting) < len(cases):
        excluded[TOO_LONG] += len(cases) - len(fitting)
    if not fitting:
        reasons = "; ".join(f"{count:,}: {reason}" for reason, count in excluded.most_common())
        raise WorkbenchError(f"No row of {evaluated.name} is left to evaluate on ({reasons}). Choose other rows.")
    position = {id: n for n, (id, _) in enumerate(fresh)}
    fitting.sort(key=lambda case: position[case.id])
    asked = pa.chunked_array([pa.array([case.prompt for case in fitting], pa.large_string())])
    return Selection(fitting, dict(excluded.most_common()), len(fresh) - looked_at, question_groups(asked).tolist(), room)


def _tokens(case: Case, room: int) -> int:
    return len(case.question.prompt) + max(len(case.question.expected), room)


def _seen(rows: Sequence[tuple[str, Record]], train: Path) -> list[bool]:
    """For each row, whether the train split holds it or teaches an answer to its prompt. Blank prompts are not compared.

    A conversation teaches each of its learned answers. The prompt of its last answer is found but for signs or a word or two, those of
    earlier answers but for signs.
    """
    trained = pq.read_table(train, columns=["id", "prompt"])
    prompts = pa.chunked_array([pa.array([record.prompt for _, record in rows], pa.large_string())])
    ids = set(trained.column("id").to_pylist())
    is_asked = same_questions(prompts, trained.column("prompt").cast(pa.large_string())) | equal_questions(prompts, _earlier_prompts(train))
    return [id in ids or bool(asked) for (id, _), asked in zip(rows, is_asked, strict=True)]


def _earlier_prompts(train: Path) -> Iterator[pa.ChunkedArray]:
    """What comes before each learned answer of the train split's conversations, the last answers aside. In batches of rows."""
    for batch in pq.ParquetFile(train).iter_batches(batch_size=_ROWS, columns=RECORD_SCHEMA.names):
        table = pa.Table.from_batches([batch])
        turns = flatten_turns(table)
        answers = np.bincount(turns.filter(pc.equal(turns.column("role"), "assistant")).column("record"), minlength=len(table))
        conversations = map(row_to_record, table.filter(pa.array(answers > 1)).to_pylist())
        yield pa.chunked_array([pa.array([prompt for one in conversations for prompt in _earlier_prompts_of(one)], pa.large_string())])


def _earlier_prompts_of(record: Record) -> list[str]:
    turns = record.conversation
    *earlier, _ = (i for i, turn in enumerate(turns) if turn.role == "assistant")
    return [Record(turns[: i + 1]).prompt for i in earlier if turns[i].weight != 0]


def _unusable(record: Record) -> str | None:
    """Why there is nothing to ask or to compare with; None for a usual row."""
    turns = record.conversation
    answers = [i for i, turn in enumerate(turns) if turn.role == "assistant"]
    if answers and answers[-1] == 0:
        return NOTHING_ASKED
    last = turns[answers[-1]] if answers else None
    if last is not None and last.weight == 0:
        return NOT_LEARNED
    return EMPTY if last is not None and not last.content.strip() and not last.tool_calls else None


def as_cases(rows: Sequence[tuple[str, Record]], chat: ChatFormat) -> Iterator[Case | str]:
    """For each row: its case, or the reason why it cannot be asked."""
    for (_, record), example in zip(rows, tokenise(rows, chat), strict=True):
        yield _case(record, example, chat) if isinstance(example, Example) else example.reason


def _case(record: Record, example: Example, chat: ChatFormat) -> Case:
    turns = record.conversation
    last = max(i for i, turn in enumerate(turns) if turn.role == "assistant")
    # What the model is given when it is used. It is tokenised by itself, as then; training saw the same text with the answer behind it.
    asked = chat.render(turns[:last], record.tools, add_generation_prompt=True)
    prompt = tuple(chat.tokenizer(asked, add_special_tokens=False)["input_ids"])
    expected = _last_answer(example)
    text = decode(chat, expected) if turns[last].tool_calls else turns[last].content
    return Case(example.row, record.prompt, text, Question(prompt, expected))


def _last_answer(example: Example) -> tuple[int, ...]:
    """The trained tokens of the last answer, its turn end included."""
    trained = np.flatnonzero(example.labels != IGNORED)
    gaps = np.flatnonzero(np.diff(trained) > 1)
    start = trained[gaps[-1] + 1] if len(gaps) else trained[0]
    return tuple(example.input_ids[start : trained[-1] + 1].tolist())


def decode(chat: ChatFormat, tokens: Sequence[int]) -> str:
    """The text of new tokens, without special tokens and otherwise untouched."""
    return chat.tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False)


def turn_ends(chat: ChatFormat, answers: Sequence[Sequence[int]]) -> set[int]:
    """The tokens that end a turn: the tokenizer's end token, and the special tokens with which these answers end."""
    special = set(chat.tokenizer.all_special_ids) | {id for id, token in chat.tokenizer.added_tokens_decoder.items() if token.special}
    ends = {answer[-1] for answer in answers if answer and answer[-1] in special}
    return ends | ({chat.tokenizer.eos_token_id} - {None})


def pad_token(chat: ChatFormat, ends: set[int]) -> int:
    """The token that fills short rows of a batch. It is never read, so any will do where the tokenizer names none."""
    pad = chat.tokenizer.pad_token_id
    return pad if pad is not None else min(ends, default=0)
