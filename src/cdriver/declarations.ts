/** Where a function is declared in its source. The line table starts a function at its first statement; people look for its name. */
import { readFileSync } from "node:fs";

/** So many lines a head may have before the first statement: parameters, comments, local variables. */
const FARTHEST = 60;

export class Declarations {
  readonly #lines = new Map<string, readonly string[]>();

  /** The line at or before `line` on which the function's name is followed by its parameters; `line` itself when there is none. */
  lineOf(path: string, name: string, line: number): number {
    const lines = this.#linesOf(path);
    const head = new RegExp(`(^|[\\s*])${name.replaceAll("$", "\\$")}\\s*(\\(|$)`);
    for (let candidate = line; candidate > Math.max(line - FARTHEST, 0); candidate -= 1) {
      const text = lines[candidate - 1] ?? "";
      if (head.test(text) && !text.trimEnd().endsWith(";")) return candidate;
    }
    return line;
  }

  #linesOf(path: string): readonly string[] {
    const known = this.#lines.get(path);
    if (known !== undefined) return known;
    let lines: readonly string[] = [];
    try {
      lines = readFileSync(path, "utf8").split("\n");
    } catch {
      // A source that is gone since it was compiled: the line table has to do.
    }
    this.#lines.set(path, lines);
    return lines;
  }
}
