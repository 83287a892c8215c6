/** What C drivers leave when they are unloaded, kind by kind: the rule, the line, the words; and what only looks like it. */
import { beforeAll, describe, expect, test } from "vitest";
import { type Marked, buildMarked, call, life, markedLine, recordedRun } from "./c-drivers.ts";

let marked: Marked;
beforeAll(async () => {
  marked = await buildMarked("leaks/things");
});

const line = (mark: string): number => markedLine(marked, mark);
const at = (mark: string) => expect.objectContaining({ line: line(mark) });

interface Told {
  readonly rule: string;
  readonly line: number | undefined;
  readonly message: string;
}

/** What is found when the functions are called one after the other and the driver is unloaded. */
function found(...functions: readonly string[]): Told[] {
  const { findings, outcome } = recordedRun(marked, life(...functions.map((name) => call(name))));
  expect(outcome.kind).toBe("finished");
  return findings.map(({ rule, location, message }) => ({ rule, line: location?.line, message }));
}

describe("A driver that leaves", () => {
  const leaves: readonly (readonly [what: string, calls: readonly string[], rule: string, mark: string, says: RegExp])[] = [
    [
      "memory in a global",
      ["LeaveInGlobal"],
      "leak-memory",
      "allocates",
      /1 block\(s\) with tag 'Leak' \(40 bytes\).*Still pointed to, and so forgotten rather than lost: it, from the global variable Kept\.$/,
    ],
    ["memory that nothing points to", ["Lose"], "leak-memory", "loses it", /1 block\(s\).*Nothing points to it any more\.$/],
    [
      "memory that is known by its inside only",
      ["LeaveInside"],
      "leak-memory",
      "keeps the inside",
      /from the global variable KeptInside, though not to its beginning\.$/,
    ],
    [
      "blocks of two tags from one place",
      ["LeaveTwoTags"],
      "leak-memory",
      "two tags",
      /4 block\(s\) with tags 'Leak', '2Oth' \(64 bytes\).*: 1 of them, from the global variable Kept\. Nothing points to 3 of them any more\.$/,
    ],
    ["an MDL", ["LeaveMdl"], "leak-memory", "MDL", /1 MDL\(s\) with tag 'Mdl '.*IoFreeMdl was not called for them/],
    ["an IRP", ["LeaveIrp"], "leak-memory", "IRP", /1 IRP\(s\).*IoFreeIrp was not called/],
    [
      "an IRP that it built and never sent",
      ["LeaveBuiltIrp"],
      "leak-handle",
      "built IRP",
      /1 IRP\(s\) that it built were neither sent nor freed/,
    ],
    ["a work item", ["LeaveWorkItem"], "leak-memory", "work item", /1 work item\(s\).*IoFreeWorkItem was not called/],
    [
      "a clone of an OID request",
      ["LeaveClone"],
      "leak-memory",
      "clone",
      /1 clone\(s\) of OID requests.*NdisFreeCloneOidRequest was not called for them\. Nothing points to it/,
    ],
    ["a read/write lock", ["LeaveRwLock"], "leak-memory", "rw lock", /1 read\/write lock\(s\).*NdisFreeRWLock/],
    ["contiguous memory", ["LeaveContiguous"], "leak-memory", "contiguous", /1 range\(s\) of contiguous memory/],
    ["a timer of the executive", ["LeaveExTimer"], "leak-memory", "ex timer", /1 timer\(s\).*ExDeleteTimer was not called/],
    [
      "an entry of a lookaside list",
      ["LeaveEntry"],
      "leak-memory",
      "entry",
      /1 entries of a lookaside list.*ExFreeToNPagedLookasideList was not called/,
    ],
    ["a lookaside list", ["LeaveLookasideList"], "leak-handle", "lookaside list", /1 lookaside list\(s\) of it are left/],
    ["a device", ["LeaveDevice"], "leak-handle", "device", /1 device object\(s\) of it are left.*IoDeleteDevice/],
    ["a symbolic link", ["LeaveLink"], "leak-handle", "link", /1 symbolic link\(s\) of it are left/],
    [
      "a handle of an event",
      ["LeaveEventHandle"],
      "leak-handle",
      "event handle",
      /1 handle\(s\) that it opened.*Event\..*ZwClose.*Still pointed to, and so forgotten rather than lost: it, from the global variable KeptHandle\.$/,
    ],
    [
      "a reference to a process",
      ["LeaveProcess"],
      "leak-handle",
      "process",
      /1 reference\(s\) that it took to an object \(Process.*Taken 1 time\(s\): things\.c:\d+ \(1\); never given back\.$/,
    ],
    ["a reference to a callback object", ["LeaveCallback"], "leak-handle", "callback object", /1 reference\(s\).*\(Callback/],
    ["a registration of a callback", ["LeaveRegistration"], "leak-handle", "registration", /1 callback registration\(s\)/],
    ["a timer that is set", ["LeaveTimerSet"], "leak-handle", "sets", /1 timer\(s\) that call it are set/],
    [
      "a pool of lists",
      ["LeavePool"],
      "leak-handle",
      "pool",
      /1 net buffer pool\(s\) of it are left.*from the global variable KeptHandle\.$/,
    ],
  ];
  test.each(leaves)("%s", (_what, calls, rule, mark, says) => {
    expect(found(...calls)).toEqual([{ rule, line: line(mark), message: expect.stringMatching(says) }]);
  });

  test("what was allocated in two places is told twice", () => {
    expect(found("LeaveInTwoPlaces").map((each) => each.line)).toEqual([line("one place"), line("other place")]);
  });

  test("a list whose head is lost is told by its head: the rest is lost behind it", () => {
    expect(found("LoseList")).toEqual([
      {
        rule: "leak-memory",
        line: line("first of the list"),
        message: expect.stringMatching(/Nothing points to it any more\.$/),
      },
      {
        rule: "leak-memory",
        line: line("second of the list"),
        message: expect.stringMatching(/Only memory that is lost itself points to it\.$/),
      },
    ]);
  });

  test("a resource that is not deleted, in its own data or in memory that it frees", () => {
    expect(found("LeaveResource")).toEqual([
      expect.objectContaining({ rule: "leak-handle", message: expect.stringContaining("ExDeleteResourceLite") }),
    ]);
    expect(found("FreeWithResource")).toEqual([
      {
        rule: "leak-handle",
        line: line("frees the resource"),
        message: expect.stringMatching(/Memory was freed with the resource/),
      },
    ]);
  });

  test("a timer that is set in memory that it frees", () => {
    const [first] = recordedRun(marked, life(call("FreeWithTimer"))).findings;
    expect([first?.rule, first?.location?.line]).toEqual(["use-after-free", line("frees the timer")]);
    expect(first?.message).toMatch(/timer/);
  });
});

test("a pool that is freed with a list in it is shown with the call that made the list, which is left itself", () => {
  const { findings } = recordedRun(marked, life(call("FreePoolWithList")));
  expect(findings.map(({ rule, location }) => [rule, location?.line])).toEqual([
    ["nbl-pool-free-when-empty", line("frees the pool")],
    ["leak-memory", line("list")],
  ]);
  expect(findings[0]?.related).toEqual([expect.objectContaining({ what: "a list allocated", stack: [at("list")] })]);
  expect(findings[1]?.message).toMatch(/1 NET_BUFFER_LIST\(s\) with tag 'Leak'.*NdisFreeNetBufferList was not called for them/);
});

describe("A driver that is unloaded at once", () => {
  const atOnce = (...functions: readonly string[]): string[] => {
    const actions = [{ do: "load", driver: 0 }, ...functions.map((name) => call(name)), { do: "unload", driver: 0 }] as const;
    return recordedRun(marked, actions).findings.map(({ rule, message }) => `${rule}: ${message}`);
  };

  test("has no DPC in a queue", () => {
    expect(atOnce("QueueDpc")).toEqual([expect.stringMatching(/^leak-handle: .* 1 DPC\(s\) of it are queued or running/)]);
  });

  test("has no work item of the executive in a queue", () => {
    expect(atOnce("QueueWork")).toEqual([expect.stringMatching(/^leak-handle: .* 1 work item\(s\) of it that ExQueueWorkItem/)]);
  });

  test("has flushed its DPCs", () => {
    expect(atOnce("QueueDpc", "Flush")).toEqual([]);
  });
});

describe("What is counted", () => {
  const references = ["LeaveEventHandle", "TakeThree", "GiveTwo", "CloseHandle"];

  test("is told by the places that took it and gave it back", () => {
    expect(found(...references)).toEqual([
      {
        rule: "leak-handle",
        line: line("takes by handle"),
        message: expect.stringContaining(
          `Taken 3 time(s): things.c:${line("takes by handle")} (2), things.c:${line("takes once")} (1); given back 2 time(s): things.c:${line("gives back")} (2).`,
        ),
      },
    ]);
  });

  test("is shown with the stacks of the places that took it", () => {
    const { findings } = recordedRun(marked, life(...references.map((name) => call(name))));
    expect(findings[0]?.related.map(({ what }) => what)).toEqual(["the object made", "taken 2 time(s)", "taken 1 time(s)"]);
    expect(findings[0]?.related[1]?.stack[0]).toEqual(at("takes by handle"));
  });

  test("may be given back by another function than took it", () => {
    expect(found(...references.slice(0, -1), "GiveOne", "CloseHandle")).toEqual([]);
  });

  test("is run-down protection, too", () => {
    expect(found("LeaveProtection")).toEqual([
      expect.objectContaining({
        rule: "leak-handle",
        message: expect.stringMatching(
          /1 run-down protection\(s\).*Taken 2 time\(s\): .*; given back 1 time\(s\): things\.c:\d+ \(1\)\.$/,
        ),
      }),
    ]);
  });
});

test("a lock that is still held is shown with the place that acquired it", () => {
  const { findings } = recordedRun(marked, life(call("KeepLock")));
  const balance = findings.find(({ rule }) => rule === "lock-balance");
  expect(balance?.related).toEqual([
    expect.objectContaining({ what: expect.stringMatching(/^the lock at .* acquired$/), stack: [at("locks")] }),
  ]);
});

describe("A driver that leaves nothing", () => {
  const clean: readonly (readonly [what: string, calls: readonly string[]])[] = [
    ["frees its memory in another function", ["AllocateForFree", "FreeElsewhere"]],
    ["keeps its memory in a list that its unload frees", ["AddToList", "AddToList"]],
    ["knows its memory by an entry inside, and frees it in its unload", ["AddToLinks", "AddToLinks"]],
    ["frees an IRP and its MDL", ["MdlOfIrp"]],
    ["frees a list before its pool", ["FreeListAndPool"]],
    ["sends the IRP that it built, which the system frees", ["SendBuiltIrp"]],
    ["has a work item that frees itself", ["QueueItemThatFreesItself"]],
    ["deletes its timer", ["DeleteExTimer"]],
    ["hands its entry back to a lookaside list, which is deleted with it", ["EntriesOnTheList"]],
    ["closes its handle in another function", ["LeaveEventHandle", "CloseHandle"]],
    ["runs its object down", ["RunDown"]],
    ["has released the protection of an object that it frees", ["FreeWithProtection"]],
    ["deletes its resource before the memory", ["DeleteResource"]],
    ["cancels its timer", ["CancelTimer"]],
    ["unregisters its callback", ["LeaveRegistration", "Unregister"]],
    ["deletes its symbolic link in another function", ["LeaveLink", "DeleteLink"]],
  ];
  test.each(clean)("%s", (_what, calls) => {
    expect(found(...calls)).toEqual([]);
  });
});

describe("The end of a process", () => {
  let locks: Marked;
  beforeAll(async () => {
    locks = await buildMarked("leaks/locked-pages");
  });
  const FOR_LONG = 0x22_2003;
  const UNTIL_CLEANUP = 0x22_2007;
  const locked = (code: number) =>
    recordedRun(
      locks,
      life(
        { do: "open", file: "f", device: "\\\\.\\Locks", expect: "STATUS_SUCCESS" },
        { do: "control", file: "f", code, outputBytes: 64, expect: "STATUS_SUCCESS" },
        { do: "exit" },
      ),
    );

  test("finds pages that a driver has locked and not unlocked, and shows the MDL's making", () => {
    const { findings, outcome } = locked(FOR_LONG);
    expect(outcome.kind).toBe("finished");
    expect(findings).toEqual([
      expect.objectContaining({
        rule: "leak-memory",
        location: expect.objectContaining({ line: markedLine(locks, "describes") }),
        message: expect.stringMatching(/^Process 1 ended while pages of it are locked by the MDL.*0x76/),
      }),
    ]);
  });

  test("comes after IRP_MJ_CLEANUP, in which a driver may unlock them", () => {
    expect(locked(UNTIL_CLEANUP).findings).toEqual([]);
  });
});
