"""Email address: a way to reach a person that should not be learned."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipelines.checks import Batch, Evidence, Measurements, check, fix
from pipelines.checks._beyond_content import everywhere
from pipelines.checks._stand_ins import with_stand_ins
from pipelines.checks._turns import Findings, turns_with
from pipelines.records import Message

_AT = r"[\pL\pN_%+'-]@[\pL\pN]|(?i)[\[({] ?at ?[\])}]"
_ADDRESS = re.compile(r"(?<![\w.%+@/:-])(?P<local>\w[\w.%+'-]{0,63})@(?P<domain>(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24})(?![\w@-])")
_SPELLED = re.compile(
    r"(?<![\w.])(?P<local>\w[\w.+-]{0,63}) ?[\[({] ?at ?[\])}] ?"
    r"(?P<domain>[\w-]{1,63}(?: ?[\[({] ?dot ?[\])}] ?[\w-]{1,63}|\.[\w-]{1,63}){1,4})",
    re.IGNORECASE,
)
_RESERVED = re.compile(r"(?:^example\.(?:com|net|org|edu)|(?:^|\.)(?:example|test|invalid|localhost|local|internal))$", re.IGNORECASE)
"""Domains that can belong to nobody (RFC 2606, RFC 6761). A name before example.org may be a real one that somebody half disguised."""
_STAND_IN_DOMAIN = re.compile(
    r"^(?:(?:your|my|some|our|the)?-?(?:company|domain|domainname|email|mail|website|site|org|organi[sz]ation|business|provider|host|school|sample"
    r"|example-?\w*|test|server))\.\w{2,3}$",
    re.IGNORECASE,
)
_STAND_IN_LOCAL = re.compile(
    r"^(?:you|your|your?[._-]?(?:e?mail|name|address)|user|user[._-]?name|example|example[._-]?e?mail|e?mail|name|first[._-]?name|someone"
    r"|somebody|recipient|sender|test|git|no-?reply|do-?not-?reply|(?:john|jane)[._-]?doe|abc|xyz|foo|bar)$",
    re.IGNORECASE,
)
_FILE = re.compile(r"\.(?:png|jpe?g|gif|svg|webp|pdf|css|js|ts|py|json|html?|md|txt|zip|service|mount|target|socket)$", re.IGNORECASE)


@check(title="Email addresses", unit="addresses", group="privacy", flag_above=0, version=3)
@everywhere
def email_address(batch: Batch) -> Measurements:
    """Number of email addresses, also those written "name [at] firm [dot] com".

    A tuned model can repeat them to strangers. Replace them, or drop the row. Not counted, because they reach nobody: reserved domains
    (example.com, *.example, *.test), stand-ins such as you@yourdomain.com or john.doe@…, and no-reply senders.
    """
    found = Findings(len(batch))
    for turn in turns_with(batch, _AT, having="@[({"):
        for pattern in (_ADDRESS, _SPELLED):
            for match in pattern.finditer(turn.content):
                if _reaches_somebody(match["local"], match["domain"]):
                    found.add(turn.record, Evidence(turn.turn, *match.span(), note="email address"))
    return found.measurements()


def _reaches_somebody(local: str, domain: str) -> bool:
    return not (_RESERVED.search(domain) or _STAND_IN_DOMAIN.match(domain) or _STAND_IN_LOCAL.match(local) or _FILE.search(domain))


@fix(email_address, title="Replace the email addresses")
def _redacted(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Puts person1@example.org, person2@example.org and so on in their place, addresses that can belong to nobody.

    The same one gets the same
    stand-in all through a conversation, tool calls included.
    """
    return with_stand_ins(turns, evidence, lambda _, number: f"person{number}@example.org")
