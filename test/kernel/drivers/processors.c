/* Processors, DPCs on them, and times. */
#include "check.h"

static KDPC First, Second, Third;
static ULONG Order[4], Count;
static ULONG RanOn;
static KEVENT Done;
static KTIMER Timer;

static VOID Note(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    Order[Count++] = (ULONG)(ULONG_PTR)Context;
    RanOn = KeGetCurrentProcessorNumber();
}

static VOID Begin(VOID)
{
    Count = 0;
    KeInitializeDpc(&First, Note, (PVOID)1);
    KeInitializeDpc(&Second, Note, (PVOID)2);
    KeInitializeDpc(&Third, Note, (PVOID)3);
}

ULONG Flush(void)
{
    Begin();
    CHECK(KeInsertQueueDpc(&First, NULL, NULL) && KeInsertQueueDpc(&Second, NULL, NULL));
    CHECK(!KeInsertQueueDpc(&First, NULL, NULL) && Count == 0);
    KeFlushQueuedDpcs();
    CHECK(Count == 2 && Order[0] == 1 && Order[1] == 2);
    KeFlushQueuedDpcs();
    return 0;
}

ULONG Remove(void)
{
    Begin();
    CHECK(!KeRemoveQueueDpc(&First));
    KeInsertQueueDpc(&First, NULL, NULL);
    KeInsertQueueDpc(&Second, NULL, NULL);
    CHECK(KeRemoveQueueDpc(&First) && !KeRemoveQueueDpc(&First));
    KeFlushQueuedDpcs();
    CHECK(Count == 1 && Order[0] == 2 && !KeRemoveQueueDpc(&Second));
    CHECK(KeInsertQueueDpc(&First, NULL, NULL));
    KeFlushQueuedDpcs();
    CHECK(Count == 2 && Order[1] == 1);
    return 0;
}

ULONG Importance(void)
{
    Begin();
    KeSetImportanceDpc(&Third, HighImportance);
    KeSetImportanceDpc(&First, LowImportance);
    KeInsertQueueDpc(&First, NULL, NULL);
    KeInsertQueueDpc(&Second, NULL, NULL);
    KeInsertQueueDpc(&Third, NULL, NULL);
    KeFlushQueuedDpcs();
    CHECK(Count == 3 && Order[0] == 3 && Order[1] == 1 && Order[2] == 2);
    return 0;
}

ULONG Target(void)
{
    PROCESSOR_NUMBER number = {0, 1, 0};

    Begin();
    KeSetTargetProcessorDpc(&First, 1);
    KeInsertQueueDpc(&First, NULL, NULL);
    KeSetTargetProcessorDpc(&First, 0);
    KeFlushQueuedDpcs();
    CHECK(RanOn == 1);
    KeInsertQueueDpc(&First, NULL, NULL);
    KeFlushQueuedDpcs();
    CHECK(RanOn == 0);
    CHECK(KeSetTargetProcessorDpcEx(&First, &number) == STATUS_SUCCESS);
    KeInsertQueueDpc(&First, NULL, NULL);
    KeFlushQueuedDpcs();
    CHECK(RanOn == 1);
    number.Number = 2;
    CHECK(KeSetTargetProcessorDpcEx(&First, &number) == STATUS_INVALID_PARAMETER);
    number.Number = 0;
    number.Group = 1;
    CHECK(KeSetTargetProcessorDpcEx(&First, &number) == STATUS_INVALID_PARAMETER);
    return 0;
}

ULONG Watchdog(void)
{
    KDPC_WATCHDOG_INFORMATION information = {1, 2, 3, 4, 5};
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    CHECK(KeQueryDpcWatchdogInformation(&information) == STATUS_SUCCESS);
    CHECK(information.DpcTimeLimit == 0 && information.DpcWatchdogLimit == 0);
    CHECK(!KeShouldYieldProcessor());
    KeLowerIrql(irql);
    return 0;
}

ULONG WatchdogNearItsEnd(void)
{
    KDPC_WATCHDOG_INFORMATION information;
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    CHECK(KeQueryDpcWatchdogInformation(&information) == STATUS_SUCCESS);
    CHECK(information.DpcTimeLimit != 0 && information.DpcTimeCount < information.DpcTimeLimit / 4);
    CHECK(information.DpcWatchdogLimit != 0 && information.DpcWatchdogCount < information.DpcWatchdogLimit / 4);
    KeLowerIrql(irql);
    return 0;
}

