/** The contract tables as `explain` and `list` read them. */
import {
  type Constant,
  type Coverage,
  type Ddi,
  type Rule,
  type StateMachine,
  type Struct,
  type StructField,
  constants,
  coverage,
  ddis,
  kernelRoutines,
  rules,
  states,
  structs,
} from "../contract/tables.ts";

export type { Constant, Ddi, Rule, StateMachine, Struct, StructField };

export interface ContractTables {
  readonly rules: readonly Rule[];
  /** Of NDIS and of the kernel. */
  readonly ddis: readonly Ddi[];
  readonly constants: readonly Constant[];
  readonly machines: readonly StateMachine[];
  readonly structures: readonly Struct[];
  readonly coverage: Coverage;
}

/** The name by which the pages speak of the routine or handler: ProtocolUnbindAdapterEx for PROTOCOL_UNBIND_ADAPTER_EX. */
export const nameOf = (ddi: Ddi): string => ddi.docFunctionName ?? ddi.name;

export function readContractTables(): ContractTables {
  const ofNdis = ddis();
  const known = new Set(ofNdis.map(({ name }) => name));
  return {
    rules: rules(),
    ddis: [...ofNdis, ...kernelRoutines().filter(({ name }) => !known.has(name))],
    constants: constants(),
    machines: states().machines,
    structures: structs(),
    coverage: coverage(),
  };
}
