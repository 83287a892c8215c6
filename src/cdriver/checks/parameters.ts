/**
 * What a routine's own code will access of its caller's memory, before it does: the structures and variables that its parameters point to, as the
 * contract table has them.
 */
import { type Ddi, ddi, layoutOf, struct } from "../../contract/index.ts";
import type { StructName } from "../../contract/structs.generated.ts";

export interface PointerParameter {
  readonly index: number;
  readonly name: string;
  /** What the pointer leads to. */
  readonly type: string;
  readonly bytes: number;
  /** Whether the structure begins with an NDIS_OBJECT_HEADER, which tells how long it is. */
  readonly hasHeader: boolean;
  readonly isOptional: boolean;
  readonly writes: boolean;
  /** So many bytes from its start on are read in any case. */
  readonly needed: number;
  /** Whether one of them that nobody has written is too many; else it takes all. */
  readonly needsEach: boolean;
}

/** Variables of simple types, in bytes. */
const SIMPLE: Readonly<Record<string, number>> = {
  BOOLEAN: 1,
  UCHAR: 1,
  KIRQL: 1,
  CHAR: 1,
  USHORT: 2,
  SHORT: 2,
  ULONG: 4,
  LONG: 4,
  UINT: 4,
  UINT32: 4,
  SIZE_T: 4,
  HANDLE: 4,
  PVOID: 4,
  NDIS_HANDLE: 4,
  NDIS_STATUS: 4,
  NTSTATUS: 4,
  KSPIN_LOCK: 4,
  EX_SPIN_LOCK: 4,
  LARGE_INTEGER: 8,
  PHYSICAL_ADDRESS: 8,
  LONG64: 8,
};

/** What the system initializes for the driver, and looks into whenever it is used. */
const OBJECTS = new Set([
  ...[
    "KSPIN_LOCK",
    "EX_SPIN_LOCK",
    "EX_PUSH_LOCK",
    "FAST_MUTEX",
    "ERESOURCE",
    "EX_RUNDOWN_REF",
    "NDIS_SPIN_LOCK",
    "NDIS_RW_LOCK",
  ],
  ...["KEVENT", "KMUTEX", "KSEMAPHORE", "KTIMER", "KDPC", "NDIS_EVENT"],
  ...["SLIST_HEADER", "NPAGED_LOOKASIDE_LIST", "LOOKASIDE_LIST_EX"],
]);
/** A counted string may be empty, and have no buffer then. */
const LENGTH_BYTES = 2;
const COUNTED = new Set(["UNICODE_STRING", "ANSI_STRING", "STRING"]);

export const HEADER_BYTES = 4;

/** What a driver gets back as it passed it. */
const PASSED_ON = /Context|Argument|SystemSpecific|Reserved/;

/** Who uses one of these that is not there breaks a rule of their own. */
const JUDGED_BY_RULES = new Set([
  "NET_BUFFER_LIST",
  "NET_BUFFER",
  "IRP",
  "MDL",
  "NDIS_OID_REQUEST",
  "DEVICE_OBJECT",
  "FILE_OBJECT",
]);
/** Written `PVOID`, or as a buffer whose length another parameter has. */
const BUFFERS = new Set(["UCHAR", "CHAR", "USHORT", "SHORT"]);

/** `PX`, `PCX`, `PRX`, `X *`, `const X *` and `X volatile *` as X; a pointer to a pointer is to a `PVOID`. */
function pointedTo(type: string): string | undefined {
  const plain = type.replaceAll(/\b(const|volatile|CONST)\b/g, "").trim();
  if (plain.endsWith("**") || /^P[A-Z_0-9]+ ?\*$/.test(plain)) return "PVOID";
  const [, before] = /^([A-Za-z_0-9]+) ?\*$/.exec(plain) ?? [];
  if (before !== undefined) return before;
  const names = [/^P([A-Z_0-9]+)$/, /^PC([A-Z_0-9]+)$/, /^PR([A-Z_0-9]+)$/].flatMap((pattern) => pattern.exec(plain)?.[1] ?? []);
  return names.find((name) => SIMPLE[name] !== undefined || struct(name) !== undefined);
}

const known = new Map<string, readonly PointerParameter[]>();

/** By the name that C knows; a routine whose 64-bit parameters are split up has others, and is not looked at. */
export function pointerParameters(routine: string): readonly PointerParameter[] {
  // Those that free something judge what they are given by themselves: a second time is a mistake with a name of its own.
  const found = known.get(routine) ?? (/Free|Delete/.test(routine) ? [] : parametersOf(ddi(routine)));
  known.set(routine, found);
  return found;
}

function parametersOf(routine: Ddi | undefined): readonly PointerParameter[] {
  return (routine?.params ?? []).flatMap(({ name, type, direction, optional }, index): PointerParameter[] => {
    const target = type === null ? undefined : pointedTo(type);
    if (target === undefined || JUDGED_BY_RULES.has(target) || BUFFERS.has(target)) return [];
    const bytes = SIMPLE[target] ?? sizeOf(target);
    if (bytes === undefined || bytes === 0) return [];
    const hasHeader = struct(target)?.fields[0]?.type === "NDIS_OBJECT_HEADER";
    return [
      {
        index,
        name: name ?? "parameter",
        type: target,
        bytes,
        hasHeader,
        isOptional: optional === true,
        writes: direction !== "in",
        ...needsOf(target, bytes, hasHeader, direction),
      },
    ];
  });
}

function needsOf(
  target: string,
  bytes: number,
  hasHeader: boolean,
  direction: string | null,
): Pick<PointerParameter, "needed" | "needsEach"> {
  if (OBJECTS.has(target) && direction !== "out") return { needed: bytes, needsEach: false };
  if (direction !== "in") return { needed: 0, needsEach: false };
  if (COUNTED.has(target)) return { needed: LENGTH_BYTES, needsEach: true };
  if (hasHeader) return { needed: HEADER_BYTES, needsEach: true };
  return { needed: bytes, needsEach: SIMPLE[target] !== undefined };
}

/** Which parameters' own values the routine goes by. What interlocked operations store decides nothing. */
export function decidingParameters(routine: string): readonly number[] {
  const { params = [] } = ddi(routine) ?? {};
  return params.flatMap(({ name }, index) => {
    const isStored = /Interlocked/.test(routine) && index > 0;
    return name === null || PASSED_ON.test(name) || isStored ? [] : [index];
  });
}

function sizeOf(name: string): number | undefined {
  const found = struct(name);
  return found === undefined ? undefined : layoutOf(found.name as StructName).size;
}
