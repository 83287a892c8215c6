/** Reads the mappings of a source map as binaryen writes it for WebAssembly: one line, whose columns are offsets in the binary. */

/** From `offset` on, up to the next entry, the code belongs to the instruction at `address`; to none when that is undefined. */
export interface SourceMapEntry {
  readonly offset: number;
  readonly address: number | undefined;
  /** What else was said of the instruction. */
  readonly column: number;
}

const DIGITS = new Map(
  [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].map((letter, value) => [letter, value]),
);

export function decodeSourceMap(text: string): SourceMapEntry[] {
  const { mappings } = JSON.parse(text) as { mappings: string };
  const entries: SourceMapEntry[] = [];
  let offset = 0;
  let line = 0;
  let column = 0;
  for (const segment of mappings.split(",")) {
    const [offsets, , lines, columns] = decodeNumbers(segment);
    if (offsets === undefined) continue;
    offset += offsets;
    line += lines ?? 0;
    column += columns ?? 0;
    // Lines in a source map count from 0, binaryen's from 1.
    entries.push({ offset, address: lines === undefined ? undefined : line + 1, column });
  }
  return entries;
}

/** The numbers of one segment: base 64, least significant five bits first, the sign in the lowest bit. */
function decodeNumbers(segment: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const letter of segment) {
    const digit = DIGITS.get(letter) ?? 0;
    value |= (digit & 31) << shift;
    shift += 5;
    if ((digit & 32) !== 0) continue;
    numbers.push((value & 1) === 0 ? value >>> 1 : -(value >>> 1));
    value = 0;
    shift = 0;
  }
  return numbers;
}
