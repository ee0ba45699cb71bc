// Panel: what to decide, why the row is here, and what was decided last.

import { button, h, keyCap } from "./element.js";
import { plainNumber, snippet } from "./text.js";

const SEVERITY = { error: "Serious", warning: "Worth a look", info: "For your information" };
const DONE = { keep: "Kept", drop: "Dropped", flag: "Flagged", skip: "Skipped", edit: "Edited" };

/** What a verdict is called once given. */
export function doneName(verdict) {
  return DONE[verdict] || verdict;
}

/** The verdict buttons; `standing` is the verdict the row has. */
export function verdictButtons(act) {
  const verdict = (action, title, key, spoken) =>
    button({ class: `verdict ${action}`, onclick: () => act(action), "aria-keyshortcuts": spoken || key, "data-action": action }, h("span", {}, title), keyCap(key));
  return h(
    "div",
    { class: "verdicts", role: "group", "aria-label": "Decide" },
    verdict("keep", "Keep", "k"),
    verdict("drop", "Drop", "d"),
    verdict("flag", "Flag", "f"),
    verdict("skip", "Skip", "s", "s Space"),
    verdict("edit", "Edit", "e"),
    verdict("undo", "Undo", "u", "u Backspace"),
  );
}

/** Shows which verdict the row has, and what cannot be pressed now. */
export function markStanding(buttons, standing, { isEditing, canUndo }) {
  for (const each of buttons.children) {
    each.disabled = isEditing || (each.dataset.action === "undo" && !canUndo);
    const isStanding = each.dataset.action === standing;
    each.classList.toggle("standing", isStanding);
    if (["keep", "drop", "flag", "edit"].includes(each.dataset.action)) each.setAttribute("aria-pressed", String(isStanding));
  }
}

/** Why the row is here: one entry per finding; its notes lead to the place in the text. */
export function findingList(card, onShow) {
  if (!card.findings.length) return h("p", { class: "nothing" }, "No check found anything in this row.");
  return h(
    "ul",
    { class: "findings" },
    card.findings.map((finding) =>
      h(
        "li",
        { class: `finding ${finding.severity}` },
        h("div", { class: "finding-title" }, finding.title),
        h("div", { class: "finding-value" }, h("span", { class: "severity" }, SEVERITY[finding.severity] || finding.severity), finding.value !== null && ` · ${measured(finding)}`),
        notes(finding, onShow),
        finding.description && description(finding.description, card.findings.length === 1),
      ),
    ),
  );
}

/** A value with its unit for people: "1 answer", "83 % of the words". */
export function measured({ value, unit }) {
  const noun = unit || "";
  if (/^share\b/u.test(noun)) return `${plainNumber(Math.round(value * 1000) / 10)} % ${noun.replace(/^share\s*/u, "")}`.trim();
  const singular = noun.replace(/(ss|x|ch|sh)es$/u, "$1").replace(/([^s])s$/u, "$1");
  return `${plainNumber(value)} ${value === 1 ? singular : noun}`.trim();
}

// What the check means: the whole of it when it is the only one, else after a press.
function description(text, isOnly) {
  return h("details", { class: "description", open: isOnly }, h("summary", { onmousedown: (event) => event.preventDefault() }, "What this means"), h("p", {}, text));
}

function notes(finding, onShow) {
  const told = (finding.evidence || []).filter((evidence) => evidence.note);
  const unique = told.filter((e, i) => told.findIndex((o) => o.note === e.note) === i);
  return (
    unique.length > 0 &&
    h(
      "ul",
      { class: "notes" },
      unique.map((evidence) =>
        h("li", {}, Number.isInteger(evidence.start) || evidence.record ? button({ class: "quiet", onclick: () => onShow(finding, evidence) }, evidence.note) : evidence.note),
      ),
    )
  );
}

