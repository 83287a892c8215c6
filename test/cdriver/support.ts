/** What the tests of this folder share: small drivers built with one compiler process, and a host that is just enough to call them. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type BuildOptions, buildDriver } from "../../src/cdriver/build.ts";
import { noChecks } from "../../src/cdriver/checks/flags.ts";
import { shared } from "../../src/cdriver/checks/shared-state.ts";
import type { DriverImage } from "../../src/cdriver/image.ts";
import { readProject } from "../../src/cdriver/project.ts";
import { KernelMemory, regions } from "../../src/kernel/memory.ts";
import { POISON, poison } from "../../src/kernel/poison.ts";
import { createToolchain } from "../../src/cdriver/toolchain.ts";

export const toolchain = createToolchain();

const FLAGS =
  "--target=wasm32 -ffreestanding -nostdlib -fms-extensions -fms-compatibility -fdeclspec -fshort-wchar -mms-bitfields -fgnu89-inline " +
  "-mbulk-memory -g -O1 -fno-inline -fno-optimize-sibling-calls";

export const buildOptions: BuildOptions = {
  slot: { dataBase: 0x10_0000, dataLimit: 0x14_0000, tableBase: 1, tableLimit: 1025 },
  headers: new Map([
    ["ndis.h", '#pragma once\n#include <ndis/types.h>\n#include "lists.h"\n'],
    ["ndis/types.h", '#pragma once\n#include "more.h"\ntypedef int NDIS_STATUS;\n'],
    ["ndis/more.h", "typedef unsigned int ULONG;\n"],
    [
      "lists.h",
      "static inline __attribute__((always_inline)) int ReadBoth(int *first, int *second)\n{\n  int one = *first;\n  return one + *second;\n}\n",
    ],
  ]),
  runtimeSource:
    "void *memcpy(void *to, const void *from, unsigned n) { char *t = to; const char *f = from; while (n--) *t++ = *f++; return to; }",
  flags: FLAGS.split(" "),
  localImports: new Set(),
  slotNumber: 0,
  // Tests of the checks ask for them.
  checks: noChecks,
  toolchain,
};

export function fixture(path: string): string {
  return fileURLToPath(new URL(`fixtures/${path}`, import.meta.url));
}

/** Builds a driver of the fixtures. */
export async function build(path: string, options: Partial<BuildOptions> = {}): Promise<DriverImage> {
  return buildDriver(readProject([fixture(path)]), { ...buildOptions, ...options });
}

/** The line that has the comment, counted from 1. */
export function lineOf(path: string, comment: string): number {
  const line = readFileSync(fixture(path), "utf8")
    .split("\n")
    .findIndex((text) => text.includes(`/* ${comment} */`));
  if (line < 0) throw new Error(`no line of ${path} has the comment ${comment}`);
  return line + 1;
}

export type Export = (...args: number[]) => number;

const global = (value: number) => new WebAssembly.Global({ value: "i32", mutable: true }, value);

/** Asyncify's states. */
export const NORMAL = 0;
export const UNWINDING = 1;
export const REWINDING = 2;

/** A driver in a memory of its own, with imports made of `functions`; those not given throw. */
export class TestHost {
  /** That of a machine, where only the null page is poisoned. */
  readonly memory = new KernelMemory();
  readonly table = new WebAssembly.Table({ initial: 1100, maximum: 1100, element: "anyfunc" });
  readonly stackPointer = global(0x20_0000);
  readonly stackLimit = global(0x1f_0000);
  readonly stepsLeft = global(1_000_000);
  readonly depthLeft = global(500);
  readonly state = global(NORMAL);
  readonly data = global(0);
  readonly exports: Readonly<Record<string, unknown>>;

  constructor(image: DriverImage, functions: Readonly<Record<string, (...args: number[]) => number>> = {}) {
    poison(this.memory, 0, regions.nullPage.end, POISON.own);
    this.memory.u32.fill(0xffff_ffff, shared.epoch >>> 2, (shared.epochAgain >>> 2) + 1);
    const missing = ({ name }: { name: string }) => [
      name,
      () => {
        throw new Error(`${name} is not there`);
      },
    ];
    const env = {
      ...Object.fromEntries(image.imports.map(missing)),
      ...functions,
      memory: this.memory.wasm,
      __indirect_function_table: this.table,
      __stack_pointer: this.stackPointer,
      __stack_limit: this.stackLimit,
      __steps_left: this.stepsLeft,
      __depth_left: this.depthLeft,
      __asyncify_state: this.state,
      __asyncify_data: this.data,
    };
    this.exports = new WebAssembly.Instance(new WebAssembly.Module(image.wasm), { env }).exports;
  }

  call(name: string, ...args: number[]): number {
    return (this.exports[name] as Export)(...args);
  }

  /** The trap or exception that the call ends with. */
  failure(name: string, ...args: number[]): Error {
    try {
      this.call(name, ...args);
    } catch (error) {
      if (error instanceof Error) return error;
    }
    throw new Error(`${name} was expected to fail`);
  }
}
