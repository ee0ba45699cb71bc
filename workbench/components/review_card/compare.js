// Compare: this row beside another one that is nearly the same or says something else, word by word.

import { answerText, promptText } from "./conversation.js";
import { button, h } from "./element.js";
import { plainNumber } from "./text.js";
import { diffWords, isSame } from "./words.js";

/** The other records a card's findings point at: [{id, other, titles, note}], in the order of the findings. */
export function rivals(card) {
  const found = new Map();
  for (const finding of card.findings)
    for (const evidence of finding.evidence || []) {
      const other = evidence.record && card.others ? card.others[evidence.record] : null;
      if (!other) continue;
      const rival = found.get(evidence.record) || { id: evidence.record, other, titles: [], notes: [] };
      if (!rival.titles.includes(finding.title)) rival.titles.push(finding.title);
      if (evidence.note && !rival.notes.includes(evidence.note)) rival.notes.push(evidence.note);
      found.set(evidence.record, rival);
    }
  return [...found.values()];
}

/** The two rows side by side. `at` says which rival; `onPick(i)` and `onOpen(id)` are called by the buttons. */
export function compareView(messages, found, at, { onPick, onOpen }) {
  const rival = found[at];
  const question = diffWords(promptText(messages), rival.other.prompt || "");
  const answer = diffWords(answerText(messages), rival.other.answer || "");
  return h(
    "div",
    { class: "compare" },
    h(
      "p",
      { class: "compare-why" },
      h("strong", {}, rival.titles.join(", ")),
      rival.notes.length > 0 && ` ${rival.notes.join("; ")}`,
    ),
    h(
      "div",
      { class: "sides", role: "group", "aria-label": "This row and the other row" },
      h("h3", { class: "role this" }, "This row"),
      h(
        "h3",
        { class: "role" },
        found.length > 1 ? `Other row ${plainNumber(at + 1)} of ${plainNumber(found.length)}` : "The other row",
        found.length > 1 && button({ class: "quiet", onclick: () => onPick((at + 1) % found.length) }, "Next one"),
        button({ class: "quiet", onclick: () => onOpen(rival.id) }, "Open it"),
      ),
      part("Question", question),
      part("Answer", answer),
    ),
    !(isSame(question) && isSame(answer)) &&
      h(
        "p",
        { class: "legend" },
        h("span", { class: "diff gone" }, "only in this row"),
        h("span", { class: "diff new" }, "only in the other row"),
      ),
  );
}

const SHOWN_SAME = 160; // characters of a long unchanged stretch shown next to a difference, or at each end of one that is all the same

// A long stretch that is the same in both is folded, so that what differs stays in view.
function folded(pieces) {
  return pieces.flatMap((piece, i) => {
    if (piece.op !== "same" || piece.text.length <= 3 * SHOWN_SAME) return diffNodes([piece]);
    const isAll = pieces.length === 1;
    const head = i === 0 && !isAll ? 0 : wordEnd(piece.text, SHOWN_SAME);
    const tail = i === pieces.length - 1 && !isAll ? piece.text.length : wordEnd(piece.text, piece.text.length - SHOWN_SAME);
    const hidden = piece.text.slice(head, tail);
    const more = button({ class: "quiet more" }, `${plainNumber(hidden.length)} characters the same`);
    more.addEventListener("click", () => more.replaceWith(hidden));
    return [piece.text.slice(0, head), head ? " … " : "", more, tail < piece.text.length ? " … " : "", piece.text.slice(tail)];
  });
}

function wordEnd(text, at) {
  const blank = text.indexOf(" ", at);
  return blank < 0 || blank > at + 40 ? at : blank;
}

function part(title, pieces) {
  if (isSame(pieces))
    return h(
      "div",
      { class: "same-part" },
      h("h4", {}, title, h("span", { class: "badge" }, "the same in both")),
      h("div", { class: "text", dir: "auto" }, folded(pieces)),
    );
  return [
    h("div", {}, h("h4", { "data-side": "This row" }, title), h("div", { class: "text", dir: "auto" }, folded(pieces.filter((p) => p.op !== "new")))),
    h("div", {}, h("h4", { "data-side": "Other row" }, title), h("div", { class: "text", dir: "auto" }, folded(pieces.filter((p) => p.op !== "gone")))),
  ];
}

/** Pieces of a diff as text; differences are told by colour, by underline or strike, and to screen readers by element. */
export function diffNodes(pieces) {
  return pieces.map((piece) => {
    if (piece.op === "same") return piece.text;
    return h(piece.op === "gone" ? "del" : "ins", { class: `diff ${piece.op}` }, piece.text);
  });
}
