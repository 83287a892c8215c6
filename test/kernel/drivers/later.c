/* What runs later: timers of all kinds and work items; and the special spin locks. */
#include "check.h"

static KTIMER Timer;
static KDPC Dpc;
static KEVENT Event;
static PEX_TIMER ExTimer;
static LONG Fired, Deleted, Inside, Most, Broken, Shared;
static KIRQL FiredAt;
static PVOID Given;
static ULONG64 When;
static EX_SPIN_LOCK ExLock;
static KSPIN_LOCK Queued, Plain;
static LONG Tickets, Served;
static PDEVICE_OBJECT Device;
static PIO_WORKITEM Item;

static VOID OnTimer(PKDPC TimerDpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(TimerDpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    Given = Context;
    FiredAt = KeGetCurrentIrql();
    When = KeQueryInterruptTime();
    InterlockedIncrement(&Fired);
}

static NTSTATUS Sleep(LONG Milliseconds)
{
    LARGE_INTEGER interval;

    interval.QuadPart = -(LONGLONG)Milliseconds * 10000;
    return KeDelayExecutionThread(KernelMode, FALSE, &interval);
}

static LARGE_INTEGER After(LONG Milliseconds)
{
    LARGE_INTEGER due;

    due.QuadPart = -(LONGLONG)Milliseconds * 10000;
    return due;
}

ULONG TimerOnce(void)
{
    LARGE_INTEGER zero = {{0, 0}}, absolute;

    Fired = 0;
    KeInitializeTimer(&Timer);
    KeInitializeDpc(&Dpc, OnTimer, &Fired);
    CHECK(!KeReadStateTimer(&Timer) && !KeSetTimer(&Timer, After(10), &Dpc) && KeSetTimer(&Timer, After(20), &Dpc));
    Sleep(15);
    CHECK(Fired == 0 && !KeReadStateTimer(&Timer));
    CHECK(KeWaitForSingleObject(&Timer, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
    Sleep(1);
    CHECK(Fired == 1 && Given == &Fired && FiredAt == DISPATCH_LEVEL && KeReadStateTimer(&Timer));
    CHECK(KeWaitForSingleObject(&Timer, Executive, KernelMode, FALSE, &zero) == STATUS_SUCCESS);
    CHECK(!KeCancelTimer(&Timer));
    KeSetTimer(&Timer, After(10), &Dpc);
    CHECK(!KeReadStateTimer(&Timer) && KeCancelTimer(&Timer) && !KeCancelTimer(&Timer));
    Sleep(20);
    CHECK(Fired == 1 && !KeReadStateTimer(&Timer));

    KeQuerySystemTime(&absolute);
    absolute.QuadPart += 70000;
    When = 0;
    KeSetTimer(&Timer, absolute, &Dpc);
    Sleep(6);
    CHECK(Fired == 1);
    Sleep(2);
    CHECK(Fired == 2);
    return 0;
}

ULONG TimerPeriodic(void)
{
    LARGE_INTEGER zero = {{0, 0}};
    ULONG64 start = KeQueryInterruptTime();

    Fired = 0;
    KeInitializeTimerEx(&Timer, SynchronizationTimer);
    KeInitializeDpc(&Dpc, OnTimer, NULL);
    CHECK(!KeSetTimerEx(&Timer, After(5), 10, &Dpc));
    Sleep(6);
    CHECK(Fired == 1 && When == start + 50000);
    CHECK(KeWaitForSingleObject(&Timer, Executive, KernelMode, FALSE, &zero) == STATUS_SUCCESS);
    CHECK(KeWaitForSingleObject(&Timer, Executive, KernelMode, FALSE, &zero) == STATUS_TIMEOUT);
    Sleep(20);
    CHECK(Fired == 3 && KeReadStateTimer(&Timer));
    CHECK(KeSetCoalescableTimer(&Timer, After(5), 0, 50, &Dpc) && !KeReadStateTimer(&Timer));
    Sleep(100);
    CHECK(Fired == 4 && !KeCancelTimer(&Timer));
    CHECK(!KeSetTimerEx(&Timer, After(5), 10, NULL));
    Sleep(30);
    CHECK(KeCancelTimer(&Timer) && Fired == 4);
    return 0;
}

static VOID OnExTimer(PEX_TIMER ExpiredTimer, PVOID Context)
{
    if (ExpiredTimer != ExTimer || KeGetCurrentIrql() != DISPATCH_LEVEL) {
        Broken = __LINE__;
    }
    Given = Context;
    InterlockedIncrement(&Fired);
}

static VOID OnDeleted(PVOID Context)
{
    Given = Context;
    InterlockedIncrement(&Deleted);
}

ULONG ExTimerFires(void)
{
    LARGE_INTEGER zero = {{0, 0}};
    EXT_DELETE_PARAMETERS parameters;

    Fired = Deleted = Broken = 0;
    ExTimer = ExAllocateTimer(OnExTimer, &Timer, EX_TIMER_HIGH_RESOLUTION);
    CHECK(ExTimer != NULL && !ExCancelTimer(ExTimer, NULL));
    CHECK(!ExSetTimer(ExTimer, -50000, 0, NULL) && ExSetTimer(ExTimer, -100000, 0, NULL));
    CHECK(KeWaitForSingleObject(ExTimer, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
    CHECK(KeWaitForSingleObject(ExTimer, Executive, KernelMode, FALSE, &zero) == STATUS_TIMEOUT);
    Sleep(1);
    CHECK(Fired == 1 && Given == &Timer && Broken == 0);
    CHECK(!ExSetTimer(ExTimer, -50000, 50000, NULL));
    Sleep(12);
    CHECK(Fired == 3 && ExCancelTimer(ExTimer, NULL) && !ExCancelTimer(ExTimer, NULL));
    ExSetTimer(ExTimer, -50000, 0, NULL);
    ExInitializeDeleteTimerParameters(&parameters);
    parameters.DeleteCallback = OnDeleted;
    parameters.DeleteContext = &Dpc;
    CHECK(ExDeleteTimer(ExTimer, TRUE, TRUE, &parameters) && Deleted == 1 && Given == &Dpc);
    Sleep(10);
    CHECK(Fired == 3);
    return 0;
}

ULONG ExTimerDeletedLater(void)
{
    EXT_DELETE_PARAMETERS parameters;

    Fired = Deleted = 0;
    ExInitializeDeleteTimerParameters(&parameters);
    parameters.DeleteCallback = OnDeleted;
    ExTimer = ExAllocateTimer(OnExTimer, NULL, EX_TIMER_NOTIFICATION);
    ExSetTimer(ExTimer, -50000, 20000, NULL);
    CHECK(!ExDeleteTimer(ExTimer, FALSE, FALSE, &parameters));
    CHECK(!ExSetTimer(ExTimer, -10000, 0, NULL) && !ExCancelTimer(ExTimer, NULL) && !ExDeleteTimer(ExTimer, TRUE, FALSE, NULL));
    CHECK(Deleted == 0);
    Sleep(20);
    CHECK(Fired == 1 && Deleted == 1);
    return 0;
}

ULONG ExTimerWaitsWithoutCancel(void)
{
    ExTimer = ExAllocateTimer(NULL, NULL, 0);
    return ExDeleteTimer(ExTimer, FALSE, TRUE, NULL);
}

static VOID NdisTimerFunction(PVOID Unused1, PVOID Context, PVOID Unused2, PVOID Unused3)
{
    UNREFERENCED_PARAMETER(Unused1);
    UNREFERENCED_PARAMETER(Unused2);
    UNREFERENCED_PARAMETER(Unused3);
    Given = Context;
    InterlockedIncrement(&Fired);
}

ULONG NdisTimer(void)
{
    NDIS_TIMER_CHARACTERISTICS characteristics = {{0}};
    NDIS_HANDLE timer;

    Fired = 0;
    characteristics.Header.Type = NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS;
    characteristics.Header.Revision = NDIS_TIMER_CHARACTERISTICS_REVISION_1;
    characteristics.Header.Size = NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1;
    characteristics.TimerFunction = NdisTimerFunction;
    characteristics.FunctionContext = &Timer;
    CHECK(NdisAllocateTimerObject(NULL, &characteristics, &timer) == NDIS_STATUS_SUCCESS);
    CHECK(!NdisSetCoalescableTimerObject(timer, After(5), 10, NULL, 50));
    Sleep(20);
    CHECK(Fired == 2 && Given == &Timer);
    CHECK(NdisSetTimerObject(timer, After(5), 0, &Dpc));
    Sleep(20);
    CHECK(Fired == 3 && Given == &Dpc && !NdisCancelTimerObject(timer));
    NdisFreeTimerObject(timer);
    return 0;
}

static VOID Worker(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    if (DeviceObject != Device || KeGetCurrentIrql() != PASSIVE_LEVEL) {
        Broken = __LINE__;
    }
    Given = Context;
    InterlockedIncrement(&Fired);
    KeSetEvent(&Event, 0, FALSE);
}

static VOID WorkerEx(PVOID IoObject, PVOID Context, PIO_WORKITEM IoWorkItem)
{
    if (IoObject != Device || IoWorkItem != Item) {
        Broken = __LINE__;
    }
    Given = Context;
    IoFreeWorkItem(IoWorkItem);
    KeSetEvent(&Event, 0, FALSE);
}

static VOID ExWorker(PVOID Parameter)
{
    Given = Parameter;
    KeSetEvent(&Event, 0, FALSE);
}

ULONG WorkItems(void)
{
    WORK_QUEUE_ITEM exItem;

    Fired = Broken = 0;
    Device = (PDEVICE_OBJECT)&Timer;
    KeInitializeEvent(&Event, SynchronizationEvent, FALSE);
    Item = IoAllocateWorkItem(Device);
    CHECK(Item != NULL);
    IoQueueWorkItem(Item, Worker, DelayedWorkQueue, &Dpc);
    CHECK(Fired == 0);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    CHECK(Fired == 1 && Given == &Dpc && Broken == 0);
    IoQueueWorkItemEx(Item, WorkerEx, DelayedWorkQueue, &Event);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    CHECK(Given == &Event && Broken == 0);

    Item = ExAllocatePoolWithTag(NonPagedPool, IoSizeofWorkItem(), 'krow');
    IoInitializeWorkItem(Device, Item);
    IoQueueWorkItem(Item, Worker, DelayedWorkQueue, NULL);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    CHECK(Fired == 2 && Broken == 0);
    IoUninitializeWorkItem(Item);
    ExFreePoolWithTag(Item, 'krow');

    ExInitializeWorkItem(&exItem, ExWorker, &Item);
    ExQueueWorkItem(&exItem, DelayedWorkQueue);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    CHECK(Given == &Item);
    return 0;
}

ULONG WorkItemLeft(void)
{
    return IoAllocateWorkItem(Device) == NULL;
}

static VOID Enter(VOID)
{
    LONG inside = InterlockedIncrement(&Inside);

    if (inside > Most) {
        Most = inside;
    }
    if (KeGetCurrentIrql() != DISPATCH_LEVEL || Shared != 0) {
        Broken = __LINE__;
    }
    InterlockedDecrement(&Inside);
}

ULONG EnterExclusive(void)
{
    KIRQL irql = ExAcquireSpinLockExclusive(&ExLock);

    Enter();
    ExReleaseSpinLockExclusive(&ExLock, irql);
    return KeGetCurrentIrql();
}

ULONG EnterShared(void)
{
    KIRQL irql = ExAcquireSpinLockShared(&ExLock);

    InterlockedIncrement(&Shared);
    if (Inside != 0) {
        Broken = __LINE__;
    }
    InterlockedDecrement(&Shared);
    if (ExTryConvertSharedSpinLockExclusive(&ExLock)) {
        Enter();
        ExReleaseSpinLockExclusive(&ExLock, irql);
    } else {
        ExReleaseSpinLockShared(&ExLock, irql);
    }
    return KeGetCurrentIrql();
}

ULONG ExecutiveAlone(void)
{
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    ExAcquireSpinLockSharedAtDpcLevel(&ExLock);
    CHECK(ExLock != 0 && ExTryConvertSharedSpinLockExclusive(&ExLock));
    CHECK(!ExTryConvertSharedSpinLockExclusive(&ExLock));
    ExReleaseSpinLockExclusiveFromDpcLevel(&ExLock);
    ExAcquireSpinLockExclusiveAtDpcLevel(&ExLock);
    ExReleaseSpinLockExclusiveFromDpcLevel(&ExLock);
    ExAcquireSpinLockSharedAtDpcLevel(&ExLock);
    ExReleaseSpinLockSharedFromDpcLevel(&ExLock);
    KeLowerIrql(irql);
    CHECK(ExLock == 0);
    return 0;
}

ULONG ExclusiveTwice(void)
{
    ExAcquireSpinLockExclusive(&ExLock);
    ExAcquireSpinLockExclusiveAtDpcLevel(&ExLock);
    return 0;
}

ULONG EnterQueued(void)
{
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&Queued, &handle);
    Enter();
    KeReleaseInStackQueuedSpinLock(&handle);
    return KeGetCurrentIrql();
}

ULONG EnterForDpc(void)
{
    KIRQL irql = KeAcquireSpinLockForDpc(&Plain);

    Enter();
    KeReleaseSpinLockForDpc(&Plain, irql);
    return KeGetCurrentIrql();
}

/* Takes a number at DISPATCH_LEVEL, then comes for the lock: those who come first are served first. */
ULONG TakeTurn(void)
{
    KLOCK_QUEUE_HANDLE handle;
    LONG ticket;
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    KeAcquireSpinLockAtDpcLevel(&Plain);
    ticket = Tickets++;
    KeReleaseSpinLockFromDpcLevel(&Plain);
    if (ticket == 0) {
        KeAcquireInStackQueuedSpinLockAtDpcLevel(&Queued, &handle);
        while (Tickets < 3) {
            KeStallExecutionProcessor(10);
        }
        KeStallExecutionProcessor(100);
    } else {
        KeStallExecutionProcessor(ticket * 20);
        KeAcquireInStackQueuedSpinLockAtDpcLevel(&Queued, &handle);
    }
    if (Served++ != ticket) {
        Broken = __LINE__;
    }
    KeReleaseInStackQueuedSpinLockFromDpcLevel(&handle);
    KeLowerIrql(irql);
    return 0;
}

ULONG AllServed(void)
{
    CHECK(Served == 3 && Broken == 0);
    return 0;
}

ULONG OneInside(void)
{
    CHECK(Broken == 0 && Inside == 0 && Most == 1);
    CHECK(ExLock == 0 && Queued == 0 && Plain == 0);
    return 0;
}
