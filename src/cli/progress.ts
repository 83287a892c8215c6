/** Progress on standard error: one line that is written over and over, and is gone at the end. Without a terminal: nothing. */
import { clip, printable } from "../report/index.ts";
import { type Output, widthOf } from "./world.ts";

const CLEAR_LINE = "\r\u001b[2K";

export interface Progress {
  show(line: string): void;
  clear(): void;
}

export function progressOn(output: Output, isQuiet = false): Progress {
  if (!output.isTerminal || isQuiet) return { show: () => {}, clear: () => {} };
  return {
    show: (line) => output.write(`${CLEAR_LINE}${clip(printable(line).replaceAll("\n", " "), widthOf(output) - 1)}`),
    clear: () => output.write(CLEAR_LINE),
  };
}
