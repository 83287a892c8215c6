/* Frames in memory that nobody has written before them. */
#include "miniport.h"

#define LARGEST 1514

static UCHAR Broadcasts;

static PUCHAR AllocateFrame(PADAPTER Adapter)
{
    return NdisAllocateMemoryWithTagPriority(Adapter->Handle, LARGEST, TAG, NormalPoolPriority);
}

static VOID CopyAndLookBehind(PADAPTER Adapter, PNET_BUFFER_LIST List)
{
    PNET_BUFFER Buffer = NET_BUFFER_LIST_FIRST_NB(List);
    ULONG Length = NET_BUFFER_DATA_LENGTH(Buffer);
    PUCHAR Copy = AllocateFrame(Adapter), Data = NdisGetDataBuffer(Buffer, Length, Copy, 1, 0);

    if (Data != NULL && Data != Copy) {
        NdisMoveMemory(Copy, Data, Length);
    }
    if (Copy[Length] == 0xff) { // expect: uninitialised
        Broadcasts += 1;
    }
    NdisFreeMemory(Copy, 0, 0);
    CompleteSend(Adapter, List);
}

/* Looks at the byte behind a frame that it has copied. */
VOID Case_LooksBehindCopiedFrame(VOID)
{
    OnSend = CopyAndLookBehind;
}

static VOID CopyAndLookInside(PADAPTER Adapter, PNET_BUFFER_LIST List)
{
    PNET_BUFFER Buffer = NET_BUFFER_LIST_FIRST_NB(List);
    ULONG Length = NET_BUFFER_DATA_LENGTH(Buffer), At;
    PUCHAR Copy = AllocateFrame(Adapter), Data = NdisGetDataBuffer(Buffer, Length, Copy, 1, 0);

    if (Data != NULL && Data != Copy) {
        NdisMoveMemory(Copy, Data, Length);
    }
    for (At = 0; At < Length; At += 1) {
        if (Copy[At] == 0xff) {
            Broadcasts += 1;
        }
    }
    NdisFreeMemory(Copy, 0, 0);
    CompleteSend(Adapter, List);
}

/* Looks at each byte of a frame that it has copied. */
VOID Case_LooksIntoCopiedFrame(VOID)
{
    OnSend = CopyAndLookInside;
}

static PUCHAR Received;
static PMDL ReceivedMdl;

static VOID FreeReceived(PADAPTER Adapter, PNET_BUFFER_LIST List)
{
    UNREFERENCED_PARAMETER(Adapter);
    NdisFreeNetBufferList(List);
    NdisFreeMdl(ReceivedMdl);
    NdisFreeMemory(Received, 0, 0);
}

/* Indicates a frame in a buffer of which only the frame was written. */
VOID Case_IndicatesFrameInLargerBuffer(VOID)
{
    PNET_BUFFER_LIST List;

    OnReturn = FreeReceived;
    Received = AllocateFrame(TheAdapter);
    NdisFillMemory(Received, 6, 0xff);
    NdisFillMemory(Received + 6, 54, 2);
    ReceivedMdl = NdisAllocateMdl(TheAdapter->Handle, Received, LARGEST);
    List = NdisAllocateNetBufferAndNetBufferList(TheAdapter->Pool, 0, 0, ReceivedMdl, 0, 60);
    List->SourceHandle = TheAdapter->Handle;
    NdisMIndicateReceiveNetBufferLists(TheAdapter->Handle, List, NDIS_DEFAULT_PORT_NUMBER, 1, 0);
}
