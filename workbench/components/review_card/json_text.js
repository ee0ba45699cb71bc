// JSON text: an answer that is JSON, laid out for reading without changing one sign of its values.

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[{}[\],:]/gu;

/** Whether a text means to be JSON: an object or an array from its first sign to its last, or one that was cut off. */
export function meansJson(text) {
  const trimmed = text.trim();
  if (/^\{\s*("|\}|')/u.test(trimmed)) return true;
  return /^\[\s*(["{[\]]|-?\d|true|false|null)/u.test(trimmed) && /[\]}"\d]$/u.test(trimmed);
}

/** {valid: true} or {valid: false, message, at}: why it is not JSON, and the UTF-16 offset where that shows (null when unknown). */
export function checkJson(text) {
  try {
    JSON.parse(text);
    return { valid: true, message: "", at: null };
  } catch (error) {
    const position = /position (\d+)/u.exec(error.message);
    const cut = /unexpected end|unterminated/iu.test(error.message);
    const at = position ? Math.min(Number(position[1]), text.length) : cut ? text.length : null;
    return { valid: false, message: reasonOf(text, cut, at), at };
  }
}

function reasonOf(text, cut, at) {
  if (cut || (at !== null && !text.slice(at).trim())) return "it ends too early";
  if (at === null) return "it breaks the rules of JSON";
  const line = text.slice(0, at).split("\n").length;
  const found = [...text.slice(at, at + 2)][0];
  const before = text.slice(0, at).trimEnd();
  if (/[}\]]/u.test(found) && before.endsWith(",")) return `line ${line}: a comma before "${found}"`;
  if (found === "'") return `line ${line}: single quotes where JSON needs double quotes`;
  return `line ${line}: unexpected ${found === "\n" ? "line break" : `"${found}"`}`;
}

/**
 * Valid JSON as lines of pieces for display: [{indent, pieces: [{kind, start, end}]}], kind is key, string, number, word or sign.
 * Every piece is a stretch of the text itself, so marks keep their place, and long numbers and repeated keys stay as written.
 */
export function jsonLines(text) {
  const lines = [{ indent: 0, pieces: [] }];
  const open = [];
  const tokens = [...text.matchAll(TOKEN)].map((m) => ({ text: m[0], start: m.index, end: m.index + m[0].length }));
  const breakLine = () => lines.push({ indent: open.length, pieces: [] });
  tokens.forEach((token, i) => {
    const closes = token.text === "}" || token.text === "]";
    const isEmpty = closes && i > 0 && /^[{[]$/u.test(tokens[i - 1].text);
    if (closes) {
      open.pop();
      if (!isEmpty) breakLine();
    }
    const last = lines[lines.length - 1].pieces;
    last.push({ kind: kindOf(token.text, tokens[i + 1]), start: token.start, end: token.end });
    if (token.text === "{" || token.text === "[") {
      open.push(token.text);
      const next = tokens[i + 1];
      if (next && next.text !== "}" && next.text !== "]") breakLine();
    } else if (token.text === ",") {
      breakLine();
    }
  });
  return lines;
}

function kindOf(token, next) {
  if (token[0] === '"') return next && next.text === ":" ? "key" : "string";
  if (/^[-\d]/u.test(token)) return "number";
  return /^[a-z]/u.test(token) ? "word" : "sign";
}
