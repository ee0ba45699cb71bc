// Outbox: decisions the server has not confirmed. Kept in the browser's storage until it has; sent again until it does.

const RESEND_FIRST = 2000; // ms without an answer before the first repetition, growing to RESEND_MOST
const RESEND_MOST = 5000;
const BATCH = 200; // events in one message
const ORPHAN_AFTER = 15000; // ms after which another tab's unconfirmed decisions are taken over
const PREFIX = "winnow:unsaved:";

/** An id nobody else has. crypto.randomUUID is missing on plain http, getRandomValues never is. */
export function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

/**
 * One tab's unconfirmed decisions for one project. Stop and wait: one message is under way at a time and carries all that is
 * unconfirmed, so a slow server is never flooded; what comes in meanwhile goes with the next message.
 */
export class Outbox {
  /** `transmit(message)` hands a message to the server and may fail silently; `storage` is localStorage or null; `now` is a clock in ms. */
  constructor({ project, storage, now, transmit, tab = freshId() }) {
    Object.assign(this, { project, storage, now, transmit, tab });
    this.events = [];
    this.extra = {}; // what else the next message carries: the request for cards
    this.go = null; // the queue that was chosen on the card, told until the server shows it
    this.number = 0; // of the last event
    this.turn = 0; // of the last message
    this.inFlight = null; // {turn, at, tries}
    this.isStored = true; // false when the browser's storage refused
    this.wantsSend = false;
  }

  get key() {
    return `${PREFIX}${this.project}:${this.tab}`;
  }

  /** When the oldest unconfirmed decision was made (ms), or null. */
  get waitingSince() {
    return this.events.length ? this.events[0].at : null;
  }

  /** Adds a decision and sends it as soon as the server is free. Returns the event with its id. */
  add(event) {
    this.number += 1;
    const full = { client_id: freshId(), n: this.number, at: this.now(), ...event };
    this.events.push(full);
    this.store();
    this.send();
    return full;
  }

  /** What the next message asks for besides; replaces what was asked before. */
  ask(extra) {
    this.extra = extra;
    this.wantsSend = true;
    this.send();
  }

  /** Asks for another queue, now and with every message until it is there. */
  goTo(query) {
    this.go = { query, n: this.now() };
    this.wantsSend = true;
    if (this.inFlight) this.repeat();
    else this.send();
  }

  /** Sends now unless a message is under way that may still be answered. */
  send() {
    if (this.inFlight || !(this.events.length || this.wantsSend)) return;
    this.wantsSend = false;
    this.turn += 1;
    this.inFlight = { turn: this.turn, at: this.now(), tries: 0 };
    this.transmit(this.message());
  }

  message() {
    return { tab: this.tab, turn: this.turn, project: this.project, events: this.events.slice(0, BATCH), go: this.go, ...this.extra };
  }

  /** Time has passed: repeats what was not answered, and keeps the stored copy from looking abandoned. Returns how often this message was sent in vain. */
  tick() {
    if (this.events.length) this.store();
    if (!this.inFlight) {
      this.send();
      return 0;
    }
    const wait = Math.min(RESEND_FIRST * 1.5 ** this.inFlight.tries, RESEND_MOST);
    if (this.now() - this.inFlight.at >= wait) this.repeat();
    return this.inFlight.tries;
  }

  /** Sends the unanswered message again, with what came in since: at once when the connection is back. */
  repeat() {
    if (!this.inFlight) return;
    this.turn += 1;
    this.inFlight = { turn: this.turn, at: this.now(), tries: this.inFlight.tries + 1 };
    this.transmit(this.message());
  }

  /** An answer: {answered, acked: {client_id: seq}, refused: {client_id: why}}. Returns the events it settled: [{event, seq, why}]. */
  settle(answer) {
    const settled = [];
    this.events = this.events.filter((event) => {
      const seq = answer.acked[event.client_id];
      const why = answer.refused[event.client_id];
      if (seq === undefined && why === undefined) return true;
      settled.push({ event, seq: seq === undefined ? null : seq, why: why === undefined ? null : why });
      return false;
    });
    if (settled.length) this.store();
    if (this.inFlight && answer.tab === this.tab && answer.answered >= this.inFlight.turn && !answer.trouble) {
      this.inFlight = null;
      this.send();
    }
    return settled;
  }

  /** Takes over what tabs that are gone have left, oldest first. Sending twice does no harm: the server writes each id once. */
  adopt() {
    if (!this.storage) return [];
    const adopted = [];
    for (const key of Object.keys(this.storage)) {
      if (!key.startsWith(`${PREFIX}${this.project}:`) || key === this.key) continue;
      const left = parsed(this.storage.getItem(key));
      if (left && this.now() - left.beat < ORPHAN_AFTER) continue;
      this.storage.removeItem(key);
      if (left) adopted.push(...left.events);
    }
    if (!adopted.length) return [];
    const mine = new Set(this.events.map((e) => e.client_id));
    const fresh = adopted.filter((e) => !mine.has(e.client_id)).sort((a, b) => a.at - b.at || a.n - b.n);
    this.events = [...fresh, ...this.events];
    this.store();
    this.send();
    return fresh;
  }

  /** The page goes away: whoever opens it next may take over at once. */
  release() {
    this.store(0);
  }

  store(beat = this.now()) {
    if (!this.storage) return;
    try {
      if (this.events.length) this.storage.setItem(this.key, JSON.stringify({ beat, events: this.events }));
      else this.storage.removeItem(this.key);
      this.isStored = true;
    } catch {
      this.isStored = false; // full or forbidden: the events stay in memory and the card says so
    }
  }
}

function parsed(text) {
  try {
    const left = JSON.parse(text);
    return left && Array.isArray(left.events) && Number.isFinite(left.beat) ? left : null;
  } catch {
    return null;
  }
}
