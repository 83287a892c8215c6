/** Lookaside lists, with the system's functions and with the driver's own. */
import { beforeAll, describe, expect, test } from "vitest";
import { type Case, allHolds, buildCases, verdict } from "./c-cases.ts";

const SHARED = `
static int Allocated, Freed;
static PVOID Context;
static PVOID Allocate(POOL_TYPE type, SIZE_T bytes, ULONG tag, PLOOKASIDE_LIST_EX list) {
  Allocated++;
  Context = list;
  return ExAllocatePoolWithTag(type, bytes, tag);
}
static void Free(PVOID entry, PLOOKASIDE_LIST_EX list) {
  Freed++;
  Context = list;
  ExFreePool(entry);
}
static PVOID AllocateOld(POOL_TYPE type, SIZE_T bytes, ULONG tag) { Allocated++; return bytes == 40 && tag == 'kooL' ? ExAllocatePoolWithTag(type, bytes, tag) : NULL; }
static void FreeOld(PVOID entry) { Freed++; ExFreePoolWithTag(entry, 'kooL'); }
static NPAGED_LOOKASIDE_LIST Old, Other;
static LOOKASIDE_LIST_EX New;
#define INIT_OLD(list) ExInitializeNPagedLookasideList(&(list), NULL, NULL, 0, 40, 'kooL', 0)
`;

const CASES = {
  lastInFirstOut: `
    INIT_OLD(Old);
    PVOID one = ExAllocateFromNPagedLookasideList(&Old);
    PVOID two = ExAllocateFromNPagedLookasideList(&Old);
    CHECK(one != NULL && two != NULL && one != two);
    ExFreeToNPagedLookasideList(&Old, one);
    ExFreeToNPagedLookasideList(&Old, two);
    CHECK(ExAllocateFromNPagedLookasideList(&Old) == two);
    CHECK(ExAllocateFromNPagedLookasideList(&Old) == one);
    CHECK(Old.L.TotalAllocates == 4 && Old.L.AllocateMisses == 2);
    ExFreeToNPagedLookasideList(&Old, one);
    ExFreeToNPagedLookasideList(&Old, two);
    ExDeleteNPagedLookasideList(&Old);`,
  underNdisNames: `
    NdisInitializeNPagedLookasideList(&Old, NULL, NULL, 0, 40, 'kooL', 0);
    PVOID entry = NdisAllocateFromNPagedLookasideList(&Old);
    CHECK(entry != NULL);
    NdisFreeToNPagedLookasideList(&Old, entry);
    CHECK(NdisAllocateFromNPagedLookasideList(&Old) == entry);
    NdisFreeToNPagedLookasideList(&Old, entry);
    NdisDeleteNPagedLookasideList(&Old);`,
  ownFunctions: `
    CHECK(ExInitializeLookasideListEx(&New, Allocate, Free, NonPagedPoolNx, 0, 40, 'kooL', 0) == STATUS_SUCCESS);
    PVOID entries[6];
    for (int i = 0; i < 6; i++) entries[i] = ExAllocateFromLookasideListEx(&New);
    CHECK(Allocated == 6 && Context == &New);
    for (int i = 0; i < 6; i++) ExFreeToLookasideListEx(&New, entries[i]);
    CHECK(Freed > 0 && Freed < 6);
    int before = Freed;
    PVOID entry = ExAllocateFromLookasideListEx(&New);
    CHECK(entry != NULL && Allocated == 6);
    ExFreeToLookasideListEx(&New, entry);
    ExFlushLookasideListEx(&New);
    CHECK(Freed == 6 && before < 6);
    entry = ExAllocateFromLookasideListEx(&New);
    CHECK(Allocated == 7);
    ExFreeToLookasideListEx(&New, entry);
    ExDeleteLookasideListEx(&New);
    CHECK(Freed == 7);`,
  ownFunctionsOfTheOldKind: `
    ExInitializeNPagedLookasideList(&Old, AllocateOld, FreeOld, 0, 40, 'kooL', 0);
    PVOID entry = ExAllocateFromNPagedLookasideList(&Old);
    CHECK(entry != NULL && Allocated == 1);
    ExFreeToNPagedLookasideList(&Old, entry);
    CHECK(Freed == 0);
    ExDeleteNPagedLookasideList(&Old);
    CHECK(Freed == 1);`,
  wrongParameters: `
    CHECK(ExInitializeLookasideListEx(&New, NULL, NULL, (POOL_TYPE)0x4000, 0, 40, 'kooL', 0) == STATUS_INVALID_PARAMETER_4);
    CHECK(ExInitializeLookasideListEx(&New, NULL, NULL, NonPagedPool, 3, 40, 'kooL', 0) == STATUS_INVALID_PARAMETER_5);`,
  raiseFlagReachesTheFunction: `
    ExInitializeLookasideListEx(&New, Allocate, Free, NonPagedPool, EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE, 40, 'kooL', 0);
    CHECK(New.L.Type == (NonPagedPool | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE));
    ExDeleteLookasideListEx(&New);`,
  noMemory: `
    ExInitializeLookasideListEx(&New, NULL, NULL, NonPagedPool, 0, 0x100000, 'kooL', 0);
    CHECK(ExAllocateFromLookasideListEx(&New) == NULL);
    ExDeleteLookasideListEx(&New);`,
  noMemoryRaises: `
    ExInitializeLookasideListEx(&New, NULL, NULL, NonPagedPool, EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL, 0x100000, 'kooL', 0);
    ExAllocateFromLookasideListEx(&New);`,
  twice: `
    INIT_OLD(Old);
    PVOID entry = ExAllocateFromNPagedLookasideList(&Old);
    ExFreeToNPagedLookasideList(&Old, entry);
    ExFreeToNPagedLookasideList(&Old, entry);`,
  twiceOnceToPool: `
    INIT_OLD(Old);
    PVOID entry = ExAllocateFromNPagedLookasideList(&Old);
    ExFreeToNPagedLookasideList(&Old, entry);
    ExFreePool(entry);`,
  wrongList: `
    INIT_OLD(Old);
    INIT_OLD(Other);
    ExFreeToNPagedLookasideList(&Other, ExAllocateFromNPagedLookasideList(&Old));`,
  poolToAList: `
    INIT_OLD(Old);
    ExFreeToNPagedLookasideList(&Old, ExAllocatePoolWithTag(NonPagedPool, 40, 'kooL'));`,
  deletedList: `
    INIT_OLD(Old);
    PVOID entry = ExAllocateFromNPagedLookasideList(&Old);
    ExDeleteNPagedLookasideList(&Old);
    ExFreeToNPagedLookasideList(&Old, entry);`,
  neverInitialised: `ExAllocateFromNPagedLookasideList(&Old);`,
} as const;

