/** MDLs, locked pages, mappings, and contiguous memory. */
import { beforeAll, describe, expect, test } from "vitest";
import { type Case, allHolds, buildCases, verdict } from "./c-cases.ts";

const SHARED = `
static UCHAR Data[3 * PAGE_SIZE];
static PMDL New(PVOID address, ULONG bytes) { return IoAllocateMdl(address, bytes, FALSE, FALSE, NULL); }
`;

const CASES = {
  nonPaged: `
    PMDL mdl = New(Data + 10, 5000);
    CHECK(mdl->Next == NULL && MmGetMdlByteCount(mdl) == 5000 && MmGetMdlVirtualAddress(mdl) == (PVOID)(Data + 10));
    CHECK(mdl->Size == MmSizeOfMdl(Data + 10, 5000) && MmSizeOfMdl((PVOID)0x10FFF, 2) == sizeof(MDL) + 2 * sizeof(ULONG_PTR));
    MmBuildMdlForNonPagedPool(mdl);
    CHECK(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority) == (PVOID)(Data + 10));
    CHECK(MmGetMdlPfnArray(mdl)[0] == (ULONG)(ULONG_PTR)Data >> PAGE_SHIFT);
    IoFreeMdl(mdl);`,
  locked: `
    PMDL mdl = New(Data, 100);
    CHECK((mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA)) == 0);
    MmProbeAndLockPages(mdl, KernelMode, IoModifyAccess);
    CHECK(mdl->MdlFlags & MDL_PAGES_LOCKED);
    PVOID address = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
    CHECK(address == Data && (mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA));
    CHECK(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority) == address);
    MmUnmapLockedPages(address, mdl);
    CHECK(MmMapLockedPages(mdl, KernelMode) == Data);
    MmUnlockPages(mdl);
    CHECK((mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA)) == 0);
    IoFreeMdl(mdl);`,
  partial: `
    PMDL whole = New(Data, 5000), part = New(Data + 100, 200), rest = New(Data + 4000, 1000);
    MmBuildMdlForNonPagedPool(whole);
    IoBuildPartialMdl(whole, part, Data + 100, 200);
    CHECK((part->MdlFlags & MDL_PARTIAL) && MmGetMdlByteCount(part) == 200 && MmGetSystemAddressForMdlSafe(part, 0) == (PVOID)(Data + 100));
    IoBuildPartialMdl(whole, rest, Data + 4000, 0);
    CHECK(MmGetMdlByteCount(rest) == 1000);
    IoFreeMdl(part);
    IoFreeMdl(rest);
    IoFreeMdl(whole);`,
  partialOfUnmapped: `
    PMDL whole = New(Data, 5000), part = New(Data + 100, 200);
    MmProbeAndLockPages(whole, KernelMode, IoReadAccess);
    IoBuildPartialMdl(whole, part, Data + 100, 200);
    CHECK(MmGetSystemAddressForMdlSafe(part, 0) == (PVOID)(Data + 100) && (part->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED));
    MmPrepareMdlForReuse(part);
    CHECK((part->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) == 0);
    IoFreeMdl(part);
    MmUnlockPages(whole);
    IoFreeMdl(whole);`,
  irp: `
    IRP irp = {0};
    PMDL one = IoAllocateMdl(Data, 10, FALSE, FALSE, &irp), two = IoAllocateMdl(Data + 10, 10, TRUE, FALSE, &irp);
    CHECK(irp.MdlAddress == one && one->Next == two && two->Next == NULL);
    IoFreeMdl(one);
    IoFreeMdl(two);`,
  contiguous: `
    PHYSICAL_ADDRESS highest, low, boundary = {0}, lowest = {0};
    highest.QuadPart = -1;
    low.QuadPart = 0x1000;
    PVOID memory = MmAllocateContiguousMemory(6000, highest);
    CHECK(memory != NULL && BYTE_OFFSET(memory) == 0 && MmGetPhysicalAddress(memory).QuadPart == (ULONG_PTR)memory);
    MmFreeContiguousMemory(memory);
    CHECK(MmAllocateContiguousMemory(6000, low) == NULL);
    memory = MmAllocateContiguousMemorySpecifyCache(100, lowest, highest, boundary, MmCached);
    CHECK(memory != NULL);
    MmFreeContiguousMemorySpecifyCache(memory, 100, MmCached);
    CHECK(!MmIsDriverVerifying(TheDriver));`,
  lockTwice: `PMDL mdl = New(Data, 8); MmProbeAndLockPages(mdl, KernelMode, IoReadAccess); MmProbeAndLockPages(mdl, KernelMode, IoReadAccess);`,
  lockNonPaged: `PMDL mdl = New(Data, 8); MmBuildMdlForNonPagedPool(mdl); MmProbeAndLockPages(mdl, KernelMode, IoReadAccess);`,
  mapTwice: `PMDL mdl = New(Data, 8); MmProbeAndLockPages(mdl, KernelMode, IoReadAccess); MmMapLockedPages(mdl, KernelMode); MmMapLockedPages(mdl, KernelMode);`,
  mapUnlocked: `MmGetSystemAddressForMdlSafe(New(Data, 8), NormalPagePriority);`,
  unlockUnlocked: `MmUnlockPages(New(Data, 8));`,
  unlockNonPaged: `PMDL mdl = New(Data, 8); MmBuildMdlForNonPagedPool(mdl); MmUnlockPages(mdl);`,
  unmapUnmapped: `PMDL mdl = New(Data, 8); MmProbeAndLockPages(mdl, KernelMode, IoReadAccess); MmUnmapLockedPages(Data, mdl);`,
  tooSmall: `PMDL whole = New(Data, 3 * PAGE_SIZE), part = New(Data, 8); MmBuildMdlForNonPagedPool(whole); IoBuildPartialMdl(whole, part, Data, 2 * PAGE_SIZE);`,
  outside: `PMDL whole = New(Data, 8), part = New(Data, 8); MmBuildMdlForNonPagedPool(whole); IoBuildPartialMdl(whole, part, Data + 4, 8);`,
  notContiguous: `MmFreeContiguousMemory(Data);`,
  wrongMode: `MmProbeAndLockPages(New(Data, 8), UserMode, IoReadAccess);`,
} as const;

