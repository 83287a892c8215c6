/** Reading and writing the bytes of a WebAssembly binary: little-endian, with integers in LEB128. */

const utf8 = new TextDecoder();
const toUtf8 = new TextEncoder();

export class ByteReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get isAtEnd(): boolean {
    return this.at >= this.end;
  }

  u8(): number {
    const value = this.bytes[this.at];
    if (value === undefined || this.at >= this.end) throw new RangeError(`the binary ends too early, at ${this.at}`);
    this.at += 1;
    return value;
  }

  u16(): number {
    return this.u8() | (this.u8() << 8);
  }

  u32(): number {
    return (this.u16() | (this.u16() << 16)) >>> 0;
  }

  /** An unsigned LEB128 of at most 32 bits. Longer ones keep their low 32 bits. */
  unsigned(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.u8();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value >>> 0;
    }
  }

  /** A signed LEB128; the low 32 bits of it. */
  signed(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.u8();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) !== 0) continue;
      return shift + 7 < 32 && (byte & 0x40) !== 0 ? value | (-1 << (shift + 7)) : value;
    }
  }

  text(length: number): string {
    const start = this.at;
    this.skip(length);
    return utf8.decode(this.bytes.subarray(start, start + length));
  }

  name(): string {
    return this.text(this.unsigned());
  }

  cString(): string {
    const start = this.at;
    while (this.u8() !== 0);
    return utf8.decode(this.bytes.subarray(start, this.at - 1));
  }

  skip(bytes: number): void {
    if (this.at + bytes > this.end) throw new RangeError(`the binary ends too early, at ${this.at}`);
    this.at += bytes;
  }
}

export class ByteWriter {
  #bytes = new Uint8Array(4096);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + bytes));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }

  u8(...values: number[]): void {
    this.#room(values.length);
    for (const value of values) {
      this.#bytes[this.#length] = value;
      this.#length += 1;
    }
  }

  bytes(source: Uint8Array): void {
    this.#room(source.length);
    this.#bytes.set(source, this.#length);
    this.#length += source.length;
  }

  unsigned(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.u8(rest);
  }

  signed(value: number): void {
    let rest = value | 0;
    for (;;) {
      const byte = rest & 0x7f;
      rest >>= 7;
      const isLast = (rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0);
      this.u8(isLast ? byte : byte | 0x80);
      if (isLast) return;
    }
  }

  name(text: string): void {
    const encoded = toUtf8.encode(text);
    this.unsigned(encoded.length);
    this.bytes(encoded);
  }

  /** The bytes, preceded by their length. */
  sized(source: Uint8Array): void {
    this.unsigned(source.length);
    this.bytes(source);
  }

  toBytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}
