/** The NDIS_OBJECT_HEADER of every structure that a driver hands to NDIS: its type, its revision, and a size of at least that revision's. */
import { type Struct, constant, ddis, structs } from "../../contract/index.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { type Watcher, on, ruleSet } from "../rule.ts";

interface Expected {
  readonly name: string;
  /** Values of the type byte that are right; none: any. */
  readonly types: readonly number[];
  /** Least size by revision. */
  readonly sizes: ReadonlyMap<number, number>;
}

/** The pages, and public drivers, use NDIS_OBJECT_TYPE_DEFAULT where the headers declare a type of its own. */
const DEFAULT_TOO: ReadonlySet<string> = new Set(["NDIS_PORT_CHARACTERISTICS"]);
const HEADER_BYTES = 4;
const DEFAULT = constant("NDIS_OBJECT_TYPE_DEFAULT");

function expectedOf({ name, header }: Struct): Expected | undefined {
  if (header === undefined || header.revisions.length === 0) return undefined;
  const types = header.objectType === null ? [] : [constant(header.objectType)];
  return {
    name,
    types: DEFAULT_TOO.has(name) ? [...types, DEFAULT] : types,
    sizes: new Map(header.revisions.map(({ revision, size }) => [revision, size ?? HEADER_BYTES])),
  };
}

const byPointer: ReadonlyMap<string, Expected> = new Map(
  structs().flatMap((struct) => {
    const expected = expectedOf(struct);
    return expected === undefined ? [] : struct.pointerTypes.map((pointer) => [pointer, expected] as const);
  }),
);

/** The attributes of an adapter come in several structures, which their type byte tells apart. */
const attributesByType: ReadonlyMap<number, Expected> = new Map(
  structs()
    .filter(({ name }) => /^NDIS_MINIPORT_ADAPTER_.*_ATTRIBUTES$/.test(name))
    .flatMap((struct) => {
      const expected = expectedOf(struct);
      return expected === undefined ? [] : expected.types.map((type) => [type, expected] as const);
    }),
);

const taken = ddis().flatMap(({ name, kind, params = [] }) => {
  if (kind !== "function") return [];
  return params.flatMap(({ type, direction }, index) => {
    const expected = byPointer.get((type ?? "").replace(/^const\s+/, "").replace(/^(\w+)\s*\*$/, "P$1"));
    return expected !== undefined && direction === "in" ? [{ name, index, expected }] : [];
  });
});

/** What is wrong with the header; undefined: nothing. */
function fault(k: Kernel, address: number, { types, sizes }: Expected): string | undefined {
  const [type = 0, revision = 0] = [k.memory.u8[address], k.memory.u8[address + 1]];
  const size = k.memory.readU16(address + 2);
  if (types.length > 0 && !types.includes(type))
    return `the type in its header is 0x${type.toString(16)}, and has to be 0x${types[0]?.toString(16)}`;
  const least = sizes.get(revision);
  if (least === undefined)
    return `its header says revision ${revision}, and there is none (known: ${[...sizes.keys()].join(", ")})`;
  return size < least ? `its header says ${size} bytes, and revision ${revision} has at least ${least}` : undefined;
}

const judged = (name: string, index: number, expectedAt: (k: Kernel, address: number) => Expected | undefined): Watcher =>
  on(`call ${name}`, ({ k, report }, { args }) => {
    const address = args[index] ?? 0;
    if (address === 0) return;
    const expected = expectedAt(k, address);
    const what = expected === undefined ? undefined : fault(k, address, expected);
    if (what === undefined || expected === undefined) return;
    report({
      rule: "header-size-revision",
      message: `${name} was called with a ${expected.name} that is not as declared: ${what}.`,
    });
  });

export const objectHeaderRules = ruleSet(
  ["header-size-revision"],
  [
    ...taken.map(({ name, index, expected }) => judged(name, index, () => expected)),
    judged("NdisMSetMiniportAttributes", 1, (k, address) => attributesByType.get(k.memory.u8[address] ?? 0)),
  ],
);
