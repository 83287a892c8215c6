/* Memory that nobody has written, and routines of the system that give, move, copy, fill and read it. */
#include "driver.h"

typedef struct _ENTRY {
    SINGLE_LIST_ENTRY Link;
    ULONG Length;
    PVOID Buffer;
    ULONG Flags;
} ENTRY, *PENTRY;

typedef struct _CONTEXT {
    KSPIN_LOCK Lock;
    KEVENT Event;
    LIST_ENTRY Queue;
    NDIS_SPIN_LOCK NdisLock;
    NDIS_EVENT NdisEvent;
    LARGE_INTEGER Time;
    UNICODE_STRING Name;
    LONG References;
    ULONG Unset;
} CONTEXT, *PCONTEXT;

static NPAGED_LOOKASIDE_LIST Entries;
static ULONG Total;

static VOID MakeList(VOID)
{
    ExInitializeNPagedLookasideList(&Entries, NULL, NULL, 0, sizeof(ENTRY), TAG, 0);
}

/* Decides on a new entry of a lookaside list. */
VOID Case_DecidesOnNewEntry(VOID)
{
    PENTRY Entry;

    MakeList();
    Entry = ExAllocateFromNPagedLookasideList(&Entries);
    if (Entry->Flags & 1) { // expect: uninitialised
        Total += 1;
    }
    ExFreeToNPagedLookasideList(&Entries, Entry);
    ExDeleteNPagedLookasideList(&Entries);
}

/* Decides on an entry that was used before, and was cleared then. */
VOID Case_DecidesOnEntryUsedBefore(VOID)
{
    PENTRY Entry;

    MakeList();
    Entry = ExAllocateFromNPagedLookasideList(&Entries);
    RtlZeroMemory(Entry, sizeof(*Entry));
    ExFreeToNPagedLookasideList(&Entries, Entry);
    Entry = ExAllocateFromNPagedLookasideList(&Entries);
    if (Entry->Flags & 1) { // expect: uninitialised
        Total += 1;
    }
    ExFreeToNPagedLookasideList(&Entries, Entry);
    ExDeleteNPagedLookasideList(&Entries);
}

/* Sets each entry anew, and decides on it. */
VOID Case_SetsEntryAnew(VOID)
{
    PENTRY Entry;
    ULONG Round;

    MakeList();
    for (Round = 0; Round < 3; Round += 1) {
        Entry = ExAllocateFromNPagedLookasideList(&Entries);
        Entry->Flags = Round;
        Entry->Length = 0;
        if (Entry->Flags & 1) {
            Total += Entry->Length;
        }
        ExFreeToNPagedLookasideList(&Entries, Entry);
    }
    ExDeleteNPagedLookasideList(&Entries);
}

/* Frees what a member points to that nobody has set. */
VOID Case_FreesUnsetPointer(VOID)
{
    PENTRY Entry = ALLOCATE(sizeof(*Entry));

    Entry->Length = 0;
    FREE(Entry->Buffer); // expect: uninitialised
    FREE(Entry);
}

/* Allocates as much as a member says that nobody has set. */
VOID Case_AllocatesUnsetLength(VOID)
{
    PENTRY Entry = ALLOCATE(sizeof(*Entry));

    Entry->Buffer = ALLOCATE(Entry->Length); // expect: uninitialised
    if (Entry->Buffer != NULL) {
        FREE(Entry->Buffer);
    }
    FREE(Entry);
}

/* Waits for as long as a member says that nobody has set. */
VOID Case_DelaysForUnsetTime(VOID)
{
    PCONTEXT Context = ALLOCATE(sizeof(*Context));

    Context->References = 1;
    KeDelayExecutionThread(KernelMode, FALSE, &Context->Time); // expect: uninitialised
    FREE(Context);
}

/* Compares with a string of which the length was not set. */
VOID Case_ComparesUnsetString(VOID)
{
    PCONTEXT Context = ALLOCATE(sizeof(*Context));
    UNICODE_STRING Other = RTL_CONSTANT_STRING(L"eth");

    Context->Name.Buffer = Other.Buffer;
    USE(RtlEqualUnicodeString(&Context->Name, &Other, FALSE)); // expect: uninitialised
    FREE(Context);
}

/* Acquires a lock of a block that nobody has written. */
VOID Case_AcquiresUnsetLock(VOID)
{
    PCONTEXT Context = ALLOCATE(sizeof(*Context));
    KIRQL OldIrql;

    Context->References = 1;
    KeAcquireSpinLock(&Context->Lock, &OldIrql); // expect: uninitialised
    Context->References = 2;
    KeReleaseSpinLock(&Context->Lock, OldIrql);
    FREE(Context);
}

/* Sets an event of a block that nobody has written. */
VOID Case_SetsUnsetEvent(VOID)
{
    PCONTEXT Context = ALLOCATE(sizeof(*Context));

    Context->References = 1;
    KeSetEvent(&Context->Event, IO_NO_INCREMENT, FALSE); // expect: uninitialised
    FREE(Context);
}

