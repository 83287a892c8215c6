/** The routines that allocate pool, as far as they differ. */
import { beforeAll, describe, expect, test } from "vitest";
import { type Case, allHolds, buildCases, verdict } from "./c-cases.ts";

const CASES = {
  allOfThem: `
    PVOID blocks[8] = {
      ExAllocatePool(NonPagedPool, 24),
      ExAllocatePoolWithTag(NonPagedPool, 24, 'looP'),
      ExAllocatePoolWithTagPriority(NonPagedPool, 24, 'looP', LowPoolPriority),
      ExAllocatePoolPriorityZero(NonPagedPool, 24, 'looP', LowPoolPriority),
      ExAllocatePoolQuotaZero(NonPagedPool, 24, 'looP'),
      ExAllocatePoolZero(NonPagedPool, 24, 'looP'),
      ExAllocatePoolUninitialized(NonPagedPool, 24, 'looP'),
      ExAllocatePool2(POOL_FLAG_NON_PAGED, 24, 'looP'),
    };
    for (int i = 0; i < 8; i++) {
      CHECK(blocks[i] != NULL);
      ExFreePool(blocks[i]);
    }`,
  noMemory: `
    CHECK(ExAllocatePoolWithTag(NonPagedPool, 0x1000000, 'looP') == NULL);
    CHECK(ExAllocatePoolWithTagPriority(NonPagedPool, 0x1000000, 'looP', HighPoolPriority) == NULL);
    CHECK(ExAllocatePoolQuotaZero(NonPagedPool | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE, 0x1000000, 'looP') == NULL);
    CHECK(ExAllocatePool2(POOL_FLAG_NON_PAGED, 0x1000000, 'looP') == NULL);`,
  namesThatHaveNoRoom: `
    static WCHAR text[2000];
    UNICODE_STRING name = { sizeof(text), sizeof(text), text }, other = { sizeof(text) - 2, sizeof(text), text }, brief;
    static PVOID rest[2048];
    ULONG count = 0;
    PDEVICE_OBJECT device;
    RtlInitUnicodeString(&brief, L"\\\\Device\\\\Brief");
    for (int i = 0; i < 2000; i++) text[i] = L'a';
    memcpy(text, L"\\\\Device\\\\", 16);
    while ((rest[count] = ExAllocatePool2(POOL_FLAG_NON_PAGED, 4096, 'looP')) != NULL) count++;
    CHECK(IoCreateDevice(TheDriver, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device) == STATUS_INSUFFICIENT_RESOURCES);
    CHECK(TheDriver->DeviceObject == NULL);
    CHECK(IoCreateSymbolicLink(&name, &brief) == STATUS_INSUFFICIENT_RESOURCES);
    CHECK(IoCreateSymbolicLink(&brief, &name) == STATUS_INSUFFICIENT_RESOURCES);
    CHECK(IoCreateDevice(TheDriver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device) == STATUS_SUCCESS);
    IoDeleteDevice(device);
    while (count > 0) ExFreePool(rest[--count]);
    CHECK(IoCreateDevice(TheDriver, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device) == STATUS_SUCCESS);
    CHECK(IoCreateSymbolicLink(&other, &name) == STATUS_SUCCESS);
    CHECK(IoCreateSymbolicLink(&brief, &name) == STATUS_SUCCESS);
    IoDeleteSymbolicLink(&other);
    IoDeleteSymbolicLink(&brief);
    IoDeleteDevice(device);`,
  largeAgain: `
    for (int i = 0; i < 1000; i++) {
      PVOID large = ExAllocatePool2(POOL_FLAG_NON_PAGED, 0x10000 + i, 'looP');
      PVOID larger = ExAllocatePool2(POOL_FLAG_NON_PAGED, 0x20000 - i, 'looP');
      CHECK(large != NULL && larger != NULL);
      ExFreePool(large);
      ExFreePool(larger);
    }`,
  smallestThatFits: `
    ULONG sizes[] = { 60000, 50000, 40000, 50000, 30000 };
    PVOID blocks[5], rest[64], again;
    ULONG count = 0;
    for (int i = 0; i < 5; i++) blocks[i] = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizes[i], 'looP');
    while ((rest[count] = ExAllocatePool2(POOL_FLAG_NON_PAGED, 70000, 'looP')) != NULL) count++;
    for (int i = 0; i < 5; i++) ExFreePool(blocks[i]);
    again = ExAllocatePool2(POOL_FLAG_NON_PAGED, 49000, 'looP');
    CHECK(again == blocks[1]);
    CHECK(ExAllocatePool2(POOL_FLAG_NON_PAGED, 49000, 'looP') == blocks[3]);
    CHECK(ExAllocatePool2(POOL_FLAG_NON_PAGED, 29000, 'looP') == blocks[4]);
    ExFreePool(again);
    CHECK(ExAllocatePool2(POOL_FLAG_NON_PAGED, 39000, 'looP') == blocks[2]);
    CHECK(ExAllocatePool2(POOL_FLAG_NON_PAGED, 59000, 'looP') == blocks[0]);
    CHECK(ExAllocatePool2(POOL_FLAG_NON_PAGED, 49000, 'looP') == again);`,
  tagZero: `CHECK(ExAllocatePool2(POOL_FLAG_NON_PAGED, 24, 0) == NULL);`,
  quotaRaises: `ExAllocatePoolQuotaZero(NonPagedPool, 0x1000000, 'looP');`,
  typeRaises: `ExAllocatePoolWithTag(NonPagedPool | POOL_RAISE_IF_ALLOCATION_FAILURE, 0x1000000, 'looP');`,
  flagRaises: `ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_RAISE_ON_FAILURE, 0x1000000, 'looP');`,
  raise: `__try { ExRaiseStatus(STATUS_INVALID_DEVICE_REQUEST); } __except (EXCEPTION_EXECUTE_HANDLER) { }`,
  accessViolation: `ExRaiseAccessViolation();`,
  misalignment: `ExRaiseDatatypeMisalignment();`,
} as const;

