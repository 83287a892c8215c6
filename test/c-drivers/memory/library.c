/* Routines of the system that are given blocks which are gone, too small, or corrupt. */
#include "driver.h"

typedef struct _WORK {
    LIST_ENTRY Link;
    ULONG Number;
} WORK, *PWORK;

typedef struct _CONTEXT {
    KSPIN_LOCK Lock;
    KEVENT Event;
    LIST_ENTRY Queue;
    LONG References;
    NDIS_EVENT NdisEvent;
    NDIS_SPIN_LOCK NdisLock;
} CONTEXT, *PCONTEXT;

static PCONTEXT MakeContext(VOID)
{
    PCONTEXT Context = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Context), TAG);

    KeInitializeSpinLock(&Context->Lock);
    KeInitializeEvent(&Context->Event, NotificationEvent, FALSE);
    InitializeListHead(&Context->Queue);
    NdisInitializeEvent(&Context->NdisEvent);
    NdisAllocateSpinLock(&Context->NdisLock);
    Context->References = 1;
    return Context;
}

static PCONTEXT MakeFreedContext(VOID)
{
    PCONTEXT Context = MakeContext();

    FREE(Context);
    return Context;
}

static PWORK MakeWork(ULONG Number)
{
    PWORK Work = ALLOCATE(sizeof(*Work));

    Work->Number = Number;
    return Work;
}

/* Sets an event in a block that is gone. */
VOID Case_SetsEventInFreedBlock(VOID)
{
    KeSetEvent(&MakeFreedContext()->Event, IO_NO_INCREMENT, FALSE); // expect: use-after-free
}

/* Sets an NDIS event in a block that is gone. */
VOID Case_SetsNdisEventInFreedBlock(VOID)
{
    NdisSetEvent(&MakeFreedContext()->NdisEvent); // expect: use-after-free
}

/* Acquires a spin lock in a block that is gone. */
VOID Case_AcquiresLockInFreedBlock(VOID)
{
    KIRQL Irql;

    KeAcquireSpinLock(&MakeFreedContext()->Lock, &Irql); // expect: use-after-free
    UNREFERENCED_PARAMETER(Irql);
}

/* Acquires an NDIS spin lock in a block that is gone. */
VOID Case_AcquiresNdisLockInFreedBlock(VOID)
{
    NdisAcquireSpinLock(&MakeFreedContext()->NdisLock); // expect: use-after-free
}

/* Counts a reference in a block that is gone. */
VOID Case_CountsReferenceInFreedBlock(VOID)
{
    InterlockedIncrement(&MakeFreedContext()->References); // expect: use-after-free
}

/* Frees the block while its own spin lock in it is held, and releases the lock. */
VOID Case_FreesLockThatIsHeld(VOID)
{
    PCONTEXT Context = MakeContext();
    KIRQL Irql;

    KeAcquireSpinLock(&Context->Lock, &Irql);
    FREE(Context);
    KeReleaseSpinLock(&Context->Lock, Irql); // expect: use-after-free
}

/* Uses everything in a block while it is there. */
VOID Case_UsesContext(VOID)
{
    PCONTEXT Context = MakeContext();
    KIRQL Irql;

    KeAcquireSpinLock(&Context->Lock, &Irql);
    InterlockedIncrement(&Context->References);
    KeReleaseSpinLock(&Context->Lock, Irql);
    NdisAcquireSpinLock(&Context->NdisLock);
    NdisReleaseSpinLock(&Context->NdisLock);
    KeSetEvent(&Context->Event, IO_NO_INCREMENT, FALSE);
    NdisSetEvent(&Context->NdisEvent);
    FREE(Context);
}

/* Initializes a spin lock that lies half behind its block. */
VOID Case_InitializesLockBehindBlock(VOID)
{
    PUCHAR Block = ALLOCATE(sizeof(KSPIN_LOCK) + 2);

    KeInitializeSpinLock((PKSPIN_LOCK)(Block + SOME(4))); // expect: out-of-bounds
    FREE(Block);
}

/* Initializes an event in a block that has the size of a pointer to one. */
VOID Case_InitializesEventInSmallBlock(VOID)
{
    PKEVENT Event = ALLOCATE(sizeof(Event));

    KeInitializeEvent(Event, NotificationEvent, FALSE); // expect: out-of-bounds
    FREE(Event);
}

/* Initializes a timer in a block that has the size of an event. */
VOID Case_InitializesTimerInSmallBlock(VOID)
{
    PKTIMER Timer = ALLOCATE(sizeof(KEVENT));

    KeInitializeTimer(Timer); // expect: out-of-bounds
    FREE(Timer);
}

/* Initializes an event of NDIS in a block that has the size of a pointer to one. */
VOID Case_InitializesNdisEventInSmallBlock(VOID)
{
    PNDIS_EVENT Event = ALLOCATE(sizeof(Event));

    NdisInitializeEvent(Event); // expect: out-of-bounds
    FREE(Event);
}