let run: Case<keyof typeof CASES>;
beforeAll(async () => {
  run = await buildCases(SHARED, CASES);
});

describe("An MDL", () => {
  test.each([
    ["describes nonpaged memory where it is mapped", "nonPaged"],
    ["is locked, mapped, unmapped and unlocked, which unmaps too", "locked"],
    ["describes a subrange of another one's memory, to its end if the length is zero", "partial"],
    ["that is partial is mapped by itself if the other is not", "partialOfUnmapped"],
    ["is linked to the IRP that it was allocated for", "irp"],
    ["is not needed for contiguous memory, which begins at a page", "contiguous"],
  ] as const)("%s", (_claim, name) => {
    expect(verdict(run(name))).toEqual(allHolds);
  });

  test.each([
    ["locking pages that are locked", "lockTwice", 0xb0],
    ["locking nonpaged memory", "lockNonPaged", 0xb0],
    ["mapping what is mapped", "mapTwice", 0xb2],
    ["mapping what is not locked", "mapUnlocked", 0xb3],
    ["unlocking what is not locked", "unlockUnlocked", 0x7c],
    ["unlocking nonpaged memory", "unlockNonPaged", 0x7d],
    ["unmapping what is not mapped", "unmapUnmapped", 0xb6],
  ] as const)("%s stops the system as Driver Verifier does", (_claim, name, violation) => {
    const { outcome } = run(name);
    expect(outcome.kind === "bugcheck" ? [outcome.error.code, outcome.error.parameters[0]] : outcome).toEqual([0xc4, violation]);
  });

  test("that is too small for a partial one is bug check TARGET_MDL_TOO_SMALL", () => {
    const { outcome } = run("tooSmall");
    expect(outcome.kind === "bugcheck" ? outcome.error.code : outcome).toBe(0x40);
  });

  test("cannot describe more than its source; contiguous memory is only freed where it begins", () => {
    const ruleOf = (name: "outside" | "notContiguous") => {
      const { outcome } = run(name);
      return outcome.kind === "fault" ? outcome.error.rule : outcome.kind;
    };
    expect([ruleOf("outside"), ruleOf("notContiguous")]).toEqual(["out-of-bounds", "invalid-free"]);
  });

  test("of kernel memory cannot be locked for user mode: an access violation is raised", () => {
    const { outcome } = run("wrongMode");
    expect(outcome.kind === "failed" ? outcome.error.message : outcome.kind).toContain("STATUS_ACCESS_VIOLATION");
  });
});
