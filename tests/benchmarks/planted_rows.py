"""Planted rows: real rows of public data sets with one defect put into some of them, for each check.

The defects are written as people and programs make them, not as the checks look for them; a check may well miss some.
"""

from __future__ import annotations

import json
import random
import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pipelines.checks.truncated_answer import why_cut
from pipelines.records import Message, Record

Plant = Callable[[Record, random.Random], Record | None]
"""A row with the defect; None where the row cannot have it."""


@dataclass(frozen=True, slots=True)
class Planting:
    """How a defect gets into a data set."""

    base: str
    """File of ../shared/datasets."""
    plant: Plant
    prepare: Plant | None = None
    """Done to every other row, such as writing a date in the usual way. Rows it gives None for are not used."""
    adds: bool = False
    """Whether planted rows are added to the rows they were made of, as copies are, and do not take their place."""


ALPACA, ZH, ROLEPLAY, CODE = "alpaca_en_demo.json", "alpaca_zh_demo.json", "gpteacher_roleplay.json", "gpteacher_codegen.json"
GSM8K, BANKING, PUBMED, TOOLS = "gsm8k_test.jsonl", "banking77_test.csv", "pubmedqa_pqal.json", "glaive_toolcall_en_demo.json"
PAIRS = "dpo_en_demo.json"


# Parts of rows


def _answer(record: Record) -> str:
    return next((m.content for m in reversed(record.messages) if m.role == "assistant"), "")


def _question(record: Record) -> str:
    return next((m.content for m in reversed(record.messages) if m.role == "user"), "")


def _with(record: Record, role: str, text: str) -> Record | None:
    """The row with another text in its last turn of a role."""
    last = max((i for i, m in enumerate(record.messages) if m.role == role), default=None)
    if last is None:
        return None
    turns = list(record.messages)
    turns[last] = replace(turns[last], content=text)
    return replace(record, messages=tuple(turns))


def _answers(change: Callable[[str, random.Random], str | None]) -> Plant:
    def plant(record: Record, choose: random.Random) -> Record | None:
        changed = change(_answer(record), choose) if _answer(record).strip() else None
        return None if changed is None else _with(record, "assistant", changed)

    return plant


def _says(*sentences: str | Callable[[random.Random], str]) -> Plant:
    """One of the sentences somewhere among those of the answer."""

    def change(answer: str, choose: random.Random) -> str:
        said = choose.choice(sentences)
        said = said if isinstance(said, str) else said(choose)
        pieces = re.split(r"(?<=[.!?])\s+", answer.strip())
        pieces.insert(choose.randint(0, len(pieces)), said)
        return " ".join(pieces)

    return _answers(change)


def _begins(*openings: str) -> Plant:
    return _answers(lambda answer, choose: f"{choose.choice(openings)} {answer[0].lower()}{answer[1:]}")


def _is(*answers: str) -> Plant:
    return _answers(lambda _, choose: choose.choice(answers))


def _digits(choose: random.Random, count: int) -> str:
    return "".join(choose.choices(string.digits, k=count))


def _luhn(digits: str) -> str:
    from stdnum import luhn

    return digits + luhn.calc_check_digit(digits)


# Personal data and secrets

_FIRST = ("Anna", "Jonas", "Priya", "Miguel", "Chloé", "Tomasz", "Fatima", "Lars", "Giulia", "Wei", "Nkechi", "Sven")
_LAST = ("Keller", "Moreau", "Okafor", "Rossi", "Novak", "Iyer", "Lindqvist", "Garcia", "O'Brien", "Tanaka", "Schmidt", "Peeters")


def _email(choose: random.Random) -> str:
    first, last = choose.choice(_FIRST).lower().replace("é", "e"), choose.choice(_LAST).lower().replace("'", "")
    name = choose.choice((f"{first}.{last}", f"{first[0]}{last}", f"{last}_{first}", f"{first}{choose.randint(60, 99)}"))
    host = choose.choice(("gmx.de", "outlook.com", "stadtwerke-lueneburg.de", "bbc.co.uk", "uni-graz.at", "orange.fr", "hotmail.com"))
    return choose.choice((f"You can reach her at {name}@{host}.", f"Contact: {name}@{host}", f"({name.upper()}@{host.upper()})"))


