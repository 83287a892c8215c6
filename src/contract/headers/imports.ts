/**
 * What a driver module imports for each documented routine.
 *
 * 32-bit words only, so that nothing crosses as a BigInt: a routine with a 64-bit scalar is reached by an inline wrapper in the header that
 * calls `<Name>_split`, where each 64-bit parameter is two words (low, high) and a 64-bit result is written through a pointer that comes
 * first. A structure or union passed by value (LARGE_INTEGER, PHYSICAL_ADDRESS, NDIS_PHYSICAL_ADDRESS) crosses as a pointer to a copy, and
 * one that is returned (PROCESSOR_NUMBER, LARGE_INTEGER) is written through a pointer that comes first: clang's wasm32 ABI does that by
 * itself. Further arguments of a variadic routine lie in memory behind one pointer.
 */
import { type Ddi, ddis, kernelRoutines } from "../tables.ts";
import { handWrittenNames } from "./templates.ts";

const WIDE = new Set(["LONGLONG", "ULONGLONG", "LONG64", "ULONG64", "INT64", "UINT64", "DWORDLONG", "POOL_FLAGS"]);
const STRUCT_RESULTS = new Set(["LARGE_INTEGER", "PHYSICAL_ADDRESS", "PROCESSOR_NUMBER"]);
const SIGNED = new Set(["LONGLONG", "LONG64", "INT64"]);

export const isWide = (type: string | null): type is string => type !== null && WIDE.has(type);

export interface ImportParameter {
  readonly name: string;
  readonly type: string;
  /** "result": where the answer is written; "low" and "high": halves of one documented parameter; "arguments": the variadic rest. */
  readonly part?: "result" | "low" | "high" | "arguments";
}

export interface ImportSignature {
  /** The name in module `env`. */
  readonly name: string;
  readonly ddi: Ddi;
  readonly isSplit: boolean;
  /** One 32-bit word each. */
  readonly params: readonly ImportParameter[];
  /** "void": nothing; anything else is one 32-bit word. */
  readonly returnType: string;
}

/** A callback whose table entry calls it a function. */
const isCallbackType = ({ name }: Ddi): boolean => /^[A-Z0-9_]+$/.test(name) && !/^(READ|WRITE)_PORT/.test(name);

/** Routines that C drivers reach as imports: no macros, no inline functions, no callbacks, nothing of NDIS 5. */
export function callableRoutines(): readonly Ddi[] {
  const inHeaders = handWrittenNames();
  const kernel = kernelRoutines();
  const named = new Set(kernel.map(({ name }) => name));
  const ndis = ddis().filter(
    (ddi) =>
      ddi.kind === "function" &&
      ddi.declaredAsMacro !== true &&
      ddi.legacyNdis5Only !== true &&
      ddi.returnType !== null &&
      !isCallbackType(ddi) &&
      !named.has(ddi.name),
  );
  return [...kernel, ...ndis].filter(({ name }) => !inHeaders.has(name));
}

export function importSignature(ddi: Ddi): ImportSignature {
  const resultType = ddi.returnType ?? "void";
  const isSplit = isWide(resultType) || ddi.params.some(({ type }) => isWide(type));
  const params: ImportParameter[] = [];
  if (isWide(resultType) || STRUCT_RESULTS.has(resultType))
    params.push({ name: "Result", type: `${resultType} *`, part: "result" });
  for (const { name, type } of ddi.params) {
    if (!isWide(type)) params.push({ name, type: type ?? "PVOID" });
    else
      params.push(
        { name: `${name}Low`, type: "ULONG", part: "low" },
        { name: `${name}High`, type: SIGNED.has(type) ? "LONG" : "ULONG", part: "high" },
      );
  }
  if (ddi.variadic === true) params.push({ name: "Arguments", type: "PVOID", part: "arguments" });
  return {
    name: isSplit ? `${ddi.name}_split` : ddi.name,
    ddi,
    isSplit,
    params,
    returnType: isWide(resultType) || STRUCT_RESULTS.has(resultType) ? "void" : resultType,
  };
}
