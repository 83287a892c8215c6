/** Memory shared with a device, and scatter/gather lists. */
import { beforeAll, describe, expect, test } from "vitest";
import { firstCome } from "../../src/kernel/index.ts";
import { type Case, allHolds, buildCases, verdict } from "../kernel/c-cases.ts";

const SHARED = `
static int Calls;
static PSCATTER_GATHER_LIST List;
static PVOID Context, Address;
static NDIS_PHYSICAL_ADDRESS Physical;
static ULONG Length;
static KIRQL Irql;
static void ProcessList(PDEVICE_OBJECT device, PVOID reserved, PSCATTER_GATHER_LIST list, PVOID context) {
  Calls++; List = list; Context = context; Irql = KeGetCurrentIrql();
}
static void Complete(NDIS_HANDLE adapter, PVOID address, PNDIS_PHYSICAL_ADDRESS physical, ULONG length, PVOID context) {
  Calls++; Address = address; Context = context; Length = length; Irql = KeGetCurrentIrql();
  if (physical != NULL) Physical = *physical;
}
static NDIS_SG_DMA_DESCRIPTION Description;
static NDIS_HANDLE Register(ULONG mapping) {
  NDIS_HANDLE handle = NULL;
  memset(&Description, 0, sizeof(Description));
  Description.Header.Type = NDIS_OBJECT_TYPE_SG_DMA_DESCRIPTION;
  Description.Header.Revision = NDIS_SG_DMA_DESCRIPTION_REVISION_1;
  Description.Header.Size = NDIS_SIZEOF_SG_DMA_DESCRIPTION_REVISION_1;
  Description.MaximumPhysicalMapping = mapping;
  Description.ProcessSGListHandler = ProcessList;
  Description.SharedMemAllocateCompleteHandler = Complete;
  return NdisMRegisterScatterGatherDma(TheAdapter, &Description, &handle) == NDIS_STATUS_SUCCESS ? handle : NULL;
}
/* Two MDLs of 100 and 200 bytes; the data begins 20 bytes into the first and has 150 bytes. */
static UCHAR One[100], Two[200];
static MDL First, Second;
static NET_BUFFER Buffer;
static void Prepare(void) {
  First.Next = &Second; First.ByteCount = 100; First.MappedSystemVa = One;
  Second.ByteCount = 200; Second.MappedSystemVa = Two;
  NET_BUFFER_FIRST_MDL(&Buffer) = NET_BUFFER_CURRENT_MDL(&Buffer) = &First;
  NET_BUFFER_DATA_OFFSET(&Buffer) = NET_BUFFER_CURRENT_MDL_OFFSET(&Buffer) = 20;
  NET_BUFFER_DATA_LENGTH(&Buffer) = 150;
}
static ULONG Low(PVOID address) { return (ULONG)(ULONG_PTR)address; }
static NDIS_SHARED_MEMORY_PARAMETERS Parameters(ULONG length) {
  NDIS_SHARED_MEMORY_PARAMETERS p = {0};
  p.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  p.Header.Revision = NDIS_SHARED_MEMORY_PARAMETERS_REVISION_1;
  p.Header.Size = NDIS_SIZEOF_SHARED_MEMORY_PARAMETERS_REVISION_1;
  p.Length = length;
  return p;
}
#define AT_DISPATCH(statement) do { KIRQL old; KeRaiseIrql(DISPATCH_LEVEL, &old); statement; KeLowerIrql(old); } while (0)
`;

const LIST = (buffer: string, size: string) => `
    NDIS_HANDLE dma = Register(8192);
    NDIS_STATUS status;
    Prepare();
    AT_DISPATCH(status = NdisMAllocateNetBufferSGList(dma, &Buffer, &Calls, NDIS_SG_LIST_WRITE_TO_DEVICE, ${buffer}, ${size}));
    CHECK(status == NDIS_STATUS_SUCCESS);
    if (Calls == 0) NdisMSleep(1000);
    CHECK(Calls == 1 && Context == &Calls && Irql == DISPATCH_LEVEL);
    CHECK(List->NumberOfElements == 2);
    CHECK(List->Elements[0].Address.LowPart == Low(One) && List->Elements[0].Address.HighPart == 0 && List->Elements[0].Length == 100);
    CHECK(List->Elements[1].Address.LowPart == Low(Two) && List->Elements[1].Length == 70);`;

