/** Tokens: the same run each time, and what is said when they lead nowhere. */
import { afterAll, expect, it } from "vitest";
import { Player } from "../../src/explorer/player.ts";
import { replayDrivers } from "../../src/explorer/replay-drivers.ts";
import { tellRun } from "../../src/explorer/story.ts";
import { must } from "../../src/kernel/assert.ts";
import { parseToken } from "../../src/explorer/token.ts";
import { Builder } from "../../src/machine/build.ts";
import { entriesOf } from "../../src/measures/replays.ts";
import { defects, driverOf, measureDefect } from "../../src/measures/seeded.ts";
import { exploreSeeded } from "../../src/measures/seeded-driver.ts";
import { cacheFolder, repositoryFile } from "../machine/support.ts";

const builder = new Builder(cacheFolder);
afterAll(() => builder.stop());

const defect = defects.find(({ what }) => what === "a send without a list stays counted");
if (defect === undefined) throw new Error("the defect is not there any more");
/** One more call at the start. */
const changed = {
  ...defect,
  what: "the pool is asked for memory first",
  find: "    Parameters.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;\n",
  replace:
    "    NdisFreeMemory(NdisAllocateMemoryWithTagPriority(NULL, 8, TAG, NormalPoolPriority), 0, 0);\n    Parameters.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;\n",
};
/** With the driver as it was built when the failure was found. */
const measured = measureDefect(builder, defect, 20_000).then(({ found, looks }) => {
  const look = must(
    looks.find(({ failures }) => failures.some(({ token }) => token === found?.token)),
    "it is found",
  );
  return { found, subject: look.subject };
});

it("the token of a failure is played three times, and each run has the same entries, byte for byte", async () => {
  const { found, subject } = await measured;
  const token = found?.token ?? "";
  const player = new Player(subject);
  const first = entriesOf(player, token);
  expect(first.length).toBeGreaterThan(10_000);
  expect([entriesOf(player, token), entriesOf(player, token)]).toEqual([first, first]);
});

it("its run breaks the rule that it was found to break, without any divergence", async () => {
  const { found, subject } = await measured;
  const token = found?.token ?? "";
  const { divergence, violations } = tellRun(subject, parseToken(token), token);
  expect(divergence).toBeUndefined();
  expect(violations.map(({ rule }) => rule)).toContain("hung");
});

it("it is short: at most 200 characters for up to three preemptions and two faults", async () => {
  const { found } = await measured;
  expect(found?.cost.preemptions).toBeLessThanOrEqual(3);
  expect(found?.token.length).toBeLessThanOrEqual(200);
});

it("a text that is no token gets one sentence that says what a token looks like", async () => {
  const request = {
    targets: [repositoryFile("examples/c/pending-protocol.c")],
    with: [],
    defines: [],
    includes: [],
    version: "0",
    cacheFolder,
  };
  await expect(replayDrivers(request, "nonsense", () => {})).rejects.toThrow(
    /^'nonsense' is no token: a token looks like 1\/traffic-and-unbind\/5c\.1\.a7f, and stands in the report of a failure\.$/,
  );
});

it("where the driver has changed, the token is followed as far as it goes, and says where it diverged", async () => {
  const { found } = await measured;
  const token = found?.token ?? "";
  // Nothing is explored: it is only built.
  const { subject } = await exploreSeeded(builder, driverOf(defect), defect.scenario, changed, { budget: 1 });
  const { divergence } = tellRun(subject, parseToken(token), token);
  expect(divergence).toMatch(/^(choice \d+ of the token, \w{3}, is another one now: .+|\d of its \d deviations found no place)$/);
});
