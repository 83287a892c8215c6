import { allChecks } from "../../src/cdriver/checks/flags.ts";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { type BuildOptions, buildDriver } from "../../src/cdriver/build.ts";
import { CompileError, InputError } from "../../src/cdriver/errors.ts";
import type { DriverImage } from "../../src/cdriver/image.ts";
import { type ProjectOptions, readProject } from "../../src/cdriver/project.ts";
import type { Toolchain } from "../../src/cdriver/toolchain.ts";
import { buildOptions, fixture, TestHost, toolchain } from "./support.ts";

const folders: string[] = [];
afterAll(() => {
  toolchain.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "cdriver-test-"));
  folders.push(folder);
  return folder;
}

/** What the compiler was asked for since the test began. */
const asked = { compiled: [] as string[], links: 0 };
beforeEach(() => {
  asked.compiled = [];
  asked.links = 0;
});

const counting: Toolchain = {
  version: toolchain.version,
  compile: (request) => {
    asked.compiled.push(request.source.split("/").at(-1) ?? "");
    return toolchain.compile(request);
  },
  link: (request) => {
    asked.links += 1;
    return toolchain.link(request);
  },
  stop: () => undefined,
};

function build(target: string, options: Partial<BuildOptions> = {}, project: ProjectOptions = {}): Promise<DriverImage> {
  return buildDriver(readProject([target], project), { ...buildOptions, toolchain: counting, ...options });
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => new Error("it did not fail"),
    (error: unknown) => error,
  );
}

