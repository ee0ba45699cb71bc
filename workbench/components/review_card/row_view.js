// Row view: the left side of the card: the row to read, to compare with another, or to edit.

import { compareView, rivals } from "./compare.js";
import { conversation, turnsOf } from "./conversation.js";
import { button, h, keyCap, put } from "./element.js";
import { doneName } from "./panel.js";

export class RowView {
  /** `onOpen(id)` opens another row, `onEdit()` goes on with an unfinished edit, `onMark(element, marks)` tells why a place is marked. */
  constructor({ onOpen, onEdit, onMark }) {
    Object.assign(this, { onOpen, onEdit, onMark, isRaw: false });
    this.head = h("div", { class: "row-head" });
    this.body = h("div", { class: "row-body" });
    this.element = h("div", { class: "reading", tabindex: "0", role: "region", "aria-label": "The row" }, h("div", { class: "column" }, this.head, this.body));
    this.reset();
  }

  /** Another row comes: from the top, read unless its queue is about another row beside it. */
  reset() {
    this.isAsked = null; // whether the reader asked to compare; null while the row decides
    this.picked = 0;
    this.element.scrollTop = 0;
    this.isFresh = true;
  }

  // A row opens where there is something to judge: at what its queue found, else at the answer, when that lies below the edge.
  openAt(check) {
    const marks = [...this.body.querySelectorAll("mark:not(.search)")];
    const found = this.row.card.findings.find((finding) => finding.check === check);
    const place = marks.find((mark) => found && (mark.getAttribute("aria-label") || "").includes(found.title)) || this.body.querySelector(".turn.assistant:last-of-type .role");
    if (!place) return;
    const view = this.element.getBoundingClientRect();
    const below = place.getBoundingClientRect().bottom - view.top - 0.75 * view.height;
    if (below > 0) this.element.scrollTop += below + 0.15 * view.height;
  }

  focus() {
    this.element.focus({ preventScroll: true });
  }

  /** `row` holds {card, turns, isEdited, isMended, verdict, hasDraft, check, search, editor}. */
  paint(row) {
    this.row = row;
    this.paintHead(row);
    const isComparing = this.isComparing(row);
    this.element.classList.toggle("broad", !row.editor && (row.card.kind === "preference" || isComparing));
    if (row.editor) put(this.body, row.editor.element);
    else if (isComparing) put(this.body, this.comparison(row));
    else put(this.body, this.reading(row));
    if (this.isFresh && !row.editor && !isComparing) this.openAt(row.check);
    this.isFresh = false;
  }

  /** What changes while the same row stays in view. */
  paintHead({ card, verdict, isEdited, isMended, hasDraft, editor, ...row }) {
    const isComparing = this.isComparing({ card, ...row });
    const view = (title, isOn) => button({ class: "tab", "aria-pressed": String(isComparing === isOn), onclick: () => isComparing !== isOn && this.compare() }, title);
    put(
      this.head,
      h("span", { class: "where" }, placeOf(card)),
      card.cluster && h("span", { class: "topic" }, card.cluster.name),
      verdict && h("span", { class: `badge state ${verdict}` }, doneName(verdict)),
      isEdited && verdict !== "edit" && h("span", { class: "badge state edit" }, isMended ? `Mended: ${card.mended}` : doneName("edit")),
      hasDraft && !editor && button({ class: "quiet", onclick: this.onEdit }, "Unfinished edit: go on"),
      rivals(card).length > 0 && !editor && h("span", { class: "tabs", role: "group", "aria-label": "View" }, view("Read", false), view("Compare", true), keyCap("c")),
    );
  }

  /** A screen in the place of a row. */
  paintScreen(screen) {
    this.row = null;
    this.element.classList.remove("broad");
    put(this.head);
    put(this.body, screen);
  }

  isComparing({ card, check }) {
    if (!rivals(card).length) return false;
    return this.isAsked ?? card.findings.some((finding) => finding.check === check && (finding.evidence || []).some((e) => e.record));
  }

  /** Changes between reading and comparing, where there is something to compare. */
  compare() {
    if (!this.row || this.row.editor || !rivals(this.row.card).length) return;
    this.isAsked = !this.isComparing(this.row);
    this.paint(this.row);
  }

  comparison({ card, turns }) {
    const onPick = (i) => {
      this.picked = i;
      this.paint(this.row);
    };
    return compareView(turns, rivals(card), this.picked, { onPick, onOpen: this.onOpen });
  }

  reading({ card, turns, isEdited, isMended, search }) {
    const onRaw = () => {
      this.isRaw = !this.isRaw;
      this.paint(this.row);
    };
    // The places of findings are counted in the text as imported: they would point nowhere in an edited one.
    const seen = isEdited && !isMended ? { ...card, findings: [] } : card;
    return conversation(seen, turns, { search, isRaw: this.isRaw, onRaw, onMark: this.onMark });
  }

  /** Leads to what a finding points at: the other row, or the place in the text. */
  showEvidence(finding, evidence) {
    const { card } = this.row;
    if (evidence.record) {
      const at = rivals(card).findIndex((rival) => rival.id === evidence.record);
      if (at < 0) return;
      Object.assign(this, { picked: at, isAsked: true });
      this.paint(this.row);
      return;
    }
    if (this.isComparing(this.row)) this.compare();
    const label = evidence.note ? `${finding.title}: ${evidence.note}` : finding.title;
    const mark = [...this.body.querySelectorAll("mark")].find((m) => (m.getAttribute("aria-label") || "").includes(label));
    if (!mark) return;
    mark.scrollIntoView({ block: "center" });
    mark.focus({ preventScroll: true });
  }
}

const OWN_NUMBER = /(?:^|[\s_-])(?:id|no|nr|num|number|nummer|case|ticket|key|ref|reference)\.?(?:$|[\s_-])/iu;
const LONGEST_NUMBER = 40;

/** Where a row came from, by the number its own source gave it where it did. */
export function placeOf(card) {
  const place = card.sources.length ? `${card.sources[0].file}, row ${card.sources[0].row}` : card.id.slice(0, 8);
  const own = Object.entries(card.meta || {}).find(([name, value]) => OWN_NUMBER.test(name) && isShort(value));
  return own ? `${own[0]} ${own[1]} · ${place}` : place;
}

function isShort(value) {
  return (typeof value === "string" && value.trim() !== "" && value.length <= LONGEST_NUMBER) || typeof value === "number";
}

/** The turns of a row as they stand: edited, or as imported. */
export function standingTurns(card, edit) {
  return edit || turnsOf(card);
}
