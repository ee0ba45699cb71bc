// Tooltip: why a place in the text is marked, beside the place, on hover and on focus.

import { markReason } from "./conversation.js";
import { h } from "./element.js";

export class Tooltip {
  constructor() {
    this.element = h("div", { class: "tooltip", role: "tooltip", hidden: true });
  }

  /** Shows the reasons of marks beside an element; null hides. */
  show(anchor, marks) {
    if (!anchor) return void this.hide();
    this.element.replaceChildren(...marks.map((mark) => h("div", { class: mark.severity }, markReason(mark))));
    this.element.hidden = false;
    const place = anchor.getClientRects()[0] || anchor.getBoundingClientRect();
    const size = this.element.getBoundingClientRect();
    const top = place.top - size.height - 6 > 8 ? place.top - size.height - 6 : place.bottom + 6;
    this.element.style.left = `${Math.max(8, Math.min(place.left, window.innerWidth - size.width - 8))}px`;
    this.element.style.top = `${top}px`;
  }

  hide() {
    this.element.hidden = true;
  }
}
