/* Waits for dispatcher objects of every kind, fast mutexes, resources, and regions without APCs. */
#include "check.h"

static KMUTEX Mutex, Other;
static NDIS_MUTEX NdisMutex;
static KSEMAPHORE Semaphore;
static KEVENT Event, Second, Ready;
static FAST_MUTEX FastMutex;
static ERESOURCE Resource;
static LARGE_INTEGER Zero;
static LONG Inside, Most, Broken, Woken;

ULONG Initialize(void)
{
    KeInitializeMutex(&Mutex, 0);
    KeInitializeMutex(&Other, 0);
    NDIS_INIT_MUTEX(&NdisMutex);
    KeInitializeSemaphore(&Semaphore, 2, 3);
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    KeInitializeEvent(&Second, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Ready, NotificationEvent, FALSE);
    ExInitializeFastMutex(&FastMutex);
    return ExInitializeResourceLite(&Resource);
}

static NTSTATUS Now(PVOID Object)
{
    return KeWaitForSingleObject(Object, Executive, KernelMode, FALSE, &Zero);
}

static NTSTATUS Wait(PVOID Object)
{
    return KeWaitForSingleObject(Object, Executive, KernelMode, FALSE, NULL);
}

ULONG MutexAlone(void)
{
    CHECK(KeReadStateMutex(&Mutex) == 1 && !KeAreApcsDisabled());
    CHECK(Wait(&Mutex) == STATUS_SUCCESS && KeReadStateMutex(&Mutex) == 0 && KeAreApcsDisabled());
    CHECK(Now(&Mutex) == STATUS_SUCCESS && KeReadStateMutex(&Mutex) == -1);
    CHECK(KeReleaseMutex(&Mutex, FALSE) != 0 && KeAreApcsDisabled());
    CHECK(KeWaitForMutexObject(&Other, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
    CHECK(KeReleaseMutex(&Mutex, FALSE) == 0 && KeReadStateMutex(&Mutex) == 1 && KeAreApcsDisabled());
    CHECK(KeReleaseMutex(&Other, FALSE) == 0 && !KeAreApcsDisabled());
    NDIS_WAIT_FOR_MUTEX(&NdisMutex);
    CHECK(NDIS_RELEASE_MUTEX(&NdisMutex) == 0);
    return 0;
}

static VOID Enter(VOID)
{
    LONG inside = InterlockedIncrement(&Inside);

    if (inside > Most) {
        Most = inside;
    }
    InterlockedDecrement(&Inside);
}

ULONG EnterWithMutex(void)
{
    Wait(&Mutex);
    Wait(&Mutex);
    Enter();
    KeReleaseMutex(&Mutex, FALSE);
    Enter();
    KeReleaseMutex(&Mutex, FALSE);
    return 0;
}

ULONG EnterWithFastMutex(void)
{
    ExAcquireFastMutex(&FastMutex);
    if (KeGetCurrentIrql() != APC_LEVEL || !KeAreAllApcsDisabled() || ExTryToAcquireFastMutex(&FastMutex)) {
        Broken = __LINE__;
    }
    Enter();
    ExReleaseFastMutex(&FastMutex);
    if (KeGetCurrentIrql() != PASSIVE_LEVEL) {
        Broken = __LINE__;
    }
    return 0;
}

ULONG EnterWithSemaphore(void)
{
    Wait(&Semaphore);
    Enter();
    KeReleaseSemaphore(&Semaphore, 0, 1, FALSE);
    return 0;
}

ULONG EnterWithEvent(void)
{
    Wait(&Second);
    Enter();
    KeSetEvent(&Second, 0, FALSE);
    return 0;
}

ULONG SignalSecond(void)
{
    KeSetEvent(&Second, 0, FALSE);
    return 0;
}

ULONG EnterWithBoth(ULONG Turned)
{
    PVOID objects[2];

    objects[Turned] = &Mutex;
    objects[1 - Turned] = &Other;
    if (KeWaitForMultipleObjects(2, objects, WaitAll, Executive, KernelMode, FALSE, NULL, NULL) != STATUS_SUCCESS) {
        Broken = __LINE__;
    }
    Enter();
    KeReleaseMutex(&Mutex, FALSE);
    KeReleaseMutex(&Other, FALSE);
    return 0;
}

ULONG AtMost(ULONG Count)
{
    CHECK(Broken == 0 && Inside == 0 && Most <= (LONG)Count && Most > 0);
    CHECK(KeReadStateMutex(&Mutex) == 1 && KeReadStateMutex(&Other) == 1 && KeReadStateSemaphore(&Semaphore) == 2);
    return 0;
}

ULONG MutexReleasedByStranger(void)
{
    return KeReleaseMutex(&Mutex, FALSE);
}

ULONG MutexKept(void)
{
    Wait(&Mutex);
    return 0;
}

ULONG MutexAbandoned(void)
{
    CHECK(Now(&Mutex) == STATUS_ABANDONED);
    KeReleaseMutex(&Mutex, FALSE);
    CHECK(Now(&Mutex) == STATUS_SUCCESS);
    KeReleaseMutex(&Mutex, FALSE);
    return 0;
}

ULONG MutexInitializedWhileOwned(void)
{
    Wait(&Mutex);
    Wait(&Other);
    KeInitializeMutex(&Other, 0);
    CHECK(KeReleaseMutex(&Mutex, FALSE) == 0 && KeReadStateMutex(&Mutex) == 1);
    return 0;
}

static VOID EndWithMutex(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Wait(&Mutex);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

ULONG ThreadEndsWithMutex(void)
{
    HANDLE thread;

    return PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, EndWithMutex, NULL);
}

ULONG HoldMutexUntilReady(void)
{
    Wait(&Mutex);
    Wait(&Ready);
    KeReleaseMutex(&Mutex, FALSE);
    return 0;
}

ULONG WaitForMutex(void)
{
    Wait(&Mutex);
    KeReleaseMutex(&Mutex, FALSE);
    return 0;
}

ULONG Crossed(ULONG Turned)
{
    LARGE_INTEGER interval;

    interval.QuadPart = -100000;
    Wait(Turned ? &Other : &Mutex);
    KeDelayExecutionThread(KernelMode, FALSE, &interval);
    Wait(Turned ? &Mutex : &Other);
    return 0;
}

ULONG Semaphores(void)
{
    CHECK(KeReadStateSemaphore(&Semaphore) == 2);
    CHECK(Now(&Semaphore) == STATUS_SUCCESS && Now(&Semaphore) == STATUS_SUCCESS && Now(&Semaphore) == STATUS_TIMEOUT);
    CHECK(KeReleaseSemaphore(&Semaphore, 0, 3, FALSE) == 0 && KeReadStateSemaphore(&Semaphore) == 3);
    CHECK(Now(&Semaphore) == STATUS_SUCCESS && KeReleaseSemaphore(&Semaphore, 0, 1, FALSE) == 2);
    return 0;
}

ULONG SemaphorePastLimit(void)
{
    return KeReleaseSemaphore(&Semaphore, 0, 2, FALSE);
}

ULONG WaitAnyAndAll(void)
{
    PVOID objects[3] = {&Event, &Second, &Semaphore};
    KIRQL irql;

    CHECK(KeWaitForMultipleObjects(2, objects, WaitAny, Executive, KernelMode, FALSE, &Zero, NULL) == STATUS_TIMEOUT);
    CHECK(KeWaitForMultipleObjects(3, objects, WaitAny, Executive, KernelMode, FALSE, NULL, NULL) == STATUS_WAIT_0 + 2);
    CHECK(KeReadStateSemaphore(&Semaphore) == 1);
    KeSetEvent(&Second, 0, FALSE);
    CHECK(KeWaitForMultipleObjects(3, objects, WaitAll, Executive, KernelMode, FALSE, &Zero, NULL) == STATUS_TIMEOUT);
    CHECK(KeReadStateEvent(&Second) != 0 && KeReadStateSemaphore(&Semaphore) == 1);
    CHECK(KeWaitForMultipleObjects(3, objects, WaitAny, Executive, KernelMode, FALSE, NULL, NULL) == STATUS_WAIT_1);
    CHECK(KeReadStateEvent(&Second) == 0);
    KeSetEvent(&Second, 0, FALSE);
    KeSetEvent(&Event, 0, FALSE);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    CHECK(KeWaitForMultipleObjects(3, objects, WaitAll, Executive, KernelMode, FALSE, &Zero, NULL) == STATUS_SUCCESS);
    KeLowerIrql(irql);
    CHECK(KeReadStateEvent(&Event) != 0 && KeReadStateEvent(&Second) == 0 && KeReadStateSemaphore(&Semaphore) == 0);
    return 0;
}

ULONG TimeOut(void)
{
    PVOID objects[2] = {&Event, &Second};
    LARGE_INTEGER interval, now, absolute, later;

    interval.QuadPart = -50000;
    KeQuerySystemTime(&now);
    CHECK(KeWaitForMultipleObjects(2, objects, WaitAny, Executive, KernelMode, FALSE, &interval, NULL) == STATUS_TIMEOUT);
    KeQuerySystemTime(&later);
    CHECK(later.QuadPart == now.QuadPart + 50000);
    absolute.QuadPart = later.QuadPart + 20000;
    CHECK(KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, &absolute) == STATUS_TIMEOUT);
    KeQuerySystemTime(&now);
    CHECK(now.QuadPart >= absolute.QuadPart && now.QuadPart < absolute.QuadPart + 100);
    CHECK(KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, &later) == STATUS_TIMEOUT);
    return 0;
}

