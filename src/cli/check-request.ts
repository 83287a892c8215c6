/** What `check` asks of the layers below. */
import type { Report } from "../report/index.ts";

export interface CheckRequest {
  /** Drivers to check, as typed. */
  readonly targets: readonly string[];
  /** Other drivers of the stack, which are not accused. */
  readonly with: readonly string[];
  /** `NAME`, `NAME=VALUE` or `NAME(...)=VALUE`. */
  readonly defines: readonly string[];
  readonly includes: readonly string[];
  /** Such as "6.30". */
  readonly ndis?: string;
  /** Of a .vcxproj. */
  readonly configuration?: string;
  /** Scenarios whose names match; left out: all that fit. */
  readonly scenario?: string;
  readonly cacheFolder?: string;
  readonly version: string;
}

/** Throws InputError or CompileError for what the user can put right. */
export type CheckDrivers = (request: CheckRequest, progress: (line: string) => void) => Promise<Report>;
