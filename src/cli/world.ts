/** What the commands need of the process and of the layers below; a test gives them another one. */
import { relative } from "node:path";
import pico from "picocolors";
import type { Colors } from "../report/index.ts";
import type { checkDrivers } from "../verifier/check.ts";
import type { importsOfTargets } from "../verifier/imports.ts";
import type { exploreDrivers } from "../explorer/explore-drivers.ts";
import type { replayDrivers } from "../explorer/replay-drivers.ts";
import type { Knowledge } from "./explain/knowledge.ts";

export type CheckDrivers = typeof checkDrivers;
export type ImportsOfTargets = typeof importsOfTargets;

export type ExploreDrivers = typeof exploreDrivers;
export type ReplayDrivers = typeof replayDrivers;

export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
  readonly columns: number | undefined;
}

/** Keys that are typed, by name, such as "q" or "left"; undefined: there are no more. */
export interface Keys {
  readonly next: () => Promise<string | undefined>;
  readonly stop: () => void;
}

export interface World {
  /** Results. */
  readonly out: Output;
  /** Progress and messages. */
  readonly err: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly home: string;
  /** Where the user is. */
  readonly folder: string;
  readonly version: string;
  /** Loaded when asked for: a compiler and a machine are large, and `explain` needs neither. */
  readonly checkDrivers: () => Promise<CheckDrivers>;
  readonly exploreDrivers: () => Promise<ExploreDrivers>;
  readonly replayDrivers: () => Promise<ReplayDrivers>;
  /** Milliseconds, from any moment on. */
  readonly now: () => number;
  /** From now on an interrupt does not end the process, but is wanted. */
  readonly interrupts: () => { readonly isWanted: () => boolean; readonly stop: () => void };
  /** Undefined: there is no terminal to type on. */
  readonly keys: (() => Keys) | undefined;
  readonly importsOfTargets: () => Promise<ImportsOfTargets>;
  readonly knowledge: () => Promise<Knowledge>;
}

/** 0: nothing broken; 1: usage, input or compile error; 2: violations; 3: our own failure. */
export type ExitCode = 0 | 1 | 2 | 3;

const WIDEST = 100;

export function widthOf(output: Output): number {
  return Math.min(WIDEST, Math.max(40, output.columns ?? WIDEST));
}

/** Only a terminal gets colours, unless FORCE_COLOR is set; NO_COLOR is obeyed always. */
export function colorsOf(output: Output, { env }: World): Colors {
  const isForced = env["FORCE_COLOR"] !== undefined && env["FORCE_COLOR"] !== "0";
  const isForbidden = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb";
  return pico.createColors(!isForbidden && (output.isTerminal || isForced));
}

/** A path from where the user is, unless it leads elsewhere. */
export function shownPath(file: string, { folder }: World): string {
  const fromHere = relative(folder, file);
  return fromHere === "" || fromHere.startsWith("..") ? file : fromHere;
}

/** What the user types to call us: `npm start --` in a clone of the repository. */
export function toolName({ env }: World): string {
  return env["NDISLAB_COMMAND"] ?? "ndislab";
}