ULONG WaitTooHigh(void)
{
    PVOID objects[2] = {&Event, &Semaphore};
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    KeWaitForMultipleObjects(2, objects, WaitAny, Executive, KernelMode, FALSE, NULL, NULL);
    KeLowerIrql(irql);
    return 0;
}

ULONG TooMany(void)
{
    PVOID objects[4] = {&Event, &Event, &Event, &Event};

    return KeWaitForMultipleObjects(4, objects, WaitAny, Executive, KernelMode, FALSE, &Zero, NULL);
}

ULONG ManyWithBlocks(void)
{
    PVOID objects[4] = {&Event, &Event, &Event, &Semaphore};
    KWAIT_BLOCK blocks[4];

    CHECK(KeWaitForMultipleObjects(4, objects, WaitAny, Executive, KernelMode, FALSE, &Zero, blocks) == STATUS_WAIT_0 + 3);
    return 0;
}

/* Four threads wait; a pulse releases those that wait at that moment. */
ULONG WaitForPulse(ULONG OnSecond)
{
    Wait(OnSecond ? &Second : &Event);
    InterlockedIncrement(&Woken);
    return 0;
}

ULONG Pulse(void)
{
    CHECK(KePulseEvent(&Event, 0, FALSE) == 0 && KeReadStateEvent(&Event) == 0 && Now(&Event) == STATUS_TIMEOUT);
    return 0;
}

