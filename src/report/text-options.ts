/** What the text of a report depends on besides the report: it touches no file and no terminal itself. */
import type pico from "picocolors";

export type Colors = ReturnType<typeof pico.createColors>;

export interface TextOptions {
  readonly colors: Colors;
  /** What the user types to call the tool, such as "ndislab". */
  readonly tool: string;
  /** Columns to fill at most. */
  readonly width: number;
  /** A file's path as the reader knows it: from where they are. */
  readonly shownPath: (file: string) => string;
  /** The line of a source file, counted from 1; undefined when there is none, or the file cannot be read. */
  readonly readLine: (file: string, line: number) => string | undefined;
  /** Only the violations and the verdict. */
  readonly isQuiet: boolean;
  /** Warnings break the check too. */
  readonly isStrict: boolean;
  /** The command line that runs the violation's scenario again. */
  readonly againCommand: (scenario: string, token: string) => string;
}

/** Steps of a history that are shown; the JSON report has them all. */
export const HISTORY_STEPS = 12;
