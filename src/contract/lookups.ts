/** Look-ups by name and by value. */
import type { ConstantName } from "./structs.generated.ts";
import { type Constant, type Ddi, type Rule, type Struct, constants, ddis, kernelRoutines, rules, structs } from "./tables.ts";

/** Built when it is first asked for, once. */
function lazy<T>(build: () => T): () => T {
  let built: T | undefined;
  return () => {
    built ??= build();
    return built;
  };
}

const values = lazy(() => new Map(constants().map(({ name, value }) => [name, Number(value)])));
const byName = lazy(() => new Map<string, Ddi>([...ddis(), ...kernelRoutines()].map((entry) => [entry.name, entry])));
const structsByName = lazy(
  () => new Map<string, Struct>(structs().flatMap((entry) => [entry.name, ...entry.aliases].map((name) => [name, entry]))),
);
const rulesById = lazy(() => new Map(rules().map((entry) => [entry.id, entry])));

/** The value of a constant of NDIS or the kernel; status codes are negative where they are failures. */
export function constant(name: ConstantName | (string & {})): number {
  const value = values().get(name);
  if (value === undefined) throw new Error(`No constant ${name} in the contract tables.`);
  return value;
}

/** The value of whatever name; undefined where the tables have none. */
export const constantNamed = (name: string): number | undefined => values().get(name);

/**
 * The function, callback or macro of that name. A routine that Windows has as a macro and C drivers here as an import is in both tables; the
 * entry with parameter types wins.
 */
export const ddi = (name: string): Ddi | undefined => byName().get(name);
export const struct = (name: string): Struct | undefined => structsByName().get(name);
export const rule = (id: string): Rule | undefined => rulesById().get(id);

/** Names by 32-bit value; the first name of a value wins. */
function namesByValue(wanted: (constant: Constant) => boolean): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const entry of constants().filter(wanted)) {
    const value = Number(entry.value) >>> 0;
    if (!names.has(value)) names.set(value, entry.name);
  }
  return names;
}

const ndisStatusNames = lazy(() => namesByValue(({ group, name }) => group === "NDIS_STATUS" && !/_(BASE|MASK)$/.test(name)));
const ntStatusNames = lazy(() => namesByValue(({ group }) => group === "NTSTATUS"));
const oidNames = lazy(() => namesByValue(({ group }) => group === "OID"));

/** "NDIS_STATUS_..." where NDIS has a name for the value, else "STATUS_...", else undefined. */
export const statusName = (value: number): string | undefined =>
  ndisStatusNames().get(value >>> 0) ?? ntStatusNames().get(value >>> 0);
export const ntStatusName = (value: number): string | undefined =>
  ntStatusNames().get(value >>> 0) ?? ndisStatusNames().get(value >>> 0);
export const oidName = (value: number): string | undefined => oidNames().get(value >>> 0);
