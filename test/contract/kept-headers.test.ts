import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { generateHeaders, libraryHeaders } from "../../src/contract/index.ts";
import { root } from "../tidy/source.ts";

const kept = `${root}dist/contract/headers/kept.json`;

test("sources that run as they are have their headers generated", () => {
  expect([...libraryHeaders()]).toEqual([...generateHeaders()]);
});

test.skipIf(!existsSync(kept))("the headers that the build keeps are those of the sources", () => {
  expect(JSON.parse(readFileSync(kept, "utf8"))).toEqual([...generateHeaders()]);
});
