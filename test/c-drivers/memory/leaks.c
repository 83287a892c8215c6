/* What is forgotten: memory and objects that are there when the driver is unloaded. */
#include "driver.h"

typedef struct _BUFFER {
    struct _BUFFER *Next;
    PVOID Data;
} BUFFER, *PBUFFER;

static PBUFFER Kept;
static PVOID Block;

/* Allocates a block, uses it, and forgets it. */
VOID Case_ForgetsBlock(VOID)
{
    PULONG Words = ALLOCATE(64); // expect: leak-memory

    Words[0] = 1;
}

/* Keeps a block in a static variable, and does not free it when the driver is unloaded. */
VOID Case_KeepsReachableBlock(VOID)
{
    Block = ALLOCATE(64); // expect: leak-memory
}

/* Overwrites the only pointer to a block with the next one. */
VOID Case_OverwritesPointer(VOID)
{
    Block = ALLOCATE(64); // expect: leak-memory
    Block = ALLOCATE(32);
    FREE(Block);
}

/* Frees a block before the pointer to it gets the next one. */
VOID Case_FreesBeforeOverwriting(VOID)
{
    Block = ALLOCATE(64);
    FREE(Block);
    Block = ALLOCATE(32);
    FREE(Block);
}

static NTSTATUS Open(ULONG Length)
{
    PVOID Data = ALLOCATE(64); // expect: leak-memory

    if (Length > 16) {
        return STATUS_INVALID_PARAMETER;
    }
    FREE(Data);
    return STATUS_SUCCESS;
}

/* Returns an error without freeing what was allocated before. */
VOID Case_ReturnsErrorWithoutFreeing(VOID)
{
    USE(Open((ULONG)SOME(16)));
    USE(Open((ULONG)SOME(17)));
}

static NTSTATUS OpenWell(ULONG Length)
{
    PVOID Data = ALLOCATE(64);
    NTSTATUS Status = STATUS_SUCCESS;

    if (Length > 16) {
        Status = STATUS_INVALID_PARAMETER;
    }
    FREE(Data);
    return Status;
}

/* Frees what was allocated whether or not there is an error. */
VOID Case_ReturnsErrorAfterFreeing(VOID)
{
    USE(OpenWell((ULONG)SOME(16)));
    USE(OpenWell((ULONG)SOME(17)));
}

/* Frees a structure and not what it points to. */
VOID Case_FreesOuterOnly(VOID)
{
    PBUFFER Buffer = ALLOCATE(sizeof(*Buffer));

    Buffer->Data = ALLOCATE(100); // expect: leak-memory
    FREE(Buffer);
}

/* Frees what a structure points to, and then the structure. */
VOID Case_FreesInnerThenOuter(VOID)
{
    PBUFFER Buffer = ALLOCATE(sizeof(*Buffer));

    Buffer->Data = ALLOCATE(100);
    FREE(Buffer->Data);
    FREE(Buffer);
}

/* Frees the first of the blocks of a list, and forgets those behind it. */
VOID Case_FreesHeadOfList(VOID)
{
    PBUFFER Buffer;
    ULONG Index;

    for (Index = 0; Index < 3; Index += 1) {
        Buffer = ALLOCATE(sizeof(*Buffer)); // expect: leak-memory
        Buffer->Next = Kept;
        Kept = Buffer;
    }
    FREE(Kept);
}

/* Frees all blocks of a list. */
VOID Case_FreesList(VOID)
{
    PBUFFER Buffer;
    ULONG Index;

    for (Index = 0; Index < 3; Index += 1) {
        Buffer = ALLOCATE(sizeof(*Buffer));
        Buffer->Next = Kept;
        Kept = Buffer;
    }
    while (Kept != NULL) {
        Buffer = Kept;
        Kept = Buffer->Next;
        FREE(Buffer);
    }
}

/* Allocates an MDL for a static buffer, and forgets it. */
VOID Case_ForgetsMdl(VOID)
{
    static UCHAR Data[100];
    PMDL Mdl = IoAllocateMdl(Data, sizeof(Data), FALSE, FALSE, NULL); // expect: leak-memory

    MmBuildMdlForNonPagedPool(Mdl);
}

/* Allocates an IRP, and forgets it. */
VOID Case_ForgetsIrp(VOID)
{
    USE(IoAllocateIrp(1, FALSE)); // expect: leak-memory
}

/* Has the system allocate a string, and forgets it. */
VOID Case_ForgetsConvertedString(VOID)
{
    UNICODE_STRING Wide;
    ANSI_STRING Narrow;

    RtlInitAnsiString(&Narrow, "adapter");
    RtlAnsiStringToUnicodeString(&Wide, &Narrow, TRUE); // expect: leak-memory
}

/* Has the system allocate a string, and frees it. */
VOID Case_FreesConvertedString(VOID)
{
    UNICODE_STRING Wide;
    ANSI_STRING Narrow;

    RtlInitAnsiString(&Narrow, "adapter");
    RtlAnsiStringToUnicodeString(&Wide, &Narrow, TRUE);
    RtlFreeUnicodeString(&Wide);
}

/* Deletes no lookaside list of those that it initialized. */
VOID Case_ForgetsLookasideList(VOID)
{
    static NPAGED_LOOKASIDE_LIST List;

    ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, 64, TAG, 0); // expect: leak-handle
}

/* Closes no handle of the event that it made. */
VOID Case_ForgetsHandle(VOID)
{
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Event;

    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE); // expect: leak-handle
}

/* Closes the handle of the event that it made. */
VOID Case_ClosesHandle(VOID)
{
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Event;

    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE);
    ZwClose(Event);
}

/* Makes a device, and deletes it no more. */
VOID Case_ForgetsDevice(VOID)
{
    PDEVICE_OBJECT Device;

    IoCreateDevice(TheDriver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device); // expect: leak-handle
}