const CASES = {
  list: `${LIST("NULL", "0")}
    AT_DISPATCH(NdisMFreeNetBufferSGList(dma, List, &Buffer));
    NdisMDeregisterScatterGatherDma(dma);`,
  ownBuffer: `
    static UCHAR room[256];
    ${LIST("room", "sizeof(room)")}
    CHECK((PVOID)List == (PVOID)room && Description.ScatterGatherListSize >= sizeof(SCATTER_GATHER_LIST) + 3 * sizeof(SCATTER_GATHER_ELEMENT));
    AT_DISPATCH(NdisMFreeNetBufferSGList(dma, List, &Buffer));
    NdisMDeregisterScatterGatherDma(dma);`,
  smallBuffer: `
    static UCHAR room[24];
    ${LIST("room", "sizeof(room)")}
    CHECK((PVOID)List != (PVOID)room);
    AT_DISPATCH(NdisMFreeNetBufferSGList(dma, List, &Buffer));
    NdisMDeregisterScatterGatherDma(dma);`,
  listTwice: `${LIST("NULL", "0")}
    AT_DISPATCH(NdisMFreeNetBufferSGList(dma, List, &Buffer));
    AT_DISPATCH(NdisMFreeNetBufferSGList(dma, List, &Buffer));`,
  badVersion: `
    NDIS_HANDLE handle;
    Register(4096);
    Description.Header.Revision = 0;
    CHECK(NdisMRegisterScatterGatherDma(TheAdapter, &Description, &handle) == NDIS_STATUS_BAD_VERSION);`,
  forAdapter: `
    NdisMAllocateSharedMemory(TheAdapter, 5000, TRUE, &Address, &Physical);
    CHECK(Address == NULL);
    NDIS_HANDLE dma = Register(4096);
    NdisMAllocateSharedMemory(TheAdapter, 5000, TRUE, &Address, &Physical);
    CHECK(Address != NULL && Low(Address) % PAGE_SIZE == 0 && Physical.LowPart == Low(Address));
    memset(Address, 1, 5000);
    NdisMFreeSharedMemory(TheAdapter, 5000, TRUE, Address, Physical);
    NdisMDeregisterScatterGatherDma(dma);`,
  later: `
    NDIS_HANDLE dma = Register(4096);
    CHECK(NdisMAllocateSharedMemoryAsyncEx(dma, 3000, TRUE, &Calls) == NDIS_STATUS_PENDING);
    NdisMSleep(1000);
    CHECK(Calls == 1 && Context == &Calls && Length == 3000 && Address != NULL && Physical.LowPart == Low(Address) && Irql == PASSIVE_LEVEL);
    NdisMFreeSharedMemory(TheAdapter, 3000, TRUE, Address, Physical);
    CHECK(NdisMAllocateSharedMemoryAsyncEx(dma, 0x1000000, TRUE, NULL) == NDIS_STATUS_PENDING);
    NdisMSleep(1000);
    CHECK(Calls == 2 && Address == NULL);
    NdisMDeregisterScatterGatherDma(dma);`,
  wrongLength: `
    Register(4096);
    NdisMAllocateSharedMemory(TheAdapter, 5000, TRUE, &Address, &Physical);
    NdisMFreeSharedMemory(TheAdapter, 4000, TRUE, Address, Physical);`,
  byParameters: `
    NDIS_HANDLE handle = &Calls;
    NDIS_SHARED_MEMORY_PARAMETERS p = Parameters(9000);
    UCHAR room[64];
    p.SGListBuffer = (PSCATTER_GATHER_LIST)room;
    p.SGListBufferLength = sizeof(room);
    CHECK(NdisAllocateSharedMemory(TheAdapter, &p, &handle) == NDIS_STATUS_SUCCESS && handle != NULL);
    CHECK(p.VirtualAddress != NULL && p.SharedMemoryHandle != NULL && p.SGListBuffer->NumberOfElements == 1);
    CHECK(p.SGListBuffer->Elements[0].Address.LowPart == Low(p.VirtualAddress) && p.SGListBuffer->Elements[0].Length == 9000);
    NdisFreeSharedMemory(TheAdapter, handle);
    p.SGListBufferLength = 8;
    CHECK(NdisAllocateSharedMemory(TheAdapter, &p, &handle) == NDIS_STATUS_INVALID_PARAMETER && handle == NULL);
    p = Parameters(0x1000000);
    CHECK(NdisAllocateSharedMemory(TheAdapter, &p, &handle) == NDIS_STATUS_RESOURCES && handle == NULL);
    CHECK(NdisGetSharedDataAlignment() == 64);`,
} as const;

let run: Case<keyof typeof CASES>;
beforeAll(async () => {
  run = await buildCases(SHARED, CASES, "miniport");
});

const later = { ...firstCome, choose: (_count: number, what: string) => (what.includes("MiniportProcessSGList") ? 1 : 0) };

describe("Scatter/gather DMA", () => {
  test.each([
    ["in memory of NDIS's", "list"],
    ["in the driver's buffer, for which a size is recommended", "ownBuffer"],
    ["in memory of NDIS's if the buffer is too small", "smallBuffer"],
  ] as const)("the list starts at the beginning of the current MDL: %s", (_claim, name) => {
    expect(verdict(run(name))).toEqual(allHolds);
    expect(verdict(run(name, { strategy: later }))).toEqual(allHolds);
  });

  test("a list that is freed twice is an invalid free", () => {
    const { outcome } = run("listTwice");
    expect(outcome.kind === "fault" ? outcome.error.rule : outcome.kind).toBe("invalid-free");
  });

  test("a description without a revision is refused", () => {
    expect(verdict(run("badVersion"))).toEqual(allHolds);
  });
});

describe("Shared memory", () => {
  test.each([
    ["is allocated for an adapter that has a DMA channel", "forAdapter"],
    ["is allocated later, and the miniport is told, also that there is none", "later"],
    ["is allocated by parameters, with its list of elements", "byParameters"],
  ] as const)("%s", (_claim, name) => {
    expect(verdict(run(name))).toEqual(allHolds);
  });

  test("must be freed with exactly the arguments of its allocation", () => {
    const { outcome } = run("wrongLength");
    expect(outcome.kind === "fault" ? outcome.error.rule : outcome.kind).toBe("dma-shared-memory-free-exact");
  });
});
