// Text: positions in a turn, and the pieces a turn is cut into where something is to be shown.
// Python counts Unicode code points, JavaScript counts UTF-16 units: one emoji is 1 there and 2 here.

/** UTF-16 offset of each code point position, for many positions in one pass. Positions beyond the end become the end. */
export function unitOffsets(text, positions) {
  const wanted = [...new Set(positions)].sort((a, b) => a - b);
  const found = new Map();
  let point = 0;
  let unit = 0;
  for (const position of wanted) {
    while (point < position && unit < text.length) {
      unit += text.codePointAt(unit) > 0xffff ? 2 : 1;
      point += 1;
    }
    found.set(position, unit);
  }
  return found;
}

/** How many code points a text has. */
export function pointLength(text) {
  let points = 0;
  for (let unit = 0; unit < text.length; points += 1) unit += text.codePointAt(unit) > 0xffff ? 2 : 1;
  return points;
}

const RANK = { error: 3, warning: 2, info: 1, search: 0 };

/**
 * The marks of one turn, in UTF-16 units: {start, end, severity, title, note}.
 * Evidence without a start marks nothing; without an end it marks to the end of the turn.
 */
export function turnMarks(text, turn, findings) {
  const spans = [];
  for (const finding of findings)
    for (const evidence of finding.evidence || [])
      if (evidence.turn === turn && Number.isInteger(evidence.start))
        spans.push({ finding, evidence, end: Number.isInteger(evidence.end) ? evidence.end : Infinity });
  if (!spans.length) return [];
  const offsets = unitOffsets(text, spans.flatMap((s) => [s.evidence.start, s.end]));
  return spans
    .map(({ finding, evidence, end }) => ({
      start: offsets.get(evidence.start),
      end: offsets.get(end),
      severity: finding.severity,
      title: finding.title,
      note: evidence.note || "",
    }))
    .filter((mark) => mark.end > mark.start);
}

/** Where the searched words are, whatever the case, in the form of marks. */
export function searchMarks(text, search) {
  const needle = search.trim().toLowerCase();
  if (!needle) return [];
  const hay = text.toLowerCase();
  if (hay.length !== text.length) return []; // a letter such as İ grows when lowered: positions would not fit
  const marks = [];
  for (let at = hay.indexOf(needle); at >= 0 && marks.length < 500; at = hay.indexOf(needle, at + needle.length))
    marks.push({ start: at, end: at + needle.length, severity: "search", title: "Found text", note: "" });
  return marks;
}

/** The text from `from` to `to` cut at the borders of the marks: [{start, end, marks}], severest mark first. */
export function segments(from, to, marks) {
  const borders = new Set([from, to]);
  for (const mark of marks) {
    if (mark.start > from && mark.start < to) borders.add(mark.start);
    if (mark.end > from && mark.end < to) borders.add(mark.end);
  }
  const cuts = [...borders].sort((a, b) => a - b);
  const pieces = [];
  for (let i = 0; i + 1 < cuts.length; i += 1) {
    const [start, end] = [cuts[i], cuts[i + 1]];
    const over = marks.filter((m) => m.start < end && m.end > start).sort((a, b) => RANK[b.severity] - RANK[a.severity]);
    pieces.push({ start, end, marks: over });
  }
  return pieces;
}

/** A short line of a text for lists: one line, at most `limit` characters, an ellipsis where something is left out. */
export function snippet(text, limit) {
  const line = text.replace(/\s+/gu, " ").trim();
  const points = [...line.slice(0, limit * 2 + 2)];
  return points.length > limit ? `${points.slice(0, limit - 1).join("").trimEnd()}…` : line;
}

/** A number for people: at most three significant digits, no exponent. */
export function plainNumber(value) {
  if (!Number.isFinite(value)) return "not measured";
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return Number(value.toPrecision(3)).toLocaleString("en", { maximumFractionDigits: 6 });
}

/** A duration for people: "40 s", "6 min", "2 h 10 min". */
export function plainDuration(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
