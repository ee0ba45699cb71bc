"""Secret: a key, token or password that opens something."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from pipelines.checks import Batch, Evidence, Measurements, check, fix
from pipelines.checks._beyond_content import everywhere
from pipelines.checks._secret_formats import SIGNS, known_secrets
from pipelines.checks._stand_ins import with_stand_ins
from pipelines.checks._turns import Findings, matches_at, records_with, turns_with
from pipelines.records import Message

_IS = r"(?:=>|:=|[:=：]|is\b|ist\b|est\b|es\b|是|为)"
_KEY_WORD = (
    r"(?:api[_ -]?key|(?:secret|private|access|account|service)[_ -]?(?:access[_ -]?)?key|(?:access|auth|refresh|bot|session)[_ -]?token"
    r"|client[_-]?secret|app[_-]?secret|\bsecret|\btoken|\bbearer|\bbasic)(?:[_ -]?(?:id|key))?"
)
_PASSWORD_WORD = r"(?:pass(?:word|wd|wort|phrase)?|pwd|mot de passe|contraseña|wachtwoord|密码|口令)"
_QUOTE = r"[\"'`]?"
_KEY = re.compile(
    rf"{_KEY_WORD}{_QUOTE}\s{{0,3}}(?:{_IS}|\s)\s{{0,3}}{_QUOTE}(?P<value>[A-Za-z0-9][A-Za-z0-9/+_.~-]{{14,199}}=*)", re.IGNORECASE
)
_KEY_START = re.compile(r"[abcprstABCPRST\u017f](?=(?i:pi|p|ecret|rivate|ccess|ccount|ervice|uth|efresh|ot|ession|lient|oken|earer|asic))")
"""Every word of _KEY_WORD begins like this; U+017F is a small s to a search that ignores case."""
_PASSWORD = re.compile(rf"{_PASSWORD_WORD}{_QUOTE}\s{{0,3}}{_IS}\s{{0,3}}{_QUOTE}(?P<value>[^\s\"'`<>{{}}()]{{8,64}})", re.IGNORECASE)
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://(?P<user>[^\s/:@\"'<>]{1,80}):(?P<value>[^\s/@\"'<>]{3,80})@[^\s/\"'<>]{3,}")
_TRIGGER = (
    rf"{SIGNS}|://[^\s/:@]{{1,80}}:[^\s/@]{{3,80}}@"
    rf"|(?i)(?:{_KEY_WORD}|{_PASSWORD_WORD}){_QUOTE}\s{{0,3}}(?:{_IS}|\s)\s{{0,3}}{_QUOTE}[^\s\"'`]{{8}}"
)
_STAND_IN = re.compile(
    r"example|your|placeholder|change|dummy|sample|secret|passw|pass$|p@ss|test|xxx|\*\*|\.\.\.|[<>{}$%]|1234|abcdef|qwerty|admin|foobar"
    r"|redacted|insert",
    re.IGNORECASE,
)
_ASKED_FOR = (
    r"(?i)(?:generate|create|make|suggest|random|strong|new).{0,40}(?:password|passphrase|token|api key)"
    r"|(?:生成|创建|随机|强).{0,20}密码|(?:erzeug|erstell|generier|zufällig).{0,40}passwort"
)


@check(title="Keys, tokens and passwords", unit="secrets", group="privacy", severity="error", flag_above=0, version=2)
@everywhere
def secret(batch: Batch) -> Measurements:
    """Number of keys, tokens, passwords in web addresses, and values after words like "password:" that look random.

    Whoever uses the tuned model may get them out of it. Replace them, have their owner revoke them, or drop the row. Knows the forms of
    AWS, GitHub, GitLab, Slack, Stripe, Google, OpenAI and others, private keys and sign-in tokens (by the library detect-secrets, and
    some more). Stand-ins such as YOUR_API_KEY and passwords that the user asked to make up are not counted.
    """
    turns = list(turns_with(batch, _TRIGGER))
    asked_for = records_with(batch, "prompt", _ASKED_FOR, (turn.record for turn in turns))
    found = Findings(len(batch))
    for turn in turns:
        hits = {*known_secrets(turn.content), *_in_addresses(turn.content), *_after_key_words(turn.content)}
        if turn.record not in asked_for:
            hits.update(_after_password_words(turn.content))
        reached = 0
        for start, end, note in sorted(hits):
            if start >= reached:
                found.add(turn.record, Evidence(turn.turn, start, end, note=note))
                reached = end
    return found.measurements()


def _in_addresses(content: str) -> Iterator[tuple[int, int, str]]:
    for match in _ADDRESS.finditer(content):
        value = match["value"]
        is_port = value.isdigit() and len(value) < 6
        if value != match["user"] and not is_port and not _STAND_IN.search(value):
            yield (*match.span("value"), "password in an address")


def _after_key_words(content: str) -> Iterator[tuple[int, int, str]]:
    for match in matches_at(_KEY_START, _KEY, content):
        value = match["value"].rstrip(".-_~")
        if _looks_random(value):
            yield match.start("value"), match.start("value") + len(value), "looks like a key"


def _after_password_words(content: str) -> Iterator[tuple[int, int, str]]:
    for match in _PASSWORD.finditer(content):
        value = match["value"].rstrip(".,;:?)")
        if _looks_chosen(value):
            yield match.start("value"), match.start("value") + len(value), "looks like a password"


def _looks_random(value: str) -> bool:
    """Letters and digits without words in them."""
    if len(value) < 16 or value.isalpha() or value.isdigit() or _STAND_IN.search(value):
        return False
    return _entropy(value) > 3.2 and not re.search(r"[-_./][A-Za-z]{3,}[-_./]", value)


def _looks_chosen(value: str) -> bool:
    """A password as people and programs choose them: three kinds of characters, no stand-in."""
    kinds = sum(bool(re.search(kind, value)) for kind in (r"[a-z]", r"[A-Z]", r"\d", r"[^\w\s]"))
    if len(value) < 8 or kinds < 3 or not value.isascii() or _STAND_IN.search(value):
        return False
    return _entropy(value) > 2.5 and "://" not in value


def _entropy(value: str) -> float:
    """Bits per character."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())


@fix(secret, title="Replace the secrets")
def _redacted(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Puts REDACTED_SECRET_1, REDACTED_SECRET_2 and so on in their place. Have their owner revoke them all the same: they were in a file.

    The same one gets the same
    stand-in all through a conversation, tool calls included.
    """
    return with_stand_ins(turns, evidence, lambda _, number: f"REDACTED_SECRET_{number}")