describe("Building a driver", () => {
  test("a project of several folders, with names in the wrong case, trace headers, forced includes and a library", async () => {
    const image = await build(fixture("solution/src/driver"));
    let seen = 0;
    const host = new TestHost(image, {
      Outside: (value) => {
        seen = value;
        return 5;
      },
    });
    expect(host.call("DriverEntry")).toBe(5);
    expect(seen).toBe(100 + 10_000 + 40 + 1000 + 7 + 1);
    expect(image.name).toBe("mydriver");
    expect(image.importSites("Outside")).toMatchObject([
      { function: "DriverEntry", file: fixture("solution/src/driver/main.c"), line: 12 },
    ]);
  });

  test("globals and functions are at the slot's addresses", async () => {
    const slot = { dataBase: 0x24_0000, dataLimit: 0x28_0000, tableBase: 5121, tableLimit: 6145 };
    const image = await build(fixture("places"), { slot, exports: ["WrongType", "LoadsWild"] });
    expect([image.dataBase, image.tableBase]).toEqual([0x24_0000, 5121]);
    expect(image.dataSize).toBeGreaterThanOrEqual(16);
    expect(image.functionName(5121)).toBe("Twice");
  });

  test("data that does not fit is refused with its size", async () => {
    const error = await failure(
      build(fixture("places"), {
        exports: ["WrongType", "LoadsWild"],
        slot: { ...buildOptions.slot, dataLimit: buildOptions.slot.dataBase + 8 },
      }),
    );
    expect(error).toBeInstanceOf(InputError);
    expect(String(error)).toMatch(/places: its global data takes \d+ bytes; a driver has room for 8\./);
  });

  test("a table that does not fit is refused with its size", async () => {
    const error = await failure(
      build(fixture("places"), {
        exports: ["WrongType", "LoadsWild"],
        slot: { ...buildOptions.slot, tableLimit: buildOptions.slot.tableBase },
      }),
    );
    expect(error).toBeInstanceOf(InputError);
    expect(String(error)).toMatch(/takes the address of 1 functions; a driver has room for 0/);
  });

  test("a driver without DriverEntry is refused", async () => {
    const error = await failure(build(fixture("broken/entry")));
    expect(error).toBeInstanceOf(InputError);
    expect(String(error)).toContain("DriverEntry");
  });

  test("what clang says has the real paths, of all sources", async () => {
    const error = await failure(build(fixture("broken/errors")));
    expect(error).toBeInstanceOf(CompileError);
    const { text } = error as CompileError;
    expect(text).toMatch(new RegExp(`^In file included from ${fixture("broken/errors/first.c")}:1:$`, "m"));
    expect(text).toMatch(new RegExp(`^${fixture("broken/errors/deeper.h")}:2:3: error: unknown type name 'nonsense'`, "m"));
    expect(text).toMatch(
      new RegExp(`^${fixture("broken/errors/first.c")}:2:32: error: use of undeclared identifier 'undeclared'`, "m"),
    );
    expect(text).toMatch(new RegExp(`^${fixture("broken/errors/second.c")}:1:10: fatal error: 'nowhere.h' file not found`, "m"));
  });

  test("a function that is declared with a handle and defined with a pointer is compiled, as Microsoft's compiler does", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "a.h"), "struct adapter { int value; };\nint Value(\n    void *handle,\n    int more);\n");
    writeFileSync(
      join(folder, "a.c"),
      '#include "a.h"\nint Early(struct adapter *adapter) { return Value(adapter, 1); }\nint\nValue(struct adapter *adapter, int more) { return adapter->value + more; }\n',
    );
    writeFileSync(
      join(folder, "b.c"),
      '#include "a.h"\nint DriverEntry(void) { struct adapter a = {3}; return Value(&a, 4); }\n',
    );
    expect(new TestHost(await build(folder)).call("DriverEntry")).toBe(7);
  });

  test("an inline function that is extern has code for other sources, as Microsoft's compiler makes it", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "a.h"), "extern\n__forceinline int Twice(int value);\n");
    writeFileSync(join(folder, "a.c"), '#include "a.h"\nextern __forceinline int Twice(int value) { return value * 2; }\n');
    writeFileSync(join(folder, "b.c"), '#include "a.h"\nint DriverEntry(void) { return Twice(4); }\n');
    expect(new TestHost(await build(folder)).call("DriverEntry")).toBe(8);
  });

  test("an import that is local does not suspend, and its caller needs no code for that", async () => {
    const switching = await build(fixture("plain"));
    const local = await build(fixture("plain"), { localImports: new Set(["Outside"]) });
    expect(local.wasm.length).toBeLessThan(switching.wasm.length);
  });

  test("without checks there is no handler to import", async () => {
    const image = await build(fixture("places"));
    expect(image.imports.map((each) => each.name)).not.toContain("__ndislab_denied");
    const checked = await build(fixture("places"), { checks: allChecks });
    expect(checked.imports.map((each) => each.name)).toContain("__ndislab_denied");
  });

  test("the default NDIS version is defined unless the driver chooses one", async () => {
    const folder = temporaryFolder();
    const use =
      "int DriverEntry(void)\n{\n#if defined(NDIS685)\n  return 685;\n#elif defined(NDIS60)\n  return 60;\n#else\n  return 0;\n#endif\n}\n";
    const version = async () => new TestHost(await build(folder, {}, { ndis: "6.85" })).call("DriverEntry");
    writeFileSync(join(folder, "a.c"), use);
    expect(await version()).toBe(685);
    writeFileSync(join(folder, "a.c"), `#include "version.h"\n${use}`);
    writeFileSync(join(folder, "version.h"), "  # define NDIS60 1\n");
    expect(await version()).toBe(60);
  });

  test("offsets and containing records of a null pointer are no dereference", async () => {
    const folder = temporaryFolder();
    writeFileSync(
      join(folder, "a.c"),
      `typedef struct PAIR { int a; struct { int c; int d; } b; } PAIR;
#define FIELD_OFFSET(type, field) ((long)&(((type *)0)->field))
#define CONTAINING_RECORD(address, type, field) ((type *)((char *)(address) - (unsigned long)(&((type *)0)->field)))
int DriverEntry(PAIR *pair) { return FIELD_OFFSET(PAIR, b.d) * 100 + (CONTAINING_RECORD(&pair->b.d, PAIR, b.d) == pair); }
`,
    );
    expect(new TestHost(await build(folder, { checks: allChecks })).call("DriverEntry", 0x10_0000)).toBe(801);
  });
});

