// Element: the only way text reaches the page. Strings become text nodes, never markup: data set text is untrusted.

/** An element with properties and children. `on…` are listeners, `class` and `data-…` as in markup; null, false and "" children are left out. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.includes("-") && typeof value !== "string") element[name] = value;
    else element.setAttribute(name === "className" ? "class" : name, value === true ? "" : value);
  }
  element.append(...shown(children));
  return element;
}

/** Replaces what an element holds. */
export function put(element, ...children) {
  element.replaceChildren(...shown(children));
}

function shown(children) {
  return children.flat(4).filter((child) => child !== null && child !== false && child !== undefined && child !== "");
}

/** A key cap. */
export function keyCap(text) {
  return h("kbd", { "aria-hidden": "true" }, text);
}

/** A button that leaves the focus where it is when clicked, so that the keys go on working; Tab still reaches it. */
export function button(properties, ...children) {
  return h("button", { type: "button", onmousedown: (event) => event.preventDefault(), ...properties }, ...children);
}