ULONG PulseSecond(void)
{
    CHECK(KePulseEvent(&Second, 0, FALSE) == 0 && KeReadStateEvent(&Second) == 0);
    return 0;
}

ULONG WokenAre(ULONG Count)
{
    CHECK(Woken == (LONG)Count);
    return 0;
}

ULONG SignalAll(void)
{
    KeSetEvent(&Event, 0, FALSE);
    KeSetEvent(&Second, 0, FALSE);
    return 0;
}

static VOID ShortThread(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    InterlockedIncrement(&Woken);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

ULONG WaitForThread(void)
{
    HANDLE handle;
    PVOID thread;

    Woken = 0;
    CHECK(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, ShortThread, NULL) == STATUS_SUCCESS);
    CHECK(ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, NULL, KernelMode, &thread, NULL) == STATUS_SUCCESS);
    CHECK(Wait(thread) == STATUS_SUCCESS && Woken == 1 && Wait(thread) == STATUS_SUCCESS);
    ObDereferenceObject(thread);
    ZwClose(handle);
    return 0;
}

ULONG Regions(void)
{
    KIRQL irql;

    KeEnterCriticalRegion();
    KeEnterGuardedRegion();
    KeEnterGuardedRegion();
    CHECK(KeAreApcsDisabled() && KeAreAllApcsDisabled());
    KeLeaveGuardedRegion();
    CHECK(KeAreAllApcsDisabled());
    KeLeaveGuardedRegion();
    CHECK(KeAreApcsDisabled() && !KeAreAllApcsDisabled());
    KeLeaveCriticalRegion();
    CHECK(!KeAreApcsDisabled());
    KeRaiseIrql(APC_LEVEL, &irql);
    CHECK(KeAreAllApcsDisabled() && !KeAreApcsDisabled());
    KeLowerIrql(irql);
    return 0;
}

ULONG Stall(void)
{
    ULONG64 before = KeQueryInterruptTime();
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    KeStallExecutionProcessor(25);
    NdisStallExecution(25);
    KeLowerIrql(irql);
    CHECK(KeQueryInterruptTime() == before + 500);
    return 0;
}

ULONG ResourceAlone(void)
{
    KeEnterCriticalRegion();
    CHECK(ExAcquireResourceExclusiveLite(&Resource, TRUE) && ExAcquireResourceExclusiveLite(&Resource, FALSE));
    CHECK(ExAcquireResourceSharedLite(&Resource, FALSE));
    ExReleaseResourceLite(&Resource);
    ExReleaseResourceLite(&Resource);
    ExReleaseResourceLite(&Resource);
    CHECK(ExAcquireResourceSharedLite(&Resource, TRUE) && ExAcquireResourceSharedLite(&Resource, FALSE));
    CHECK(!ExAcquireResourceExclusiveLite(&Resource, FALSE));
    ExReleaseResourceLite(&Resource);
    ExReleaseResourceLite(&Resource);
    KeLeaveCriticalRegion();
    CHECK(ExDeleteResourceLite(&Resource) == STATUS_SUCCESS);
    return 0;
}

ULONG EnterWithResource(void)
{
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&Resource, TRUE);
    ExAcquireResourceSharedLite(&Resource, TRUE);
    Enter();
    ExReleaseResourceLite(&Resource);
    Enter();
    ExReleaseResourceLite(&Resource);
    KeLeaveCriticalRegion();
    return 0;
}

ULONG ShareResource(void)
{
    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(&Resource, TRUE);
    if (Inside != 0) {
        Broken = __LINE__;
    }
    ExReleaseResourceLite(&Resource);
    KeLeaveCriticalRegion();
    return 0;
}

ULONG ResourceReleasedByStranger(void)
{
    ExReleaseResourceLite(&Resource);
    return 0;
}
