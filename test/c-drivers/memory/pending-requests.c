/* Requests that are pending: who may touch them, and what is ordered by their completion. */
#include "device.h"

static WORK_QUEUE_ITEM Item;
static KSPIN_LOCK Lock;
static PIRP Waiting;
static ULONG Shared;

static NTSTATUS QueueFor(PIRP Irp, PWORKER_THREAD_ROUTINE Routine)
{
    Waiting = Irp;
    IoMarkIrpPending(Irp);
    ExInitializeWorkItem(&Item, Routine, Irp);
    ExQueueWorkItem(&Item, DelayedWorkQueue);
    return STATUS_PENDING;
}

static VOID Answer(PVOID Context)
{
    PIRP Irp = Context;

    *(PULONG)Irp->AssociatedIrp.SystemBuffer = 7; // expect: data-race
    Complete(Irp, STATUS_SUCCESS, sizeof(ULONG));
}

static NTSTATUS PendThenClear(PIRP Irp, PIO_STACK_LOCATION Location)
{
    PULONG Output = Irp->AssociatedIrp.SystemBuffer;

    UNREFERENCED_PARAMETER(Location);
    QueueFor(Irp, Answer);
    *Output = 0; // expect: data-race
    return STATUS_PENDING;
}

/* Clears the output of a request after it was given to a work item. */
VOID Case_ClearsOutputOfPendingRequest(VOID)
{
    Choose(METHOD_BUFFERED, PendThenClear);
}

static VOID AnswerWell(PVOID Context)
{
    PIRP Irp = Context;

    *(PULONG)Irp->AssociatedIrp.SystemBuffer += 7;
    Complete(Irp, STATUS_SUCCESS, sizeof(ULONG));
}

static NTSTATUS ClearThenPend(PIRP Irp, PIO_STACK_LOCATION Location)
{
    UNREFERENCED_PARAMETER(Location);
    *(PULONG)Irp->AssociatedIrp.SystemBuffer = 0;
    return QueueFor(Irp, AnswerWell);
}

/* Clears the output of a request and gives it to a work item then. */
VOID Case_HandsRequestToWorkItem(VOID)
{
    Choose(METHOD_BUFFERED, ClearThenPend);
}

static VOID CountAndComplete(PVOID Context)
{
    Shared += 1;
    Complete(Context, STATUS_SUCCESS, 0);
}

static NTSTATUS CountAndPend(PIRP Irp, PIO_STACK_LOCATION Location)
{
    UNREFERENCED_PARAMETER(Location);
    Shared += 1;
    return QueueFor(Irp, CountAndComplete);
}

/* Writes what the work item wrote before it completed the last request, since the application waits for each. */
VOID Case_HandsOverByCompletion(VOID)
{
    Choose(ANY_METHOD, CountAndPend);
}

static VOID CompleteAndCount(PVOID Context)
{
    Complete(Context, STATUS_SUCCESS, 0);
    Shared += 1; // expect: data-race
}

static NTSTATUS ClearAndPend(PIRP Irp, PIO_STACK_LOCATION Location)
{
    UNREFERENCED_PARAMETER(Location);
    Shared = 0; // expect: data-race
    return QueueFor(Irp, CompleteAndCount);
}

/* Counts a request when it is complete, while the next one may be under way. */
VOID Case_CountsAfterCompletion(VOID)
{
    Choose(ANY_METHOD, ClearAndPend);
}

static VOID CompleteTwice(PVOID Context)
{
    PIRP Irp = Context;

    Complete(Irp, STATUS_SUCCESS, 0);
    if (Waiting == Irp) {
        Irp->IoStatus.Status = STATUS_CANCELLED; // expect: irp-touched-after-completion
    }
}

static NTSTATUS PendForTwo(PIRP Irp, PIO_STACK_LOCATION Location)
{
    UNREFERENCED_PARAMETER(Location);
    return QueueFor(Irp, CompleteTwice);
}

/* Finds a request in a variable after it was completed, and writes into it. */
VOID Case_WritesRememberedRequest(VOID)
{
    Choose(METHOD_BUFFERED, PendForTwo);
}

static VOID TakeAndComplete(PVOID Context)
{
    PIRP Irp;
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Context);
    KeAcquireSpinLock(&Lock, &Irql);
    Irp = Waiting;
    Waiting = NULL;
    KeReleaseSpinLock(&Lock, Irql);
    if (Irp != NULL) {
        Complete(Irp, STATUS_SUCCESS, 0);
    }
}

static NTSTATUS PendForOne(PIRP Irp, PIO_STACK_LOCATION Location)
{
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Location);
    IoMarkIrpPending(Irp);
    KeAcquireSpinLock(&Lock, &Irql);
    Waiting = Irp;
    KeReleaseSpinLock(&Lock, Irql);
    ExInitializeWorkItem(&Item, TakeAndComplete, NULL);
    ExQueueWorkItem(&Item, DelayedWorkQueue);
    return STATUS_PENDING;
}

/* Takes a request out of its variable under a lock before it is completed. */
VOID Case_TakesRememberedRequest(VOID)
{
    Choose(METHOD_BUFFERED, PendForOne);
}
