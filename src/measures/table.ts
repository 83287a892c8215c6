/** A line of a table: the first cell to the left, the others to the right. */
export const cells = (values: readonly (string | number)[], widths: readonly number[]): string =>
  values
    .map((value, index) => (index === 0 ? String(value).padEnd(widths[0] ?? 0) : String(value).padStart(widths[index] ?? 0)))
    .join(" ");
