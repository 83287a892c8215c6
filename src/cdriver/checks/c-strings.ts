/** The text at that address, up to its terminating zero. */
export function readString(bytes: Uint8Array, address: number): string {
  const end = bytes.indexOf(0, address);
  return new TextDecoder().decode(bytes.subarray(address, end < 0 ? address : end));
}
