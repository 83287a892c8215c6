/* Memory that is freed twice, or in the middle, or was never allocated. */
#include "driver.h"

typedef struct _PACKET {
    PVOID Header;
    PVOID Data;
    UCHAR Inline[16];
} PACKET, *PPACKET;

static ULONG Statics[8];

/* Frees a block a second time. */
VOID Case_FreesTwice(VOID)
{
    PVOID Block = ALLOCATE(16);

    FREE(Block);
    FREE(Block); // expect: double-free
}

/* Forgets in the error path that the block is gone. */
VOID Case_FreesInErrorPathAndAtEnd(VOID)
{
    PVOID Block = ALLOCATE(16);
    NTSTATUS Status = SOME(1) == 1 ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;

    if (!NT_SUCCESS(Status)) {
        FREE(Block);
    }
    FREE(Block); // expect: double-free
}

/* Sets the pointer to null after the first free, and looks at it before the second. */
VOID Case_FreesOnceOfTwoPaths(VOID)
{
    PVOID Block = ALLOCATE(16);

    if (SOME(1) == 1) {
        FREE(Block);
        Block = NULL;
    }
    if (Block != NULL) {
        FREE(Block);
    }
}

static VOID FreePacket(PPACKET Packet)
{
    if (Packet->Data != NULL) {
        FREE(Packet->Data); // expect: double-free
    }
    FREE(Packet->Header);
}

/* Copies a structure with a pointer in it, and frees what both point to with each of them. */
VOID Case_FreesThroughCopyOfStructure(VOID)
{
    PACKET First, Second;

    First.Header = ALLOCATE(14);
    First.Data = ALLOCATE(50);
    Second = First;
    Second.Header = ALLOCATE(14);
    FreePacket(&First);
    FreePacket(&Second);
}

static VOID FreeOwned(PPACKET Packet)
{
    if (Packet->Data != NULL) {
        FREE(Packet->Data);
        Packet->Data = NULL;
    }
}

/* Copies a structure and hands what it points to over to the copy. */
VOID Case_MovesOwnership(VOID)
{
    PACKET First, Second;

    First.Data = ALLOCATE(50);
    Second = First;
    First.Data = NULL;
    FreeOwned(&First);
    FreeOwned(&Second);
}

/* Frees a block of NDIS twice. */
VOID Case_FreesNdisMemoryTwice(VOID)
{
    PVOID Block = NdisAllocateMemoryWithTagPriority(NULL, 32, TAG, NormalPoolPriority);

    NdisFreeMemory(Block, 0, 0);
    NdisFreeMemory(Block, 0, 0); // expect: double-free
}

/* Frees an MDL twice. */
VOID Case_FreesMdlTwice(VOID)
{
    PVOID Data = ALLOCATE(100);
    PMDL Mdl = IoAllocateMdl(Data, 100, FALSE, FALSE, NULL);

    IoFreeMdl(Mdl);
    IoFreeMdl(Mdl); // expect: double-free
}

/* Frees an MDL and then the memory that it described. */
VOID Case_FreesMdlAndItsMemory(VOID)
{
    PVOID Data = ALLOCATE(100);
    PMDL Mdl = IoAllocateMdl(Data, 100, FALSE, FALSE, NULL);

    MmBuildMdlForNonPagedPool(Mdl);
    IoFreeMdl(Mdl);
    FREE(Data);
}

/* Frees an IRP of its own twice. */
VOID Case_FreesIrpTwice(VOID)
{
    PIRP Irp = IoAllocateIrp(1, FALSE);

    IoFreeIrp(Irp);
    IoFreeIrp(Irp); // expect: double-free
}

/* Frees a static variable. */
VOID Case_FreesStatic(VOID)
{
    FREE(Statics); // expect: invalid-free
}

/* Frees a local variable. */
VOID Case_FreesLocal(VOID)
{
    ULONG Local[8] = {SOME(1)};
    PULONG Pointer = Local;

    USE(Pointer[0]);
    FREE(Pointer); // expect: invalid-free
}

/* Uses a local buffer when the data is short and pool when it is long, and frees either. */
VOID Case_FreesLocalOrPool(VOID)
{
    UCHAR Short[32];
    ULONG Length = (ULONG)SOME(20);
    PUCHAR Buffer = Length <= sizeof(Short) ? Short : ALLOCATE(Length);

    RtlFillMemory(Buffer, Length, 0x55);
    FREE(Buffer); // expect: invalid-free
}

/* Uses a local buffer when the data is short and pool when it is long, and frees only pool. */
VOID Case_FreesOnlyPool(VOID)
{
    UCHAR Short[32];
    ULONG Length = (ULONG)SOME(40);
    PUCHAR Buffer = Length <= sizeof(Short) ? Short : ALLOCATE(Length);

    RtlFillMemory(Buffer, Length, 0x55);
    if (Buffer != Short) {
        FREE(Buffer);
    }
}

/* Walks through a block with the only pointer to it, and frees where that has come to. */
VOID Case_FreesWhereItStopped(VOID)
{
    PUCHAR Bytes = ExAllocatePoolZero(NonPagedPoolNx, 32, TAG);

    Bytes[16] = ':';
    while (*Bytes != ':') {
        Bytes += 1;
    }
    FREE(Bytes); // expect: invalid-free
}

/* Walks through a block with a second pointer, and frees the first. */
VOID Case_FreesWhereItBegan(VOID)
{
    PUCHAR Bytes = ExAllocatePoolZero(NonPagedPoolNx, 32, TAG);
    PUCHAR Place = Bytes;

    Bytes[16] = ':';
    while (*Place != ':') {
        Place += 1;
    }
    FREE(Bytes);
}

/* Frees a member that is part of the structure. */
VOID Case_FreesMember(VOID)
{
    PPACKET Packet = ALLOCATE(sizeof(*Packet));

    FREE(&Packet->Inline); // expect: invalid-free
}

/* Frees the handle of a timer object as if it were memory. */
VOID Case_FreesHandle(VOID)
{
    NDIS_HANDLE Timer;
    NDIS_TIMER_CHARACTERISTICS Characteristics = {{0}};

    Characteristics.Header.Type = NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS;
    Characteristics.Header.Revision = NDIS_TIMER_CHARACTERISTICS_REVISION_1;
    Characteristics.Header.Size = NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1;
    NdisAllocateTimerObject(NULL, &Characteristics, &Timer);
    FREE(Timer); // expect: invalid-free
}

static NPAGED_LOOKASIDE_LIST List;

/* Hands an entry of a lookaside list back twice. */
VOID Case_HandsEntryBackTwice(VOID)
{
    PVOID Entry;

    ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, 64, TAG, 0);
    Entry = ExAllocateFromNPagedLookasideList(&List);
    ExFreeToNPagedLookasideList(&List, Entry);
    ExFreeToNPagedLookasideList(&List, Entry); // expect: double-free
}

/* Hands a lookaside list what came from pool. */
VOID Case_HandsPoolToLookasideList(VOID)
{
    ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, 64, TAG, 0);
    ExFreeToNPagedLookasideList(&List, ALLOCATE(64)); // expect: invalid-free
}

/* Takes entries of a lookaside list, hands them back, and deletes the list. */
VOID Case_DeletesLookasideListAtEnd(VOID)
{
    PVOID First, Second;

    ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, 64, TAG, 0);
    First = ExAllocateFromNPagedLookasideList(&List);
    Second = ExAllocateFromNPagedLookasideList(&List);
    ExFreeToNPagedLookasideList(&List, First);
    ExFreeToNPagedLookasideList(&List, Second);
    ExDeleteNPagedLookasideList(&List);
}
