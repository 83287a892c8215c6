/**
 * A finished check as data: the JSON report, and what the other formats are made from. Versioned; `report-schema.ts` describes it.
 */

import type { LineCoverage } from "./code-coverage/line-coverage.ts";

export type OutcomeName = "passed" | "violated" | "bugcheck" | "hung" | "failed";
export type DriverKind = "protocol" | "miniport" | "filter" | "intermediate" | "unknown";

export interface Location {
  readonly file: string;
  readonly line: number;
  readonly function: string;
}

export interface ReportTarget {
  /** As the user gave it. */
  readonly path: string;
  readonly name: string;
  readonly kind: DriverKind;
  readonly language: "c" | "typescript";
  readonly imports: {
    /** Routines that it imports and ndislab has. */
    readonly used: number;
    /** Routines that it imports and ndislab lacks, with the first place that calls each. */
    readonly missing: readonly { readonly name: string; readonly location?: Location }[];
  };
  /** A build that went on in spite of something: an unwritable cache, say. */
  readonly warnings: readonly string[];
}

export interface ReportRun {
  readonly scenario: string;
  /** How NDIS and the counterparts answered, such as "at once" or "pending, completed before the call returns". */
  readonly answers: string;
  readonly outcome: OutcomeName;
  /** Reproduces the run. */
  readonly token: string;
  readonly entries: number;
  /** Why, when the outcome is not "passed". */
  readonly reason?: string;
}

export interface StackFrame {
  /** A C or TypeScript function, a documented routine, or a step of the library. */
  readonly name: string;
  readonly kind: "driver" | "routine" | "step";
  readonly location?: Location;
}

export interface HistoryEntry {
  readonly step: number;
  readonly thread: number;
  /** One line: a call with its arguments, a handler, a change of state. */
  readonly text: string;
  readonly location?: Location;
}

export interface ReportRelated {
  /** What happened there, such as "allocated". */
  readonly what: string;
  readonly location?: Location;
  readonly stack: readonly StackFrame[];
  readonly step?: number;
  readonly thread?: number;
  /** The handler in which it happened. */
  readonly handler?: string;
  /** What the scenario was doing. */
  readonly during?: string;
}

export interface ReportViolation {
  readonly rule: string;
  readonly severity: "error" | "warning";
  /** The accused driver's name. */
  readonly driver: string;
  readonly title: string;
  readonly message: string;
  /** Path of the documentation page, or a URL. */
  readonly page: string;
  /** Windows bug-check codes and statuses by which the same mistake shows there. */
  readonly codes: readonly string[];
  readonly scenario: string;
  readonly answers: string;
  readonly token: string;
  readonly location?: Location;
  readonly stack: readonly StackFrame[];
  /** Other places that belong to it: where the block was allocated and freed, the other access of a race. */
  readonly related?: readonly ReportRelated[];
  /** Of an exploration: what this run did in another way than when nobody interferes, in order. */
  readonly deviations?: readonly string[];
  /** What led to it, oldest first. */
  readonly history: readonly HistoryEntry[];
  /** In how many runs the same rule was broken at the same place. */
  readonly count: number;
}

/** What an exploration of one scenario may say. */
export interface ReportExploration {
  readonly scenario: string;
  /** A rule is broken; or none in all runs of the model, in all of a bounded cost, in so many of them. */
  readonly claim: "BROKEN" | "PROVED" | "BOUNDED" | "SAMPLED";
  readonly text: string;
  /** What the random runs beside the search came to. */
  readonly sampled: string;
  readonly assumptions: readonly string[];
  readonly states: number;
  readonly transitions: number;
  /** Transitions that led to a state which was known. */
  readonly merged: number;
  readonly runs: number;
  readonly milliseconds: number;
}

export interface Report {
  readonly schemaVersion: 1;
  readonly tool: { readonly name: "ndislab"; readonly version: string };
  readonly targets: readonly ReportTarget[];
  readonly runs: readonly ReportRun[];
  readonly violations: readonly ReportViolation[];
  /** Of each scenario, when it was explored. */
  readonly exploration?: readonly ReportExploration[];
  readonly coverage: {
    /** Rules that watched, and how many of them belong to a group that saw an entry of its kind. */
    readonly rules: { readonly watched: number; readonly exercised: number };
    /** Documented routines that the targets called. */
    readonly routines: readonly string[];
    /** Of the driver under test, when it was asked for and the driver is in C. */
    readonly lines?: LineCoverage;
  };
}

/** 0: nothing broken; 1: a scenario could not be carried out, or none was; 2: violations. With `strict`, warnings count. */
export function exitCodeOf(report: Report, strict = false): 0 | 1 | 2 {
  if (report.violations.some(({ severity }) => strict || severity === "error")) return 2;
  return report.runs.length === 0 || report.runs.some(({ outcome }) => outcome === "failed") ? 1 : 0;
}
