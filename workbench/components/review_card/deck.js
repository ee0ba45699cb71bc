// Deck: the cards this tab holds, where it stands among them, and what it decided. Pure: no page, no clock, no storage.

const STANDING = new Set(["keep", "drop", "flag", "edit"]);

/** The cards of one queue in their order. */
export class Deck {
  constructor(queue) {
    this.queue = queue;
    this.order = [];
    this.cards = new Map();
    this.at = 0;
    this.cursor = null; // the id after which the server goes on
    this.isEnd = false; // the server has no row after it
  }

  get current() {
    return this.cards.get(this.order[this.at]) || null;
  }

  /** How many cards lie ahead of the current one. */
  get ahead() {
    return Math.max(0, this.order.length - this.at - 1);
  }

  /** Adds cards that are not held yet, in order. Returns how many were new. */
  add(cards) {
    const before = this.order.length;
    for (const card of cards) {
      if (!this.cards.has(card.id)) this.order.push(card.id);
      this.cards.set(card.id, card);
    }
    return this.order.length - before;
  }

  /** Puts a card where the reader is and stands on it: how a row from elsewhere is reopened. */
  visit(card) {
    if (!this.cards.has(card.id)) this.order.splice(this.at, 0, card.id);
    this.cards.set(card.id, card);
    this.at = this.order.indexOf(card.id);
  }

  /** Stands on a held card. Returns whether it is held. */
  standOn(id) {
    const at = this.order.indexOf(id);
    if (at >= 0) this.at = at;
    return at >= 0;
  }

  /** One step without deciding. Forward may stand one past the last card: the end. */
  step(by) {
    this.at = Math.min(Math.max(0, this.at + by), this.order.length);
  }

  /** To the next card that `isDone` does not cover, or one past the last. */
  advance(isDone) {
    do this.at += 1;
    while (this.at < this.order.length && isDone(this.order[this.at]));
    this.at = Math.min(this.at, this.order.length);
  }
}

/** What this tab decided, newest last, and what stands of it for each record. Undo takes back the newest that still stands. */
export class History {
  constructor() {
    this.entries = []; // {event, isUndone, seq}
  }

  /** Earlier decisions of this reviewer, as the server tells them, newest last. They go before those of this tab. */
  remember(earlier) {
    const known = new Set(this.entries.map((e) => e.event.client_id));
    const older = earlier.filter((e) => !known.has(e.client_id)).map((e) => ({ event: e, isUndone: false, seq: e.seq, isEarlier: true }));
    this.entries = [...older, ...this.entries];
  }

  add(event) {
    this.entries.push({ event, isUndone: false, seq: null, isEarlier: false });
  }

  /** Notes the number the server gave to a decision. */
  numbered(clientId, seq) {
    const entry = this.entries.find((e) => e.event.client_id === clientId);
    if (entry) entry.seq = seq;
  }

  /** Forgets a decision that the server refused. */
  forget(clientId) {
    this.entries = this.entries.filter((e) => e.event.client_id !== clientId);
  }

  /** Marks the newest decision that stands as undone and returns its entry, or null. Comments are not decisions. */
  takeBack() {
    for (let i = this.entries.length - 1; i >= 0; i -= 1) {
      const entry = this.entries[i];
      if (!entry.isUndone && entry.event.verdict !== "comment") {
        entry.isUndone = true;
        return entry;
      }
    }
    return null;
  }

  get canUndo() {
    return this.entries.some((entry) => !entry.isUndone && entry.event.verdict !== "comment");
  }

  /** The latest decision of this tab on a record that was not undone, or null. */
  latest(record) {
    for (let i = this.entries.length - 1; i >= 0; i -= 1) {
      const { event, isUndone, isEarlier } = this.entries[i];
      if (event.record === record && !isUndone && !isEarlier && event.verdict !== "comment") return event;
    }
    return null;
  }

  /** The edited messages of a record as this tab left them: a list, or null when it has no standing edit here. */
  edit(record) {
    for (let i = this.entries.length - 1; i >= 0; i -= 1) {
      const { event, isUndone, isEarlier } = this.entries[i];
      if (event.record === record && !isUndone && !isEarlier && event.verdict === "edit") return event.edit;
    }
    return null;
  }

  /** The last `n` decisions, newest first. */
  recent(n) {
    return this.entries.filter((e) => e.event.verdict !== "comment").slice(-n).reverse();
  }

  /** How many records have a standing verdict from this tab, among those `counts` accepts. */
  standing(counts = () => true) {
    const seen = new Set();
    const standing = new Set();
    for (let i = this.entries.length - 1; i >= 0; i -= 1) {
      const { event, isUndone, isEarlier } = this.entries[i];
      if (isEarlier || isUndone || event.verdict === "comment" || event.verdict === "skip" || seen.has(event.record)) continue;
      seen.add(event.record);
      if (STANDING.has(event.verdict) && counts(event)) standing.add(event.record);
    }
    return standing.size;
  }

  /** Seconds per card over this tab's last 20 decisions; null before the third. A pause over two minutes counts as two. */
  pace() {
    const times = this.entries
      .filter((e) => !e.isEarlier && Number.isFinite(e.event.seconds) && e.event.verdict !== "comment")
      .slice(-20)
      .map((e) => Math.min(e.event.seconds, 120));
    return times.length < 3 ? null : times.reduce((sum, s) => sum + s, 0) / times.length;
  }
}
