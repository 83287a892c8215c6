/* Lists, strings and blocks that two threads share, and the locks that readers share. */
#include "driver.h"
#include "threads.h"

typedef struct _ENTRY {
    LIST_ENTRY Link;
    ULONG Number;
    struct _ENTRY *Self;
} ENTRY, *PENTRY;

static KSPIN_LOCK Lock;
static ERESOURCE Resource;
static FAST_MUTEX Mutex;
static LIST_ENTRY Queue = {&Queue, &Queue};
static ENTRY Entries[2];
static ULONG Shared;
static PENTRY Block;

static VOID InsertFreely(PVOID Context)
{
    PENTRY Entry = ALLOCATE(sizeof(*Entry));

    UNREFERENCED_PARAMETER(Context);
    InsertTailList(&Queue, &Entry->Link); // expect: data-race
}

/* Two threads insert into a list without a lock. */
VOID Case_InsertsWithoutLock(VOID)
{
    RunBoth(InsertFreely, InsertFreely);
    FREE(RemoveHeadList(&Queue));
    FREE(RemoveHeadList(&Queue));
}

static VOID InsertInterlocked(PVOID Context)
{
    PENTRY Entry = ALLOCATE(sizeof(*Entry));

    UNREFERENCED_PARAMETER(Context);
    ExInterlockedInsertTailList(&Queue, &Entry->Link, &Lock);
}

/* Two threads have the system insert, with the same lock. */
VOID Case_InsertsInterlocked(VOID)
{
    RunBoth(InsertInterlocked, InsertInterlocked);
    FREE(ExInterlockedRemoveHeadList(&Queue, &Lock));
    FREE(ExInterlockedRemoveHeadList(&Queue, &Lock));
}

static VOID InsertBySystem(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    ExInterlockedInsertTailList(&Queue, &Entries[0].Link, &Lock); // expect: data-race
}

static VOID InsertByHand(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    InsertTailList(&Queue, &Entries[1].Link); // expect: data-race
}

/* One thread has the system insert with a lock, the other inserts without it. */
VOID Case_InsertsInterlockedInOneThreadOnly(VOID)
{
    RunBoth(InsertBySystem, InsertByHand);
}

static VOID InsertUnderLock(PVOID Context)
{
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Context);
    KeAcquireSpinLock(&Lock, &Irql);
    InsertTailList(&Queue, &Entries[0].Link); // expect: data-race
    KeReleaseSpinLock(&Lock, Irql);
}

static VOID WalkFreely(PVOID Context)
{
    PLIST_ENTRY Entry;

    UNREFERENCED_PARAMETER(Context);
    for (Entry = Queue.Flink; Entry != &Queue; Entry = Entry->Flink) { // expect: data-race
        USE(CONTAINING_RECORD(Entry, ENTRY, Link)->Number);
    }
}

/* Walks through a list without the lock under which the other thread inserts. */
VOID Case_WalksWithoutLock(VOID)
{
    RunBoth(InsertUnderLock, WalkFreely);
}

static VOID InsertLocked(PVOID Context)
{
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Context);
    KeAcquireSpinLock(&Lock, &Irql);
    Entries[0].Number = 1;
    InsertTailList(&Queue, &Entries[0].Link);
    KeReleaseSpinLock(&Lock, Irql);
}

static VOID WalkLocked(PVOID Context)
{
    KLOCK_QUEUE_HANDLE Handle;
    PLIST_ENTRY Entry;

    UNREFERENCED_PARAMETER(Context);
    KeAcquireInStackQueuedSpinLock(&Lock, &Handle);
    for (Entry = Queue.Flink; Entry != &Queue; Entry = Entry->Flink) {
        USE(CONTAINING_RECORD(Entry, ENTRY, Link)->Number);
    }
    KeReleaseInStackQueuedSpinLock(&Handle);
}

/* Walks through a list under the lock under which the other thread inserts, though acquired in another way. */
VOID Case_WalksUnderLock(VOID)
{
    KeInitializeSpinLock(&Lock);
    RunBoth(InsertLocked, WalkLocked);
}

