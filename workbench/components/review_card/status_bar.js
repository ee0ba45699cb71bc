// Status bar: how far the queue is, how fast it goes, and whether everything is saved.

import { button, h, keyCap, put } from "./element.js";
import { plainDuration } from "./text.js";

const CALM = 3000; // ms a decision may wait for the server before the bar mentions it

export class StatusBar {
  constructor({ onHelp, onDismiss }) {
    this.count = h("span", { class: "count" });
    this.fill = h("div", { class: "fill" });
    this.track = h("div", { class: "track", role: "progressbar", "aria-valuemin": "0", "aria-label": "Decided" }, this.fill);
    this.pace = h("span", { class: "pace" });
    this.saved = h("span", { class: "saved", role: "status" });
    this.problem = h("div", { class: "problem", role: "alert", hidden: true });
    this.onDismiss = onDismiss;
    this.position = "";
    this.element = h(
      "header",
      { class: "bar" },
      h("div", { class: "bar-line" }, this.count, this.track, this.pace, this.saved, button({ class: "quiet help-button", onclick: onHelp, "aria-label": "Keys" }, "Keys", keyCap("?"))),
      this.problem,
    );
  }

  /** `left` is null for a queue of decided rows: then the place in it is shown. */
  paint({ outbox, total, left, at, today, pace, refused, trouble, now }) {
    const done = left === null ? Math.min(at + 1, total || 0) : total - left;
    this.position = !total ? "" : left === null ? `Row ${number(done)} of ${number(total)}` : `${number(done)} of ${number(total)} decided`;
    setText(this.count, this.position);
    this.track.hidden = !total;
    if (total) {
      this.fill.style.width = `${(100 * done) / total}%`;
      this.track.setAttribute("aria-valuenow", String(done));
      this.track.setAttribute("aria-valuemax", String(total));
    }
    const parts = [today !== null && `${number(today)} today`, pace !== null && `${pace < 10 ? pace.toFixed(1) : Math.round(pace)} s a row`];
    if (pace !== null && total) parts.push(total > done && `about ${plainDuration((total - done) * pace)} left`);
    setText(this.pace, parts.filter(Boolean).join(" · "));
    this.paintSaved(outbox, total !== null, now);
    this.paintProblem(outbox, refused, trouble);
  }

  paintSaved(outbox, isKnown, now) {
    const waiting = outbox.events.length;
    const isSlow = waiting > 0 && now - outbox.waitingSince > CALM;
    setText(this.saved, isSlow ? `Saving… ${waiting.toLocaleString("en")} not yet saved` : isKnown ? "Saved" : "");
    this.saved.classList.toggle("slow", isSlow);
    this.saved.classList.toggle("busy", waiting > 0);
  }

  paintProblem(outbox, refused, trouble) {
    const lines = refused.map(({ why }) => why);
    if (trouble) lines.push(`${trouble} It is tried again every few seconds; nothing you decided is lost.`);
    if (!outbox.isStored) lines.push("This browser has no room to remember unsaved decisions. Keep this tab open until it says Saved.");
    const text = lines.join("\n");
    if (text === this.problem.dataset.text) return;
    this.problem.dataset.text = text;
    this.problem.hidden = !lines.length;
    const title = refused.length === 1 ? "One decision could not be saved." : refused.length ? `${refused.length} decisions could not be saved.` : "";
    put(
      this.problem,
      h("div", {}, title && h("strong", {}, title), [...new Set(lines)].map((line) => h("p", {}, line))),
      refused.length > 0 && button({ class: "quiet", onclick: this.onDismiss }, "Dismiss"),
    );
  }
}

function number(n) {
  return n.toLocaleString("en");
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
