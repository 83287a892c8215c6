/* Every kind of lock, under which two threads write the same memory, and what is no lock. */
#include "driver.h"
#include "threads.h"

static NDIS_SPIN_LOCK NdisLock;
static PNDIS_RW_LOCK_EX ReadWriteLock;
static KMUTEX Mutex;
static KSEMAPHORE Semaphore;
static EX_PUSH_LOCK PushLock;
static EX_SPIN_LOCK ExLock;
static KEVENT Turn;
static EX_RUNDOWN_REF Rundown;
static ULONG Shared;

static VOID WriteUnderNdisLock(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    NdisAcquireSpinLock(&NdisLock);
    Shared += 1;
    NdisReleaseSpinLock(&NdisLock);
}

/* Two threads write under a spin lock of NDIS. */
VOID Case_WritesUnderNdisLock(VOID)
{
    NdisAllocateSpinLock(&NdisLock);
    RunBoth(WriteUnderNdisLock, WriteUnderNdisLock);
    NdisFreeSpinLock(&NdisLock);
}

static VOID WriteUnderWriteLock(PVOID Context)
{
    LOCK_STATE_EX State;

    UNREFERENCED_PARAMETER(Context);
    NdisAcquireRWLockWrite(ReadWriteLock, &State, 0);
    Shared += 1;
    NdisReleaseRWLock(ReadWriteLock, &State);
}

static VOID ReadUnderReadLock(PVOID Context)
{
    LOCK_STATE_EX State;

    UNREFERENCED_PARAMETER(Context);
    NdisAcquireRWLockRead(ReadWriteLock, &State, 0);
    USE(Shared);
    NdisReleaseRWLock(ReadWriteLock, &State);
}

/* One thread reads under a read-write lock of NDIS that it has for reading, the other writes under it. */
VOID Case_WritesUnderWriteLock(VOID)
{
    ReadWriteLock = NdisAllocateRWLock(NULL);
    RunBoth(ReadUnderReadLock, WriteUnderWriteLock);
    RunBoth(WriteUnderWriteLock, ReadUnderReadLock);
    NdisFreeRWLock(ReadWriteLock);
}

static VOID WriteUnderReadLock(PVOID Context)
{
    LOCK_STATE_EX State;

    UNREFERENCED_PARAMETER(Context);
    NdisAcquireRWLockRead(ReadWriteLock, &State, 0);
    Shared = 1; // expect: data-race
    NdisReleaseRWLock(ReadWriteLock, &State);
}

/* Two threads write under a read-write lock that both have for reading. */
VOID Case_WritesUnderReadLock(VOID)
{
    ReadWriteLock = NdisAllocateRWLock(NULL);
    RunBoth(WriteUnderReadLock, WriteUnderReadLock);
    NdisFreeRWLock(ReadWriteLock);
}

static VOID WriteUnderMutex(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeWaitForSingleObject(&Mutex, Executive, KernelMode, FALSE, NULL);
    Shared += 1;
    KeReleaseMutex(&Mutex, FALSE);
}

/* Two threads write under a mutex. */
VOID Case_WritesUnderMutex(VOID)
{
    KeInitializeMutex(&Mutex, 0);
    RunBoth(WriteUnderMutex, WriteUnderMutex);
}

static VOID WriteUnderSemaphore(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeWaitForSingleObject(&Semaphore, Executive, KernelMode, FALSE, NULL);
    Shared += 1;
    KeReleaseSemaphore(&Semaphore, IO_NO_INCREMENT, 1, FALSE);
}

/* Two threads write under a semaphore that lets one in. */
VOID Case_WritesUnderSemaphore(VOID)
{
    KeInitializeSemaphore(&Semaphore, 1, 1);
    RunBoth(WriteUnderSemaphore, WriteUnderSemaphore);
}

