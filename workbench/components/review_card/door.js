// Door: the part that is run again with every answer. It waits for the engine and hands the answer over.

export default async function door(component) {
  if (!globalThis.winnowReviewDoor) {
    const fresh = {};
    fresh.opened = new Promise((resolve) => (fresh.open = resolve));
    globalThis.winnowReviewDoor = fresh;
  }
  await globalThis.winnowReviewDoor.opened;
  return globalThis.winnowReviewDoor.mount(component);
}
