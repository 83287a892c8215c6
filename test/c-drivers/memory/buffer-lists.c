/* Net buffer lists of a protocol: after they were sent, returned or freed, and beside the data that they describe. */
#include "protocol.h"

static PUCHAR DataOf(PNET_BUFFER_LIST List)
{
    return MmGetSystemAddressForMdlSafe(NET_BUFFER_FIRST_MDL(NET_BUFFER_LIST_FIRST_NB(List)), NormalPagePriority);
}

static VOID Send(PBINDING Binding, PNET_BUFFER_LIST List)
{
    NdisSendNetBufferLists(Binding->Handle, List, NDIS_DEFAULT_PORT_NUMBER, 0);
}

static VOID Return(PBINDING Binding, PNET_BUFFER_LIST List)
{
    NdisReturnNetBufferLists(Binding->Handle, List, 0);
}

/* Reads the flags of a list that was sent. */
VOID Case_ReadsListAfterSend(VOID)
{
    PNET_BUFFER_LIST List = MakeFrame(TheBinding);

    Send(TheBinding, List);
    USE(NET_BUFFER_LIST_NBL_FLAGS(List)); // expect: send-ownership-transfer
}

/* Writes into the data of a list that was sent. */
VOID Case_WritesDataAfterSend(VOID)
{
    PNET_BUFFER_LIST List = MakeFrame(TheBinding);
    PUCHAR Data = DataOf(List);

    Send(TheBinding, List);
    Data[SOME(0)] = 1; // expect: send-ownership-transfer
}

/* Writes into the data of a list and sends it then. */
VOID Case_WritesDataBeforeSend(VOID)
{
    PNET_BUFFER_LIST List = MakeFrame(TheBinding);

    DataOf(List)[SOME(FRAME_BYTES - 1)] = 1;
    Send(TheBinding, List);
}

static VOID TouchReturned(PBINDING Binding, PNET_BUFFER_LIST List)
{
    Return(Binding, List);
    USE(NET_BUFFER_LIST_STATUS(List)); // expect: recv-ownership-without-resources
}

/* Reads the status of a list that was returned. */
VOID Case_ReadsListAfterReturn(VOID)
{
    OnReceive = TouchReturned;
}

static VOID TouchReturnedData(PBINDING Binding, PNET_BUFFER_LIST List)
{
    PUCHAR Data = DataOf(List);

    Return(Binding, List);
    USE(Data[SOME(12)]); // expect: recv-ownership-without-resources
}

/* Reads the data of a list that was returned. */
VOID Case_ReadsDataAfterReturn(VOID)
{
    OnReceive = TouchReturnedData;
}

static VOID TouchReturnedBuffer(PBINDING Binding, PNET_BUFFER_LIST List)
{
    PNET_BUFFER Buffer = NET_BUFFER_LIST_FIRST_NB(List);

    Return(Binding, List);
    USE(NET_BUFFER_DATA_LENGTH(Buffer)); // expect: recv-ownership-without-resources
}

/* Reads the length of a net buffer whose list was returned. */
VOID Case_ReadsBufferAfterReturn(VOID)
{
    OnReceive = TouchReturnedBuffer;
}

static VOID ReadAndReturn(PBINDING Binding, PNET_BUFFER_LIST List)
{
    PNET_BUFFER Buffer = NET_BUFFER_LIST_FIRST_NB(List);
    ULONG Index, Length = NET_BUFFER_DATA_LENGTH(Buffer);
    PUCHAR Data = DataOf(List);

    for (Index = 0; Index < Length; Index += 1) {
        USE(Data[Index]);
    }
    Return(Binding, List);
}

/* Reads all data of a list and returns it then. */
VOID Case_ReadsDataBeforeReturn(VOID)
{
    OnReceive = ReadAndReturn;
}

static VOID ReadBehindFrame(PBINDING Binding, PNET_BUFFER_LIST List)
{
    PUCHAR Data = DataOf(List);

    USE(Data[SOME(FRAME_BYTES)]); // expect: out-of-bounds
    Return(Binding, List);
}

/* Reads the byte behind the data of a frame that was received. */
VOID Case_ReadsBehindReceivedFrame(VOID)
{
    OnReceive = ReadBehindFrame;
}

static VOID CopyPart(PBINDING Binding, PNET_BUFFER_LIST List)
{
    static UCHAR Copy[FRAME_BYTES / 2];

    RtlCopyMemory(Copy, DataOf(List), NET_BUFFER_DATA_LENGTH(NET_BUFFER_LIST_FIRST_NB(List))); // expect: out-of-bounds
    Return(Binding, List);
}

/* Copies a frame that was received into an array of half its length. */
VOID Case_CopiesFrameIntoSmallArray(VOID)
{
    OnReceive = CopyPart;
}

