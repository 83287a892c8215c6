/** Where drivers' functions live, and what is known of a function or of data by its address. */
import { DriverFault } from "./outcome.ts";
import type { Frame, Thread } from "./state.ts";

/** Where the functions of some drivers live: WebAssembly instances, or JavaScript functions. */
export interface CodeHost {
  owns(target: number): boolean;
  /** The driver's slot. */
  driverOf(target: number): number;
  nameOf(target: number): string;
  /** Enters or resumes the function of the top frame. True: it returned and its frame is popped. False: it parked. */
  enter(thread: Thread, frame: Frame): boolean;
  /** Where the drivers' data lies. */
  dataRanges?(): { start: number; end: number }[];
  /** The name of the variable in it at that address, as far as it is known. */
  globalAt?(address: number): string | undefined;
  /** The driver in that slot, none of whose code runs, is as it was before DriverEntry; a slot of another host is left alone. */
  reload?(slot: number): void;
  /** Memory was written as a whole. */
  memoryChanged?(): void;
  /** What the host keeps elsewhere of the machine's state goes to memory. */
  saveToMemory?(): void;
  /** The frame is given up: its thread has ended in the middle of it. */
  forget?(frame: Frame): void;
  /** C stack pointer at which a function called now would start; undefined: this host has no C stack. */
  stackPointer?(thread: Thread, caller: Frame): number;
}

export class CodeHosts {
  readonly #hosts: CodeHost[] = [];

  add(host: CodeHost): void {
    this.#hosts.push(host);
  }

  [Symbol.iterator](): Iterator<CodeHost> {
    return this.#hosts.values();
  }

  /** The host of the function, which is to be called. */
  of(target: number): CodeHost {
    for (const host of this.#hosts) if (host.owns(target)) return host;
    throw new DriverFault("trap", `a handler was called at 0x${target.toString(16)}, where no function is`);
  }

  /** Slot of the driver whose function is there; -1: none. */
  driverOf(target: number): number {
    for (const host of this.#hosts) if (host.owns(target)) return host.driverOf(target);
    return -1;
  }

  nameOf(target: number): string {
    return this.#hosts.find((each) => each.owns(target))?.nameOf(target) ?? `0x${target.toString(16)}`;
  }

  /** What a driver calls its variable at that address. */
  globalAt(address: number): string | undefined {
    for (const host of this.#hosts) {
      const name = host.globalAt?.(address);
      if (name !== undefined) return name;
    }
    return undefined;
  }

  dataRanges(): { start: number; end: number }[] {
    return this.#hosts.flatMap((host) => host.dataRanges?.() ?? []);
  }
}
