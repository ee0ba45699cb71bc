"""Marked renderings: every turn opens with a header that names its role, and most close with a token (ChatML, Llama 3, Gemma, Phi …)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.records import Message
from pipelines.sources.formats.rendering.dialect import Dialect, Rendered, broken, excerpt, spoken

_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "model": "assistant",
    "chatbot": "assistant",
    "tool": "tool",
    "ipython": "tool",
    "observation": "tool",
    "tool_response": "tool",
    "function": "tool",
    "environment": "tool",
}
_LLAMA_DATES = re.compile(r"\A(?:Environment: ipython\n)?Cutting Knowledge Date: [^\n]*\nToday Date: [^\n]*\n\n")
"""What Llama's template writes before every system prompt, and would write again."""
_BETWEEN = re.compile(r"(?:\s|</s>|<\|endoftext\|>|<\|end_of_text\|>|<eos>|<s>)*")
"""What may stand between turns."""


@dataclass(frozen=True, slots=True)
class Markers:
    """How the turns of one dialect open and close."""

    name: str
    header: str
    """Regular expression of a header with the group `role`; all of it, up to where the content begins."""
    ends: tuple[str, ...]
    must_close: bool = True
    """Whether every turn is closed. Else the turns of a role are all closed or none is."""
    begins: str = ""
    """Regular expression of how a text begins; the header when empty."""
    needs: str = ""
    """A text that the whole must hold to be believed."""
    start: str = ""
    """A start token behind which the system prompt stands without a header."""
    roles: Mapping[str, str] = field(default_factory=lambda: _ROLES)

    def dialect(self) -> Dialect:
        """The dialect of these markers."""
        begins, header = re.compile(self.begins or self.header), re.compile(self.header)
        either = re.compile(f"(?P<end>{'|'.join(map(re.escape, self.ends))})|{self.header}")

        def recognises(text: str) -> bool:
            return begins.match(text.lstrip()) is not None and self.needs in text

        def read(text: str, may_end_open: bool) -> Rendered:
            return Rendered(_Reading(self, header, either, text).messages(may_end_open))

        return Dialect(self.name, recognises, read)


class _Reading:
    """One text while its turns are told apart."""

    def __init__(self, markers: Markers, header: re.Pattern[str], either: re.Pattern[str], text: str) -> None:
        self.markers, self.header, self.either, self.text = markers, header, either, text
        self.turns: list[tuple[str, str, bool]] = []
        """Role as found, content, and whether it is closed."""

    def messages(self, may_end_open: bool) -> tuple[Message, ...]:
        """The turns as messages. Raises Unfit."""
        system = self._cut()
        self._check(may_end_open)
        if self.turns and not self.turns[-1][2] and not self.turns[-1][1].strip():
            self.turns.pop()  # where the next turn would begin
        if not self.turns:
            raise broken(self.markers.name, "there is no turn with a text.")
        found = [Message("system", system)] if system else []
        for name, content, is_closed in self.turns:
            role = self._role(name)
            if role == "system":
                content = _LLAMA_DATES.sub("", content)
                if not content.strip():
                    continue
            if not is_closed and not self.markers.must_close:
                content = content.removesuffix("\n")
            found.append(spoken(role, content))
        return tuple(found)

    def _role(self, name: str) -> str:
        return self.markers.roles.get(name.lower(), name)

    def _cut(self) -> str:
        """Fills `turns`; returns the text before the first."""
        text, at, before = self.text, 0, ""
        if self.markers.start and (first := self.header.search(text)):
            before, at = text[: first.start()].lstrip().removeprefix(self.markers.start), first.start()
        while (at := _BETWEEN.match(text, at).end()) < len(text):  # type: ignore[union-attr] # it matches nothing at all
            opened = self.header.match(text, at)
            if opened is None:
                behind = f"behind turn {len(self.turns)}" if self.turns else "before the first turn"
                raise broken(self.markers.name, f'{behind} stands a text outside any turn: "{excerpt(text[at:])}".')
            marker = self.either.search(text, opened.end())
            is_closed = marker is not None and marker["end"] is not None
            stop = marker.start() if marker else len(text)
            self.turns.append((opened["role"], text[opened.end() : stop], is_closed))
            at = marker.end() if marker and is_closed else stop
        return before

    def _check(self, may_end_open: bool) -> None:
        closing = {name for name, _, is_closed in self.turns if is_closed}
        for number, (name, content, is_closed) in enumerate(self.turns, 1):
            is_last = number == len(self.turns)
            if is_closed or not (self.markers.must_close or name in closing or (is_last and closing)):
                continue
            if is_last and (may_end_open or not content.strip()):
                continue
            ends = " or ".join(self.markers.ends[:1])
            if is_last:
                raise broken(self.markers.name, f"its last turn ({name}) is not closed by {ends}. It may be cut off.")
            raise broken(self.markers.name, f"turn {number} ({name}) is opened and not closed: {ends} is missing before the next turn.")


MARKED: tuple[Dialect, ...] = tuple(
    markers.dialect()
    for markers in (
        Markers("ChatML", r"<\|im_start\|>(?P<role>[\w.-]+)(?:\n|<\|im_sep\|>|(?=<\|im_end\|>))", ("<|im_end|>",)),
        Markers("Llama 3's template", r"<\|start_header_id\|>(?P<role>[\w.-]+)<\|end_header_id\|>\n{0,2}", ("<|eot_id|>", "<|eom_id|>")),
        Markers("Llama 4's template", r"<\|header_start\|>(?P<role>[\w.-]+)<\|header_end\|>\n{0,2}", ("<|eot|>", "<|eom|>")),
        Markers("Gemma's template", r"<start_of_turn>(?P<role>\w+)\n", ("<end_of_turn>",)),
        Markers("Gemma 4's template", r"<\|turn>(?P<role>\w+)\n", ("<turn|>",)),
        Markers(
            "Command R's template",
            r"<\|START_OF_TURN_TOKEN\|><\|(?P<role>SYSTEM|USER|CHATBOT)_TOKEN\|>",
            ("<|END_OF_TURN_TOKEN|>",),
        ),
        Markers(
            "DeepSeek's template",
            r"<｜(?P<role>User|Assistant)｜>",
            ("<｜end▁of▁sentence｜>",),
            must_close=False,
            begins=r"(?:<｜begin▁of▁sentence｜>(?s:.*?))?<｜User｜>",
            start="<｜begin▁of▁sentence｜>",
        ),
        Markers(
            "Phi's or Zephyr's template",
            r"<\|(?P<role>system|user|assistant|prompter|observation|tool|function|model|environment)\|>\n?",
            ("<|end|>", "</s>", "<|endoftext|>"),
            must_close=False,
            begins=r"<\|(?:system|user|prompter)\|>",
            needs="<|assistant|>",
        ),
    )
)
