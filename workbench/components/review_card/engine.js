// Engine: makes the card known to the page once. It sits outside the part that is run again with every answer,
// so that the code crosses the wire once, and so that it can ask for a run of the whole page.

import { Review } from "./card.js";
import { CARD_CSS } from "./style.js";

function mount(component) {
  const root = component.parentElement;
  let review = root.winnowReview;
  if (!review || review.constructor !== Review) {
    if (review) review.destroy(); // the app was updated while this tab stayed open
    review = new Review(root, CARD_CSS);
    root.winnowReview = review;
  }
  const visit = (review.visits = (review.visits || 0) + 1);
  review.receive(component, () => globalThis.winnowReviewDoor.wake());
  return () =>
    setTimeout(() => {
      if (review.visits !== visit || root.winnowReview !== review) return; // it was called again since: it is still in use
      review.destroy();
      delete root.winnowReview;
    }, 100);
}

export default function engine(component) {
  if (!globalThis.winnowReviewDoor) {
    const door = {};
    door.opened = new Promise((resolve) => (door.open = resolve));
    globalThis.winnowReviewDoor = door;
  }
  const door = globalThis.winnowReviewDoor;
  door.mount = mount;
  door.wake = () => component.setStateValue("woken", Date.now());
  door.open();
}
