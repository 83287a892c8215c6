/**
 * The one memory of a machine, and where everything lies in it.
 *
 * Everything that can change while a machine runs is here: driver data, pool, threads, locks, the clock, and the objects of NDIS.
 * A snapshot is therefore a copy, and "have I been here before?" a hash.
 */

export const PAGE_BYTES = 4096;

/** Address ranges in bytes, end exclusive. Drivers are linked to fixed addresses, so that a function pointer means the same in every run. */
export const regions = {
  /** Never valid: a null pointer, and a field of a null pointer, point here. */
  nullPage: { start: 0x0000_0000, end: 0x0001_0000 },
  /** Machine header, processors, threads. */
  kernel: { start: 0x0001_0000, end: 0x0002_0000 },
  /** Objects of the kernel and of NDIS. */
  objects: { start: 0x0002_0000, end: 0x0010_0000 },
  /** Data of the drivers: 16 slots. */
  images: { start: 0x0010_0000, end: 0x0050_0000 },
  /** Frames, unwind buffers and C stacks: one block per thread. */
  stacks: { start: 0x0050_0000, end: 0x0090_0000 },
  /** Memory that drivers allocate. */
  pool: { start: 0x0090_0000, end: 0x00e0_0000 },
  /** Memory of applications' processes. */
  user: { start: 0x00e0_0000, end: 0x00f0_0000 },
  /** Shadow state of the rules. */
  shadow: { start: 0x00f0_0000, end: 0x0100_0000 },
} as const;

/** The machine: all that a driver can reach, and all that a run depends on. */
export const MEMORY_BYTES = 0x0100_0000;

/**
 * What is known about the machine's memory, behind it. Drivers' checks read and write it; it is no address of a driver.
 *
 * Only `poison` and `unwritten` are state, which snapshots take along: the rest is evidence.
 */
export const shadows = {
  /** A word for each word of the machine: in which epoch it was found right to read and to write. */
  granted: { start: 0x0100_0000, end: 0x0200_0000 },
  /** Two words for each word of the machine: who wrote it last, and who read it. */
  accesses: { start: 0x0200_0000, end: 0x0400_0000 },
  /** A byte for each 8 bytes of the machine: 0, all may be accessed; 1 to 7, so many of them; else why none may. */
  poison: { start: 0x0400_0000, end: 0x0420_0000 },
  /** What the checks share with the host: the epoch, vector clocks. */
  clocks: { start: 0x0420_0000, end: 0x0430_0000 },
  /** What drivers' code was executed. */
  coverage: { start: 0x0430_0000, end: 0x0440_0000 },
  /** A bit for each byte of the machine: nobody has written it since it was allocated. */
  unwritten: { start: 0x0440_0000, end: 0x0460_0000 },
} as const;

/** More than that: what checks look up for an address that is itself behind the machine lies in memory, too. */
const ALL_BYTES = 0x0560_0000;
const WASM_PAGE_BYTES = 0x1_0000;

/** Image slots: each driver of a machine is linked to one. */
export const imageSlots = {
  count: 16,
  dataBytes: 0x4_0000,
  tableEntries: 1024,
  coverageBytes: 0x1_0000,
  dataBase: (slot: number) => regions.images.start + slot * imageSlots.dataBytes,
  coverageBase: (slot: number) => shadows.coverage.start + slot * imageSlots.coverageBytes,
  tableBase: (slot: number) => 1 + slot * imageSlots.tableEntries,
} as const;

export const TABLE_ENTRIES = 1 + imageSlots.count * imageSlots.tableEntries;

/** A WebAssembly memory of fixed size with views of every width over it. Addresses are bytes from its start; the machine comes first. */
export class KernelMemory {
  readonly wasm: WebAssembly.Memory;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly data: DataView;

  constructor() {
    this.wasm = new WebAssembly.Memory({ initial: ALL_BYTES / WASM_PAGE_BYTES, maximum: ALL_BYTES / WASM_PAGE_BYTES });
    const buffer = this.wasm.buffer;
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.data = new DataView(buffer);
  }

  readU32(address: number): number {
    return (address & 3) === 0 ? (this.u32[address >>> 2] ?? 0) : this.data.getUint32(address, true);
  }

  writeU32(address: number, value: number): void {
    if ((address & 3) === 0) this.u32[address >>> 2] = value;
    else this.data.setUint32(address, value, true);
  }

  readU16(address: number): number {
    return this.data.getUint16(address, true);
  }

  writeU16(address: number, value: number): void {
    this.data.setUint16(address, value, true);
  }

  clear(address: number, bytes: number): void {
    this.u8.fill(0, address, address + bytes);
  }

  /** For few words: less than the call of a fill costs. Both in words. */
  clearWords(first: number, count: number): void {
    const { u32 } = this;
    for (let index = first; index < first + count; index += 1) u32[index] = 0;
  }

  /** All memory as it is in a new machine. */
  reset(): void {
    this.u8.fill(0, 0, MEMORY_BYTES);
    this.u8.fill(0, shadows.coverage.start, shadows.coverage.end);
    this.u8.fill(0, shadows.unwritten.start, shadows.unwritten.end);
  }

  copy(to: number, from: number, bytes: number): void {
    this.u8.copyWithin(to, from, from + bytes);
  }

  /** Whether a driver may have memory there: outside the null page and inside the machine. */
  isAddress(address: number, bytes = 1): boolean {
    return address >= regions.nullPage.end && address + bytes <= MEMORY_BYTES;
  }
}