def _phone(choose: random.Random) -> str:
    import phonenumbers

    region = choose.choice(("US", "DE", "FR", "GB", "CH", "ES", "IT", "NL", "PL", "IN"))
    number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.FIXED_LINE)
    while True:  # the last digits of the example are nobody's
        known = phonenumbers.national_significant_number(number)[:-4]
        other = phonenumbers.parse(f"+{number.country_code}{known}{_digits(choose, 4)}")
        if phonenumbers.is_valid_number(other):
            break
    form = choose.choice((phonenumbers.PhoneNumberFormat.INTERNATIONAL, phonenumbers.PhoneNumberFormat.E164))
    return choose.choice(("Call {} after six.", "My mobile is {}.", "Tel. {}")).format(phonenumbers.format_number(other, form))


def _card(choose: random.Random) -> str:
    number = _luhn(choose.choice(("4", "51", "53", "2221")).ljust(4, "7") + _digits(choose, 11))
    spaced = " ".join(number[i : i + 4] for i in range(0, 16, 4))
    return f"I paid with {choose.choice((number, spaced, spaced.replace(' ', '-')))}."


def _iban(choose: random.Random) -> str:
    from stdnum import iban

    country, length = choose.choice((("DE", 18), ("AT", 16), ("BE", 12), ("CH", 17), ("ES", 20), ("FR", 23), ("PL", 24)))
    while True:
        bban = _digits(choose, length)
        number = country + iban.calc_check_digits(f"{country}00{bban}") + bban
        if iban.is_valid(number):
            break
    spaced = " ".join(number[i : i + 4] for i in range(0, len(number), 4))
    return f"Please transfer it to {choose.choice((number, spaced))}, thank you."


def _national(choose: random.Random) -> str:
    from stdnum.es import dni
    from stdnum.fr import nir
    from stdnum.it import codicefiscale
    from stdnum.nl import bsn
    from stdnum.us import ssn

    kind, module, length = choose.choice((("SSN", ssn, 9), ("DNI", dni, 8), ("BSN", bsn, 9), ("NIR", nir, 15), ("CF", codicefiscale, 0)))
    while True:
        if kind == "DNI":
            number = _digits(choose, 8)
            number += dni.calc_check_digit(number)
        elif kind == "NIR":
            number = f"{choose.choice('12')}{choose.randint(40, 99)}{choose.randint(1, 12):02}{choose.randint(10, 95)}{_digits(choose, 6)}"
            number += nir.calc_check_digits(number)
        elif kind == "CF":
            letters = "".join(choose.choices("BCDFGLMNPRST", k=6))
            number = f"{letters}{choose.randint(40, 99)}{choose.choice('ABCDEHLMPRST')}{choose.randint(1, 28):02}H501"
            number += codicefiscale.calc_check_digit(number)
        else:
            number = _digits(choose, length)
        if module.is_valid(number):
            break
    said = {
        "SSN": "Social Security number",
        "DNI": "DNI",
        "BSN": "burgerservicenummer (BSN)",
        "NIR": "numéro de sécurité sociale",
        "CF": "codice fiscale",
    }
    shown = f"{number[:3]}-{number[3:5]}-{number[5:]}" if kind == "SSN" else number
    return choose.choice(("Her {} is {}.", "{}: {}", "My {}, {}, is on the form.")).format(said[kind], shown)


def _ip(choose: random.Random) -> str:
    four = f"{choose.choice((34, 52, 81, 91, 142, 185))}.{choose.randint(1, 250)}.{choose.randint(1, 250)}.{choose.randint(1, 250)}"
    six = f"2a02:8109:{choose.randint(0x1000, 0xFFFF):x}:{choose.randint(0x1000, 0xFFFF):x}::{choose.randint(1, 0xFFF):x}"
    return choose.choice(("The login came from {}.", "Blocked {} yesterday.", "Host: {}")).format(choose.choice((four, four, six)))


