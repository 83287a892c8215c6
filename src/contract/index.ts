/** The contract: what NDIS and the kernel promise, as data, and the C headers and types made from it. */
export { generatedTypes } from "./generated-types.ts";
export { compileFlags, debugFlags } from "./headers/flags.ts";
export { type ImportParameter, type ImportSignature, callableRoutines, importSignature } from "./headers/imports.ts";
export { generateHeaders } from "./headers/index.ts";
export { libraryHeaders } from "./headers/kept.ts";
export { runtimeSource } from "./headers/templates.ts";
export { type FieldKind, type Layout, type LayoutField, layoutOf } from "./layout.ts";
export { constant, constantNamed, ddi, ntStatusName, oidName, rule, statusName, struct } from "./lookups.ts";
export type { ConstantName, StructName, Structs } from "./structs.generated.ts";
export {
  type Constant,
  type Coverage,
  type Ddi,
  type DdiParameter,
  type Ordering,
  type Role,
  type Rule,
  type StateMachine,
  type Struct,
  type StructField,
  type StructRevision,
  type Transition,
  constants,
  coverage,
  ddis,
  kernelConstants,
  kernelRoutines,
  ndisConstants,
  rules,
  states,
  structs,
} from "./tables.ts";
export { windowsNames } from "./windows-names.ts";
