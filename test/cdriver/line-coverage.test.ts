import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DriverCoverage } from "../../src/cdriver/driver-coverage.ts";
import type { DriverImage } from "../../src/cdriver/image.ts";
import { build, fixture, lineOf, TestHost, toolchain } from "./support.ts";

const BASE = 0x30_0000;
const FUNCTIONS = ["Status", "Both", "Loop", "Choose", "Fail", "Ends", "Library"];
const DRIVER = fixture("coverage/driver.c");

let image: DriverImage;
let coverage: DriverCoverage;
beforeAll(async () => {
  image = await build("coverage", { exports: FUNCTIONS, coverage: { base: BASE, bytes: 0x1000 } });
  const found = image.coverage();
  if (found === undefined) throw new Error("the driver has no coverage");
  coverage = found;
});
afterAll(() => toolchain.stop());
test("dump", () => {
  const host = new TestHost(image, { Outside: (v) => v });
  console.log(host.call("Choose", 1));
  console.log(new Uint8Array(host.memory.buffer, BASE, coverage.points).join(""));
  console.log(JSON.stringify(coverage, null, 0).replaceAll("},", "},\n"));
});
