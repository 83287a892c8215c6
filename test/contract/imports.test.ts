import { describe, expect, test } from "vitest";
import { callableRoutines, compileFlags, ddis, importSignature, runtimeSource } from "../../src/contract/index.ts";
import { NEWEST, clang } from "./clang.ts";
import { functionImports } from "./wasm-imports.ts";

const I32 = 0x7f;

describe("Imports of a driver module", () => {
  test("each routine has the 32-bit words that its signature says, and no 64-bit one", async () => {
    const routines = callableRoutines();
    expect(routines.length).toBeGreaterThan(600);
    const calls = routines.map((ddi, index) => {
      const holders = ddi.params.map(({ type }, position) => `${spelled(type ?? "PVOID", `a${index}_${position}`)};`);
      const call = `${ddi.name}(${[...ddi.params.map((_, position) => `a${index}_${position}`), ...(ddi.variadic === true ? ["1", "2"] : [])].join(", ")})`;
      return `${holders.join(" ")} void call${index}(void) { (void)${call}; }`;
    });
    const { isAccepted, output, files } = await clang(`#include <ndis.h>\n${calls.join("\n")}`, [
      ...NEWEST,
      "-O0",
      "-g0",
      "-c",
      "-o",
      "a.o",
    ]);
    expect(output).toBe("");
    expect(isAccepted).toBe(true);
    const object = files["a.o"];
    if (!(object instanceof Uint8Array)) throw new Error("no object file");
    const imports = functionImports(object);

    const differences = routines.map(importSignature).flatMap(({ name, params, returnType }) => {
      const type = imports.get(name);
      if (type === undefined) return [`${name} is not imported`];
      const isAsSaid =
        type.params.length === params.length &&
        type.results.length === (returnType === "void" ? 0 : 1) &&
        [...type.params, ...type.results].every((each) => each === I32);
      return isAsSaid
        ? []
        : [
            `${name} has ${type.params.length} parameters, ${type.results.length} results: ${[...type.params, ...type.results].map((each) => each.toString(16)).join(" ")}`,
          ];
    });
    expect(differences).toEqual([]);
    expect(
      [...imports].filter(([, { params, results: answers }]) => [...params, ...answers].some((each) => each !== I32)),
    ).toEqual([]);
  });

  test("no handler of a driver takes or returns a 64-bit scalar", () => {
    const handlers = ddis().filter(({ kind }) => kind === "callback");
    expect(handlers.length).toBeGreaterThan(150);
    expect(handlers.filter((handler) => importSignature(handler).isSplit).map(({ name }) => name)).toEqual([]);
  });

  test("interlocked operations are imports under every spelling", async () => {
    const source = `#include <ndis.h>
LONG l; LONG64 q; PVOID p;
void spellings(void) {
  InterlockedIncrement(&l); _InterlockedIncrement(&l); InterlockedIncrementAcquire(&l); InterlockedIncrementNoFence(&l);
  InterlockedDecrementRelease64(&q); _InterlockedCompareExchange(&l, 1, 2); InterlockedCompareExchangePointer(&p, 0, 0);
  _InterlockedExchangePointer(&p, 0); NdisInterlockedIncrement(&l); InterlockedOr(&l, 1); _InterlockedAnd(&l, 1);
}`;
    const { files } = await clang(source, ["-c", "-o", "a.o"]);
    const object = files["a.o"];
    if (!(object instanceof Uint8Array)) throw new Error("no object file");
    expect([...functionImports(object).keys()].sort()).toEqual([
      "InterlockedAnd",
      "InterlockedCompareExchange",
      "InterlockedCompareExchangePointer",
      "InterlockedDecrement64_split",
      "InterlockedExchangePointer",
      "InterlockedIncrement",
      "InterlockedOr",
      "NdisInterlockedIncrement",
    ]);
  });

  test("the C runtime calls nothing, itself included", async () => {
    const { output, files } = await clang(runtimeSource(), ["-c", "-o", "a.o"], [...compileFlags]);
    expect(output).toBe("");
    const object = files["a.o"];
    if (!(object instanceof Uint8Array)) throw new Error("no object file");
    expect([...functionImports(object).keys()]).toEqual([]);
  });
});

/** "PVOID *" and a name; array types do not occur in parameters. */
const spelled = (type: string, name: string): string => `${type.replace(/^const volatile void \*$/, "void *")} ${name}`;
