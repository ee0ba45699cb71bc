// Side panel: the right side of the card, put together from its parts.

import { h, put } from "./element.js";
import { findingList, markStanding, origin, Reasons, recentList, verdictButtons } from "./panel.js";

export class SidePanel {
  /** `onAct(action)` decides, `onDone()` returns from a field to the row, `onShow(finding, evidence)` leads to a place, `onOpen(id)` opens a row. */
  constructor({ onAct, onDone, onShow, onOpen }) {
    Object.assign(this, { onShow, onOpen });
    this.verdicts = verdictButtons(onAct);
    this.reasons = new Reasons({ onDone });
    this.findings = h("div", {});
    this.origin = h("div", {});
    this.recent = h("div", {});
    this.scroll = h(
      "div",
      { class: "panel-scroll" },
      h("section", { class: "why" }, h("h4", {}, "Why this row is here"), this.findings),
      this.reasons.element,
      h("section", {}, this.origin),
      h("section", {}, h("h4", {}, "Last decisions"), this.recent),
    );
    this.element = h("aside", { class: "panel", "aria-label": "Decision" }, this.verdicts, this.scroll);
  }

  /** What belongs to a row; null when there is none. `common` are the reasons offered for every row. */
  paint(card, common) {
    this.scroll.scrollTop = 0;
    put(this.findings, card && findingList(card, this.onShow));
    put(this.origin, card && origin(card));
    if (card) this.reasons.offer([...new Set([...card.findings.map((finding) => finding.title).slice(0, 3), ...common])]);
  }

  /** What changes while the same row stays in view. */
  refresh({ verdict, isEditing, history, titleOf }) {
    markStanding(this.verdicts, verdict, { isEditing, canUndo: history.canUndo });
    put(this.recent, recentList(history.recent(10), titleOf, this.onOpen));
  }
}