ULONG WatchdogBelowDispatch(void)
{
    KDPC_WATCHDOG_INFORMATION information;

    return KeQueryDpcWatchdogInformation(&information) == STATUS_UNSUCCESSFUL ? 0 : __LINE__;
}

ULONG TryLock(void)
{
    KSPIN_LOCK lock;
    KIRQL irql;

    KeInitializeSpinLock(&lock);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    CHECK(KeTryToAcquireSpinLockAtDpcLevel(&lock));
    CHECK(!KeTryToAcquireSpinLockAtDpcLevel(&lock));
    KeMemoryBarrier();
    KeReleaseSpinLock(&lock, irql);
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);
    return 0;
}

ULONG Numbers(void)
{
    PROCESSOR_NUMBER number;
    KAFFINITY mask;

    CHECK(KeQueryActiveProcessorCount(&mask) == 2 && mask == 3 && KeQueryActiveProcessorCount(NULL) == 2);
    CHECK(KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS) == 2 && KeQueryActiveProcessorCountEx(0) == 2);
    CHECK(KeQueryActiveProcessorCountEx(1) == 0 && KeQueryMaximumProcessorCountEx(0) == 2 && KeQueryMaximumProcessorCount() == 2);
    CHECK(KeQueryActiveGroupCount() == 1 && KeQueryGroupAffinity(0) == 3 && KeQueryGroupAffinity(1) == 0);
    CHECK(KeQueryActiveProcessors() == 3 && KeGetCurrentNodeNumber() == 0);
    CHECK(KeGetCurrentProcessorNumberEx(&number) == KeGetCurrentProcessorIndex());
    CHECK(number.Group == 0 && number.Number == KeGetCurrentProcessorNumber());
    CHECK(KeGetProcessorNumberFromIndex(1, &number) == STATUS_SUCCESS && number.Group == 0 && number.Number == 1);
    CHECK(KeGetProcessorIndexFromNumber(&number) == 1);
    CHECK(KeGetProcessorNumberFromIndex(2, &number) == STATUS_INVALID_PARAMETER);
    number.Group = 1;
    CHECK(KeGetProcessorIndexFromNumber(&number) == INVALID_PROCESSOR_INDEX);
    return 0;
}

ULONG NdisNumbers(void)
{
    PROCESSOR_NUMBER number;
    KAFFINITY mask;
    KIRQL irql;

    CHECK(NdisSystemProcessorCount() == 2 && NdisSystemActiveProcessorCount(&mask) == 2 && mask == 3);
    CHECK(NdisGroupActiveProcessorCount(0) == 2 && NdisGroupMaxProcessorCount(1) == 0 && NdisGroupActiveProcessorMask(0) == 3);
    CHECK(NdisActiveGroupCount() == 1 && NdisMaxGroupCount() == 1);
    CHECK(NdisProcessorIndexToNumber(1, &number) == STATUS_SUCCESS && NdisProcessorNumberToIndex(number) == 1);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    number = NdisCurrentGroupAndProcessor();
    CHECK(number.Group == 0 && number.Number == NdisCurrentProcessorIndex());
    KeLowerIrql(irql);
    return 0;
}

ULONG Affinity(void)
{
    CHECK(KeSetSystemAffinityThreadEx(2) == 0 && KeGetCurrentProcessorNumber() == 1);
    CHECK(KeSetSystemAffinityThreadEx(1) == 2 && KeGetCurrentProcessorNumber() == 0);
    KeRevertToUserAffinityThreadEx(2);
    CHECK(KeGetCurrentProcessorNumber() == 1);
    CHECK(KeSetSystemAffinityThreadEx(4) == 2 && KeGetCurrentProcessorNumber() == 1);
    KeRevertToUserAffinityThreadEx(0);
    KeSetSystemAffinityThread(1);
    CHECK(KeGetCurrentProcessorNumber() == 0 && KeSetSystemAffinityThreadEx(3) == 1);
    KeRevertToUserAffinityThread();
    CHECK(KeSetSystemAffinityThreadEx(1) == 0);
    KeRevertToUserAffinityThreadEx(0);
    return 0;
}

