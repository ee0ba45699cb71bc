// Words: what changed between two texts, word by word (Myers' greedy algorithm over tokens).

// A Chinese, Japanese or Thai character is a word of its own: those scripts put no spaces between words.
const TOKEN =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{M}\p{N}_]+(?:['’][\p{L}\p{M}]+)*|\s+|[^]/gu;
const MOST_EDITS = 1200; // memory grows with its square: 1200 edits keep under 12 MB and 30 ms

/** The words, runs of spaces and single signs of a text; joined they are the text. */
export function wordsOf(text) {
  return text.match(TOKEN) || [];
}

/**
 * The way from `before` to `after`: [{op: "same" | "gone" | "new", text}], neighbours of one kind joined.
 * Texts with more than 1200 differing words are compared line by line instead, and what differs is shown whole.
 */
export function diffWords(before, after) {
  const fine = diffTokens(wordsOf(before), wordsOf(after));
  if (fine) return joined(fine);
  const coarse = diffTokens(before.split(/(?<=\n)/u), after.split(/(?<=\n)/u));
  return joined(coarse || [["gone", before], ["new", after]]);
}

/** Whether nothing differs. */
export function isSame(pieces) {
  return pieces.every((piece) => piece.op === "same");
}

/** Neighbours joined: in each place first what is gone, then what is new; a space between two changes belongs to both. */
function joined(steps) {
  const pieces = [];
  let gone = "";
  let fresh = "";
  let space = "";
  const close = () => {
    if (gone) pieces.push({ op: "gone", text: gone });
    if (fresh) pieces.push({ op: "new", text: fresh });
    gone = "";
    fresh = "";
  };
  const same = (text) => {
    const last = pieces[pieces.length - 1];
    if (last && last.op === "same") last.text += text;
    else if (text) pieces.push({ op: "same", text });
  };
  for (const [op, text] of steps) {
    if (op === "same" && (gone || fresh) && !space && /^[ \t]+$/u.test(text)) {
      space = text;
    } else if (op === "same") {
      close();
      same(space + text);
      space = "";
    } else {
      if (space) {
        if (gone && fresh) {
          gone += space;
          fresh += space;
        } else {
          close();
          same(space);
        }
        space = "";
      }
      if (op === "gone") gone += text;
      else fresh += text;
    }
  }
  close();
  same(space);
  return pieces;
}

function diffTokens(a, b) {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const middle = shortestEdit(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  if (!middle) return null;
  return [
    ...a.slice(0, head).map((t) => ["same", t]),
    ...middle,
    ...(tail ? a.slice(a.length - tail) : []).map((t) => ["same", t]),
  ];
}

function shortestEdit(a, b) {
  if (!a.length) return b.map((t) => ["new", t]);
  if (!b.length) return a.map((t) => ["gone", t]);
  const most = Math.min(a.length + b.length, MOST_EDITS);
  const middle = most + 1;
  const furthest = new Int32Array(2 * most + 3);
  const trace = [];
  for (let edits = 0; edits <= most; edits += 1) {
    trace.push(furthest.slice(middle - edits - 1, middle + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      const down = k === -edits || (k !== edits && furthest[middle + k - 1] < furthest[middle + k + 1]);
      let x = down ? furthest[middle + k + 1] : furthest[middle + k - 1] + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x += 1;
        y += 1;
      }
      furthest[middle + k] = x;
      if (x >= a.length && y >= b.length) return walkBack(a, b, trace, edits);
    }
  }
  return null;
}

function walkBack(a, b, trace, last) {
  const steps = [];
  let x = a.length;
  let y = b.length;
  for (let edits = last; edits >= 0; edits -= 1) {
    const reached = (k) => trace[edits][k + edits + 1]; // how far each diagonal got with one edit fewer
    const k = x - y;
    const down = k === -edits || (k !== edits && reached(k - 1) < reached(k + 1));
    const fromX = reached(down ? k + 1 : k - 1);
    const fromY = fromX - (down ? k + 1 : k - 1);
    while (x > fromX && y > fromY && x > 0 && y > 0) {
      x -= 1;
      y -= 1;
      steps.push(["same", a[x]]);
    }
    if (edits && down) steps.push(["new", b[fromY]]);
    else if (edits) steps.push(["gone", a[fromX]]);
    x = fromX;
    y = fromY;
  }
  return steps.reverse();
}
