// Surroundings: what the card has to know of the page and the browser around it.

/** The browser's storage, or null where its settings forbid it. */
export function storageOf(page) {
  try {
    return page.localStorage;
  } catch {
    return null;
  }
}

const WAKE_AFTER = 3; // unanswered messages before the whole page is asked to run again
const WAKE_EVERY = 8000; // ms until the next such request, doubled each time: it interrupts a server that is only slow

/**
 * Says when to ask for a run of the whole page. Streamlit runs it by itself when the connection comes back, but only if a part of
 * the page ran last; if the whole page did, a server started anew ignores what this part says, for it does not know the part.
 */
export class Waker {
  constructor() {
    Object.assign(this, { last: 0, every: WAKE_EVERY });
  }

  /** Whether it is time, after so many messages without an answer. */
  isDue(tries, now) {
    if (tries === 0) this.every = WAKE_EVERY;
    if (tries < WAKE_AFTER || now - this.last <= this.every || !isConnected()) return false;
    this.last = now;
    this.every *= 2;
    return true;
  }
}

/** Whether the app says it is connected to its server; true when it does not say. */
function isConnected() {
  const app = document.querySelector("[data-testid='stApp']");
  const state = app && app.dataset.testConnectionState;
  return !state || state === "CONNECTED";
}

/** Whether the app's theme is a dark one, told by the background behind an element. */
export function isDark(element) {
  const color = getComputedStyle(element).getPropertyValue("--st-background-color").trim();
  const numbers = color.startsWith("#") ? hexChannels(color.slice(1)) : (color.match(/[\d.]+/gu) || []).slice(0, 3).map(Number);
  if (numbers.length < 3) return matchMedia("(prefers-color-scheme: dark)").matches;
  return 0.2126 * numbers[0] + 0.7152 * numbers[1] + 0.0722 * numbers[2] < 128;
}

function hexChannels(hex) {
  const full = hex.length < 6 ? [...hex].map((c) => c + c).join("") : hex;
  return [0, 2, 4].map((i) => Number.parseInt(full.slice(i, i + 2), 16));
}

/** Pixels from an element's top to the foot of the window when the page is not scrolled. */
export function roomBelow(element) {
  const scroller = document.querySelector("[data-testid='stMain']");
  const top = element.getBoundingClientRect().top + (scroller ? scroller.scrollTop : window.scrollY);
  return Math.round(window.innerHeight - top);
}

/** Whether one of the app's choice fields holds the focus: it would swallow the card's keys. */
export function isFocusOnChoice() {
  return Boolean(document.activeElement && document.activeElement.closest("[data-testid='stSelectbox']"));
}

/** Time spent looking: runs while the tab is in front. */
export class Stopwatch {
  constructor() {
    this.restart();
  }

  restart() {
    this.seconds = 0;
    this.since = document.hidden ? null : performance.now();
  }

  /** The tab came to the front or went behind. */
  turned() {
    if (document.hidden && this.since !== null) {
      this.seconds += (performance.now() - this.since) / 1000;
      this.since = null;
    } else if (!document.hidden && this.since === null) this.since = performance.now();
  }

  read() {
    const running = this.since === null ? 0 : (performance.now() - this.since) / 1000;
    return Math.round((this.seconds + running) * 10) / 10;
  }
}