describe("The cache", () => {
  test("the second build asks nothing of the compiler and gives the same image", async () => {
    const cacheFolder = temporaryFolder();
    const first = await build(fixture("places"), { cacheFolder });
    expect(asked).toMatchObject({ compiled: ["places.c", "runtime.c"], links: 1 });
    const second = await build(fixture("places"), { cacheFolder });
    expect(asked).toMatchObject({ compiled: ["places.c", "runtime.c"], links: 1 });
    expect(Buffer.compare(second.wasm, first.wasm)).toBe(0);
    expect(second.importSites("Outside")).toEqual(first.importSites("Outside"));
    const stack = new TestHost(second, { Plain: () => 1 }).failure("DriverEntry").stack ?? "";
    expect(second.locateStack(stack)).toEqual(first.locateStack(stack));
    expect(second.locateStack(stack).length).toBe(2);
  });

  test("a changed header compiles again what includes it, and only that", async () => {
    const cacheFolder = temporaryFolder();
    const project = temporaryFolder();
    cpSync(fixture("plain"), project, { recursive: true });
    writeFileSync(join(project, "three.c"), "int Three(void) { return 3; }\n");
    await build(project, { cacheFolder });
    asked.compiled = [];
    writeFileSync(join(project, "two.h"), "int Two(void);\nint Three(void);\n");
    await build(project, { cacheFolder });
    expect(asked.compiled.sort()).toEqual(["one.c", "two.c"]);
  });

  test("another define, flag, slot, header of the library or runtime gives another image", async () => {
    const cacheFolder = temporaryFolder();
    await build(fixture("plain"), { cacheFolder });
    const rebuilt = async (options: Partial<BuildOptions>, project: ProjectOptions = {}) => {
      asked.compiled = [];
      asked.links = 0;
      await build(fixture("plain"), { cacheFolder, ...options }, project);
      return [asked.compiled.length, asked.links];
    };
    expect(await rebuilt({})).toEqual([0, 0]);
    expect(await rebuilt({}, { defines: ["MORE"] })).toEqual([2, 1]);
    expect(await rebuilt({ flags: [...buildOptions.flags, "-O2"] })).toEqual([3, 1]);
    expect(await rebuilt({ slot: { ...buildOptions.slot, dataBase: 0x11_0000 } })).toEqual([0, 1]);
    expect(await rebuilt({ runtimeSource: "int more;" })).toEqual([1, 1]);
    expect(await rebuilt({ headers: new Map([["ndis.h", "int other;"]]) })).toEqual([0, 0]);
    expect(await rebuilt({ localImports: new Set(["Outside"]) })).toEqual([0, 1]);
    expect(await rebuilt({ exports: ["Two"] })).toEqual([0, 1]);
  });

  test("a project that was moved is not compiled again, and its places are at the new path", async () => {
    const cacheFolder = temporaryFolder();
    const [before, after] = [temporaryFolder(), temporaryFolder()];
    cpSync(fixture("plain"), join(before, "deep/er"), { recursive: true });
    cpSync(fixture("plain"), join(after, "er"), { recursive: true });
    await build(join(before, "deep/er"), { cacheFolder });
    asked.compiled = [];
    const image = await build(join(after, "er"), { cacheFolder });
    expect(asked.compiled).toEqual([]);
    expect(image.importSites("Outside")).toMatchObject([{ file: join(after, "er/one.c"), line: 3 }]);
  });

  test("an entry that was cut short or changed is made again", async () => {
    const cacheFolder = temporaryFolder();
    const first = await build(fixture("plain"), { cacheFolder });
    for (const spoil of [
      (bytes: Buffer) => bytes.subarray(0, bytes.length - 1),
      (bytes: Buffer) => bytes.fill(7, 40, 60),
      () => Buffer.alloc(0),
    ]) {
      for (const name of readdirSync(cacheFolder))
        writeFileSync(join(cacheFolder, name), spoil(readFileSync(join(cacheFolder, name))));
      asked.links = 0;
      const image = await build(fixture("plain"), { cacheFolder });
      expect(asked.links).toBe(1);
      expect(Buffer.compare(image.wasm, first.wasm)).toBe(0);
      expect(image.warnings).toEqual([]);
    }
  });

  test("a folder that cannot be written gives one warning, and the image", async () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    const image = await build(fixture("plain"), { cacheFolder: join(file, "cache") });
    expect(image.warnings).toEqual([expect.stringContaining("cannot be written")]);
    expect(new TestHost(image, { Outside: (value) => value }).call("DriverEntry")).toBe(2);
  });

  test("two builds that fill it at once do not disturb each other", async () => {
    const cacheFolder = temporaryFolder();
    const images = await Promise.all([1, 2, 3].map(() => build(fixture("plain"), { cacheFolder })));
    expect(new Set(images.map((image) => Buffer.from(image.wasm).toString("base64"))).size).toBe(1);
    expect(readdirSync(cacheFolder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    asked.links = 0;
    await build(fixture("plain"), { cacheFolder });
    expect(asked.links).toBe(0);
  });
});