def _address(choose: random.Random) -> str:
    number = choose.randint(2, 180)
    return choose.choice(
        (
            f"She lives at {number * 7} {choose.choice(('Maple', 'Cedar', 'Lincoln', 'Lakeview'))} {choose.choice(('Street', 'Ave', 'Drive'))}, Dayton, OH 454{choose.randint(10, 39)}.",
            f"Send it to {choose.choice(('Lindenstraße', 'Bergweg', 'Am Markt', 'Schulstr.'))} {number}, {choose.randint(10115, 99974)} {choose.choice(('Berlin', 'Jena', 'Köln', 'Fulda'))}.",
            f"Our flat is {number} {choose.choice(('Station Road', 'High Street', 'Church Lane'))}, Leeds LS{choose.randint(1, 9)} {choose.randint(1, 9)}AB.",
            f"Adresse : {number} rue {choose.choice(('de la République', 'Victor Hugo', 'des Lilas'))}, 690{choose.randint(1, 9):02} Lyon",
            f"{choose.choice(('Kerkstraat', 'Dorpsweg', 'Prinsengracht'))} {number}, {choose.randint(1011, 9999)} AB Utrecht",
            f"Via {choose.choice(('Garibaldi', 'Roma', 'Dante'))} {number}, {choose.randint(10100, 50199)} Firenze",
        )
    )  # fmt: skip


def _secret(choose: random.Random) -> str:
    letters = string.ascii_letters + string.digits
    drawn = lambda count, alphabet=letters: "".join(choose.choices(alphabet, k=count))  # noqa: E731 - short, and used here alone
    return choose.choice(
        (
            f"Set AWS_ACCESS_KEY_ID to AKIA{drawn(16, string.ascii_uppercase + '234567')} first.",
            f"token: ghp_{drawn(36)}", f"Use sk-proj-{drawn(48)} for the call.", f"xoxb-{_digits(choose, 12)}-{_digits(choose, 12)}-{drawn(24)}",
            f"postgres://admin:{drawn(14)}@db.harbour.internal:5432/crm", f'password = "{drawn(8)}!{_digits(choose, 4)}#"',
            f"Authorization: Bearer {drawn(40)}", f"AIza{drawn(35)}", f"sk_live_{drawn(24)}",
        )
    )  # fmt: skip


# Text


def _garbled(choose: random.Random) -> str:
    said = choose.choice(
        ("Müller fährt über die Brücke.", "C'était très agréable à Besançon.", "El señor Muñoz llegó mañana.", "Smörgåsbord på svenska.",
         "It’s a café, isn’t it?", "“Quoted” – and then some…", "Łódź jest piękna.", "Price: 20 € or £18.")
    )  # fmt: skip
    return said.encode().decode("cp1252", errors="ignore")


_TWINS = str.maketrans("aceopxyABEKMHOPCTX", "асеорхуАВЕКМНОРСТХ")


def _mixed(answer: str, choose: random.Random) -> str | None:
    words = [m for m in re.finditer(r"[A-Za-z]{5,}", answer) if re.search("[aceopxy]", m[0][1:])]
    if not words:
        return None
    word = choose.choice(words)
    at = choose.choice([i for i, letter in enumerate(word[0]) if i and letter in "aceopxy"])
    return answer[: word.start() + at] + word[0][at].translate(_TWINS) + answer[word.start() + at + 1 :]


def _unseen(answer: str, choose: random.Random) -> str | None:
    places = [m.start() + 2 for m in re.finditer(r"[A-Za-z]{4,}", answer)]
    if not places:
        return None
    at = choose.choice(places)
    return answer[:at] + choose.choice("\u200b\u00ad\u2060\u202e\x08\ufeff") + answer[at:]


def _html(answer: str, choose: random.Random) -> str:
    pieces = answer.split(" ")
    at = choose.randrange(len(pieces))
    tag = choose.choice(("b", "span", "p", "li", "strong"))
    pieces[at] = choose.choice(
        (f"<{tag}>{pieces[at]}</{tag}>", f"{pieces[at]}<br/>", f"{pieces[at]}&nbsp;", f'<a href="/page?id={at}">{pieces[at]}</a>',
         f"&quot;{pieces[at]}&quot;", f"<div class=\"text\">{pieces[at]}", f"{pieces[at]}&amp;more")
    )  # fmt: skip
    return " ".join(pieces)


def _repeats(answer: str, choose: random.Random) -> str | None:
    sentences = [s for s in re.split(r"(?<=[.!?])\s+", answer.strip()) if len(s.split()) >= 6]
    return None if not sentences else f"{answer.strip()} " + " ".join([choose.choice(sentences)] * choose.randint(5, 9))


