/* What a thread does beside a DPC, a timer or a work item, and how the one hands memory over to the other. */
#include "driver.h"
#include "threads.h"

static KSPIN_LOCK Lock;
static KDPC Dpc, OtherDpc;
static KTIMER Timer;
static KEVENT Event;
static WORK_QUEUE_ITEM Item;
static ULONG Shared;

static LARGE_INTEGER After(LONG Milliseconds)
{
    LARGE_INTEGER Due;

    Due.QuadPart = -10000ll * Milliseconds;
    return Due;
}

static VOID CountInDpc(PKDPC TheDpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(TheDpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    Shared += 1; // expect: data-race
}

/* Counts in a DPC and, after it was queued, in the thread. */
VOID Case_CountsBesideDpc(VOID)
{
    KeInitializeDpc(&Dpc, CountInDpc, NULL);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    Shared += 1; // expect: data-race
    KeFlushQueuedDpcs();
}

static VOID CountLockedInDpc(PKDPC TheDpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(TheDpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    KeAcquireSpinLockAtDpcLevel(&Lock);
    Shared += 1;
    KeReleaseSpinLockFromDpcLevel(&Lock);
}

/* Counts in a DPC and in the thread, both under the lock. */
VOID Case_CountsBesideDpcUnderLock(VOID)
{
    KIRQL Irql;

    KeInitializeDpc(&Dpc, CountLockedInDpc, NULL);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    KeAcquireSpinLock(&Lock, &Irql);
    Shared += 1;
    KeReleaseSpinLock(&Lock, Irql);
    KeFlushQueuedDpcs();
}

static VOID CountFreelyInDpc(PKDPC TheDpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(TheDpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    Shared += 1;
}

/* Counts in the thread before the DPC is queued, and again when the queues of DPCs were flushed. */
VOID Case_CountsBeforeAndAfterDpc(VOID)
{
    KeInitializeDpc(&Dpc, CountFreelyInDpc, NULL);
    Shared += 1;
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    KeFlushQueuedDpcs();
    Shared += 1;
}

static VOID CountInEitherDpc(PKDPC TheDpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(TheDpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    Shared += 1; // expect: data-race
}

/* Counts in two DPCs, which two processors may run at the same time. */
VOID Case_CountsInTwoDpcs(VOID)
{
    KeInitializeDpc(&Dpc, CountInEitherDpc, NULL);
    KeInitializeDpc(&OtherDpc, CountInEitherDpc, NULL);
    KeSetTargetProcessorDpc(&Dpc, 0);
    KeSetTargetProcessorDpc(&OtherDpc, 1);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    KeInsertQueueDpc(&OtherDpc, NULL, NULL);
    KeFlushQueuedDpcs();
}

static VOID TickOnce(PKDPC TheDpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(TheDpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    Shared += 1; // expect: data-race
}

/* Cancels a timer that may have expired, and goes on as if its DPC could not be running. */
VOID Case_CancelsTimerWithoutFlush(VOID)
{
    KeInitializeTimer(&Timer);
    KeInitializeDpc(&Dpc, TickOnce, NULL);
    KeSetTimer(&Timer, After(1), &Dpc);
    Sleep(5);
    KeCancelTimer(&Timer);
    Shared = 0; // expect: data-race
}

/* Flushes the queues of DPCs when a timer could not be cancelled. */
VOID Case_CancelsTimerWithFlush(VOID)
{
    KeInitializeTimer(&Timer);
    KeInitializeDpc(&Dpc, CountFreelyInDpc, NULL);
    KeSetTimer(&Timer, After(1), &Dpc);
    Sleep(5);
    if (!KeCancelTimer(&Timer)) {
        KeFlushQueuedDpcs();
    }
    Shared = 0;
}

/* Cancels a timer before it expires, so that its DPC never runs. */
VOID Case_CancelsTimerInTime(VOID)
{
    KeInitializeTimer(&Timer);
    KeInitializeDpc(&Dpc, CountFreelyInDpc, NULL);
    KeSetTimer(&Timer, After(1000), &Dpc);
    if (KeCancelTimer(&Timer)) {
        Shared = 0;
    }
}

static VOID Work(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Shared += 1; // expect: data-race
    KeSetEvent(&Event, IO_NO_INCREMENT, FALSE);
}

/* Writes what a work item counts, between queueing it and waiting for it. */
VOID Case_WritesBesideWorkItem(VOID)
{
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    ExInitializeWorkItem(&Item, Work, NULL);
    ExQueueWorkItem(&Item, DelayedWorkQueue);
    Shared = 0; // expect: data-race
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
}

static VOID WorkAndTell(PVOID Context)
{
    *(PULONG)Context += 1;
    KeSetEvent(&Event, IO_NO_INCREMENT, FALSE);
}

/* Hands memory over to a work item by queueing it, and takes it back by waiting for its event. */
VOID Case_HandsOverToWorkItem(VOID)
{
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    ExInitializeWorkItem(&Item, WorkAndTell, &Shared);
    Shared = 1;
    ExQueueWorkItem(&Item, DelayedWorkQueue);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    Shared += 1;
}

static VOID TellTooEarly(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeSetEvent(&Event, IO_NO_INCREMENT, FALSE);
    Shared = 7; // expect: data-race
}

static VOID WaitAndRead(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    USE(Shared); // expect: data-race
}

/* Writes the result after the event that tells of it was set. */
VOID Case_SetsEventBeforeResult(VOID)
{
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    RunBoth(TellTooEarly, WaitAndRead);
}

static VOID WriteAndTell(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Shared = 7;
    KeSetEvent(&Event, IO_NO_INCREMENT, FALSE);
}

static VOID WaitAndUse(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    Shared += 1;
}

/* Writes the result before the event that tells of it is set. */
VOID Case_HandsOverByEvent(VOID)
{
    KeInitializeEvent(&Event, SynchronizationEvent, FALSE);
    RunBoth(WaitAndUse, WriteAndTell);
}

static VOID Add(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Shared += 1;
}

/* Hands memory over to threads when they are made, and takes it back when they have ended. */
VOID Case_HandsOverToThreads(VOID)
{
    HANDLE Thread;

    Shared = 1;
    PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, Add, NULL);
    ZwWaitForSingleObject(Thread, FALSE, NULL);
    ZwClose(Thread);
    Shared += 1;
}

static VOID AddLater(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Shared += 1; // expect: data-race
}

/* Closes the handle of a thread in place of waiting for it. */
VOID Case_ClosesThreadWithoutWait(VOID)
{
    HANDLE Thread;

    PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, AddLater, NULL);
    ZwClose(Thread);
    Sleep(5);
    Shared = 1; // expect: data-race
}
