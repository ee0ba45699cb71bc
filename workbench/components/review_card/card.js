// Card: the review card as a whole. A key press paints the next row at once; the server hears of it afterwards.

import { promptText, turnsOf } from "./conversation.js";
import { Editor, sameMessages } from "./editor.js";
import { h } from "./element.js";
import { keyIntent } from "./keys.js";
import { doneName } from "./panel.js";
import { RowView, standingTurns } from "./row_view.js";
import { emptyScreen, finishedScreen, helpOverlay, waitingScreen } from "./screens.js";
import { Session } from "./session.js";
import { SidePanel } from "./side_panel.js";
import { StatusBar } from "./status_bar.js";
import { isDark, isFocusOnChoice, roomBelow, Stopwatch, storageOf, Waker } from "./surroundings.js";
import { Tooltip } from "./tooltip.js";

const TICK = 500; // ms between looks at what is unconfirmed
const LOWEST = 440; // pixels the card is high at least

/** One review card on the page. */
export class Review {
  constructor(root, css) {
    this.root = root;
    this.session = null;
    this.drafts = new Map(); // unfinished edits by record
    this.editor = null;
    this.help = null;
    this.shownId = undefined;
    this.waker = new Waker();
    this.stopwatch = new Stopwatch();
    this.build(css);
    this.listeners = [
      [window, "keydown", (event) => this.onKey(event), true],
      [window, "resize", () => this.fit(), false],
      [window, "beforeunload", (event) => this.onLeavingPage(event), false],
      [window, "pagehide", () => this.session && this.session.outbox.release(), false],
      [document, "visibilitychange", () => this.stopwatch.turned(), false],
    ];
    for (const [target, name, listener, capture] of this.listeners) target.addEventListener(name, listener, capture);
    this.timer = setInterval(() => this.tick(), TICK);
  }

  build(css) {
    this.tooltip = new Tooltip();
    this.bar = new StatusBar({ onHelp: () => this.toggleHelp(), onDismiss: () => this.dismissRefused() });
    this.view = new RowView({ onOpen: (id) => this.goTo(id), onEdit: () => this.edit(), onMark: (element, marks) => this.tooltip.show(element, marks) });
    this.panel = new SidePanel({
      onAct: (action) => this.act(action),
      onDone: () => this.view.focus(),
      onShow: (finding, evidence) => this.view.showEvidence(finding, evidence),
      onOpen: (id) => this.goTo(id),
    });
    this.spoken = h("div", { class: "spoken", role: "status", "aria-live": "polite" });
    this.card = h("div", { class: "card", role: "group", "aria-label": "Review" }, this.bar.element, h("div", { class: "columns" }, this.view.element, this.panel.element), this.spoken);
    this.element = h("div", { class: "skin" }, h("style", {}, css), h("div", { class: "frame" }, this.card), this.tooltip.element);
    this.root.append(this.element);
  }

  destroy() {
    for (const [target, name, listener, capture] of this.listeners) target.removeEventListener(name, listener, capture);
    clearInterval(this.timer);
    if (this.session) this.session.outbox.release();
    this.element.remove();
  }

  /** An answer of the server. `component` holds data and setStateValue, both anew each time; `wake` asks for a run of the whole page. */
  receive(component, wake) {
    this.say = (message) => component.setStateValue("outbox", message);
    this.wake = wake;
    const answer = component.data;
    if (!this.session || this.session.project !== answer.project) this.open(answer.project);
    if (this.session.receive(answer)) this.onOtherQueue();
    this.element.dataset.theme = isDark(this.element) ? "dark" : "light";
    this.fit();
    if (this.shownId !== this.idHere()) this.show();
    else this.refresh();
    this.session.fetch();
  }

  open(project) {
    if (this.session) this.session.outbox.release();
    this.session = new Session({ project, storage: storageOf(window), now: () => Date.now(), transmit: (message) => this.say(message) });
  }

  onOtherQueue() {
    this.shownId = undefined;
    this.editor = null;
    if (isFocusOnChoice()) this.view.focus();
  }

  /** Looks after what is unconfirmed. */
  tick() {
    if (!this.session) return;
    if (this.waker.isDue(this.session.outbox.tick(), Date.now())) this.wake();
    this.session.adopt();
    this.paintBar();
  }

  // ---- what the reviewer does -----------------------------------------------------------------------------------------------

  onKey(event) {
    if (!this.root.isConnected || !this.session) return;
    if (event.key === "Escape") this.onEscape(event);
    const intent = keyIntent(event, this.element);
    if (!intent || (this.editor && intent.action)) return;
    stop(event);
    if (intent.scroll) this.view.element.scrollBy({ top: intent.scroll });
    else this.act(intent.action, intent.key);
  }

  onEscape(event) {
    this.tooltip.hide();
    if (this.help) {
      this.toggleHelp();
      stop(event);
    } else if (this.editor && !this.editor.element.contains(event.composedPath()[0])) this.editor.leave();
  }

  act(action, key) {
    if (this.help && action !== "help") return;
    const { current } = this.session.deck;
    const acts = {
      keep: () => this.decide("keep"),
      drop: () => this.decide("drop"),
      flag: () => this.decide("flag"),
      skip: () => this.decide("skip"),
      undo: () => this.undo(),
      edit: () => this.edit(),
      next: () => this.step(1),
      previous: () => this.step(-1),
      reason: () => current && this.panel.reasons.input.focus(),
      chip: () => current && this.panel.reasons.choose(Number(key) - 1),
      compare: () => this.view.compare(),
      help: () => this.toggleHelp(),
    };
    if (acts[action]) acts[action]();
  }

