"""IP address: a public internet address, which can point to a person's connection."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from pipelines.checks import Batch, Evidence, Measurements, check, fix
from pipelines.checks._beyond_content import everywhere
from pipelines.checks._stand_ins import with_stand_ins
from pipelines.checks._turns import Findings, turns_with
from pipelines.records import Message

_SIGN = r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}|[0-9A-Fa-f]{1,4}:[0-9A-Fa-f:]*:[0-9A-Fa-f]"
_FOUR = re.compile(r"(?<![\w.:-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_SIX = re.compile(r"(?<![\w.:-])(?=[0-9A-Fa-f:]*[0-9A-Fa-f]{3})[0-9A-Fa-f]{1,4}:[0-9A-Fa-f:]{4,37}(?![\w.:-]\w)")
_VERSION = re.compile(
    r"(?:version|ver\.?|v|release|build|section|chapter|kapitel|abschnitt|版本|§|firmware|driver|assembly|\bEC)\W{0,3}$", re.IGNORECASE
)
_EVERYBODYS = frozenset(
    (
        *("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "208.67.222.222", "208.67.220.220"),
        *("1.2.3.4", "4.4.4.4", "12.34.56.78", "123.45.67.89", "123.123.123.123"),
    )
)
"""Public name servers and stand-ins."""


@check(title="Internet addresses (IP)", unit="addresses", group="privacy", severity="info", flag_above=0, version=2)
@everywhere
def ip_address(batch: Batch) -> Measurements:
    """Number of public IP addresses, which can point to somebody's connection.

    An address can point to somebody's connection, and a tuned model can repeat it. Decide whether it matters here; replace it if so.
    Not counted: private networks, addresses reserved for documentation (such as 203.0.113.5), public name servers such as 8.8.8.8,
    and version numbers.
    """
    found = Findings(len(batch))
    for turn in turns_with(batch, _SIGN):
        for pattern in (_FOUR, _SIX):
            for match in pattern.finditer(turn.content):
                if _is_public(match.group()) and not _VERSION.search(turn.content, max(match.start() - 14, 0), match.start()):
                    found.add(turn.record, Evidence(turn.turn, *match.span(), note="public internet address"))
    return found.measurements()


def _is_public(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address.is_global and not address.is_multicast and text not in _EVERYBODYS


@fix(ip_address, title="Replace the internet addresses")
def _redacted(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Puts addresses that are kept for documentation in their place: 203.0.113.1 and so on (RFC 5737), 2001:db8::1 (RFC 3849).

    The same one gets the same
    stand-in all through a conversation, tool calls included.
    """
    return with_stand_ins(turns, evidence, lambda detail, number: f"2001:db8::{number:x}" if ":" in detail else f"203.0.113.{number % 256}")
