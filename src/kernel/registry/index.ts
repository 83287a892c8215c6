/** The registry of a machine. */
import { keyRoutines } from "./keys.ts";
import { queryTableHandlers, queryTableRoutines } from "./query-table.ts";
import { registryRunTimeRoutines } from "./run-time.ts";
import { RegistryKey, RegistryValue } from "./tree.ts";
import { valueRoutines } from "./values.ts";

export const registryRoutines = [...keyRoutines, ...valueRoutines, ...registryRunTimeRoutines, ...queryTableRoutines];
export const registryObjectTypes = [RegistryKey, RegistryValue];
export const registryHandlers = queryTableHandlers;