  decide(verdict, edit = null) {
    if (!this.session.deck.current || this.editor) return;
    const { reason, note } = this.panel.reasons.take();
    if (note) this.session.record({ verdict: "comment", reason: note });
    this.session.record({ verdict, reason, edit, seconds: this.stopwatch.read() });
    this.session.advance();
    this.show();
    this.speak(`${doneName(verdict)}. ${this.bar.position}`);
    this.session.fetch();
  }

  undo() {
    const undone = this.session.undo();
    if (!undone) return this.speak("Nothing to undo.");
    this.editor = null;
    this.goTo(undone.record);
    return this.speak(`Undone: ${doneName(undone.verdict)}.`);
  }

  step(by) {
    if (this.editor) return;
    this.session.deck.step(by);
    this.show();
    this.session.fetch();
  }

  /** Shows a row, fetching it when this tab does not hold it. */
  goTo(id) {
    if (!this.session.deck.standOn(id)) this.session.wanted = id;
    this.session.fetch();
    this.show();
  }

  edit() {
    const card = this.session.deck.current;
    if (!card || this.editor) return;
    const standing = standingTurns(card, this.session.editOf(card));
    this.editor = new Editor(turnsOf(card), this.drafts.get(card.id) || standing, {
      onSave: (turns) => this.endEdit(card, turns, () => !sameMessages(turns, standing) && this.decide("edit", turns)),
      onLeave: (turns) => this.endEdit(card, turns, () => !sameMessages(turns, standing) && this.drafts.set(card.id, turns)),
    });
    this.view.paint(this.row(card));
    this.refresh();
    this.editor.focus();
  }

  endEdit(card, turns, then) {
    this.drafts.delete(card.id);
    this.editor = null;
    then();
    this.show();
    this.view.focus();
  }

  toggleHelp() {
    if (this.help) {
      this.help.remove();
      this.help = null;
      this.view.focus();
      return;
    }
    this.help = helpOverlay(() => this.toggleHelp());
    this.card.append(this.help);
    this.help.querySelector("button").focus();
  }

  dismissRefused() {
    this.session.refused = [];
    this.refresh();
  }

  onLeavingPage(event) {
    if (!this.session || !this.session.outbox.events.length) return;
    event.preventDefault();
    event.returnValue = "unsaved"; // older browsers ask only with a value
  }

  // ---- what is on the screen ------------------------------------------------------------------------------------------------

  idHere() {
    const { deck, tally } = this.session;
    return deck.current ? deck.current.id : deck.isEnd && tally ? "end" : "waiting";
  }

  /** Paints the row the deck stands on, or what stands in its place. */
  show() {
    const { deck, facts } = this.session;
    const card = deck.current;
    this.tooltip.hide();
    this.shownId = this.idHere();
    this.stopwatch.restart();
    this.view.reset();
    this.card.classList.toggle("without-row", !card);
    if (card) this.view.paint(this.row(card));
    this.panel.paint(card, facts.reasons);
    this.refresh();
  }

  /** What changes while the same row stays in view. */
  refresh() {
    const { deck, history } = this.session;
    const card = deck.current;
    this.card.classList.toggle("untouched", !history.entries.length);
    const verdict = card ? this.session.verdictOf(card) : null;
    this.panel.refresh({ verdict, isEditing: Boolean(this.editor), history, titleOf: (event) => this.titleOf(event) });
    if (card) this.view.paintHead(this.row(card));
    else this.view.paintScreen(this.screen());
    this.paintBar();
  }

  row(card) {
    const { facts } = this.session;
    const edit = this.session.editOf(card);
    return {
      card,
      turns: standingTurns(card, edit),
      isEdited: Boolean(edit),
      isMended: Boolean(card.mended) && edit === card.edit, // by a fix, whose text the checks have measured
      verdict: this.session.verdictOf(card),
      hasDraft: this.drafts.has(card.id),
      check: facts.check,
      search: facts.search,
      editor: this.editor,
    };
  }

  paintBar() {
    const { outbox, deck, history, refused, trouble, counts } = this.session;
    const known = counts || { total: null, left: null, today: null };
    this.bar.paint({ ...known, outbox, at: deck.at, pace: history.pace(), refused, trouble, now: Date.now() });
  }

  screen() {
    const { deck, counts, tally, sitting, outbox } = this.session;
    if (!deck.isEnd || !counts) return waitingScreen();
    const onQueue = (query) => outbox.goTo(query);
    if (!deck.order.length && !counts.total) return emptyScreen(tally.next, { onQueue });
    const onAgain = () => {
      this.session.again();
      this.show();
      this.session.fetch();
    };
    return finishedScreen({ ...sitting, ...counts }, tally.next, { onQueue, onAgain, onBack: () => this.step(-1) });
  }

  titleOf(event) {
    const card = this.session.deck.cards.get(event.record);
    return card ? promptText(turnsOf(card)) || card.id : event.title;
  }

  speak(text) {
    this.spoken.textContent = text;
  }

  /** The card ends where the window ends, so that the buttons stay in view however long the row is. */
  fit() {
    this.card.style.setProperty("--fit", `${Math.max(LOWEST, roomBelow(this.card) - 16)}px`);
  }
}

function stop(event) {
  event.preventDefault();
  event.stopImmediatePropagation(); // the app has keys of its own: r runs it again, c clears its cache
}
