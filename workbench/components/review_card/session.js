// Session: what this tab knows of its queue, and what it still has to hear. No page in it.

import { Deck, History } from "./deck.js";
import { Outbox } from "./outbox.js";

const ROWS = 100; // cards fetched at once: in a large project a hundred take hardly longer than one
const LOW = 80; // fewer than this ahead: more are fetched; eight seconds at ten keys a second
const COUNTS_KEEP = 60000; // ms after which the counts are asked for again, when cards are fetched anyway

export class Session {
  /** `transmit(message)` hands a message to the server; `storage` is localStorage or null. */
  constructor({ project, storage, now, transmit }) {
    this.project = project;
    this.now = now;
    this.outbox = new Outbox({ project, storage, now, transmit });
    this.history = new History();
    this.deck = new Deck(null);
    this.facts = {}; // what the server says of the queue: state, check, search, reasons
    this.tally = null; // how many rows there are, as the server counted, and what was decided here by then
    this.wanted = null; // id of a row that is to be reopened
    this.asked = null; // the request that is not answered yet
    this.refused = []; // {event, why}
    this.trouble = null;
    this.isRemembered = false; // whether the decisions of earlier sittings are known
    this.adopt();
  }

  /** Takes over what closed tabs left unsaved. */
  adopt() {
    for (const event of this.outbox.adopt()) this.history.add(event);
  }

  /** Takes an answer in. Returns whether it begins another queue. */
  receive(answer) {
    for (const { event, seq, why } of this.outbox.settle(answer)) {
      if (seq !== null) this.history.numbered(event.client_id, seq);
      else {
        this.history.forget(event.client_id);
        this.refused.push({ event, why });
      }
    }
    const isOther = this.deck.queue !== answer.queue;
    if (isOther) this.begin(answer.queue);
    this.facts = answer.facts;
    this.trouble = answer.trouble;
    if (answer.recent && !this.isRemembered) {
      this.history.remember(answer.recent);
      this.isRemembered = true;
    }
    this.takeCards(answer);
    if (answer.tally) this.takeTally(answer.tally);
    return isOther;
  }

  begin(queue) {
    Object.assign(this, { deck: new Deck(queue), wanted: null, asked: null, tally: null });
    this.outbox.go = null;
  }

  takeCards(answer) {
    const wasShort = this.deck.at >= this.deck.order.length;
    this.deck.add(answer.cards);
    if (answer.cursor !== undefined) Object.assign(this.deck, { cursor: answer.cursor, isEnd: answer.isEnd });
    if (answer.opened && this.wanted === answer.opened.id) {
      this.wanted = null;
      this.deck.visit(answer.opened);
    } else if (wasShort && this.deck.current && this.isDone(this.deck.current.id)) {
      this.deck.advance((id) => this.isDone(id));
    }
    if (answer.asked && answer.asked === this.asked) {
      this.asked = null;
      if (!answer.opened && !answer.trouble) this.wanted = null; // there is no such row
    }
  }

  takeTally(tally) {
    const unsaved = new Set(this.outbox.events.map((event) => event.client_id));
    this.tally = { ...tally, at: this.now(), number: this.outbox.number, isStale: false };
    this.tally.decidedThen = this.decidedHere((event) => !unsaved.has(event.client_id));
  }

  /** Asks for cards when few are left, for a row that is to be reopened, and for what has not been told yet. */
  fetch() {
    const needsCards = !this.deck.isEnd && this.deck.ahead < LOW;
    const ask = {
      queue: this.deck.queue,
      after: this.deck.cursor,
      rows: needsCards ? ROWS : 0,
      open: this.wanted,
      recent: !this.isRemembered,
      tally: this.needsTally(needsCards),
    };
    if (!needsCards && !ask.open && !ask.recent && !ask.tally) {
      this.outbox.extra = { queue: this.deck.queue };
      return;
    }
    const asked = JSON.stringify(ask);
    if (asked === this.asked) return;
    this.asked = asked;
    if (ask.tally && this.tally) Object.assign(this.tally, { number: this.outbox.number, isStale: false });
    this.outbox.ask({ ...ask, asked });
  }

  /** Whether the counts are missing, wrong by an undo, old, or have to be exact because the end is reached. */
  needsTally(needsCards) {
    if (!this.tally || this.tally.isStale) return true;
    if (needsCards && this.now() - this.tally.at > COUNTS_KEEP) return true;
    return this.deck.isEnd && this.deck.at >= this.deck.order.length && this.tally.number !== this.outbox.number;
  }

  /** Writes down a decision about the current row. */
  record(event) {
    const full = { record: this.deck.current.id, reason: "", edit: null, undoes: null, undoes_client: null, seconds: null, ...event };
    this.history.add(this.outbox.add(full));
  }

  /** To the next row that is not decided. */
  advance() {
    this.deck.advance((id) => this.isDone(id));
  }

  /** Takes the last decision back. Returns its event, or null when there is none. */
  undo() {
    const entry = this.history.takeBack();
    if (!entry) return null;
    const { record, client_id } = entry.event;
    if (entry.isEarlier && this.tally) this.tally.isStale = true;
    this.outbox.add({ record, verdict: "undo", reason: "", edit: null, undoes: entry.seq, undoes_client: client_id, seconds: null });
    return entry.event;
  }

  /** Goes through the rows that were skipped once more. */
  again() {
    this.history.entries = this.history.entries.filter((entry) => entry.event.verdict !== "skip");
    const at = this.deck.order.findIndex((id) => !this.isDone(id));
    if (at >= 0) this.deck.at = at;
    else Object.assign(this, { deck: new Deck(this.deck.queue), asked: null });
  }

  isDone(id) {
    return this.history.latest(id) !== null;
  }

  /** The verdict a row has now: of this tab, else as the server last told. */
  verdictOf(card) {
    const event = this.history.latest(card.id);
    return event && event.verdict !== "skip" ? event.verdict : card.verdict;
  }

  /** The edited turns of a row, or null. */
  editOf(card) {
    return this.history.edit(card.id) || card.edit;
  }

  /** How many rows that were undecided when they came have a verdict of this tab. */
  decidedHere(counts = () => true) {
    return this.history.standing((event) => counts(event) && !(this.deck.cards.get(event.record) || {}).verdict);
  }

  /** {total, left, today}, counted by the server and brought up to now. `left` is null for a queue of decided rows; null before it is known. */
  get counts() {
    if (!this.tally) return null;
    const { total, left, today, decidedThen } = this.tally;
    const since = this.decidedHere() - decidedThen;
    return { total, left: left === null ? null : Math.min(total, Math.max(0, left - since)), today: Math.max(0, today + since) };
  }

  /** How many rows of this queue got which verdict in this sitting. */
  get sitting() {
    const counts = { keep: 0, drop: 0, flag: 0, edit: 0, skip: 0 };
    for (const id of this.deck.order) {
      const event = this.history.latest(id);
      if (event && event.verdict in counts) counts[event.verdict] += 1;
    }
    return counts;
  }
}
