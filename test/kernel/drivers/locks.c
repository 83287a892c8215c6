/* Locks that one thread has alone or several share, and run-down protection. */
#include "check.h"

static EX_PUSH_LOCK PushLock;
static EX_RUNDOWN_REF Rundown;
static PNDIS_RW_LOCK_EX RWLock;
static NDIS_RW_LOCK OlderLock;
static KEVENT Go;
static LONG Readers, MostReaders, Writers, Broken;
static BOOLEAN WriterIsDone, ReaderWasLate;
static ULONG Value;

ULONG Initialize(void)
{
    ExInitializePushLock(&PushLock);
    ExInitializeRundownProtection(&Rundown);
    KeInitializeEvent(&Go, NotificationEvent, FALSE);
    NdisInitializeReadWriteLock(&OlderLock);
    RWLock = NdisAllocateRWLock(NULL);
    return RWLock == NULL;
}

ULONG Free(void)
{
    NdisFreeRWLock(RWLock);
    return 0;
}

/* What a reader or a writer does with the lock held: nobody may write meanwhile. */
static VOID Read(VOID)
{
    LONG readers = InterlockedIncrement(&Readers);

    if (readers > MostReaders) {
        MostReaders = readers;
    }
    if (Writers != 0) {
        Broken = __LINE__;
    }
    InterlockedDecrement(&Readers);
}

static VOID Write(VOID)
{
    if (InterlockedIncrement(&Writers) != 1 || Readers != 0) {
        Broken = __LINE__;
    }
    Value++;
    InterlockedDecrement(&Writers);
}

ULONG NothingBroken(void)
{
    NdisFreeRWLock(RWLock);
    CHECK(Broken == 0 && Readers == 0 && Writers == 0);
    CHECK(Value == 2);
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);
    return 0;
}

ULONG PushShared(void)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockShared(&PushLock);
    Read();
    ExReleasePushLockShared(&PushLock);
    KeLeaveCriticalRegion();
    return 0;
}

ULONG PushExclusive(void)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&PushLock);
    Write();
    ExReleasePushLockExclusive(&PushLock);
    KeLeaveCriticalRegion();
    return 0;
}

ULONG PushAgain(void)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockShared(&PushLock);
    ExAcquirePushLockShared(&PushLock);
    ExReleasePushLockShared(&PushLock);
    ExReleasePushLockShared(&PushLock);
    CHECK(PushLock == 0);
    ExAcquirePushLockExclusive(&PushLock);
    CHECK(PushLock != 0);
    ExReleasePushLockExclusive(&PushLock);
    CHECK(PushLock == 0);
    KeLeaveCriticalRegion();
    return 0;
}

/* Holds a share until told; the writer waits meanwhile, and the later reader behind it. */
ULONG PushHold(void)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockShared(&PushLock);
    KeWaitForSingleObject(&Go, Executive, KernelMode, FALSE, NULL);
    ExReleasePushLockShared(&PushLock);
    KeLeaveCriticalRegion();
    return 0;
}

ULONG PushWriter(void)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&PushLock);
    WriterIsDone = TRUE;
    ExReleasePushLockExclusive(&PushLock);
    KeLeaveCriticalRegion();
    return 0;
}

ULONG PushLateReader(void)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockShared(&PushLock);
    ReaderWasLate = WriterIsDone;
    ExReleasePushLockShared(&PushLock);
    KeLeaveCriticalRegion();
    return 0;
}

ULONG LetGo(void)
{
    KeSetEvent(&Go, 0, FALSE);
    return 0;
}

ULONG ReaderCameAfterWriter(void)
{
    CHECK(WriterIsDone && ReaderWasLate);
    return 0;
}

ULONG PushTwice(void)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&PushLock);
    ExAcquirePushLockExclusive(&PushLock);
    return 0;
}

ULONG PushReleaseOnly(void)
{
    ExReleasePushLockShared(&PushLock);
    return 0;
}

ULONG PushKeep(void)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockShared(&PushLock);
    KeLeaveCriticalRegion();
    return 0;
}

ULONG RwRead(void)
{
    LOCK_STATE_EX state, again;

    NdisAcquireRWLockRead(RWLock, &state, 0);
    NdisAcquireRWLockRead(RWLock, &again, NDIS_RWL_AT_DISPATCH_LEVEL);
    if (KeGetCurrentIrql() != DISPATCH_LEVEL) {
        Broken = __LINE__;
    }
    Read();
    NdisReleaseRWLock(RWLock, &again);
    if (KeGetCurrentIrql() != DISPATCH_LEVEL) {
        Broken = __LINE__;
    }
    Read();
    NdisReleaseRWLock(RWLock, &state);
    return KeGetCurrentIrql();
}

ULONG RwWrite(void)
{
    LOCK_STATE_EX state, again, inner;

    NdisAcquireRWLockWrite(RWLock, &state, 0);
    NdisAcquireRWLockWrite(RWLock, &again, 0);
    NdisAcquireRWLockRead(RWLock, &inner, 0);
    Write();
    NdisReleaseRWLock(RWLock, &inner);
    NdisReleaseRWLock(RWLock, &again);
    Read();
    if (InterlockedIncrement(&Writers) != 1 || Readers != 0) {
        Broken = __LINE__;
    }
    InterlockedDecrement(&Writers);
    NdisReleaseRWLock(RWLock, &state);
    return KeGetCurrentIrql();
}

