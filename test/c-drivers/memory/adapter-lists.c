/* Sends and receives of a miniport, touched when they were given away, and what runs beside its halt handler. */
#include "miniport.h"

static VOID CompleteAndRead(PADAPTER Adapter, PNET_BUFFER_LIST List)
{
    CompleteSend(Adapter, List);
    USE(NET_BUFFER_LIST_STATUS(List)); // expect: send-miniport-complete
}

/* Reads the status of a list whose send it has completed. */
VOID Case_ReadsCompletedList(VOID)
{
    OnSend = CompleteAndRead;
}

static VOID CompleteAndCountBytes(PADAPTER Adapter, PNET_BUFFER_LIST List)
{
    PNET_BUFFER Buffer = NET_BUFFER_LIST_FIRST_NB(List);

    CompleteSend(Adapter, List);
    Adapter->Sent += NET_BUFFER_DATA_LENGTH(Buffer); // expect: send-miniport-complete
}

/* Counts the bytes of a net buffer whose send it has completed. */
VOID Case_CountsBytesOfCompletedList(VOID)
{
    OnSend = CompleteAndCountBytes;
}

static VOID CountBytesAndComplete(PADAPTER Adapter, PNET_BUFFER_LIST List)
{
    PNET_BUFFER Buffer = NET_BUFFER_LIST_FIRST_NB(List);

    Adapter->Sent += NET_BUFFER_DATA_LENGTH(Buffer);
    CompleteSend(Adapter, List);
}

/* Counts the bytes of a net buffer before its send is complete. */
VOID Case_CountsBytesOfList(VOID)
{
    OnSend = CountBytesAndComplete;
}

static VOID CopyWhole(PADAPTER Adapter, PNET_BUFFER_LIST List)
{
    PNET_BUFFER Buffer = NET_BUFFER_LIST_FIRST_NB(List);
    PUCHAR Data = MmGetSystemAddressForMdlSafe(NET_BUFFER_FIRST_MDL(Buffer), NormalPagePriority), Copy = ALLOCATE(1514);

    NdisMoveMemory(Copy, Data, SOME(1514)); // expect: out-of-bounds
    FREE(Copy);
    CompleteSend(Adapter, List);
}

/* Copies as many bytes as the largest frame has, of a frame that is shorter. */
VOID Case_CopiesLargestFrame(VOID)
{
    OnSend = CopyWhole;
}

static VOID CopyByLength(PADAPTER Adapter, PNET_BUFFER_LIST List)
{
    PNET_BUFFER Buffer = NET_BUFFER_LIST_FIRST_NB(List);
    PUCHAR Copy = ALLOCATE(1514), Data = NdisGetDataBuffer(Buffer, NET_BUFFER_DATA_LENGTH(Buffer), Copy, 1, 0);

    if (Data != NULL && Data != Copy) {
        NdisMoveMemory(Copy, Data, NET_BUFFER_DATA_LENGTH(Buffer));
    }
    FREE(Copy);
    CompleteSend(Adapter, List);
}

/* Copies as many bytes of a frame as it has. */
VOID Case_CopiesFrame(VOID)
{
    OnSend = CopyByLength;
}

static UCHAR Frame[60];
static PMDL FrameMdl;

static VOID FreeReceived(PADAPTER Adapter, PNET_BUFFER_LIST List)
{
    UNREFERENCED_PARAMETER(Adapter);
    NdisFreeNetBufferList(List);
    NdisFreeMdl(FrameMdl);
}

static PNET_BUFFER_LIST Indicate(PADAPTER Adapter)
{
    PNET_BUFFER_LIST List;

    OnReturn = FreeReceived;
    FrameMdl = NdisAllocateMdl(Adapter->Handle, Frame, sizeof(Frame));
    List = NdisAllocateNetBufferAndNetBufferList(Adapter->Pool, 0, 0, FrameMdl, 0, sizeof(Frame));
    List->SourceHandle = Adapter->Handle;
    NdisMIndicateReceiveNetBufferLists(Adapter->Handle, List, NDIS_DEFAULT_PORT_NUMBER, 1, 0);
    return List;
}

/* Reads a list that it has indicated, and that has come back and was freed. */
VOID Case_ReadsIndicatedList(VOID)
{
    PNET_BUFFER_LIST List = Indicate(TheAdapter);

    USE(NET_BUFFER_LIST_STATUS(List)); // expect: use-after-free
}

/* Indicates a list and leaves it to the protocol until it comes back. */
VOID Case_LeavesIndicatedList(VOID)
{
    (VOID)Indicate(TheAdapter);
}

static NDIS_HANDLE Timer;

static VOID Tick(PVOID Unused1, PVOID Context, PVOID Unused2, PVOID Unused3)
{
    UNREFERENCED_PARAMETER(Unused1);
    UNREFERENCED_PARAMETER(Unused2);
    UNREFERENCED_PARAMETER(Unused3);
    ((PADAPTER)Context)->Sent += 1; // expect: data-race
}

static VOID StartTimer(PADAPTER Adapter, PNDIS_TIMER_FUNCTION Function)
{
    NDIS_TIMER_CHARACTERISTICS Characteristics = {{0}};
    LARGE_INTEGER Due;

    Characteristics.Header.Type = NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS;
    Characteristics.Header.Revision = NDIS_TIMER_CHARACTERISTICS_REVISION_1;
    Characteristics.Header.Size = NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1;
    Characteristics.TimerFunction = Function;
    Characteristics.FunctionContext = Adapter;
    NdisAllocateTimerObject(Adapter->Handle, &Characteristics, &Timer);
    Due.QuadPart = -10000;
    NdisSetTimerObject(Timer, Due, 0, NULL);
    NdisMSleep(5000);
}

static VOID ClearAndFreeTimer(PADAPTER Adapter)
{
    StartTimer(Adapter, Tick);
    NdisCancelTimerObject(Timer);
    Adapter->Sent = 0; // expect: data-race
    KeFlushQueuedDpcs();
    NdisFreeTimerObject(Timer);
}

/* Clears in the halt handler what the function of a timer counts that could not be cancelled, and waits for it only then. */
VOID Case_ClearsBesideTimerInHalt(VOID)
{
    OnHalt = ClearAndFreeTimer;
}

static VOID TickWell(PVOID Unused1, PVOID Context, PVOID Unused2, PVOID Unused3)
{
    UNREFERENCED_PARAMETER(Unused1);
    UNREFERENCED_PARAMETER(Unused2);
    UNREFERENCED_PARAMETER(Unused3);
    ((PADAPTER)Context)->Sent += 1;
}

static VOID StopTimerAndClear(PADAPTER Adapter)
{
    if (!NdisCancelTimerObject(Timer)) {
        KeFlushQueuedDpcs();
    }
    NdisFreeTimerObject(Timer);
    Adapter->Sent = 0;
}

/* Stops the timer in the halt handler, and clears then what its function counted. */
VOID Case_ClearsAfterTimerInHalt(VOID)
{
    OnHalt = StopTimerAndClear;
    StartTimer(TheAdapter, TickWell);
}
