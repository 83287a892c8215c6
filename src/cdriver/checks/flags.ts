/** Which checks a driver is built with, and what the compiler has to be told. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { shadows } from "../../kernel/memory.ts";
import { sharedDefines } from "./shared-state.ts";

export interface Checks {
  /** Each access to memory: null, poisoned, and, unless the machine is told otherwise, races. */
  readonly memory: boolean;
  /** Zones between the variables of a frame and between globals. */
  readonly zones: boolean;
  /** Decisions on memory that nobody has written; of a frame, on variables that have zones. */
  readonly unwritten: boolean;
  /** Overflow, shifts, indexes, places that are never to be reached. */
  readonly undefinedBehaviour: boolean;
}

export const allChecks: Checks = { memory: true, zones: true, unwritten: true, undefinedBehaviour: true };
export const noChecks: Checks = { memory: false, zones: false, unwritten: false, undefinedBehaviour: false };

const llvm = (...options: string[]): string[] => options.flatMap((option) => ["-mllvm", `-${option}`]);

/** The zones are AddressSanitizer's; its checks of accesses are not: see access-checks.ts. */
const ZONES: readonly string[] = [
  "-Xclang",
  "-fsanitize=address",
  ...llvm(
    "asan-instrument-reads=0",
    "asan-instrument-writes=0",
    "asan-instrument-atomics=0",
    "asan-instrument-byval=0",
    `asan-mapping-offset=0x${shadows.poison.start.toString(16)}`,
    "asan-use-after-return=never",
    "asan-destructor-kind=none",
  ),
];

/** Variables that no access can miss have zones too. */
const ZONES_OF_ALL: readonly string[] = llvm("asan-use-stack-safety=0");

/** Volatile accesses become atomic ones, by which instrument.ts knows them; they run as plain ones. */
const VOLATILE: readonly string[] = ["-fms-volatile", "-matomics"];

/** A function without calls too sets the stack pointer to its frame: what lies below the pointer is of functions that have returned. */
const STACK: readonly string[] = ["-Xclang", "-disable-red-zone"];

/** Overflow without a sign is not undefined; it is remembered, since a length that wraps is a mistake found elsewhere. */
const UNDEFINED_BEHAVIOUR: readonly string[] = [
  "-fsanitize=signed-integer-overflow,shift-exponent,array-bounds,unreachable,unsigned-integer-overflow",
  "-fsanitize-recover=all",
  "-fsanitize-undefined-ignore-overflow-pattern=all",
];

export function checkFlags({ memory, zones, unwritten, undefinedBehaviour }: Checks): string[] {
  return [
    ...(memory ? [...VOLATILE, ...STACK] : []),
    ...(memory && zones ? ZONES : []),
    ...(memory && zones && unwritten ? ZONES_OF_ALL : []),
    ...(memory && undefinedBehaviour ? UNDEFINED_BEHAVIOUR : []),
  ];
}

/** The functions that inline checks call; they are linked to each driver. */
export function checksSource(): string {
  return readFileSync(fileURLToPath(new URL("./checks.c", import.meta.url)), "utf8");
}

export function checksUnitFlags(slot: number): string[] {
  return ["-O2", "-fno-builtin", "-Wno-int-to-pointer-cast", ...sharedDefines(slot)];
}
