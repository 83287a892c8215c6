/** The public face of ndislab for drivers and programs in TypeScript. */
export { constant } from "./contract/index.ts";
export { type DriverEnvironment, type Handlers, type TypeScriptDriver, defineDriver } from "./tsdriver/driver.ts";
export { Machine, type MachineDriver, type MachineOptions, type Outcome } from "./machine/machine.ts";
export { type Action, type Scenario, type ScenarioTools, defineScenario } from "./machine/actions.ts";
export { type Snapshot, fingerprint, restoreSnapshot, takeSnapshot } from "./kernel/index.ts";
export type { ApplicationAction, ApplicationAnswer } from "./machine/application-actions.ts";
export type { Data, DataPart } from "./machine/user-data.ts";
export { adapterName } from "./ndis/names.ts";
export { type DriverOptions, type ExploreOptions, explore, replay } from "./testing.ts";
export type { Report, ReportViolation } from "./report/index.ts";
