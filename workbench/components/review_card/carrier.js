// Carrier: on pages without a card, brings to the server what a card had not had confirmed when its page was left.

import { Outbox } from "./outbox.js";
import { storageOf } from "./surroundings.js";

const LOOK = 1000; // ms between looks at what was left

class Carrier {
  constructor(project) {
    this.visits = 0;
    this.outbox = new Outbox({ project, storage: storageOf(window), now: () => Date.now(), transmit: (message) => this.say(message) });
    this.timer = setInterval(() => this.look(), LOOK);
    this.onHide = () => this.outbox.release();
    window.addEventListener("pagehide", this.onHide);
  }

  look() {
    this.outbox.adopt();
    if (this.outbox.events.length) this.outbox.tick();
  }

  end() {
    clearInterval(this.timer);
    window.removeEventListener("pagehide", this.onHide);
    this.outbox.release();
  }
}

export default function carrier(component) {
  const root = component.parentElement;
  const answer = component.data;
  let held = root.winnowCarrier;
  if (held && held.outbox.project !== answer.project) {
    held.end();
    held = null;
  }
  if (!held) held = root.winnowCarrier = new Carrier(answer.project);
  held.say = (message) => component.setStateValue("outbox", message);
  held.outbox.settle(answer);
  held.look();
  const visit = (held.visits += 1);
  return () =>
    setTimeout(() => {
      if (held.visits !== visit || root.winnowCarrier !== held) return; // it was called again since: it is still in use
      held.end();
      delete root.winnowCarrier;
    }, 100);
}
