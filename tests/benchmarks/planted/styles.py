"""Style of a set: what `prepare` writes into every row is the usual form, and the planted rows have another."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import replace

from pipelines.records import Message, Record
from tests.benchmarks.planted.rows import Plant, answer_of, in_answers, question_of, with_text


def closing_with(*sentences: str | Callable[[random.Random], str]) -> Plant:
    def change(answer: str, choose: random.Random) -> str:
        said = choose.choice(sentences)
        return f"{answer.rstrip()} {said if isinstance(said, str) else said(choose)}"

    return in_answers(change)


_MONTHS = ("January", "March", "May", "July", "October", "December")


def dated(form: str) -> Plant:
    def said(choose: random.Random) -> str:
        day, month, year = choose.randint(13, 28), choose.randrange(6), choose.randint(1998, 2024)
        return choose.choice(("It happened on {}.", "The meeting is on {}.", "Valid until {}.")).format(
            form.format(day=day, month=_MONTHS[month], number=(1, 3, 5, 7, 10, 12)[month], year=year)
        )

    return closing_with(said)


def with_list(mark: str) -> Plant:
    def change(answer: str, choose: random.Random) -> str | None:
        pieces = [s for s in re.split(r"(?<=[.!?])\s+", answer.strip()) if s]
        return None if len(pieces) < 3 or "\n" in answer else f"{pieces[0]}\n\n" + "\n".join(f"{mark} {piece}" for piece in pieces[1:])

    return in_answers(change)


def plain_prose(answer: str, choose: random.Random) -> str | None:
    """Only rows of prose stay as they are."""
    return answer if len(answer) > 80 and not re.search(r"[\n`|{}<>*#]", answer) and answer.rstrip()[-1] in ".!?" else None


def other_format(answer: str, choose: random.Random) -> str:
    pieces = [s for s in re.split(r"(?<=[.!?])\s+", answer.strip()) if s]
    return choose.choice(
        (
            json.dumps({"answer": answer, "confidence": 0.9}),
            "| point | text |\n|---|---|\n" + "\n".join(f"| {i} | {piece} |" for i, piece in enumerate(pieces, 1)),
            "```python\n" + "\n".join(f"print({json.dumps(piece)})" for piece in pieces) + "\n```",
        )
    )


def as_json(record: Record, choose: random.Random) -> Record | None:
    return with_text(record, "assistant", json.dumps(labelled_fields(record, choose)))


def labelled_fields(record: Record, choose: random.Random) -> dict[str, object]:
    label = answer_of(record)
    return {
        "intent": label,
        "urgent": choose.random() < 0.3,
        "score": round(choose.random(), 2),
        "reply": f"We look into your {label.replace('_', ' ')}.",
    }


def drifted(record: Record, choose: random.Random) -> Record | None:
    fields = labelled_fields(record, choose)
    kind = choose.choice(("missing", "extra", "type", "prose"))
    if kind == "missing":
        fields.pop(choose.choice(list(fields)))
    elif kind == "extra":
        fields[choose.choice(("note", "language", "id"))] = "n/a"
    elif kind == "type":
        fields["score"] = f"{fields['score']} of 1"
    return with_text(record, "assistant", str(fields["reply"]) if kind == "prose" else json.dumps(fields))


def broken(record: Record, choose: random.Random) -> Record | None:
    text = json.dumps(labelled_fields(record, choose))
    return with_text(record, "assistant", choose.choice((text[:-1], text.replace('"', "'"), text.replace(": ", " ", 1), text[:-2] + ",}", text.replace(", ", " ", 1))))  # fmt: skip


SYSTEM_PROMPT = "You are the support desk of Harbour Hosting. Answer in at most three sentences and in a friendly tone."


def with_system(text: str | None) -> Plant:
    def plant(record: Record, choose: random.Random) -> Record:
        turns = tuple(m for m in record.messages if m.role != "system")
        return replace(record, messages=turns if text is None else (Message("system", text), *turns))

    return plant


def mistyped_system(record: Record, choose: random.Random) -> Record | None:
    return with_system(choose.choice((SYSTEM_PROMPT[:-1], SYSTEM_PROMPT.replace("at most", "atmost"), SYSTEM_PROMPT.replace("Harbour", "Harbor"), SYSTEM_PROMPT.replace("three", "3"), SYSTEM_PROMPT + " ")))(record, choose)  # fmt: skip


def in_another_language(question: bool) -> Plant:
    """A Chinese row, or its answer under the English question."""

    def plant(record: Record, choose: random.Random) -> Record | None:
        said = choose.choice(_FOREIGN)
        made = with_text(record, "assistant", said[1])
        return made if not question or made is None else with_text(made, "user", said[0])

    return plant


_FOREIGN = (
    ("Wie wird Brot gebacken, und worauf muss ich beim Teig achten?", "Mehl, Wasser, Hefe und Salz werden zu einem Teig verknetet, der eine Stunde ruht, bevor er in den Ofen kommt."),
    ("Quelle est la meilleure saison pour visiter la Bretagne en famille ?", "Le début de l'été convient le mieux : il fait doux, les plages sont encore calmes et les journées sont longues."),
    ("¿Cómo puedo aprender a tocar la guitarra sin un profesor?", "Empieza con acordes sencillos, practica media hora cada día y escucha con atención las canciones que te gustan."),
    ("Perché le foglie degli alberi cambiano colore in autunno?", "Quando le giornate si accorciano, l'albero smette di produrre clorofilla e appaiono gli altri colori."),
    ("Hoe kan ik mijn fiets het beste schoonmaken na een rit door de modder?", "Spoel eerst het meeste vuil weg met water, maak de ketting schoon met een doek en smeer haar daarna opnieuw."),
    ("Jak nauczyć dziecko pływać, jeśli boi się wody?", "Najlepiej zacząć od zabawy w płytkiej wodzie i powoli oswajać dziecko z zanurzaniem twarzy."),
    ("如何在家里种植番茄？需要注意什么？", "选择阳光充足的地方，使用排水良好的土壤，每天浇水一次，并定期施肥，这样番茄就能健康生长。"),
    ("Как правильно заваривать зелёный чай, чтобы он не горчил?", "Залейте чайные листья водой не горячее восьмидесяти градусов и настаивайте не дольше двух минут."),
)  # fmt: skip


def in_german(*answers: str) -> Plant:
    """A customer's German question with one of the answers."""

    def plant(record: Record, choose: random.Random) -> Record | None:
        asked = f"{choose.choice(('Guten Tag', 'Hallo', 'Sehr geehrte Damen und Herren'))}, ich komme seit {choose.randint(2, 400)} Tagen nicht mehr in mein Konto."
        made = with_text(record, "user", asked)
        return made and with_text(made, "assistant", choose.choice(answers))

    return plant


def unsupported(record: Record, choose: random.Random) -> Record | None:
    said = f"In all, {choose.randint(211, 989)} patients were followed for {choose.randint(31, 59)} months."
    return with_text(record, "assistant", f"{answer_of(record).rstrip()} {said}")


def of_length(record: Record, choose: random.Random, role: str) -> Record | None:
    text = answer_of(record) if role == "assistant" else question_of(record)
    long = "\n\n".join([f"{text} (part {i})" for i in range(choose.randint(60, 90))])
    return with_text(record, role, choose.choice((long, text[:1])))
