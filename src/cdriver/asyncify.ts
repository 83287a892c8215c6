/**
 * Makes an instrumented driver suspendable with binaryen's Asyncify, and optimises it.
 *
 * Neither step keeps DWARF up to date, but binaryen carries a source position with each expression. So before the passes each call and
 * each instruction that may trap is given its address in the linked binary as its "line", and the source map that comes out tells, for
 * an offset in the final binary, the address that DWARF knows.
 */
import type { Mark } from "./instrument.ts";
import { type Binaryen, createWalker } from "./binaryen-walk.ts";
import { ByteWriter } from "./wasm-bytes.ts";
import { readSections } from "./wasm-module.ts";
import { decodeSourceMap, type SourceMapEntry } from "./source-map.ts";

export interface Suspendable {
  readonly wasm: Uint8Array;
  /** By offset in `wasm`, ascending. */
  readonly addresses: readonly SourceMapEntry[];
  /** Functions whose instructions could not be told apart, so that they have no addresses. */
  readonly unmapped: readonly string[];
}

type Module = InstanceType<Binaryen["Module"]>;

/** Nothing is inlined and no code is shared between places, so that a function stays that function, and a call that call. */
const PASSES = [
  "ssa-nomerge",
  "simplify-locals-nostructure",
  "vacuum",
  "remove-unused-brs",
  "remove-unused-names",
  "merge-blocks",
  "precompute",
  "optimize-instructions",
  "simplify-locals",
  "vacuum",
  "reorder-locals",
  "coalesce-locals",
  "simplify-locals",
  "vacuum",
  "reorder-locals",
  "remove-unused-brs",
  "remove-unused-names",
  "merge-blocks",
  "vacuum",
];

/** Tells marks of a beginning in the source map. */
const BEGINNING_COLUMN = 1;

/** `switchingImports`: names of the imports of `env` that may suspend. */
export async function makeSuspendable(
  instrumented: Uint8Array,
  marks: ReadonlyMap<number, readonly Mark[]>,
  switchingImports: readonly string[],
): Promise<Suspendable> {
  const { default: binaryen } = await import("binaryen");
  const module = binaryen.readBinary(instrumented);
  try {
    const unmapped = placeAddresses(binaryen, module, marks);
    // These settings belong to the process, not to the module.
    binaryen.setDebugInfo(true);
    binaryen.setOptimizeLevel(2);
    binaryen.setShrinkLevel(0);
    binaryen.setPassArgument("asyncify-import-globals", "1");
    binaryen.setPassArgument(
      "asyncify-imports",
      switchingImports.length === 0 ? "env.-" : switchingImports.map((name) => `env.${name}`).join(","),
    );
    module.runPasses(["asyncify", ...PASSES]);
    const { binary, sourceMap } = module.emitBinary("addresses");
    return { wasm: withoutSection(binary, "sourceMappingURL"), addresses: decodeSourceMap(sourceMap ?? ""), unmapped };
  } finally {
    binaryen.clearPassArguments();
    binaryen.setDebugInfo(false);
    module.dispose();
  }
}

function placeAddresses(binaryen: Binaryen, module: Module, marks: ReadonlyMap<number, readonly Mark[]>): string[] {
  const walk = createWalker(binaryen);
  const file = module.addDebugInfoFileName("code");
  const unmapped: string[] = [];
  for (const [index, wanted] of marks) {
    const pointer = module.getFunctionByIndex(index);
    const info = binaryen.getFunctionInfo(pointer);
    const found = walk(info.body);
    if (found.length !== wanted.length || found.some((each, position) => each.kind !== wanted[position]?.kind)) {
      unmapped.push(info.name);
      continue;
    }
    for (const [position, { expression }] of found.entries()) {
      const mark = wanted[position];
      if (mark !== undefined)
        module.setDebugLocation(pointer, expression, file, mark.address, mark.isBeginning ? BEGINNING_COLUMN : 0);
    }
  }
  return unmapped;
}

/** Without a custom section that stands after the code, so that no offset of code changes. */
function withoutSection(binary: Uint8Array, name: string): Uint8Array {
  const out = new ByteWriter();
  let copied = 0;
  for (const section of readSections(binary)) {
    if (section.name === name) out.bytes(binary.subarray(copied, section.sectionStart));
    else out.bytes(binary.subarray(copied, section.end));
    copied = section.end;
  }
  return out.toBytes();
}