ULONG GroupAffinity(void)
{
    GROUP_AFFINITY second = {2, 0, {0}}, first = {1, 0, {0}}, wrong = {1, 1, {0}}, previous, inner;

    KeSetSystemGroupAffinityThread(&second, &previous);
    CHECK(previous.Mask == 0 && previous.Group == 0 && KeGetCurrentProcessorNumber() == 1);
    KeSetSystemGroupAffinityThread(&first, &inner);
    CHECK(inner.Mask == 2 && KeGetCurrentProcessorNumber() == 0);
    KeRevertToUserGroupAffinityThread(&inner);
    CHECK(KeGetCurrentProcessorNumber() == 1);
    KeSetSystemGroupAffinityThread(&wrong, &inner);
    CHECK(inner.Mask == 0 && inner.Group == 0 && KeGetCurrentProcessorNumber() == 1);
    KeRevertToUserGroupAffinityThread(&previous);
    CHECK(KeSetSystemAffinityThreadEx(1) == 0);
    KeRevertToUserAffinityThreadEx(0);
    return 0;
}

ULONG AffinityAtDispatch(void)
{
    KIRQL irql;

    KeSetSystemAffinityThreadEx(1);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    KeSetSystemAffinityThreadEx(2);
    CHECK(KeGetCurrentProcessorNumber() == 0);
    KeLowerIrql(irql);
    CHECK(KeGetCurrentProcessorNumber() == 1);
    KeRevertToUserAffinityThreadEx(0);
    return 0;
}

static volatile LONG Strayed;

/* Everything below is called by many threads at once. */
ULONG StayOnOne(ULONG Processor)
{
    ULONG round;
    KIRQL irql;

    KeSetSystemAffinityThreadEx((KAFFINITY)1 << Processor);
    for (round = 0; round < 4; round++) {
        if (KeGetCurrentProcessorNumber() != Processor) {
            InterlockedIncrement(&Strayed);
        }
        KeRaiseIrql(DISPATCH_LEVEL, &irql);
        if (KeGetCurrentProcessorNumber() != Processor) {
            InterlockedIncrement(&Strayed);
        }
        KeLowerIrql(irql);
    }
    KeRevertToUserAffinityThreadEx(0);
    return 0;
}

ULONG NobodyStrayed(void)
{
    CHECK(Strayed == 0);
    return 0;
}

ULONG Times(void)
{
    LARGE_INTEGER system, later, precise, local, counter, frequency, ticks, laterTicks, upTime, interval;
    ULONG64 interrupt, stamp;

    KeQuerySystemTime(&system);
    KeQuerySystemTimePrecise(&precise);
    CHECK(precise.QuadPart == system.QuadPart && system.QuadPart > 0x01D0000000000000LL);
    ExSystemTimeToLocalTime(&system, &local);
    CHECK(local.QuadPart == system.QuadPart);
    interrupt = KeQueryInterruptTime();
    CHECK(KeQueryUnbiasedInterruptTime() == interrupt && KeQueryInterruptTimePrecise(&stamp) == interrupt);
    counter = KeQueryPerformanceCounter(&frequency);
    CHECK((ULONG64)counter.QuadPart == stamp && frequency.QuadPart == 10000000);
    KeQueryTickCount(&ticks);

    interval.QuadPart = -(LONGLONG)KeQueryTimeIncrement() * 64;
    KeDelayExecutionThread(KernelMode, FALSE, &interval);

    KeQuerySystemTime(&later);
    CHECK(later.QuadPart == system.QuadPart - interval.QuadPart);
    CHECK(KeQueryInterruptTime() == interrupt + 64 * KeQueryTimeIncrement());
    KeQueryTickCount(&laterTicks);
    CHECK(laterTicks.QuadPart == ticks.QuadPart + 64);
    NdisGetSystemUpTimeEx(&upTime);
    CHECK(upTime.QuadPart == 1000);
    counter = KeQueryPerformanceCounter(NULL);
    CHECK(counter.QuadPart == 10000000);
    return 0;
}