/* Describes half of a block by an MDL, and writes behind what that describes. */
VOID Case_WritesOutsideMdl(VOID)
{
    PUCHAR Data = ALLOCATE(FRAME_BYTES);
    PMDL Mdl = NdisAllocateMdl(ProtocolHandle, Data + 16, FRAME_BYTES);
    PUCHAR Mapped = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);

    RtlZeroMemory(Mapped, MmGetMdlByteCount(Mdl)); // expect: out-of-bounds
    NdisFreeMdl(Mdl);
    FREE(Data);
}

/* Reads the address out of an MDL that is gone. */
VOID Case_ReadsFreedMdl(VOID)
{
    PUCHAR Data = ALLOCATE(FRAME_BYTES);
    PMDL Mdl = NdisAllocateMdl(ProtocolHandle, Data, FRAME_BYTES);

    NdisFreeMdl(Mdl);
    USE(MmGetMdlByteCount(Mdl)); // expect: use-after-free
    FREE(Data);
}

/* Frees a list and then looks for its first net buffer. */
VOID Case_ReadsFreedList(VOID)
{
    PNET_BUFFER_LIST List = MakeFrame(TheBinding);

    FreeFrame(List);
    USE(NET_BUFFER_LIST_FIRST_NB(List)); // expect: use-after-free
}

static VOID FreeThenRead(PBINDING Binding, PNET_BUFFER_LIST List)
{
    UNREFERENCED_PARAMETER(Binding);
    FreeFrame(List);
    USE(NET_BUFFER_LIST_STATUS(List)); // expect: use-after-free
}

/* Frees a list when its send is complete, and reads its status then. */
VOID Case_ReadsStatusOfFreedSend(VOID)
{
    OnSendComplete = FreeThenRead;
    Send(TheBinding, MakeFrame(TheBinding));
}

static VOID ReadThenFree(PBINDING Binding, PNET_BUFFER_LIST List)
{
    UNREFERENCED_PARAMETER(Binding);
    USE(NET_BUFFER_LIST_STATUS(List));
    USE(DataOf(List)[SOME(63)]);
    FreeFrame(List);
}

/* Reads status and data of a list when its send is complete, and frees it. */
VOID Case_ReadsStatusOfSend(VOID)
{
    OnSendComplete = ReadThenFree;
    Send(TheBinding, MakeFrame(TheBinding));
}

/* Frees the data of a list while its MDL describes it, and writes through the MDL. */
VOID Case_WritesFreedDataThroughMdl(VOID)
{
    PNET_BUFFER_LIST List = MakeFrame(TheBinding);

    FREE(DataOf(List));
    DataOf(List)[SOME(0)] = 1; // expect: use-after-free
}

/* Writes behind the context space of a list. */
VOID Case_WritesBehindContext(VOID)
{
    PNET_BUFFER_LIST List = MakeFrame(TheBinding);

    NET_BUFFER_LIST_CONTEXT_DATA_START(List)[SOME(15)] = 1;
    NET_BUFFER_LIST_CONTEXT_DATA_START(List)[SOME(16)] = 1; // expect: out-of-bounds
    FreeFrame(List);
}

/* Gives NdisGetDataBuffer storage that is too small for what is asked for. */
VOID Case_GivesSmallStorage(VOID)
{
    PUCHAR Storage = ALLOCATE(8), Data = ExAllocatePoolZero(NonPagedPoolNx, FRAME_BYTES, TAG);
    PMDL First = NdisAllocateMdl(ProtocolHandle, Data, 8), Second = NdisAllocateMdl(ProtocolHandle, Data + 8, FRAME_BYTES - 8);
    PNET_BUFFER_LIST List;

    NDIS_MDL_LINKAGE(First) = Second;
    List = NdisAllocateNetBufferAndNetBufferList(TheBinding->Pool, 0, 0, First, 0, FRAME_BYTES);
    USE(NdisGetDataBuffer(NET_BUFFER_LIST_FIRST_NB(List), 20, Storage, 1, 0)); // expect: out-of-bounds
    NdisFreeNetBufferList(List);
    NdisFreeMdl(First);
    NdisFreeMdl(Second);
    FREE(Data);
    FREE(Storage);
}

/* Gives NdisGetDataBuffer storage for what is asked for. */
VOID Case_GivesStorage(VOID)
{
    PUCHAR Storage = ALLOCATE(20), Data = ExAllocatePoolZero(NonPagedPoolNx, FRAME_BYTES, TAG);
    PMDL First = NdisAllocateMdl(ProtocolHandle, Data, 8), Second = NdisAllocateMdl(ProtocolHandle, Data + 8, FRAME_BYTES - 8);
    PNET_BUFFER_LIST List;

    NDIS_MDL_LINKAGE(First) = Second;
    List = NdisAllocateNetBufferAndNetBufferList(TheBinding->Pool, 0, 0, First, 0, FRAME_BYTES);
    USE(NdisGetDataBuffer(NET_BUFFER_LIST_FIRST_NB(List), 20, Storage, 1, 0));
    NdisFreeNetBufferList(List);
    NdisFreeMdl(First);
    NdisFreeMdl(Second);
    FREE(Data);
    FREE(Storage);
}
