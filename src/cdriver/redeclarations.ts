/**
 * Microsoft's compiler only warns (C4028) when a function is declared with `NDIS_HANDLE` and defined with a pointer to a structure; clang
 * refuses it, and no flag changes that. For the one source that has the definition, the earlier declaration loses its parameters: `f()`
 * agrees with any definition.
 */

const CONFLICT =
  /: error: conflicting types for '(\w+)'\n(?:(?!.*: (?:error|note): ).*\n)*(.+?):(\d+):(\d+): note: previous declaration is here/g;

/** The files without the parameters that clang's text complains of; undefined when there are none. */
export function withoutConflicts(
  files: ReadonlyMap<string, string>,
  text: string,
  prefix: string,
): ReadonlyMap<string, string> | undefined {
  const changed = new Map(files);
  let isChanged = false;
  for (const [, name = "", place = "", line, column] of text.matchAll(CONFLICT)) {
    const path = place.startsWith(prefix) ? place.slice(prefix.length) : place;
    const before = changed.get(path);
    const after = before === undefined ? undefined : withoutParameters(before, name, Number(line), Number(column));
    if (after === undefined || after === before) continue;
    changed.set(path, after);
    isChanged = true;
  }
  return isChanged ? changed : undefined;
}

/** Lines stay where they are. */
function withoutParameters(text: string, name: string, line: number, column: number): string | undefined {
  let lineStart = 0;
  for (let passed = 1; passed < line; passed += 1) lineStart = text.indexOf("\n", lineStart) + 1;
  const start = lineStart + column - 1;
  if (!text.startsWith(name, start)) return undefined;
  const open = text.indexOf("(", start);
  let depth = 0;
  for (let at = open; at >= 0 && at < text.length; at += 1) {
    if (text[at] === "(") depth += 1;
    if (text[at] === ")") depth -= 1;
    if (depth === 0) return text.slice(0, open + 1) + text.slice(open + 1, at).replace(/[^\r\n]/g, " ") + text.slice(at);
  }
  return undefined;
}
