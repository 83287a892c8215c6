/** Numbers as the headers write them. */

export function hex(value: number | string, digits = 8): string {
  return typeof value === "string" ? value : `0x${(value >>> 0).toString(16).toUpperCase().padStart(digits, "0")}`;
}

/** A number as typed: 0xC0000001, 0x7c, -1073741823, 259; undefined when it is none. */
export function numberTyped(text: string): number | undefined {
  if (!/^(0x[0-9a-f]{1,8}|-?\d{1,10})$/i.test(text)) return undefined;
  return Number(text) >>> 0;
}