def _cut(answer: str, choose: random.Random) -> str | None:
    words = answer.split(" ")
    if len(words) < 15:
        return None
    kept = words[: choose.randint(len(words) // 2, len(words) - 3)]
    return None if kept[-1][-1:] in ".!?:;,\"')`" or "\n" in kept[-1] else " ".join(kept)


def _unmarked(answer: str, choose: random.Random) -> str | None:
    """Without its last full stop, where that leaves a text that does not stop in the middle by itself."""
    bare = answer.rstrip().rstrip(".!?")
    return bare if why_cut(bare) is None else None


def _bracket(answer: str, choose: random.Random) -> str | None:
    closing = [m.start() for m in re.finditer(r"(?<=\w)\)", answer)]
    opened = "".join(re.findall(r"[()]", answer))
    if "```" in answer or opened != "()" * (len(opened) // 2) or not closing or not re.search(r"\([A-Za-z]{3}", answer):
        return None
    at = choose.choice(closing)
    return answer[:at] + answer[at + 1 :]


def _fence(answer: str, choose: random.Random) -> str:
    code = answer if "\n" in answer else f"print({json.dumps(answer[:40])})"
    return choose.choice(
        (f"Here is the code:\n```python\n{code}", f"```\n{code}\n\nIt prints the result.", f"First:\n```sh\nls\n```\nThen:\n```\n{code}")
    )


def _blanks(answer: str, choose: random.Random) -> str:
    return choose.choice((f" {answer}", f"{answer}  ", f"{answer}\n\n", f"\n{answer}", f"\t{answer}", f"{answer} \n"))


def _link(choose: random.Random) -> str:
    return f"https://www.{choose.choice(('nature', 'wikipedia', 'harbour-hosting', 'bbc'))}.org/{_digits(choose, 5)}"


def _echo(record: Record, choose: random.Random) -> Record | None:
    question = _question(record)
    if len(question.split()) < 5 or len(question) > 600 or _answer(record).startswith(question):
        return None
    lead = choose.choice(("", "", "Question: ", "You asked: "))
    return _with(record, "assistant", f"{lead}{question}{choose.choice((chr(10) * 2, ' ', chr(10)))}{_answer(record)}")


# Structure


def _turns(change: Callable[[list[Message], random.Random], list[Message] | None]) -> Plant:
    def plant(record: Record, choose: random.Random) -> Record | None:
        changed = change(list(record.messages), choose)
        return None if changed is None else replace(record, messages=tuple(changed))

    return plant


def _empty(turns: list[Message], choose: random.Random) -> list[Message]:
    at = choose.choice([i for i, m in enumerate(turns) if m.role in ("user", "assistant")])
    turns[at] = replace(turns[at], content=choose.choice(("", " ", "\n\n", "\u200b", "\u00a0")))
    return turns


def _order(turns: list[Message], choose: random.Random) -> list[Message]:
    return choose.choice(
        (
            [*turns, Message("assistant", "One more thing: good luck.")],
            [Message("assistant", "Hello, how can I help?"), *turns],
            [turns[0], Message("user", "Are you there?"), *turns[1:]],
            [*turns, Message("system", "Be brief."), Message("user", "Thanks."), Message("assistant", "You are welcome.")],
        )
    )


def _control(record: Record, choose: random.Random) -> Record | None:
    mark = choose.choice(
        (
            "<|im_end|>",
            "<|im_start|>assistant",
            "[INST]",
            "[/INST]",
            "</s>",
            "<|eot_id|>",
            "<|endoftext|>",
            "### Response:",
            "<start_of_turn>",
        )
    )
    said = choose.choice((f"{_answer(record)}{mark}", f"{_answer(record)}\n{mark}\n", f"{mark} {_answer(record)}"))
    return _with(record, "assistant", said)


def _same_pair(record: Record, choose: random.Random) -> Record | None:
    return replace(record, rejected=record.chosen) if record.chosen and record.rejected else None


def _called(change: Callable[[dict], object]) -> Plant:
    """The arguments of a call, changed."""

    def plant(record: Record, choose: random.Random) -> Record | None:
        calling = [i for i, m in enumerate(record.messages) if m.tool_calls]
        if not calling or not record.tools:
            return None
        turns = list(record.messages)
        at = choose.choice(calling)
        calls = json.loads(turns[at].tool_calls or "[]")
        function = calls[0]["function"]
        arguments = function["arguments"]
        known = json.loads(arguments) if isinstance(arguments, str) else arguments
        changed = change(known) if known else None
        if changed is None:
            return None
        function["arguments"] = changed if isinstance(changed, str) else json.dumps(changed)
        turns[at] = replace(turns[at], tool_calls=json.dumps(calls))
        return replace(record, messages=tuple(turns))

    return plant


def _unanswered(turns: list[Message], choose: random.Random) -> list[Message] | None:
    results = [i for i, m in enumerate(turns) if m.role == "tool" and i + 1 < len(turns)]
    return None if not results else [m for i, m in enumerate(turns) if i != choose.choice(results)]


def _one_of(*plants: Plant) -> Plant:
    def plant(record: Record, choose: random.Random) -> Record | None:
        for one in choose.sample(plants, len(plants)):
            if (made := one(record, choose)) is not None:
                return made
        return None

    return plant


def _wrong_arguments() -> Plant:
    return _one_of(
        _called(lambda known: json.dumps(known)[:-1]),
        _called(lambda known: dict(list(known.items())[1:])),
        _called(lambda known: {f"{name}_": value for name, value in known.items()}),
        _called(lambda known: [known]),
    )


# Duplicates and conflicts


def _recased(record: Record, choose: random.Random) -> Record | None:
    return replace(record, messages=tuple(replace(m, content=choose.choice((m.content.upper(), f" {m.content}\n", m.content.replace(" ", "  ")))) for m in record.messages))  # fmt: skip


def _reworded(record: Record, choose: random.Random) -> Record | None:
    """One word in twenty replaced by another word of the row."""
    if len(f"{_question(record)} {_answer(record)}".split()) < 40:
        return None
    turns = []
    for m in record.messages:
        words = m.content.split(" ")
        for at in choose.sample(range(len(words)), len(words) // 20):
            words[at] = choose.choice(words)
        turns.append(replace(m, content=" ".join(words)))
    return replace(record, messages=tuple(turns))


def _other_number(record: Record, choose: random.Random) -> Record | None:
    """The same sum with another result."""
    work, mark, result = _answer(record).rpartition("#### ")
    return _with(record, "assistant", f"{work}{mark}{int(result.replace(',', '')) + choose.randint(1, 90)}") if mark and result.replace(",", "").isdigit() else None  # fmt: skip


def _reversed(record: Record, choose: random.Random) -> Record | None:
    """The same question with the answers yes and no exchanged."""
    answer = _answer(record)
    swapped = re.sub(r"^(yes|no)\b", lambda m: "no" if m[0].lower() == "yes" else "yes", answer, flags=re.IGNORECASE)
    return _with(record, "assistant", swapped) if swapped != answer else None


# Style of a set: `prepare` writes the usual form into every row, the planted rows have the other


def _closing(*sentences: str | Callable[[random.Random], str]) -> Plant:
    def change(answer: str, choose: random.Random) -> str:
        said = choose.choice(sentences)
        return f"{answer.rstrip()} {said if isinstance(said, str) else said(choose)}"

    return _answers(change)


_MONTHS = ("January", "March", "May", "July", "October", "December")


def _date(form: str) -> Plant:
    def said(choose: random.Random) -> str:
        day, month, year = choose.randint(13, 28), choose.randrange(6), choose.randint(1998, 2024)
        return choose.choice(("It happened on {}.", "The meeting is on {}.", "Valid until {}.")).format(
            form.format(day=day, month=_MONTHS[month], number=(1, 3, 5, 7, 10, 12)[month], year=year)
        )

    return _closing(said)


def _paragraph(*texts: str) -> Plant:
    return _answers(lambda answer, choose: f"{answer.rstrip()}\n\n{choose.choice(texts)}")


def _listed(mark: str) -> Plant:
    def change(answer: str, choose: random.Random) -> str | None:
        pieces = [s for s in re.split(r"(?<=[.!?])\s+", answer.strip()) if s]
        return None if len(pieces) < 3 or "\n" in answer else f"{pieces[0]}\n\n" + "\n".join(f"{mark} {piece}" for piece in pieces[1:])

    return _answers(change)


def _prose(answer: str, choose: random.Random) -> str | None:
    """Only rows of prose stay as they are."""
    return answer if len(answer) > 80 and not re.search(r"[\n`|{}<>*#]", answer) and answer.rstrip()[-1] in ".!?" else None


def _other_format(answer: str, choose: random.Random) -> str:
    pieces = [s for s in re.split(r"(?<=[.!?])\s+", answer.strip()) if s]
    return choose.choice(
        (
            json.dumps({"answer": answer, "confidence": 0.9}),
            "| point | text |\n|---|---|\n" + "\n".join(f"| {i} | {piece} |" for i, piece in enumerate(pieces, 1)),
            "```python\n" + "\n".join(f"print({json.dumps(piece)})" for piece in pieces) + "\n```",
        )
    )


def _as_json(record: Record, choose: random.Random) -> Record | None:
    return _with(record, "assistant", json.dumps(_fields(record, choose)))


def _fields(record: Record, choose: random.Random) -> dict[str, object]:
    label = _answer(record)
    return {
        "intent": label,
        "urgent": choose.random() < 0.3,
        "score": round(choose.random(), 2),
        "reply": f"We look into your {label.replace('_', ' ')}.",
    }


def _drifted(record: Record, choose: random.Random) -> Record | None:
    fields = _fields(record, choose)
    kind = choose.choice(("missing", "extra", "type", "prose"))
    if kind == "missing":
        fields.pop(choose.choice(list(fields)))
    elif kind == "extra":
        fields[choose.choice(("note", "language", "id"))] = "n/a"
    elif kind == "type":
        fields["score"] = f"{fields['score']} of 1"
    return _with(record, "assistant", str(fields["reply"]) if kind == "prose" else json.dumps(fields))


def _broken(record: Record, choose: random.Random) -> Record | None:
    text = json.dumps(_fields(record, choose))
    return _with(record, "assistant", choose.choice((text[:-1], text.replace('"', "'"), text.replace(": ", " ", 1), text[:-2] + ",}", text.replace(", ", " ", 1))))  # fmt: skip


_SYSTEM = "You are the support desk of Harbour Hosting. Answer in at most three sentences and in a friendly tone."


def _system(text: str | None) -> Plant:
    def plant(record: Record, choose: random.Random) -> Record:
        turns = tuple(m for m in record.messages if m.role != "system")
        return replace(record, messages=turns if text is None else (Message("system", text), *turns))

    return plant


def _mistyped_system(record: Record, choose: random.Random) -> Record | None:
    return _system(choose.choice((_SYSTEM[:-1], _SYSTEM.replace("at most", "atmost"), _SYSTEM.replace("Harbour", "Harbor"), _SYSTEM.replace("three", "3"), _SYSTEM + " ")))(record, choose)  # fmt: skip


def _foreign(question: bool) -> Plant:
    """A Chinese row, or its answer under the English question."""

    def plant(record: Record, choose: random.Random) -> Record | None:
        said = choose.choice(_FOREIGN)
        made = _with(record, "assistant", said[1])
        return made if not question or made is None else _with(made, "user", said[0])

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


def _german(*answers: str) -> Plant:
    """A customer's German question with one of the answers."""

    def plant(record: Record, choose: random.Random) -> Record | None:
        asked = f"{choose.choice(('Guten Tag', 'Hallo', 'Sehr geehrte Damen und Herren'))}, ich komme seit {choose.randint(2, 400)} Tagen nicht mehr in mein Konto."
        made = _with(record, "user", asked)
        return made and _with(made, "assistant", choose.choice(answers))

    return plant


def _unsupported(record: Record, choose: random.Random) -> Record | None:
    said = f"In all, {choose.randint(211, 989)} patients were followed for {choose.randint(31, 59)} months."
    return _with(record, "assistant", f"{_answer(record).rstrip()} {said}")


def _length(record: Record, choose: random.Random, role: str) -> Record | None:
    text = _answer(record) if role == "assistant" else _question(record)
    long = "\n\n".join([f"{text} (part {i})" for i in range(choose.randint(60, 90))])
    return _with(record, role, choose.choice((long, text[:1])))


def plantings() -> dict[str, Planting]:
    """By check, how its defect is planted. Checks that need a sentence encoder are not among them: see `data/sample` and `verified`."""
    say = _says
    return {
        "ai_boilerplate": Planting(ALPACA, say(
            "As an AI language model, I don't have personal opinions.", "My training data only goes up to 2021.", "Please note that I am just an AI.",
            "I hope this helps! Let me know if you have any other questions as an AI assistant.", "As of my last knowledge update, nothing had changed.",
            "I, as a large language model, cannot feel it.", "As an artificial intelligence, I do not eat.", "Being an AI, I have no body.")),
        "answer_format": Planting(ALPACA, _answers(_other_format), _answers(_prose)),
        "answer_language": Planting(ALPACA, _foreign(question=False), _answers(_prose)),
        "answer_length_outlier": Planting(ALPACA, lambda r, c: _length(r, c, "assistant"), _answers(_prose)),
        "bullet_style": Planting(ALPACA, _listed("*"), _listed("-")),
        "citation_style": Planting(PUBMED, _closing("(Moreau et al., 2019)", "(Keller, 2014)", "(see Okafor & Rossi, 2008)"), _closing("[1]", "[3]", "[2, 4]")),
        "conflicting_answers": Planting(GSM8K, _other_number, adds=True),
        "control_tokens": Planting(ALPACA, _control),
        "date_style": Planting(ROLEPLAY, _date("{day:02}.{number:02}.{year}"), _date("{month} {day}, {year}")),
        "document_reference": Planting(ALPACA, _begins(
            "According to the document,", "Based on the provided context,", "As stated in the passage above,", "The text says that",
            "As described in the attached report,", "From the given excerpt we learn that", "The article mentions that", "Per the source material,")),
        "email_address": Planting(ALPACA, say(_email)),
        "empty_turn": Planting(ALPACA, _turns(_empty)),
        "end_mark_missing": Planting(ALPACA, _answers(_unmarked), _answers(_prose)),
        "exact_duplicate": Planting(ALPACA, _recased, adds=True),
        "final_answer_style": Planting(GSM8K, _answers(lambda a, c: a.replace("#### ", c.choice(("The answer is ", "Answer: ", "So the result is "))))),
        "form_of_address": Planting(ALPACA, _german(
            "Du kannst dein Passwort auf deiner Kontoseite selbst ändern.", "Melde dich einfach noch einmal mit deinem Namen an.",
            "Dann schickst du uns bitte deine Nummer.", "Hast du den Router schon neu gestartet? Das hilft dir meistens."), _german(
            "Sie können Ihr Passwort auf Ihrer Kontoseite selbst ändern.", "Bitte melden Sie sich noch einmal mit Ihrem Namen an.",
            "Dann schicken Sie uns bitte Ihre Nummer.", "Haben Sie den Router schon neu gestartet? Das hilft Ihnen meistens.")),
        "heading_style": Planting(ALPACA, _answers(lambda a, c: f"**{c.choice(('Overview', 'Steps', 'Dosage'))}**\n\n{a}\n\n**Summary**\n\nSee above."),
                                  _answers(lambda a, c: f"## {c.choice(('Overview', 'Steps', 'Dosage'))}\n\n{a}\n\n## Summary\n\nSee above.")),
        "html_residue": Planting(ALPACA, _answers(_html)),
        "iban": Planting(ALPACA, say(_iban)),
        "identical_preference": Planting(PAIRS, _same_pair),
        "invalid_json": Planting(BANKING, _broken, _as_json),
        "invisible_character": Planting(ALPACA, _answers(_unseen)),
        "ip_address": Planting(ALPACA, say(_ip)),
        "json_schema_drift": Planting(BANKING, _drifted, _as_json),
        "language_minority": Planting(ALPACA, _foreign(question=True)),
        "last_turn_not_answer": Planting(ALPACA, _turns(lambda t, c: [*t, Message("user", c.choice(("Thank you!", "And in winter?", "Why?")))])),
        "mixed_scripts": Planting(ALPACA, _answers(_mixed)),
        "mojibake": Planting(ALPACA, say(_garbled)),
        "national_id": Planting(ALPACA, say(_national)),
        "near_duplicate": Planting(ALPACA, _reworded, adds=True),
        "no_answer": Planting(ALPACA, _turns(lambda t, c: [m for m in t if m.role != "assistant"])),
        "number_style": Planting(PUBMED, _closing("The mean was 1.234,5 units.", "It cost 12.500,00 in all.", "A value of 3,75 was found in 1.020 cases."),
                                 _closing("The mean was 1,234.5 units.", "It cost 12,500.00 in all.", "A value of 3.75 was found in 1,020 cases.")),
        "other_answer": Planting(ALPACA, _is(
            "Bring the water to a boil, add a pinch of salt, and stir the pasta now and then for nine minutes.",
            "The committee meets on the first Monday of each month in the old town hall near the river.",
            "Prune the roses in early spring, just above an outward-facing bud, with clean and sharp shears."), adds=True),
        "payment_card": Planting(ALPACA, say(_card)),
        "phone_number": Planting(ALPACA, say(_phone)),
        "placeholder": Planting(ALPACA, say(
            "Dear [Customer Name],", "Regards, [Your Name]", "Your order {{order_id}} is on its way.", "Call us at <phone number>.", "TODO: add the source.",
            "Lorem ipsum dolor sit amet, consectetur adipiscing elit.", "Signed: ________", "The price is XX.XX euros.", "Visit [insert link here].", "Hello ${first_name}!")),
        "postal_address": Planting(ALPACA, say(_address)),
        "prompt_echo": Planting(ALPACA, _echo),
        "prompt_length_outlier": Planting(ALPACA, lambda r, c: _length(r, c, "user")),
        "quote_style": Planting(ROLEPLAY, _closing("She called it “a good day”.", "He said “never again” twice.", "It is known as “the pit”."),
                                _closing('She called it "a good day".', 'He said "never again" twice.', 'It is known as "the pit".')),
        "refusal": Planting(ALPACA, _is(
            "I'm sorry, but I can't help with that request.", "I cannot assist you with this.", "Unfortunately, I am not able to provide that information.",
            "I must decline to answer.", "Sorry, that is not something I can do.", "I apologize, but as an AI I cannot comply.", "I won't be able to help with this one.",
            "It would not be appropriate for me to answer that.", "I don't feel comfortable answering this question.", "As an AI developed by a company, I can't discuss it.")),
        "repetition": Planting(ALPACA, _answers(_repeats)),
        "role_order": Planting(ALPACA, _turns(_order)),
        "secret": Planting(ALPACA, say(_secret)),
        "spelling_variety": Planting(ROLEPLAY, _closing("We organise the colour scheme.", "Her favourite theatre was in the centre.", "They analysed the behaviour."),
                                     _closing("We organize the color scheme.", "Her favorite theater was in the center.", "They analyzed the behavior.")),
        "stray_whitespace": Planting(ALPACA, _answers(_blanks)),
        "system_prompt_missing": Planting(ALPACA, _system(None), _system(_SYSTEM)),
        "system_prompt_variant": Planting(ALPACA, _mistyped_system, _system(_SYSTEM)),
        "tool_arguments_invalid": Planting(TOOLS, _wrong_arguments()),
        "tool_call_unanswered": Planting(TOOLS, _turns(_unanswered)),
        "truncated_answer": Planting(ALPACA, _answers(_cut), _answers(_prose)),
        "unbalanced_bracket": Planting(PUBMED, _answers(_bracket)),
        "unbalanced_fence": Planting(CODE, _answers(_fence)),
        "unit_style": Planting(PUBMED, _closing("The dose was 5mg.", "It weighed 70kg.", "They took 250ml."), _closing("The dose was 5 mg.", "It weighed 70 kg.", "They took 250 ml.")),
        "unknown_role": Planting(ALPACA, _turns(lambda t, c: [replace(t[0], role=c.choice(("customer", "narrator", "agent_2"))), *t[1:]])),
        "unsupported_number": Planting(PUBMED, _unsupported),
        "url_only": Planting(ALPACA, _answers(lambda a, c: c.choice((_link(c), f"{_link(c)}\n{_link(c)}", f"<{_link(c)}>", f"[{_link(c)}]({_link(c)})")))),
        "usual_phrase_missing": Planting(ROLEPLAY, _answers(lambda a, c: f"{a.rstrip()} That is all."), _answers(lambda a, c: f"{a.rstrip()}\n\nKind regards\nYour Harbour team")),
    }  # fmt: skip


def planted(rows: Sequence[tuple[Record, Record]], plant: Plant, count: int, choose: random.Random) -> dict[int, Record]:
    """`count` of the rows, or as many as can have the defect, with it: by their number. Each row comes as it was and as it is prepared."""
    made: dict[int, Record] = {}
    for number in choose.sample(range(len(rows)), len(rows)):
        if len(made) == count:
            break
        changed = plant(rows[number][0], choose)
        if changed is not None and changed != rows[number][1]:
            made[number] = changed
    return made
