// Keys: what each key does, and when it is meant for the card at all.

export const KEYS = [
  { keys: ["k"], action: "keep", says: "Keep the row" },
  { keys: ["d"], action: "drop", says: "Drop the row" },
  { keys: ["f"], action: "flag", says: "Flag it for somebody else to decide" },
  { keys: ["s", " "], action: "skip", says: "Skip: decide later", shown: ["s", "Space"] },
  { keys: ["e"], action: "edit", says: "Edit the text; Ctrl Enter saves, Esc leaves" },
  { keys: ["u", "Backspace"], action: "undo", says: "Undo the last decision", shown: ["u", "Backspace"] },
  { keys: ["ArrowRight", "n"], action: "next", says: "Next row, nothing decided", shown: ["→", "n"] },
  { keys: ["ArrowLeft", "p"], action: "previous", says: "Previous row", shown: ["←", "p"] },
  { keys: ["r"], action: "reason", says: "Write a reason" },
  { keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"], action: "chip", says: "Choose a common reason", shown: ["1 – 9"] },
  { keys: ["c"], action: "compare", says: "Compare with the other row, where there is one" },
  { keys: ["?"], action: "help", says: "Show or hide this help" },
];
const MOVES = new Set(["next", "previous"]); // what may repeat while a key is held down
const SCROLLS = { ArrowDown: 64, ArrowUp: -64, PageDown: 480, PageUp: -480 };
const FIELDS = "input,textarea,select,[contenteditable=''],[contenteditable='true']";
const MENUS = "[data-testid='stPopoverBody'],[role='menu'],[role='listbox']";
const CONTROLS = "button,a[href],summary,[role='button'],[role='tab'],[role='radio'],[role='option'],[role='menuitem'],[role='slider'],[role='switch'],[role='checkbox']";

/** What a key press asks the card to do: {action, key}, {scroll: pixels}, or null when it is meant for something else. */
export function keyIntent(event, root) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return null;
  const target = event.composedPath()[0];
  const element = target instanceof Element ? target : document.body;
  if (element.matches(FIELDS) || element.isContentEditable) return null;
  if (isCovered(root) || element.closest(MENUS)) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const isOurs = root.contains(element);
  const control = element.closest(CONTROLS);
  if (control && (key === " " || key === "Enter")) return null; // the control's own press
  if (control && !isOurs && key.length > 1) return null; // arrows inside a menu or a row of tabs
  const binding = KEYS.find((b) => b.keys.includes(key));
  if (binding) return event.repeat && !MOVES.has(binding.action) ? { action: "none", key } : { action: binding.action, key };
  if (key in SCROLLS && !isOurs) return { scroll: SCROLLS[key] };
  return null;
}

/** Whether a dialog of the app lies over the card. */
function isCovered(root) {
  const host = root.getRootNode().host;
  return [...document.querySelectorAll("[role='dialog'],[role='alertdialog']")].some((dialog) => !host || !dialog.contains(host));
}
