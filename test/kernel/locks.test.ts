import { beforeAll, describe, expect, test } from "vitest";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { buildDriver, call, found, inParallel, passes, passesInAnyOrder } from "./support.ts";

let driver: MachineDriver;
beforeAll(async () => {
  driver = await buildDriver("locks");
});

const initialize = call("Initialize");
const free = call("Free");
const settle = { do: "settle" } as const;
const wait = { do: "wait", milliseconds: 1 } as const;
const mixed = (reader: string, writer: string) => [
  initialize,
  ...[reader, writer, reader, writer, reader].map((name) => inParallel(call(name))),
];

describe("A push lock", () => {
  test("is had by many who share it, or by one alone", () => {
    passesInAnyOrder(driver, mixed("PushShared", "PushExclusive"), call("NothingBroken"));
  });

  test("can be shared again by a thread that shares it, and is as it was when all is released", () => {
    passes(driver, initialize, call("PushAgain"), free);
  });

  test("is not shared with those who come after a thread that waits to have it alone", () => {
    const actions = [initialize, inParallel(call("PushHold")), wait, inParallel(call("PushWriter")), wait];
    passesInAnyOrder(
      driver,
      [...actions, inParallel(call("PushLateReader")), wait, call("LetGo")],
      call("ReaderCameAfterWriter"),
    );
  });

  test("hangs the thread that acquires it twice, which is a deadlock", () => {
    expect(found(driver, initialize, call("PushTwice"))).toEqual({
      outcome: "hung",
      findings: [
        expect.stringMatching(
          /^deadlock: .*thread (\d+) in .*PushTwice.* waits for the push lock at 0x[0-9a-f]+, which thread \1 has/,
        ),
      ],
    });
  });

  test("names the threads that share it to the one that waits", () => {
    const { findings } = found(driver, initialize, inParallel(call("PushHold")), wait, call("PushWriter"));
    expect(findings).toEqual([
      expect.stringMatching(
        /waits for the push lock at 0x[0-9a-f]+, which thread (\d+) has; thread \1 in .*PushHold.* waits in KeWait/,
      ),
    ]);
  });

  test("must be released by a thread that has it, and before a handler returns", () => {
    expect(found(driver, initialize, call("PushReleaseOnly"), free).findings).toEqual([
      expect.stringMatching(/^lock-balance: The push lock at 0x[0-9a-f]+ was released by thread \d+, but it is not held/),
    ]);
    expect(found(driver, initialize, call("PushKeep"), free).findings).toEqual([
      expect.stringMatching(/^lock-balance: .* returned with 1 lock\(s\) that it acquired still held/),
    ]);
  });
});

describe("An NDIS read/write lock", () => {
  test("lets many read or one write, at DISPATCH_LEVEL, and restores the IRQL; a writer and a reader may come again", () => {
    passesInAnyOrder(driver, mixed("RwRead", "RwWrite"), call("NothingBroken"));
  });

  test("of the older kind does the same in the driver's memory", () => {
    passesInAnyOrder(driver, mixed("OlderRead", "OlderWrite"), call("NothingBroken"));
  });

  test("does not let a reader become a writer", () => {
    expect(found(driver, initialize, call("RwPromote")).findings).toEqual([
      expect.stringMatching(/^deadlock: .*thread (\d+) .*waits for the read\/write lock at 0x[0-9a-f]+, which thread \1 has/),
    ]);
  });

  test("believes the flag that the caller is at DISPATCH_LEVEL, which must then be so", () => {
    const { findings } = found(driver, initialize, call("RwFlagTooLow"), free);
    expect(findings[0]).toMatch(/^irql: NdisAcquireRWLockRead was called with NDIS_RWL_AT_DISPATCH_LEVEL at PASSIVE_LEVEL/);
  });

  test("must be released before it is freed", () => {
    const { findings } = found(driver, initialize, call("RwFreeHeld"));
    expect(findings[0]).toMatch(/^rwlock-release-before-free: The read\/write lock at 0x[0-9a-f]+ was freed while it was held/);
  });
});

describe("Run-down protection", () => {
  test("is refused from the run-down on, until the reference is initialized again", () => {
    passes(driver, initialize, call("RundownAlone"), free);
  });

  test("that is cache-aware works in the same way", () => {
    passes(driver, initialize, call("RundownCacheAware"), free);
  });

  test("keeps the run-down waiting until every access that was granted is over", () => {
    const access = inParallel(call("Access"));
    passesInAnyOrder(driver, [initialize, access, access, inParallel(call("RunDown")), access, settle], call("AccessIsOver"));
  });

  test("that is never released is named when the run hangs", () => {
    expect(found(driver, initialize, call("RundownNeverReleased")).findings).toEqual([
      expect.stringMatching(/^hung: .*waits for the release of 2 run-down protection\(s\) of 0x[0-9a-f]+/),
    ]);
  });

  test("may be initialized again only after a run-down", () => {
    expect(found(driver, initialize, call("RundownTooSoon"), free).findings).toEqual([
      expect.stringMatching(/^rundown-order: ExReInitializeRundownProtection was called .* is not run down/),
    ]);
  });

  test("may be released as often as it was acquired", () => {
    expect(found(driver, initialize, call("RundownReleasedTwice"), free).findings).toEqual([
      expect.stringMatching(/^rundown-order: .*released 2 time\(s\), but acquired only 1/),
    ]);
  });
});
