// Editor: the turns of a row as text fields, and under each what the edit changes.

import { diffNodes } from "./compare.js";
import { roleName } from "./conversation.js";
import { button, h, keyCap } from "./element.js";
import { diffWords, isSame } from "./words.js";

const DIFF_DELAY = 150; // ms of rest before the differences are shown anew

/** Whether two lists of messages train the same tokens. */
export function sameMessages(a, b) {
  return a.length === b.length && a.every((message, i) => message.content === b[i].content && message.role === b[i].role);
}

/** Text fields for the turns. `original` is the row as imported, `start` the text to begin with. */
export class Editor {
  /** `onSave(messages)` and `onLeave(messages)` end it; `onLeave` gets what was typed so that nothing is lost. */
  constructor(original, start, { onSave, onLeave }) {
    this.original = original;
    this.fields = [];
    this.leave = () => onLeave(this.messages(start));
    const turns = start.map((message, i) => this.turn(message, original[i]));
    const restore = () => this.fields.forEach((field) => field.put(field.before));
    this.element = h(
      "form",
      {
        class: "editor",
        "aria-label": "Edit this row",
        onsubmit: (event) => {
          event.preventDefault();
          onSave(this.messages(start));
        },
        onkeydown: (event) => {
          event.stopPropagation();
          if (event.key === "Escape") {
            event.preventDefault();
            this.leave();
          } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            onSave(this.messages(start));
          }
        },
      },
      turns,
      h(
        "div",
        { class: "editor-end" },
        h("button", { type: "submit", class: "primary" }, "Save and keep", keyCap("Ctrl Enter")),
        button({ class: "plain", onclick: () => this.leave() }, "Leave", keyCap("Esc")),
        button({ class: "quiet", onclick: restore }, "Put the original back"),
      ),
    );
  }

  /** The messages as they stand in the fields; everything but the text is kept from the message. */
  messages(start) {
    // A text field turns \r\n into \n: what was not touched is given back as it was.
    return start.map((message, i) => {
      const { input, exact, shown } = this.fields[i];
      return { ...message, content: input.value === shown ? exact : input.value };
    });
  }

  focus() {
    const answer = this.fields.findLast((field) => field.role === "assistant") || this.fields[0];
    answer.input.focus({ preventScroll: true });
    answer.input.scrollIntoView({ block: "nearest" });
  }

  turn(message, original) {
    const before = original ? original.content : "";
    const input = h("textarea", { class: "text", rows: "1", spellcheck: "true", dir: "auto", "aria-label": roleName(message.role) });
    const changes = h("div", { class: "changes", "aria-live": "off" });
    let timer = 0;
    const fit = () => {
      input.style.height = "auto";
      input.style.height = `${input.scrollHeight + 2}px`;
    };
    const compare = () => {
      const pieces = diffWords(before, input.value === field.shown ? field.exact : input.value);
      changes.replaceChildren();
      if (!isSame(pieces)) changes.append(h("h4", {}, "What changes"), h("div", { class: "text", dir: "auto" }, diffNodes(pieces)));
    };
    const field = { input, before, role: message.role };
    const put = (text) => {
      input.value = text;
      Object.assign(field, { exact: text, shown: input.value });
      fit();
      compare();
    };
    field.put = put;
    input.addEventListener("input", () => {
      fit();
      clearTimeout(timer);
      timer = setTimeout(() => {
        compare();
        showBoth(input, changes);
      }, DIFF_DELAY);
    });
    this.fields.push(field);
    put(message.content);
    requestAnimationFrame(fit); // its height is known once it is on the page
    return h("section", { class: `turn ${message.role}` }, h("h3", { class: "role" }, roleName(message.role)), input, changes);
  }
}

// Brings the differences into view under the field, where there is room for both.
function showBoth(input, changes) {
  const pane = input.closest(".reading");
  if (pane && input.offsetHeight + changes.offsetHeight < pane.clientHeight - 120) changes.scrollIntoView({ block: "nearest" });
}
