/** Files that the commands read and write. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** Whoever reads the file sees the old text or the new one, never a half. */
export function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error instanceof Error && "code" in error ? Object.assign(error, { path }) : error;
  }
}

/** Lines of source files for the text of a report, each file read once. */
export function sourceLines(): (file: string, line: number) => string | undefined {
  const files = new Map<string, readonly string[]>();
  return (file, line) => {
    const lines = files.get(file) ?? linesOf(file);
    files.set(file, lines);
    return lines[line - 1];
  };
}

/** None when the file cannot be read. */
export function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").split(/\r?\n/);
  } catch {
    return [];
  }
}
