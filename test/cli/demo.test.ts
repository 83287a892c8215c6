import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { InputError } from "../../src/cdriver/errors.ts";
import { examplesFolder, examplesIn } from "../../src/cli/demo-examples.ts";
import type { CheckRequest } from "../../src/verifier/check.ts";
import { aBrokenReport, aReport, aViolation } from "../report/reports.ts";
import { ndislab } from "./worlds.ts";

/** Every planted mistake is found, and nothing else. */
function asPlanted({ targets }: CheckRequest) {
  const file = targets[0] ?? "";
  const example = examplesIn(examplesFolder).find((each) => file.endsWith(each.file));
  return example?.breaks === undefined ? aReport() : aBrokenReport(aViolation({ rule: example.breaks }));
}

describe("The demo", () => {
  test("checks every example alone; the right ones are clean and the planted mistakes are found", async () => {
    const { exitCode, out, requests } = await ndislab("demo", { report: asPlanted });
    expect(exitCode).toBe(0);
    expect(requests.map(({ targets }) => targets.length)).toEqual(requests.map(() => 1));
    expect(out).toMatch(/✓ c\/port-miniport\.c .*clean in 2 runs/);
    expect(out).toMatch(/✓ c\/port-miniport-frees-active\.c .*found port-free-deactivate-first/);
    expect(out).toMatch(/ndislab check \S*port-miniport-frees-active\.c|ndislab check \S*pending-protocol-forgets\.c/);
    expect(out).toContain("ndislab check your-driver.c");
  });

  test("a planted mistake that is not found is our failure", async () => {
    const { exitCode, out } = await ndislab("demo", { report: aReport() });
    expect(exitCode).toBe(3);
    expect(out).toMatch(/✗ c\/port-miniport-frees-active\.c/);
    expect(out).toContain("did not behave as expected");
  });

  test("one that cannot be built does not keep the others from being shown", async () => {
    const { exitCode, out } = await ndislab("demo", {
      report: (request) => {
        if (request.targets[0]?.endsWith("port-miniport.c") === true) throw new InputError("no such header");
        return asPlanted(request);
      },
    });
    expect(exitCode).toBe(3);
    expect(out).toMatch(/✗ c\/port-miniport\.c +could not be checked: no such header/);
    expect(out).toMatch(/✓ c\/port-miniport-frees-active\.c/);
  });

  test("so is a right driver that is accused", async () => {
    const { exitCode, out } = await ndislab("demo", { report: aBrokenReport() });
    expect(exitCode).toBe(3);
    expect(out).toMatch(/✗ c\/port-miniport\.c/);
  });
});

describe("The table of examples", () => {
  const folder = mkdtempSync(join(tmpdir(), "ndislab-examples-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("agrees with what the files say of themselves", () => {
    for (const { file, breaks } of examplesIn(examplesFolder)) {
      const text = readFileSync(join(examplesFolder, file), "utf8");
      const planted = text.includes("planted mistake") ? /Rule: ([a-z0-9-]+)/.exec(text.replace(/\n \*/g, ""))?.[1] : undefined;
      expect([file, breaks]).toEqual([file, planted]);
    }
  });

  test("a file that it does not know has to be right; other files are no examples", () => {
    mkdirSync(join(folder, "c"));
    writeFileSync(join(folder, "c", "own.c"), "");
    writeFileSync(join(folder, "c", "own.h"), "");
    expect(examplesIn(folder)).toEqual([{ file: "c/own.c", shows: "" }]);
  });
});
