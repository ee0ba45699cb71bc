"""Defects of a text."""

from __future__ import annotations

import json
import random
import re

from pipelines.checks.truncated_answer import why_cut
from pipelines.records import Record
from tests.benchmarks.planted.rows import answer_of, question_of, random_digits, with_text


def garbled(choose: random.Random) -> str:
    said = choose.choice(
        ("Müller fährt über die Brücke.", "C'était très agréable à Besançon.", "El señor Muñoz llegó mañana.", "Smörgåsbord på svenska.",
         "It’s a café, isn’t it?", "“Quoted” – and then some…", "Łódź jest piękna.", "Price: 20 € or £18.")
    )  # fmt: skip
    return said.encode().decode("cp1252", errors="ignore")


_TWINS = str.maketrans("aceopxyABEKMHOPCTX", "асеорхуАВЕКМНОРСТХ")


def mixed_scripts(answer: str, choose: random.Random) -> str | None:
    words = [m for m in re.finditer(r"[A-Za-z]{5,}", answer) if re.search("[aceopxy]", m[0][1:])]
    if not words:
        return None
    word = choose.choice(words)
    at = choose.choice([i for i, letter in enumerate(word[0]) if i and letter in "aceopxy"])
    return answer[: word.start() + at] + word[0][at].translate(_TWINS) + answer[word.start() + at + 1 :]


def with_unseen_character(answer: str, choose: random.Random) -> str | None:
    places = [m.start() + 2 for m in re.finditer(r"[A-Za-z]{4,}", answer)]
    if not places:
        return None
    at = choose.choice(places)
    return answer[:at] + choose.choice("\u200b\u00ad\u2060\u202e\x08\ufeff") + answer[at:]


def with_html(answer: str, choose: random.Random) -> str:
    pieces = answer.split(" ")
    at = choose.randrange(len(pieces))
    tag = choose.choice(("b", "span", "p", "li", "strong"))
    pieces[at] = choose.choice(
        (f"<{tag}>{pieces[at]}</{tag}>", f"{pieces[at]}<br/>", f"{pieces[at]}&nbsp;", f'<a href="/page?id={at}">{pieces[at]}</a>',
         f"&quot;{pieces[at]}&quot;", f"<div class=\"text\">{pieces[at]}", f"{pieces[at]}&amp;more")
    )  # fmt: skip
    return " ".join(pieces)


def repeating(answer: str, choose: random.Random) -> str | None:
    sentences = [s for s in re.split(r"(?<=[.!?])\s+", answer.strip()) if len(s.split()) >= 6]
    return None if not sentences else f"{answer.strip()} " + " ".join([choose.choice(sentences)] * choose.randint(5, 9))


def cut_off(answer: str, choose: random.Random) -> str | None:
    words = answer.split(" ")
    if len(words) < 15:
        return None
    kept = words[: choose.randint(len(words) // 2, len(words) - 3)]
    return None if kept[-1][-1:] in ".!?:;,\"')`" or "\n" in kept[-1] else " ".join(kept)


def unmarked(answer: str, choose: random.Random) -> str | None:
    """Without its last full stop, where that leaves a text that does not stop in the middle by itself."""
    bare = answer.rstrip().rstrip(".!?")
    return bare if why_cut(bare) is None else None


def with_lone_bracket(answer: str, choose: random.Random) -> str | None:
    closing = [m.start() for m in re.finditer(r"(?<=\w)\)", answer)]
    opened = "".join(re.findall(r"[()]", answer))
    if "```" in answer or opened != "()" * (len(opened) // 2) or not closing or not re.search(r"\([A-Za-z]{3}", answer):
        return None
    at = choose.choice(closing)
    return answer[:at] + answer[at + 1 :]


def with_open_fence(answer: str, choose: random.Random) -> str:
    code = answer if "\n" in answer else f"print({json.dumps(answer[:40])})"
    return choose.choice(
        (f"Here is the code:\n```python\n{code}", f"```\n{code}\n\nIt prints the result.", f"First:\n```sh\nls\n```\nThen:\n```\n{code}")
    )


def with_blanks(answer: str, choose: random.Random) -> str:
    return choose.choice((f" {answer}", f"{answer}  ", f"{answer}\n\n", f"\n{answer}", f"\t{answer}", f"{answer} \n"))


def link(choose: random.Random) -> str:
    return f"https://www.{choose.choice(('nature', 'wikipedia', 'harbour-hosting', 'bbc'))}.org/{random_digits(choose, 5)}"


def echoing(record: Record, choose: random.Random) -> Record | None:
    question = question_of(record)
    if len(question.split()) < 5 or len(question) > 600 or answer_of(record).startswith(question):
        return None
    lead = choose.choice(("", "", "Question: ", "You asked: "))
    return with_text(record, "assistant", f"{lead}{question}{choose.choice((chr(10) * 2, ' ', chr(10)))}{answer_of(record)}")
