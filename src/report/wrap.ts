/** Lines for a terminal of limited width. Text comes in without colours; they are put on afterwards. */

/** Breaks between words; a word longer than the line stands alone on one. Line breaks in the text are kept. */
export function wrap(text: string, width: number): string[] {
  return text.split("\n").flatMap((paragraph) => wrapParagraph(paragraph, width));
}

function wrapParagraph(paragraph: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of paragraph.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** The first line after `label`, the others below it. */
export function labelled(label: string, text: string, labelWidth: number, width: number, indent = "  "): string[] {
  const lines = wrap(text, width - labelWidth - indent.length);
  return lines.map((line, index) => `${indent}${(index === 0 ? label : "").padEnd(labelWidth)}${line}`);
}

/** Never longer than the width: the end is cut off. */
export function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** Text that comes from a driver cannot steer the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (each) => (each === "\n" || each === "\t" ? each : `\\x${hexByte(each)}`));
}

function hexByte(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(2, "0");
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
