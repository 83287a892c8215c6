/** Prototypes of the routines that a driver imports, wrappers for those with 64-bit scalars, and the types of its callbacks. */
import type { Ddi, DdiParameter } from "../tables.ts";
import { type Guarded, guarded } from "./guards.ts";
import { importSignature, isWide } from "./imports.ts";
import { declaration } from "./struct-text.ts";

const parameter = ({ name, type }: { readonly name: string; readonly type: string | null }): string =>
  declaration(type ?? "PVOID", name);

function parameterList(params: readonly Pick<DdiParameter, "name" | "type">[], isVariadic = false): string {
  const list = [...params.map(parameter), ...(isVariadic ? ["..."] : [])];
  return list.length === 0 ? "void" : list.join(", ");
}

/** The wrapper splits on the way in and joins on the way out; it is inlined, so the driver's function makes the call. */
function splitWrapper(ddi: Ddi): string {
  const { name, params, returnType } = importSignature(ddi);
  const passed = ddi.params.flatMap(({ name: argument, type }) =>
    isWide(type) ? [`(ULONG)${argument}`, `(ULONG)((ULONGLONG)${argument} >> 32)`] : [argument],
  );
  const call = (args: readonly string[]): string => `${name}(${args.join(", ")})`;
  const body = isWide(ddi.returnType)
    ? `${ddi.returnType} result; ${call(["&result", ...passed])}; return result;`
    : `${returnType === "void" ? "" : "return "}${call(passed)};`;
  return `${returnType} ${name}(${parameterList(params)});\nNDISLAB_INLINE ${ddi.returnType} ${ddi.name}(${parameterList(ddi.params)}) { ${body} }`;
}

function prototype(ddi: Ddi): string {
  return importSignature(ddi).isSplit
    ? splitWrapper(ddi)
    : `${ddi.returnType} ${ddi.name}(${parameterList(ddi.params, ddi.variadic)});`;
}

export function prototypes(routines: readonly Ddi[]): string {
  return guarded(routines.map((ddi): Guarded => ({ text: prototype(ddi), version: ddi.minNdisHeader })));
}

/** Callback types that the table knows by name only: each has the shape of another. */
const SAME_SHAPE: { readonly [name: string]: string } = {
  PROTOCOL_SET_OPTIONS: "SET_OPTIONS",
  MINIPORT_SET_OPTIONS: "SET_OPTIONS",
  FILTER_SET_OPTIONS: "SET_OPTIONS",
  MINIPORT_START_DEVICE: "MINIPORT_PNP_IRP",
  MINIPORT_FILTER_RESOURCE_REQUIREMENTS: "MINIPORT_PNP_IRP",
  MINIPORT_SYNCHRONIZE_MESSAGE_INTERRUPT: "MINIPORT_SYNCHRONIZE_INTERRUPT",
};

/** Pointer types with names of their own that the table does not tie to their callback. */
const POINTER_TYPES = ["typedef NDIS_IO_WORKITEM_FUNCTION *NDIS_IO_WORKITEM_ROUTINE;"];

function callbackType(ddi: Ddi): string {
  const same = SAME_SHAPE[ddi.name];
  const list = parameterList(ddi.params);
  const own =
    same !== undefined
      ? `typedef ${same} ${ddi.name};`
      : ddi.pointerType === true
        ? `typedef ${ddi.returnType} (*${ddi.name})(${list});`
        : `typedef ${ddi.returnType} ${ddi.name}(${list});`;
  return ddi.handlerPointerType === undefined ? own : `${own}\ntypedef ${ddi.name} *${ddi.handlerPointerType};`;
}

export function callbackTypes(callbacks: readonly Ddi[]): string {
  const withOwnShape = callbacks.filter(({ name }) => SAME_SHAPE[name] === undefined);
  const withOthers = callbacks.filter(({ name }) => SAME_SHAPE[name] !== undefined);
  return [...[...withOwnShape, ...withOthers].map(callbackType), ...POINTER_TYPES].join("\n");
}
