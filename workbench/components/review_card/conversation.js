// Conversation: the turns of a row as text to be read, with what was found marked in place.

import { button, h } from "./element.js";
import { checkJson, jsonLines, meansJson } from "./json_text.js";
import { searchMarks, segments, turnMarks } from "./text.js";

const ROLES = { system: "System", user: "Question", assistant: "Answer", tool: "Tool result" };
const LONG_SYSTEM = 150; // characters of a system prompt shown before it is folded
const LONG_TURN = 8000; // characters of any other turn
const LONG_MARK = 240; // a mark over more characters is drawn lighter, so that the text under it stays readable

/** What a role is called on the screen. */
export function roleName(role) {
  return ROLES[role] || `Role “${role}”`;
}

/** All the turns a row trains, as imported: of a preference pair the prompt, then the preferred answer. */
export function turnsOf(card) {
  return card.kind === "preference" ? [...card.messages, ...card.chosen] : card.messages;
}

/** The turns of a row: for a preference pair the prompt and both answers. `look` holds {search, isRaw, onRaw, onMark}. */
export function conversation(card, turns, look) {
  const isPair = card.kind === "preference";
  const first = isPair ? promptLength(card, turns) : turns.length;
  const shown = (message, i) => turn(message, turnMarks(message.content, i, card.findings), look);
  return [
    ...turns.slice(0, first).map(shown),
    isPair &&
      h(
        "div",
        { class: "pair" },
        h("div", { class: "side" }, h("h4", {}, "Preferred answer"), turns.slice(first).map((message, i) => shown(message, first + i))),
        h("div", { class: "side" }, h("h4", {}, "Rejected answer"), card.rejected.map((message) => turn(message, [], look))),
      ),
    card.kind === "unpaired" && typeof card.label === "boolean" && h("p", { class: "label" }, card.label ? "Marked as wanted" : "Marked as unwanted"),
    card.tools && offeredTools(card.tools),
  ];
}

// Where the prompt of a preference pair ends: of an edited one, before the answers at its end (as pipelines.curation.selection does).
function promptLength(card, turns) {
  if (turns.length === card.messages.length + card.chosen.length) return card.messages.length;
  return turns.findLastIndex((message) => message.role !== "assistant") + 1;
}

function turn(message, found, look) {
  const marks = [...found, ...searchMarks(message.content, look.search)];
  const isJson = meansJson(message.content);
  const verdict = isJson ? checkJson(message.content) : null;
  const laidOut = isJson && verdict.valid && !look.isRaw;
  const body = laidOut ? jsonBody(message.content, marks, look) : textBody(message, marks, verdict, look);
  return h(
    "section",
    { class: `turn ${message.role in ROLES ? message.role : "other"}` },
    h(
      "h3",
      { class: "role" },
      roleName(message.role),
      message.name && h("span", { class: "who" }, message.name),
      message.weight === 0 && h("span", { class: "badge" }, "Read, not learned"),
      verdict && jsonBadge(verdict),
      verdict && verdict.valid && button({ class: "quiet", onclick: look.onRaw, "aria-pressed": String(look.isRaw) }, look.isRaw ? "Lay out" : "As written"),
    ),
    message.reasoning_content && h("details", { class: "tools" }, h("summary", {}, "Thinks first"), h("div", { class: "text", dir: "auto" }, message.reasoning_content)),
    message.content ? body : !message.tool_calls && h("p", { class: "nothing" }, "(no text)"),
    message.tool_calls && toolCalls(message.tool_calls),
  );
}

function jsonBadge(verdict) {
  return h("span", { class: `badge ${verdict.valid ? "valid" : "invalid"}` }, verdict.valid ? "Valid JSON" : `Not valid JSON: ${verdict.message}`);
}

function textBody(message, marks, verdict, look) {
  const text = message.content;
  const isBroken = verdict && !verdict.valid && verdict.at !== null && !marks.some((mark) => mark.severity === "error");
  const shown = isBroken ? [...marks, brokenMark(text, verdict)] : marks;
  const limit = message.role === "system" ? LONG_SYSTEM : LONG_TURN;
  const cut = foldAt(text, limit, shown);
  const body = h("div", { class: verdict ? "text code" : "text", dir: "auto" }, markedText(text, 0, cut, shown, look));
  if (cut < text.length) {
    const more = button({ class: "quiet more" }, `Show the other ${(text.length - cut).toLocaleString("en")} characters`);
    more.addEventListener("click", () => more.replaceWith(...markedText(text, cut, text.length, shown, look)));
    body.append("… ", more);
  }
  return body;
}

