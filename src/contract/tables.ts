/** The contract as data: one lazily read table per file of `data/`, typed, and nothing else. */
import { createRequire } from "node:module";

const read = createRequire(import.meta.url);

/** A table is read when it is first asked for, once. */
function table<T>(file: string): () => T {
  let loaded: T | undefined;
  return () => {
    loaded ??= read(`./data/${file}`) as T;
    return loaded;
  };
}

export type Role = "any" | "protocol" | "miniport" | "filter" | "intermediate" | "coordinator" | (string & {});

export interface DdiParameter {
  readonly name: string;
  /** As C spells it; null for the parameters of a macro. */
  readonly type: string | null;
  readonly direction: "in" | "out" | "inout" | null;
  /** NULL is allowed. */
  readonly optional?: boolean;
}

/** A function, callback or macro of NDIS or, without `roles`, of the kernel. */
export interface Ddi {
  readonly name: string;
  readonly kind: "function" | "callback" | "macro";
  readonly roles?: readonly Role[];
  readonly header: string;
  /** The part of the kernel that it belongs to. */
  readonly group?: string;
  readonly minNdis?: string;
  /** The version guard around its declaration; absent: always declared. */
  readonly minNdisHeader?: string;
  /** "PASSIVE", "<=DISPATCH", "DISPATCH", "any", ...; null where the page is silent. */
  readonly irql: string | null;
  readonly irqlHeader?: string;
  readonly mustInspectResult?: boolean;
  readonly legacyNdis5Only?: boolean;
  readonly inline?: boolean;
  readonly declaredAsMacro?: boolean;
  readonly undocumented?: boolean;
  readonly exportedByNdisSys?: boolean;
  readonly variadic?: boolean;
  readonly macroParams?: readonly string[];
  /** The type of a callback's pointer, where it has a name of its own. */
  readonly handlerPointerType?: string;
  /** The callback's name is that of the pointer, not of the function. */
  readonly pointerType?: boolean;
  /** What the page calls a callback: `ProtocolUnbindAdapterEx`. */
  readonly docFunctionName?: string;
  readonly params: readonly DdiParameter[];
  readonly returnType: string | null;
  readonly returns?: readonly string[];
  readonly ddiCompliance?: readonly string[];
  /** Path in the public documentation repository. */
  readonly docPath: string | null;
}

export interface StructField {
  /** null: an anonymous member. */
  readonly name: string | null;
  readonly type: string;
  /** In bytes from the start of the outermost structure. */
  readonly offset: number;
  readonly size: number;
  /** The type without typedefs. */
  readonly canonical?: string;
  readonly count?: number;
  readonly bits?: number;
  /** In bits from the start of the outermost structure. */
  readonly bitOffset?: number;
  readonly anonymous?: boolean;
  readonly nested?: { readonly kind: "struct" | "union"; readonly size: number; readonly fields: readonly StructField[] };
}

export interface StructRevision {
  readonly revision: number;
  readonly constant: string;
  readonly minNdis: string | null;
  readonly sizeConstant: string | null;
  readonly size: number | null;
}

export interface Struct {
  readonly name: string;
  readonly tag: string | null;
  readonly kind: "struct" | "union";
  readonly aliases: readonly string[];
  readonly pointerTypes: readonly string[];
  /** The public header that defines it. */
  readonly file: string;
  readonly minNdis: string | null;
  readonly size: number;
  readonly align: number;
  /** Belongs to the kernel, not to NDIS. */
  readonly external?: string;
  readonly docPath?: string;
  readonly header?: { readonly objectType: string | null; readonly revisions: readonly StructRevision[] };
  readonly fields: readonly StructField[];
}

export interface Constant {
  readonly name: string;
  readonly group: string;
  /** A string only where a number would lose digits. */
  readonly value: number | string;
  readonly bytes: number;
  readonly signed?: boolean;
  /** The enumeration that it is a member of. */
  readonly enum?: string;
  readonly minNdis?: string;
  readonly file: string;
  /** Depends on the version that the driver asks for; the value is that of the newest. */
  readonly configuration?: boolean;
}

export interface Rule {
  readonly id: string;
  readonly class: "contract" | "ddi-compliance" | "bugcheck";
  readonly object: string;
  readonly drivers: readonly string[];
  readonly modality: "must" | "must-not" | "should" | "should-not" | "may" | "ndis-guarantee" | "ndis-behaviour" | "inferred";
  readonly statement: string;
  readonly functions: readonly string[];
  readonly docPath: string;
  readonly docPaths: readonly string[];
  /** Empty: any state. */
  readonly preconditionStates?: readonly string[];
  readonly requiredCalls?: readonly string[];
  readonly forbiddenCalls?: readonly string[];
  readonly result?: readonly string[];
  readonly method?: readonly string[];
  readonly ruleSets?: readonly string[];
  readonly verifierBugcheck?: readonly unknown[];
  readonly timeoutSeconds?: number | null;
  readonly name?: string;
  readonly code?: string;
  readonly parameter1?: string;
  readonly subcodes?: unknown;
}

/** What `npm run mutants` found: from ids of rules to the test that fails when the check, or the behaviour, is switched off. */
export interface Coverage {
  readonly enforced: Readonly<Record<string, string>>;
  readonly proven: Readonly<Record<string, string>>;
}

export interface Transition {
  readonly from: string;
  readonly event: string;
  readonly to: string;
  readonly by: string;
  readonly note?: string;
}

export interface StateMachine {
  readonly object: string;
  readonly initial: string;
  readonly states: readonly string[];
  readonly terminal?: readonly string[];
  readonly transitions: readonly Transition[];
  readonly operations?: {
    readonly [state: string]: { readonly allowed: readonly string[]; readonly forbidden: readonly string[] };
  };
  readonly docTable?: { readonly [use: string]: readonly string[] };
  readonly docs: readonly string[];
}

export interface Ordering {
  readonly id: string;
  readonly steps: readonly {
    readonly n: number;
    readonly actor: string;
    readonly action: string;
    readonly stateAfter?: string;
  }[];
  readonly docs: readonly string[];
  readonly note?: string;
}

/** Functions, callbacks and macros of NDIS. */
export const ddis = table<readonly Ddi[]>("ddi.json");
/** Routines of the kernel that drivers call, and those of NDIS that C drivers reach as imports although Windows has macros for them. */
export const kernelRoutines = table<readonly Ddi[]>("kernel.json");
export const structs = table<readonly Struct[]>("structs.json");
/** Constants of NDIS. */
export const ndisConstants = table<readonly Constant[]>("constants.json");
/** Constants of the kernel. */
export const kernelConstants = table<readonly Constant[]>("kernel-constants.json");
export const rules = table<readonly Rule[]>("rules.json");
export const coverage = table<Coverage>("coverage.json");
export const states = table<{ readonly machines: readonly StateMachine[]; readonly orderings: readonly Ordering[] }>(
  "states.json",
);
/** All constants. */
export const constants = (): readonly Constant[] => [...ndisConstants(), ...kernelConstants()];