static VOID WriteUnderWideSemaphore(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeWaitForSingleObject(&Semaphore, Executive, KernelMode, FALSE, NULL);
    Shared = 1; // expect: data-race
    Sleep(5);
    KeReleaseSemaphore(&Semaphore, IO_NO_INCREMENT, 1, FALSE);
}

/* Two threads write under a semaphore that lets two in. */
VOID Case_WritesUnderWideSemaphore(VOID)
{
    KeInitializeSemaphore(&Semaphore, 2, 2);
    RunBoth(WriteUnderWideSemaphore, WriteUnderWideSemaphore);
}

static VOID WriteUnderPushLock(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&PushLock);
    Shared += 1;
    ExReleasePushLockExclusive(&PushLock);
    KeLeaveCriticalRegion();
}

static VOID ReadUnderPushLock(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeEnterCriticalRegion();
    ExAcquirePushLockShared(&PushLock);
    USE(Shared);
    ExReleasePushLockShared(&PushLock);
    KeLeaveCriticalRegion();
}

/* One thread reads under a push lock that it shares, the other writes under it alone. */
VOID Case_WritesUnderPushLock(VOID)
{
    ExInitializePushLock(&PushLock);
    RunBoth(ReadUnderPushLock, WriteUnderPushLock);
    RunBoth(WriteUnderPushLock, ReadUnderPushLock);
}

static VOID WriteUnderExLock(PVOID Context)
{
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Context);
    Irql = ExAcquireSpinLockExclusive(&ExLock);
    Shared += 1;
    ExReleaseSpinLockExclusive(&ExLock, Irql);
}

static VOID ReadUnderExLock(PVOID Context)
{
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Context);
    Irql = ExAcquireSpinLockShared(&ExLock);
    USE(Shared);
    ExReleaseSpinLockShared(&ExLock, Irql);
}

/* One thread reads under a spin lock that it shares, the other writes under it alone. */
VOID Case_WritesUnderExSpinLock(VOID)
{
    RunBoth(ReadUnderExLock, WriteUnderExLock);
    RunBoth(WriteUnderExLock, ReadUnderExLock);
}

static VOID WriteInTurn(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeWaitForSingleObject(&Turn, Executive, KernelMode, FALSE, NULL);
    Shared += 1;
    KeSetEvent(&Turn, IO_NO_INCREMENT, FALSE);
}

/* Two threads write when a synchronization event lets them, one after the other. */
VOID Case_WritesUnderSynchronizationEvent(VOID)
{
    KeInitializeEvent(&Turn, SynchronizationEvent, TRUE);
    RunBoth(WriteInTurn, WriteInTurn);
}

static VOID WriteWhenTold(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeWaitForSingleObject(&Turn, Executive, KernelMode, FALSE, NULL);
    Shared = 1; // expect: data-race
}

/* Two threads write when a notification event lets both. */
VOID Case_WritesUnderNotificationEvent(VOID)
{
    KeInitializeEvent(&Turn, NotificationEvent, TRUE);
    RunBoth(WriteWhenTold, WriteWhenTold);
}

static VOID WriteProtected(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    if (ExAcquireRundownProtection(&Rundown)) {
        Shared += 1;
        ExReleaseRundownProtection(&Rundown);
    }
}

static VOID WriteAfterRundown(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    ExWaitForRundownProtectionRelease(&Rundown);
    Shared = 0;
}

/* One thread writes under run-down protection, the other when that has run down. */
VOID Case_WritesAfterRundown(VOID)
{
    ExInitializeRundownProtection(&Rundown);
    RunBoth(WriteProtected, WriteAfterRundown);
}

static VOID WriteUnderProtection(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    if (ExAcquireRundownProtection(&Rundown)) {
        Shared = 1; // expect: data-race
        ExReleaseRundownProtection(&Rundown);
    }
}

/* Two threads write under run-down protection, which both may have. */
VOID Case_WritesUnderRundownProtection(VOID)
{
    ExInitializeRundownProtection(&Rundown);
    RunBoth(WriteUnderProtection, WriteUnderProtection);
}