let run: Case<keyof typeof CASES>;
beforeAll(async () => {
  run = await buildCases("", CASES);
});

describe("Pool", () => {
  test("is allocated by every routine, and freed", () => {
    expect(verdict(run("allOfThem"))).toEqual(allHolds);
  });

  test("that there is not enough of gives NULL", () => {
    expect(verdict(run("noMemory"))).toEqual(allHolds);
  });

  test("that there is not enough of for a name makes no device and no symbolic link, until there is more", () => {
    expect(verdict(run("namesThatHaveNoRoom"))).toEqual(allHolds);
  });

  test("in large blocks is there again when they are freed", () => {
    expect(verdict(run("largeAgain"))).toEqual(allHolds);
  });

  test("that was a large block is used again for the block that fits it best", () => {
    expect(verdict(run("smallestThatFits"))).toEqual(allHolds);
  });

  test("is not allocated by ExAllocatePool2 with a tag of zero", () => {
    expect(verdict(run("tagZero"))).toEqual(allHolds);
  });

  test.each([
    ["quota, unless POOL_QUOTA_FAIL_INSTEAD_OF_RAISE is specified", "quotaRaises", "STATUS_INSUFFICIENT_RESOURCES"],
    ["POOL_RAISE_IF_ALLOCATION_FAILURE", "typeRaises", "STATUS_INSUFFICIENT_RESOURCES"],
    ["POOL_FLAG_RAISE_ON_FAILURE", "flagRaises", "STATUS_INSUFFICIENT_RESOURCES"],
    ["ExRaiseStatus, also inside __try", "raise", "STATUS_INVALID_DEVICE_REQUEST"],
    ["ExRaiseAccessViolation", "accessViolation", "STATUS_ACCESS_VIOLATION"],
    ["ExRaiseDatatypeMisalignment", "misalignment", "STATUS_DATATYPE_MISALIGNMENT"],
  ] as const)("%s: an exception is raised, and the run has failed with its name", (_what, name, status) => {
    const { outcome } = run(name);
    expect(outcome.kind === "failed" ? outcome.error.message : outcome.kind).toContain(status);
  });
});