let run: Case<keyof typeof CASES>;
beforeAll(async () => {
  run = await buildCases(SHARED, CASES);
});

function faultOf(name: keyof typeof CASES): string | undefined {
  const { outcome } = run(name);
  return outcome.kind === "fault" ? outcome.error.rule : outcome.kind;
}

describe("A lookaside list", () => {
  test.each([
    ["is a stack: the last entry that was freed is the next that is allocated", "lastInFirstOut"],
    ["has NDIS's names as well", "underNdisNames"],
    ["calls the driver's functions when it is empty and when it is full, and passes itself", "ownFunctions"],
    ["of nonpaged entries calls the driver's functions with type, size and tag", "ownFunctionsOfTheOldKind"],
    ["is refused for a pool type or flags that are not valid", "wrongParameters"],
    ["combines its flag with the pool type", "raiseFlagReachesTheFunction"],
    ["gives NULL if the allocation fails", "noMemory"],
  ] as const)("%s", (_claim, name) => {
    expect(verdict(run(name))).toEqual(allHolds);
  });

  test("raises an exception instead, if it was asked to: the run ends without a verdict", () => {
    const { outcome } = run("noMemoryRaises");
    expect(outcome.kind === "failed" ? outcome.error.message : outcome.kind).toContain("STATUS_INSUFFICIENT_RESOURCES");
  });

  test.each([
    ["an entry that is handed back twice is a double free", "twice", "double-free"],
    ["an entry that is handed back and then freed to pool is a double free", "twiceOnceToPool", "double-free"],
    ["an entry of another list is an invalid free", "wrongList", "invalid-free"],
    ["a block of pool is an invalid free", "poolToAList", "invalid-free"],
    ["a list that was deleted cannot be used", "deletedList", "trap"],
    ["a list that was never initialised cannot be used", "neverInitialised", "trap"],
  ] as const)("%s", (_claim, name, rule) => {
    expect(faultOf(name)).toBe(rule);
  });
});
