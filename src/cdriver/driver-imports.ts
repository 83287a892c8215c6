/** The functions that drivers import. */
import { POINT } from "./checks/access-checks.ts";
import { isOfChecks } from "./checks/names.ts";
import { pointerParameters } from "./checks/parameters.ts";
import type { CHost } from "./host.ts";
import type { Import, Instances } from "./instances.ts";
import { refuseMissing } from "./missing-routines.ts";
import { takingWords } from "../kernel/apply.ts";

/** What drivers import: it calls the host of the run that is under way. */
export function importOf(instances: Instances<CHost>, name: string, parameterCount: number): Import {
  if (name === POINT) return () => instances.host.point();
  if (isOfChecks(name)) return (...args) => instances.host.checks.called(name, args);
  const index = instances.host.kernel.routineIndex(name);
  if (index === undefined) return () => refuseMissing(name);
  const pointers = pointerParameters(name);
  return takingWords(parameterCount, (args) => instances.host.call(name, index, pointers, args));
}