/* Has the system insert into a list at null. */
VOID Case_InterlockedInsertsAtNull(VOID)
{
    PCONTEXT Context = MakeContext();
    PWORK Work = MakeWork(1);

    ExInterlockedInsertTailList((PLIST_ENTRY)(ULONG_PTR)SOME(0), &Work->Link, &Context->Lock); // expect: null-access
    FREE(Work);
    FREE(Context);
}

/* Waits for an event in a block that is gone. */
VOID Case_WaitsForEventInFreedBlock(VOID)
{
    LARGE_INTEGER Now = {{0}};

    KeWaitForSingleObject(&MakeFreedContext()->Event, Executive, KernelMode, FALSE, &Now); // expect: use-after-free
}

/* Initializes an event in a block of its size. */
VOID Case_InitializesEventInBlock(VOID)
{
    PKEVENT Event = ALLOCATE(sizeof(*Event));

    KeInitializeEvent(Event, NotificationEvent, FALSE);
    FREE(Event);
}

/* Queries the time into a block that is too small for it. */
VOID Case_WritesTimeIntoSmallBlock(VOID)
{
    PLARGE_INTEGER Time = ALLOCATE(sizeof(ULONG));

    KeQuerySystemTime(Time); // expect: out-of-bounds
    FREE(Time);
}

/* Inserts behind an entry that was freed and not removed. */
VOID Case_InsertsBehindFreedEntry(VOID)
{
    PCONTEXT Context = MakeContext();
    PWORK Work = MakeWork(1);

    InsertTailList(&Context->Queue, &Work->Link);
    FREE(Work);
    Work = MakeWork(2);
    InsertTailList(&Context->Queue, &Work->Link); // expect: use-after-free
    FREE(Work);
    FREE(Context);
}

/* Has the system insert behind an entry that was freed and not removed. */
VOID Case_InterlockedInsertsBehindFreedEntry(VOID)
{
    PCONTEXT Context = MakeContext();
    PWORK Work = MakeWork(1);

    ExInterlockedInsertTailList(&Context->Queue, &Work->Link, &Context->Lock);
    FREE(Work);
    Work = MakeWork(2);
    ExInterlockedInsertTailList(&Context->Queue, &Work->Link, &Context->Lock); // expect: use-after-free
    FREE(Work);
    FREE(Context);
}

/* Has the system insert an entry that is gone. */
VOID Case_InterlockedInsertsFreedEntry(VOID)
{
    PCONTEXT Context = MakeContext();
    PWORK Work = MakeWork(1);

    FREE(Work);
    ExInterlockedInsertHeadList(&Context->Queue, &Work->Link, &Context->Lock); // expect: use-after-free
    FREE(Context);
}

/* Removes an entry that is gone. */
VOID Case_RemovesFreedEntry(VOID)
{
    PCONTEXT Context = MakeContext();
    PWORK Work = MakeWork(1);

    InsertTailList(&Context->Queue, &Work->Link);
    FREE(Work);
    RemoveEntryList(&Work->Link); // expect: use-after-free
    FREE(Context);
}

/* Inserts entries, removes them, and frees each when it is off the list. */
VOID Case_RemovesThenFrees(VOID)
{
    PCONTEXT Context = MakeContext();
    PLIST_ENTRY Entry;

    InsertTailList(&Context->Queue, &MakeWork(1)->Link);
    ExInterlockedInsertTailList(&Context->Queue, &MakeWork(2)->Link, &Context->Lock);
    while (!IsListEmpty(&Context->Queue)) {
        Entry = RemoveHeadList(&Context->Queue);
        USE(CONTAINING_RECORD(Entry, WORK, Link)->Number);
        FREE(CONTAINING_RECORD(Entry, WORK, Link));
    }
    FREE(Context);
}

/* Walks from entry to entry of a list with one that is gone. */
VOID Case_WalksOverFreedEntry(VOID)
{
    PCONTEXT Context = MakeContext();
    PWORK Middle = MakeWork(2);
    PLIST_ENTRY Entry;

    InsertTailList(&Context->Queue, &MakeWork(1)->Link);
    InsertTailList(&Context->Queue, &Middle->Link);
    FREE(Middle);
    for (Entry = Context->Queue.Flink; Entry != &Context->Queue; Entry = Entry->Flink) { // expect: use-after-free
        USE(Entry);
    }
    FREE(Context);
}

/* Pushes an entry that is gone onto a sequenced list. */
VOID Case_PushesFreedEntry(VOID)
{
    PSLIST_HEADER Header = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Header), TAG);
    PSLIST_ENTRY Entry = ALLOCATE(sizeof(*Entry));

    InitializeSListHead(Header);
    FREE(Entry);
    InterlockedPushEntrySList(Header, Entry); // expect: use-after-free
    FREE(Header);
}