function brokenMark(text, verdict) {
  const start = Math.min(verdict.at, Math.max(0, text.length - 1));
  const end = Math.min(text.length, start + (text.codePointAt(start) > 0xffff ? 2 : 1));
  return { start, end, severity: "error", title: "Not valid JSON", note: verdict.message };
}

// Where a long turn is folded: after a word, and never before the first thing that was found in it.
function foldAt(text, limit, marks) {
  if (text.length <= limit * 1.3) return text.length;
  const firstMark = marks.length ? Math.min(...marks.map((m) => m.end)) : 0;
  const at = text.indexOf(" ", Math.max(limit, firstMark));
  return at < 0 || at - Math.max(limit, firstMark) > 200 ? Math.min(text.length, wholeSign(text, Math.max(limit, firstMark))) : at;
}

function wholeSign(text, at) {
  return text.charCodeAt(at) >= 0xdc00 && text.charCodeAt(at) <= 0xdfff ? at + 1 : at;
}

/** The text from `from` to `to` as text nodes and marks. */
export function markedText(text, from, to, marks, look) {
  if (!marks.length) return [text.slice(from, to)];
  return segments(from, to, marks).map(({ start, end, marks: over }) => {
    const piece = text.slice(start, end);
    if (!over.length) return piece;
    const isFirst = over.some((mark) => mark.start === start);
    return h(
      "mark",
      {
        class: over[0].end - over[0].start > LONG_MARK ? `${over[0].severity} long` : over[0].severity,
        tabindex: isFirst && over[0].severity !== "search" ? "0" : null,
        "aria-label": isFirst && over[0].severity !== "search" ? `${piece}: ${over.map(markReason).join("; ")}` : null,
        onmouseenter: (event) => look.onMark(event.currentTarget, over),
        onmouseleave: () => look.onMark(null),
        onfocus: (event) => look.onMark(event.currentTarget, over),
        onblur: () => look.onMark(null),
      },
      piece,
    );
  });
}

/** Why something is marked, in one line. */
export function markReason(mark) {
  return mark.note ? `${mark.title}: ${mark.note}` : mark.title;
}

function jsonBody(text, marks, look) {
  return h(
    "div",
    { class: "text code json" },
    jsonLines(text).map((line) =>
      h(
        "div",
        { class: "line", style: `--depth:${line.indent}` },
        line.pieces.map((piece, i) =>
          h(
            "span",
            { class: piece.kind },
            markedText(text, piece.start, piece.end, marks.filter((m) => m.start < piece.end && m.end > piece.start), look),
            text.slice(piece.start, piece.end) === ":" && i < line.pieces.length - 1 && " ",
          ),
        ),
      ),
    ),
  );
}

function plainJson(text) {
  const quiet = { search: "", isRaw: false, onMark: () => {} };
  return checkJson(text).valid ? jsonBody(text, [], quiet) : h("div", { class: "text code" }, text);
}

function toolCalls(text) {
  const verdict = checkJson(text);
  const calls = verdict.valid ? [JSON.parse(text)].flat() : [];
  const names = calls.map((call) => (call && call.function ? call.function.name : call && call.name)).filter((name) => typeof name === "string");
  return h(
    "details",
    { class: "tools", open: true },
    h("summary", {}, names.length ? `Calls ${names.join(", ")}` : "Calls a tool"),
    names.length === calls.length && calls.length
      ? calls.map((call) => plainJson(callArguments(call)))
      : plainJson(text),
  );
}

function callArguments(call) {
  const given = (call.function || call).arguments;
  return typeof given === "string" ? given : JSON.stringify(given === undefined ? {} : given);
}

function offeredTools(text) {
  const verdict = checkJson(text);
  const tools = verdict.valid ? [JSON.parse(text)].flat() : [];
  return h(
    "details",
    { class: "tools" },
    h("summary", {}, tools.length === 1 ? "1 tool on offer" : `${tools.length || "Some"} tools on offer`),
    plainJson(text),
  );
}

/** The turns before the last answer, without the system prompt, as one text. The same as Record.prompt. */
export function promptText(messages) {
  const last = messages.findLastIndex((m) => m.role === "assistant");
  return messages
    .slice(0, last < 0 ? messages.length : last)
    .filter((m) => m.role !== "system")
    .map((m) => m.content)
    .join("\n\n");
}

/** The last answer, or an empty text. The same as Record.answer. */
export function answerText(messages) {
  const last = messages.findLast((m) => m.role === "assistant");
  return last ? last.content : "";
}