/** The field for the reason of the next decision, with numbered common ones, and the note for colleagues. */
export class Reasons {
  /** `onDone` returns to the card; `onChoose` hears of every change. */
  constructor({ onDone }) {
    this.input = h("input", { type: "text", class: "reason", maxlength: "2000", "aria-label": "Reason for the decision", placeholder: "Why? (optional)", autocomplete: "off" });
    this.chips = h("div", { class: "chips", role: "group", "aria-label": "Common reasons" });
    this.note = h("textarea", { class: "note", rows: "2", maxlength: "10000", "aria-label": "Note about this row", placeholder: "For colleagues; saved with your decision" });
    this.choices = [];
    this.input.addEventListener("input", () => this.mark());
    this.input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      const digit = /^[1-9]$/u.test(event.key) && !this.input.value && !event.ctrlKey && !event.metaKey && !event.altKey;
      if (digit) this.choose(Number(event.key) - 1);
      if (digit || ((event.key === "Enter" || event.key === "Escape") && !event.isComposing)) {
        event.preventDefault();
        onDone();
      }
    });
    this.note.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey))) {
        event.preventDefault();
        onDone();
      }
    });
    this.element = h(
      "div",
      { class: "reasons" },
      h("h4", {}, "Reason", keyCap("r")),
      this.chips,
      this.input,
      h("h4", {}, "Note"),
      this.note,
    );
  }

  /** The common reasons offered, at most nine. */
  offer(choices) {
    this.choices = choices.slice(0, 9);
    this.chips.replaceChildren(
      ...this.choices.map((choice, i) =>
        button({ class: "chip", onclick: () => this.choose(i), "aria-keyshortcuts": String(i + 1), "aria-pressed": "false" }, keyCap(String(i + 1)), choice),
      ),
    );
    this.mark();
  }

  /** Takes a common reason, or puts it away when it is the one already taken. */
  choose(i) {
    if (i >= this.choices.length) return;
    this.input.value = this.input.value === this.choices[i] ? "" : this.choices[i];
    this.mark();
  }

  mark() {
    [...this.chips.children].forEach((chip, i) => chip.setAttribute("aria-pressed", String(this.choices[i] === this.input.value)));
  }

  /** The reason and the note, and empties both for the next row. */
  take() {
    const taken = { reason: this.input.value.trim(), note: this.note.value.trim() };
    this.input.value = "";
    this.note.value = "";
    this.mark();
    return taken;
  }
}

/** Where the row came from and what its source said besides. */
export function origin(card) {
  const sources = card.sources.map((s) => `${s.file}, row ${s.row}`);
  const columns = Object.entries(card.meta || {}).filter(([, value]) => value !== null && value !== "");
  return h(
    "dl",
    { class: "origin" },
    sources.length > 0 && [h("dt", {}, sources.length > 1 ? `Source (${sources.length} equal rows)` : "Source"), h("dd", {}, sources.slice(0, 3).join("; "), sources.length > 3 && ` and ${sources.length - 3} more`)],
    card.cluster && [h("dt", {}, "Topic"), h("dd", {}, card.cluster.name)],
    columns.length > 0 && [
      h("dt", {}, columns.length === 1 ? "Other column" : "Other columns"),
      h("dd", {}, h("details", {}, h("summary", {}, columns.map(([name]) => name).slice(0, 3).join(", "), columns.length > 3 && ` and ${columns.length - 3} more`),
        h("dl", {}, columns.map(([name, value]) => [h("dt", {}, name), h("dd", {}, typeof value === "string" ? value : JSON.stringify(value))])))),
    ],
  );
}

/** The last ten decisions, newest first, each a button that reopens its row. */
export function recentList(entries, titleOf, onOpen) {
  if (!entries.length) return h("p", { class: "nothing" }, "Nothing decided yet.");
  return h(
    "ol",
    { class: "recent" },
    entries.map(({ event, isUndone }) =>
      h(
        "li",
        {},
        button(
          { class: isUndone ? "quiet undone" : "quiet", onclick: () => onOpen(event.record), title: event.reason || null },
          h("span", { class: `did ${event.verdict}` }, isUndone ? "Undone" : doneName(event.verdict)),
          h("span", { class: "what" }, snippet(titleOf(event) || "Row", 60)),
        ),
      ),
    ),
  );
}