static VOID WriteShared(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(&Resource, TRUE);
    Shared += 1; // expect: data-race
    ExReleaseResourceLite(&Resource);
    KeLeaveCriticalRegion();
}

/* Two threads write under a resource that they share. */
VOID Case_WritesUnderSharedResource(VOID)
{
    ExInitializeResourceLite(&Resource);
    RunBoth(WriteShared, WriteShared);
    ExDeleteResourceLite(&Resource);
}

static VOID ReadUnderShared(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(&Resource, TRUE);
    USE(Shared);
    ExReleaseResourceLite(&Resource);
    KeLeaveCriticalRegion();
}

static VOID WriteUnderExclusive(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&Resource, TRUE);
    Shared += 1;
    ExReleaseResourceLite(&Resource);
    KeLeaveCriticalRegion();
}

/* One thread reads under a shared resource, the other writes under the exclusive one. */
VOID Case_WritesUnderExclusiveResource(VOID)
{
    ExInitializeResourceLite(&Resource);
    RunBoth(ReadUnderShared, WriteUnderExclusive);
    RunBoth(WriteUnderExclusive, ReadUnderShared);
    ExDeleteResourceLite(&Resource);
}

static VOID WriteUnderMutex(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    ExAcquireFastMutex(&Mutex);
    Shared += 1;
    ExReleaseFastMutex(&Mutex);
}

/* Two threads write under a fast mutex. */
VOID Case_WritesUnderFastMutex(VOID)
{
    ExInitializeFastMutex(&Mutex);
    RunBoth(WriteUnderMutex, WriteUnderMutex);
}

static VOID ReadBlock(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    USE(Block->Number); // expect: data-race
}

static VOID FreeBlock(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    FREE(Block); // expect: data-race
}

/* One thread frees what the other reads; in this order that went well. */
VOID Case_FreesWhatOtherReads(VOID)
{
    Block = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Block), TAG);
    RunBoth(ReadBlock, FreeBlock);
}

static VOID ReadSelf(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    USE(Block->Self->Number); // expect: data-race
}

static VOID FreeSelf(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    FREE(Block->Self); // expect: data-race
}

/* One thread frees a block by the pointer in it, which is read in that line and is no counter; the other reads the block. */
VOID Case_FreesByPointerInside(VOID)
{
    Block = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Block), TAG);
    Block->Self = Block;
    RunBoth(ReadSelf, FreeSelf);
}

static VOID ReadCount(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    USE(Block->Number); // expect-warning: data-race
}

static VOID CountSelf(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Block->Self->Number += 1; // expect-warning: data-race
}

/* One thread counts in a block by the pointer in it, and the other reads the counter, which is one word. */
VOID Case_CountsByPointerInside(VOID)
{
    Block = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Block), TAG);
    Block->Self = Block;
    RunBoth(ReadCount, CountSelf);
    FREE(Block);
}

static VOID AllocateAndFree(PVOID Context)
{
    PENTRY Entry = ALLOCATE(sizeof(*Entry));

    UNREFERENCED_PARAMETER(Context);
    Entry->Number = 1;
    FREE(Entry);
}

/* Two threads use the same memory one after the other, since pool gave it to the second when the first had freed it. */
VOID Case_UsesFreedMemoryOfOther(VOID)
{
    ULONG Round;

    for (Round = 0; Round < 10; Round += 1) {
        RunBoth(AllocateAndFree, AllocateAndFree);
    }
}

static WCHAR Text[16];
static UNICODE_STRING Name = {0, sizeof(Text), Text};

static VOID SetName(PVOID Context)
{
    UNICODE_STRING New = RTL_CONSTANT_STRING(L"adapter");

    UNREFERENCED_PARAMETER(Context);
    RtlCopyUnicodeString(&Name, &New); // expect: data-race
}

/* Two threads have the system copy into the same string. */
VOID Case_CopiesIntoSameString(VOID)
{
    RunBoth(SetName, SetName);
}
