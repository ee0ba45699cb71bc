"""Unknown role: a turn by somebody a chat template does not know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipelines.checks import Batch, Check, Evidence, Measurements, check, fix
from pipelines.checks._turns import Findings
from pipelines.records import ROLES, Message


@check(title="Turns with an unknown role", unit="turns", group="structure", severity="error", flag_above=0, version=2)
def unknown_role(batch: Batch) -> Measurements:
    """Number of turns whose role is not one of system, user, assistant and tool.

    A chat template does not know such a turn: training stops or leaves it out. Say what the role is, or drop the row.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    turns = batch.turns.select(["record", "turn", "role"])
    odd = turns.filter(pc.invert(pc.is_in(turns.column("role"), value_set=pa.array(ROLES))))
    found = Findings(len(batch))
    for record, turn, role in zip(*(column.to_pylist() for column in odd.columns), strict=True):
        found.add(record, Evidence(turn, detail=role, note=f'the role "{role}" is not one of {", ".join(ROLES)}'))
    return found.measurements()


USUAL_ROLE = {
    **dict.fromkeys(("bot", "chatbot", "ai", "model", "gpt", "chatgpt", "claude", "llm", "asistente"), "assistant"),
    **dict.fromkeys(("human", "customer", "client", "prompter", "visitor", "caller", "kunde", "cliente"), "user"),
    **dict.fromkeys(("function", "observation", "tool_response", "ipython"), "tool"),
    **dict.fromkeys(("developer", "instruction"), "system"),
}


@fix(unknown_role, title="Name the roles")
def _with_usual_roles(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Writes "assistant" for bot, model and the like, "user" for human, customer and the like. Any other role is what you say it is.

    A row is mended once all its roles are named.
    """
    return _with_roles(turns, USUAL_ROLE)


def naming_roles(check: Check, roles: Mapping[str, str]) -> Check:
    """The check with a fix that knows these roles alone: `roles` gives one of ROLES for a role in small letters."""
    return replace(check, fix=check.fix and replace(check.fix, mend=lambda turns, _: _with_roles(turns, roles)))


def _with_roles(turns: Sequence[Message], roles: Mapping[str, str]) -> list[Message] | None:
    mended = [turn if turn.role in ROLES else replace(turn, role=roles.get(turn.role.strip().lower(), turn.role)) for turn in turns]
    return mended if mended != list(turns) else None
