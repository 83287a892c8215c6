import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { InputError } from "../../src/cdriver/errors.ts";
import { evaluateCondition } from "../../src/cdriver/msbuild-condition.ts";
import { readProject } from "../../src/cdriver/project.ts";
import { choosesNdis, mergeDefines, ndisDefines } from "../../src/cdriver/project-input.ts";
import { fixture } from "./support.ts";

const DRIVER = "solution/src/driver/driver.vcxproj";

function source(name: string, options = {}, project = DRIVER) {
  const found = readProject([fixture(project)], options).sources.find((each) => each.path === fixture(name));
  if (found === undefined) throw new Error(`${name} is not compiled`);
  return found;
}

function failure(targets: readonly string[], options = {}): string {
  try {
    readProject(targets, options);
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  throw new Error("an InputError was expected");
}

describe("A Visual Studio project", () => {
  test("its sources are found without regard to case, with wildcards and exclusions, and those of its libraries", () => {
    const { name, sources } = readProject([fixture(DRIVER)]);
    expect(name).toBe("mydriver");
    expect(sources.map((each) => each.path)).toEqual(
      ["solution/src/driver/main.c", "solution/src/driver/part.c", "solution/src/library/part.c"].map(fixture),
    );
  });

  test("the debugging configuration for x64 is the one that is built, with DBG=1", () => {
    const { configuration, platform } = readProject([fixture(DRIVER)]);
    expect([configuration, platform]).toEqual(["Debug", "x64"]);
    expect(source("solution/src/driver/main.c").defines).toContain("DBG=1");
  });

  test("another configuration has its own defines and sources", () => {
    const { sources } = readProject([fixture(DRIVER)], { configuration: "release" });
    expect(sources.map((each) => each.path)).toContain(fixture("solution/src/driver/unused.c"));
    const { defines } = source("solution/src/driver/main.c", { configuration: "release" });
    expect(defines).toEqual(expect.arrayContaining(["DBG=0", "RELEASED", "FLAVOUR=fast"]));
  });

  test("a platform that the project lacks is refused, and what it has is listed", () => {
    expect(failure([fixture(DRIVER)], { platform: "ARM" })).toMatch(
      /has no configuration \*\|ARM\. It has: Debug\|Win32, Debug\|x64/,
    );
  });

  test("without x64 for the configuration, what the project has is taken", () => {
    expect(readProject([fixture(DRIVER)], { platform: "arm64" })).toMatchObject({ configuration: "Release", platform: "ARM64" });
  });

  test("properties, property sheets, Choose and metadata are evaluated in their order", () => {
    const { defines, undefines } = source("solution/src/driver/main.c");
    const own = ["FROM_PROPS=1", "NDIS630=1", "FLAVOUR=debugging", "MACHINE=intel", 'TEXT="two words"', "FROM_OPTION=7"];
    expect(defines.slice(-own.length)).toEqual(own);
    expect(undefines).toEqual(["OLD"]);
  });

  test("a file's own metadata adds to what all files have", () => {
    const { defines, includeFolders, forcedIncludes, traceFunctions } = source("solution/src/driver/part.c");
    expect(defines).toContain("PER_FILE");
    expect(defines).not.toContain("ARM_FILE");
    expect(includeFolders).toEqual([fixture("solution/src/driver/inc"), fixture("solution/shared")]);
    expect(forcedIncludes).toEqual([fixture("solution/src/driver/forced.h"), "ndis.h"]);
    expect(traceFunctions).toEqual(["SayIt"]);
    expect(source("solution/src/driver/main.c").defines).not.toContain("PER_FILE");
  });

  test("a source of a library has the library's settings", () => {
    const { defines } = source("solution/src/library/part.c");
    expect(defines).toContain("IN_LIBRARY");
    expect(defines).not.toContain("NDIS630=1");
  });

  test("C++ is left out, with a warning", () => {
    expect(readProject([fixture(DRIVER)]).warnings).toEqual([expect.stringContaining("plusplus.cpp is left out")]);
  });

  test("the command line gives defaults: what the project defines wins", () => {
    const { defines, includeFolders } = source("solution/src/driver/main.c", {
      defines: ["NDIS630=0", "MORE", "CALL(x)=(x)"],
      includeFolders: [fixture("plain")],
    });
    expect(defines).toEqual(expect.arrayContaining(["NDIS630=1", "MORE", "CALL(x)=(x)"]));
    expect(defines).not.toContain("NDIS630=0");
    expect(includeFolders.at(-1)).toBe(fixture("plain"));
  });

  test("the sources that it names and that are missing are listed", () => {
    const message = failure([fixture("broken/missing")]);
    expect(message).toContain(fixture("broken/missing/gone.c"));
    expect(message).toContain(fixture("broken/missing/sub/lost.c"));
    expect(message).not.toContain("here.c");
  });

  test("malformed XML is refused with its line", () => {
    expect(failure([fixture("broken/xml")])).toMatch(/xml\.vcxproj:3: .*not well-formed/);
  });
});

describe("Other targets", () => {
  test("a folder is all of its C files", () => {
    const { name, sources } = readProject([fixture("plain")]);
    expect(name).toBe("plain");
    expect(sources.map((each) => each.path)).toEqual([fixture("plain/one.c"), fixture("plain/two.c")]);
  });

  test("a folder with one project is that project", () => {
    expect(readProject([fixture("solution/src/driver")]).name).toBe("mydriver");
  });

  test("files of the same name in different folders are different sources; the same file twice is one", () => {
    const targets = ["solution/src/driver/part.c", "solution/src/library/part.c", "solution/src/driver/part.c"].map(fixture);
    expect(readProject(targets).sources.map((each) => each.path)).toEqual(targets.slice(0, 2));
  });

  test("names are relative to the folder that is given, in any case", () => {
    const { sources } = readProject(["ONE.C"], { folder: fixture("plain"), includeFolders: ["..\\solution".replace("\\", "/")] });
    expect(sources.map((each) => each.path)).toEqual([fixture("plain/one.c")]);
    expect(sources[0]?.includeFolders).toEqual([fixture("plain"), fixture("solution")]);
  });

  test("a default NDIS version is kept aside", () => {
    expect(readProject([fixture("plain")], { ndis: "6.30", isMiniport: true }).defaultNdis).toEqual({
      major: 6,
      minor: 30,
      isMiniport: true,
    });
  });

  test.each([
    [[], {}, /Name a \.vcxproj, a folder, or C files/],
    [["nowhere.c"], {}, /nowhere\.c does not exist/],
    [["readme.txt"], { folder: fixture("plain") }, /neither a \.vcxproj nor a C file \(\.txt\)/],
    [[fixture("broken/nothing")], {}, /has neither a \.vcxproj nor a \.c file/],
    [[fixture("broken/several")], {}, /several projects: a\.vcxproj, b\.vcxproj/],
    [[fixture("plain"), fixture("plain/one.c")], {}, /is a project of its own/],
    [[fixture("plain")], { ndis: "6.3.1" }, /--ndis 6\.3\.1: .*6\.30/],
    [[fixture("plain")], { defines: ["1X"] }, /-D 1X/],
  ])("%j is refused", (targets, options, message) => {
    expect(failure(targets, options)).toMatch(message);
  });
});

describe("Conditions", () => {
  const values: Readonly<Record<string, string>> = {
    Configuration: "Debug",
    Platform: "x64",
    Empty: "",
    Version: "10.0.22621.0",
    Yes: "TRUE",
  };
  const context = {
    expand: (text: string) => text.replace(/\$\((\w+)\)/g, (_, name: string) => values[name] ?? ""),
    exists: (path: string) => path === "here" || path === "Debug/x64",
  };

  test.each([
    ["'$(Configuration)|$(Platform)'=='debug|X64'", true],
    ["'$(Configuration)' != 'Debug'", false],
    ["'$(Empty)' == '' And '$(Platform)' == 'x64'", true],
    ["'$(Empty)' != '' and '$(Platform)' == 'x64'", false],
    ["'a' == 'b' or '$(Platform)' == 'x64'", true],
    ["!('a' == 'b')", true],
    ["! exists('gone')", true],
    ["Exists('$(Configuration)/$(Platform)')", true],
    ["'$(Version)' >= '10.0.9999.0'", true],
    ["'$(Version)' < '10.0.22621'", false],
    ["$(Yes)", true],
    ["$(Empty) == ''", true],
    ["'a' == 'a' and ('b' == 'c' or 'd' == 'd')", true],
    ["HasTrailingSlash('a\\')", true],
    ["unknown('a')", undefined],
    ["'a' == ", undefined],
  ])("%s", (text, expected) => {
    const answer = evaluateCondition(text, context);
    expect(answer).toBe(expected);
  });
});

describe("Defines", () => {
  test("the later of two for one name wins, in the place of the first", () => {
    expect(mergeDefines(["A=1", "B", "F(x)=x"], ["A=2", "F(y)=2*y", "C"])).toEqual(["A=2", "B", "F(y)=2*y", "C"]);
  });

  test.each([
    [6, 0, false, ["NDIS60=1"]],
    [6, 30, false, ["NDIS630=1"]],
    [6, 1, false, ["NDIS61=1"]],
    [6, 20, true, ["NDIS620=1", "NDIS_MINIPORT_DRIVER", "NDIS620_MINIPORT=1"]],
  ])("NDIS %d.%d", (major, minor, isMiniport, expected) => {
    expect(ndisDefines({ major, minor, isMiniport })).toEqual(expected);
  });

  test("a define that chooses the NDIS version is recognised", () => {
    expect(
      ["NDIS630=1", "NDIS60", "NDIS685_MINIPORT=1", "NDIS_WDM=1", "NDIS_MINIPORT_DRIVER", "MYNDIS630"].filter(choosesNdis),
    ).toEqual(["NDIS630=1", "NDIS60", "NDIS685_MINIPORT=1"]);
  });
});

test("the folder of a target is absolute", () => {
  expect(dirname(readProject([fixture("plain")]).sources[0]?.path ?? "")).toBe(fixture("plain"));
});
