// Screens: what stands in the place of a row when there is none, and the help.

import { button, h, keyCap } from "./element.js";
import { KEYS } from "./keys.js";

function screen(title, ...children) {
  return h("div", { class: "screen" }, h("h2", {}, title), children);
}

function nextQueues(queues, onQueue) {
  if (!queues.length) return null;
  return h(
    "div",
    { class: "next-queues" },
    queues.map((queue, i) =>
      button({ class: i ? "plain" : "primary", onclick: () => onQueue(queue.query) }, `${i ? "" : "Next: "}${queue.title}`, h("span", { class: "count" }, rows(queue.rows))),
    ),
  );
}

/** "1 row", "1,204 rows". */
export function rows(n) {
  return n === 1 ? "1 row" : `${n.toLocaleString("en")} rows`;
}

/** The end of a queue. `tally` is {total, left, keep, drop, flag, edit, skip}; left counts undecided rows, null for a queue of decided ones. `queues` is null until the server has looked. */
export function finishedScreen(tally, queues, { onQueue, onAgain, onBack }) {
  const did = [
    [tally.keep, "kept"],
    [tally.edit, "edited and kept"],
    [tally.drop, "dropped"],
    [tally.flag, "flagged"],
    [tally.skip, "skipped"],
  ].filter(([n]) => n > 0);
  const title = tally.left ? `${rows(tally.left)} still undecided` : tally.left === null ? "That was the last row" : tally.total === 1 ? "The one row is decided" : `All ${rows(tally.total)} decided`;
  return screen(
    title,
    did.length > 0 && h("p", {}, `In this sitting: ${did.map(([n, word]) => `${n.toLocaleString("en")} ${word}`).join(", ")}.`),
    tally.left > 0 && h("p", {}, `You have seen every row of this queue; you skipped ${tally.left === 1 ? "this one" : "these"}.`),
    tally.left > 0 && h("div", { class: "next-queues" }, button({ class: "primary", onclick: onAgain }, `Show ${tally.left === 1 ? "it" : "them"} again`)),
    !tally.left && queues && nextQueues(queues, onQueue),
    !tally.left && queues && !queues.length && h("p", {}, "No other check has undecided rows."),
    h("p", { class: "hint" }, button({ class: "quiet", onclick: onBack }, "Back to the last row", keyCap("←"))),
  );
}

/** A queue that never held a row. */
export function emptyScreen(queues, { onQueue }) {
  return screen(
    "No rows here",
    h("p", {}, "No row fits the choice above. Widen it, or go on with one of these."),
    queues && nextQueues(queues, onQueue),
  );
}

/** Rows are on their way. */
export function waitingScreen() {
  return h("div", { class: "screen waiting", role: "status" }, h("p", {}, "Fetching rows…"));
}

/** The keys, over the card. */
export function helpOverlay(onClose) {
  return h(
    "div",
    { class: "help", role: "dialog", "aria-modal": "true", "aria-label": "Keys", onclick: (event) => event.target === event.currentTarget && onClose() },
    h(
      "div",
      { class: "help-sheet" },
      h("h2", {}, "Keys"),
      h(
        "dl",
        {},
        KEYS.map(({ keys, shown, says }) => [
          h("dt", {}, (shown || keys).map((key) => keyCap(key))),
          h("dd", {}, says),
        ]),
      ),
      h("p", { class: "hint" }, "Everything also works by touch or mouse. A decision is saved as you make it; undo never deletes it, it adds to the record."),
      button({ class: "primary", onclick: onClose }, "Close", keyCap("Esc")),
    ),
  );
}