/* Moves the members that nobody has set one up, and decides on one of them. */
VOID Case_MovesUnsetElements(VOID)
{
    PULONG Numbers = ALLOCATE(8 * sizeof(ULONG));

    Numbers[0] = 1;
    Numbers[1] = 2;
    RtlMoveMemory(&Numbers[1], &Numbers[0], SOME(4) * sizeof(ULONG));
    if (Numbers[SOME(3)] == 7) { // expect: uninitialised
        Total += 1;
    }
    FREE(Numbers);
}

/* Moves set and unset elements one up, and decides on one that is set now. */
VOID Case_MovesSetElements(VOID)
{
    PULONG Numbers = ALLOCATE(8 * sizeof(ULONG));

    Numbers[0] = 1;
    Numbers[1] = 2;
    RtlMoveMemory(&Numbers[1], &Numbers[0], SOME(4) * sizeof(ULONG));
    if (Numbers[SOME(2)] == 2 && Numbers[SOME(1)] == 1) {
        Total += 1;
    }
    FREE(Numbers);
}

/* Lets the system initialize each object of a block that nobody has cleared, and uses them. */
VOID Case_UsesWhatWasInitialized(VOID)
{
    PCONTEXT Context = ALLOCATE(sizeof(*Context));
    KIRQL OldIrql;

    KeInitializeSpinLock(&Context->Lock);
    KeInitializeEvent(&Context->Event, NotificationEvent, TRUE);
    InitializeListHead(&Context->Queue);
    NdisAllocateSpinLock(&Context->NdisLock);
    NdisInitializeEvent(&Context->NdisEvent);
    KeQuerySystemTime(&Context->Time);
    RtlInitUnicodeString(&Context->Name, L"eth0");
    InterlockedExchange(&Context->References, 1);

    KeAcquireSpinLock(&Context->Lock, &OldIrql);
    if (IsListEmpty(&Context->Queue) && Context->Time.QuadPart > 5) {
        Total += 1;
    }
    KeReleaseSpinLock(&Context->Lock, OldIrql);
    NdisAcquireSpinLock(&Context->NdisLock);
    NdisReleaseSpinLock(&Context->NdisLock);
    NdisSetEvent(&Context->NdisEvent);
    NdisWaitEvent(&Context->NdisEvent, 1);
    NdisFreeSpinLock(&Context->NdisLock);
    if (KeReadStateEvent(&Context->Event) && Context->Name.Length == 8 && Context->Name.Buffer[0] == L'e') {
        KeWaitForSingleObject(&Context->Event, Executive, KernelMode, FALSE, NULL);
    }
    if (InterlockedDecrement(&Context->References) == 0) {
        FREE(Context);
    }
}

/* Counts down a number of references that nobody has set. */
VOID Case_CountsDownUnsetReferences(VOID)
{
    PCONTEXT Context = ALLOCATE(sizeof(*Context));

    Context->Unset = 0;
    if (InterlockedDecrement(&Context->References) == 0) { // expect: uninitialised
        Total += 1;
    }
    FREE(Context);
}

/* Puts an entry of which only the link matters on a list of the system's. */
VOID Case_PushesEntry(VOID)
{
    PENTRY Entry = ALLOCATE(sizeof(*Entry));
    SLIST_HEADER Header;
    LIST_ENTRY Queue;
    KSPIN_LOCK Lock;
    PCONTEXT Context = ALLOCATE(sizeof(*Context));

    InitializeSListHead(&Header);
    ExInterlockedPushEntrySList(&Header, (PSLIST_ENTRY)&Entry->Link, NULL);
    if (ExQueryDepthSList(&Header) == 1) {
        Entry = (PENTRY)ExInterlockedPopEntrySList(&Header, NULL);
    }
    FREE(Entry);
    KeInitializeSpinLock(&Lock);
    InitializeListHead(&Queue);
    ExInterlockedInsertTailList(&Queue, &Context->Queue, &Lock);
    if (Queue.Flink == &Context->Queue && Context->Queue.Flink == &Queue) {
        Total += 1;
    }
    FREE(Context);
}

/* Copies bytes of a string into a buffer that is larger, and compares those. */
VOID Case_CopiesStringIntoLargerBuffer(VOID)
{
    UNICODE_STRING Copy, Source = RTL_CONSTANT_STRING(L"eth0");

    Copy.MaximumLength = 64;
    Copy.Length = 0;
    Copy.Buffer = ALLOCATE(64);
    RtlCopyUnicodeString(&Copy, &Source);
    RtlAppendUnicodeToString(&Copy, L"1");
    if (RtlEqualUnicodeString(&Copy, &Source, TRUE) || Copy.Buffer[4] != L'1') {
        Total += 1;
    }
    FREE(Copy.Buffer);
}

/* Compares more of a buffer than was written. */
VOID Case_ComparesUnwrittenBytes(VOID)
{
    PUCHAR Address = ALLOCATE(SOME(6));
    UCHAR Zero[6] = {0};

    RtlZeroMemory(Address, SOME(4));
    if (RtlEqualMemory(Address, Zero, SOME(6))) { // expect: uninitialised
        Total += 1;
    }
    FREE(Address);
}