ULONG RwPromote(void)
{
    LOCK_STATE_EX state, again;

    NdisAcquireRWLockRead(RWLock, &state, 0);
    NdisAcquireRWLockWrite(RWLock, &again, 0);
    return 0;
}

ULONG RwFlagTooLow(void)
{
    LOCK_STATE_EX state;

    NdisAcquireRWLockRead(RWLock, &state, NDIS_RWL_AT_DISPATCH_LEVEL);
    NdisReleaseRWLock(RWLock, &state);
    return 0;
}

ULONG RwFreeHeld(void)
{
    LOCK_STATE_EX state;

    NdisAcquireRWLockRead(RWLock, &state, 0);
    NdisFreeRWLock(RWLock);
    KeLowerIrql(PASSIVE_LEVEL);
    return 0;
}

ULONG OlderRead(void)
{
    LOCK_STATE state, again;

    NdisAcquireReadWriteLock(&OlderLock, FALSE, &state);
    NdisDprAcquireReadWriteLock(&OlderLock, FALSE, &again);
    if (KeGetCurrentIrql() != DISPATCH_LEVEL) {
        Broken = __LINE__;
    }
    Read();
    NdisDprReleaseReadWriteLock(&OlderLock, &again);
    Read();
    NdisReleaseReadWriteLock(&OlderLock, &state);
    return KeGetCurrentIrql();
}

ULONG OlderWrite(void)
{
    LOCK_STATE state;

    NdisAcquireReadWriteLock(&OlderLock, TRUE, &state);
    Write();
    NdisReleaseReadWriteLock(&OlderLock, &state);
    return KeGetCurrentIrql();
}

ULONG RundownAlone(void)
{
    CHECK(ExAcquireRundownProtection(&Rundown) && ExAcquireRundownProtectionEx(&Rundown, 5));
    ExReleaseRundownProtectionEx(&Rundown, 4);
    ExReleaseRundownProtection(&Rundown);
    ExReleaseRundownProtection(&Rundown);
    ExWaitForRundownProtectionRelease(&Rundown);
    CHECK(!ExAcquireRundownProtection(&Rundown) && !ExAcquireRundownProtectionEx(&Rundown, 2));
    ExWaitForRundownProtectionRelease(&Rundown);
    ExRundownCompleted(&Rundown);
    CHECK(!ExAcquireRundownProtection(&Rundown));
    ExWaitForRundownProtectionRelease(&Rundown);
    ExReInitializeRundownProtection(&Rundown);
    CHECK(ExAcquireRundownProtection(&Rundown));
    ExReleaseRundownProtection(&Rundown);
    return 0;
}

ULONG RundownCacheAware(void)
{
    PEX_RUNDOWN_REF_CACHE_AWARE reference = ExAllocateCacheAwareRundownProtection(NonPagedPool, 'dnuR');

    CHECK(reference != NULL && ExAcquireRundownProtectionCacheAware(reference));
    CHECK(ExAcquireRundownProtectionCacheAwareEx(reference, 3));
    ExReleaseRundownProtectionCacheAwareEx(reference, 3);
    ExReleaseRundownProtectionCacheAware(reference);
    ExWaitForRundownProtectionReleaseCacheAware(reference);
    CHECK(!ExAcquireRundownProtectionCacheAware(reference));
    ExRundownCompletedCacheAware(reference);
    ExReInitializeRundownProtectionCacheAware(reference);
    CHECK(ExAcquireRundownProtectionCacheAware(reference));
    ExReleaseRundownProtectionCacheAware(reference);
    ExFreeCacheAwareRundownProtection(reference);

    reference = ExAllocatePoolWithTag(NonPagedPool, ExSizeOfRundownProtectionCacheAware(), 'dnuR');
    ExInitializeRundownProtectionCacheAware(reference, ExSizeOfRundownProtectionCacheAware());
    CHECK(ExAcquireRundownProtectionCacheAware(reference));
    ExReleaseRundownProtectionCacheAware(reference);
    ExFreePoolWithTag(reference, 'dnuR');
    return 0;
}

/* An access that may be refused; the object is gone when RunDown has returned. */
ULONG Access(void)
{
    if (ExAcquireRundownProtection(&Rundown)) {
        if (InterlockedIncrement(&Readers) < 1 || WriterIsDone) {
            Broken = __LINE__;
        }
        KeSetEvent(&Go, 0, FALSE);
        if (WriterIsDone) {
            Broken = __LINE__;
        }
        InterlockedDecrement(&Readers);
        ExReleaseRundownProtection(&Rundown);
    }
    return 0;
}

ULONG RunDown(void)
{
    ExWaitForRundownProtectionRelease(&Rundown);
    if (InterlockedExchange(&Readers, 0) != 0) {
        Broken = __LINE__;
    }
    WriterIsDone = TRUE;
    return 0;
}

ULONG AccessIsOver(void)
{
    NdisFreeRWLock(RWLock);
    CHECK(Broken == 0 && WriterIsDone);
    return 0;
}

ULONG RundownNeverReleased(void)
{
    ExAcquireRundownProtectionEx(&Rundown, 2);
    ExWaitForRundownProtectionRelease(&Rundown);
    return 0;
}

ULONG RundownTooSoon(void)
{
    ExAcquireRundownProtection(&Rundown);
    ExReInitializeRundownProtection(&Rundown);
    return 0;
}

ULONG RundownReleasedTwice(void)
{
    ExAcquireRundownProtection(&Rundown);
    ExReleaseRundownProtectionEx(&Rundown, 2);
    return 0;
}
