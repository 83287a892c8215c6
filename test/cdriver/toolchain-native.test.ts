import { describe, expect, test } from "vitest";
import { InputError } from "../../src/cdriver/errors.ts";
import { findNativeTools } from "../../src/cdriver/toolchain-native.ts";
import { traceFunctionName, traceFunctionsIn, traceHeader } from "../../src/cdriver/trace-functions.ts";
import { fixture } from "./support.ts";

describe("A native compiler", () => {
  test("is not used when the one from npm is asked for", () => {
    expect(findNativeTools("wasm", "/usr/bin")).toBeUndefined();
  });

  test("is not found in folders that have none", () => {
    expect(findNativeTools(undefined, fixture("plain"))).toBeUndefined();
  });

  test("that is asked for and does not exist is refused", () => {
    expect(() => findNativeTools(fixture("plain/clang"), "")).toThrow(InputError);
  });

  test("that is asked for and cannot make WebAssembly is refused", () => {
    expect(() => findNativeTools(fixture("plain/one.c"), "")).toThrow(/cannot make WebAssembly/);
  });
});

describe("Trace functions", () => {
  test("are declared in comments between begin_wpp config and end_wpp", () => {
    const text =
      "// FUNC Before(A);\n// begin_wpp config\n// FUNC TraceError{LEVEL=X}(FLAGS,MSG,...);\n// FUNC Say(MSG, ...);\n// end_wpp\n// FUNC After(A);\n";
    expect(traceFunctionsIn(text)).toEqual(["TraceError", "Say"]);
  });

  test("in a project file have their parameters", () => {
    expect(["DEBUGP(LEVEL,MSG,...)", "Say{FLAG=1}(MSG)", " Plain"].map(traceFunctionName)).toEqual(["DEBUGP", "Say", "Plain"]);
  });

  test("do nothing", () => {
    expect(traceHeader(["Say"])).toContain("#define Say(...) ((void)0)");
  });
});
