/* Bindings: what is used when they are gone, what runs beside their handlers, and the buffers of their requests. */
#include "protocol.h"

static HANDLE Thread;
static KDPC Dpc;
static KTIMER Timer;
static WORK_QUEUE_ITEM Item;
static KEVENT Done;

static LARGE_INTEGER After(LONG Milliseconds)
{
    LARGE_INTEGER Due;

    Due.QuadPart = -10000ll * Milliseconds;
    return Due;
}

static VOID CountBindings(PVOID Context)
{
    PBINDING Binding = Context;
    LARGE_INTEGER Interval = After(50);

    KeDelayExecutionThread(KernelMode, FALSE, &Interval);
    Binding->Received += 1; // expect: use-after-free
}

static VOID QueueAndLeave(PBINDING Binding)
{
    ExInitializeWorkItem(&Item, CountBindings, Binding);
    ExQueueWorkItem(&Item, DelayedWorkQueue);
}

/* Queues a work item for a binding and frees the binding without waiting for it. */
VOID Case_FreesBindingUnderWorkItem(VOID)
{
    OnUnbind = QueueAndLeave;
}

static VOID CountAndTell(PVOID Context)
{
    ((PBINDING)Context)->Received += 1;
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
}

static VOID QueueAndWait(PBINDING Binding)
{
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    ExInitializeWorkItem(&Item, CountAndTell, Binding);
    ExQueueWorkItem(&Item, DelayedWorkQueue);
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
}

/* Waits for the work item of a binding before the binding is freed. */
VOID Case_WaitsForWorkItemOfBinding(VOID)
{
    OnUnbind = QueueAndWait;
}

static VOID Tick(PKDPC TheDpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(TheDpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    ((PBINDING)Context)->Received += 1; // expect: use-after-free
}

static VOID LeaveTimer(PBINDING Binding)
{
    KeInitializeTimer(&Timer);
    KeInitializeDpc(&Dpc, Tick, Binding);
    KeSetTimer(&Timer, After(50), &Dpc);
}

/* Leaves a timer set whose DPC uses the binding. */
VOID Case_LeavesTimerOfBinding(VOID)
{
    OnUnbind = LeaveTimer;
}

static VOID TickWell(PKDPC TheDpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(TheDpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    ((PBINDING)Context)->Received += 1;
}

static VOID CancelTimer(PBINDING Binding)
{
    if (!KeCancelTimer(&Timer)) {
        KeFlushQueuedDpcs();
    }
    USE(Binding->Received);
}

/* Cancels the timer of a binding, or lets its DPC end, before the binding is freed. */
VOID Case_CancelsTimerOfBinding(VOID)
{
    KeInitializeTimer(&Timer);
    KeInitializeDpc(&Dpc, TickWell, TheBinding);
    KeSetTimer(&Timer, After(1), &Dpc);
    OnUnbind = CancelTimer;
}

static VOID WorkOnBinding(PVOID Context)
{
    ((PBINDING)Context)->Received += 1; // expect: data-race
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
}

static VOID QueueAndClear(PBINDING Binding)
{
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    ExInitializeWorkItem(&Item, WorkOnBinding, Binding);
    ExQueueWorkItem(&Item, DelayedWorkQueue);
    Binding->Received = 0; // expect: data-race
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
}

/* Writes in the unbind handler what a work item of the binding writes, and waits for it only then. */
VOID Case_WritesBesideWorkItemInUnbind(VOID)
{
    OnUnbind = QueueAndClear;
}

static VOID WaitAndClear(PBINDING Binding)
{
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    Binding->Received = 0;
}

/* Waits in the unbind handler for the work item, and writes then what it wrote. */
VOID Case_WritesAfterWorkItemInUnbind(VOID)
{
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    ExInitializeWorkItem(&Item, CountAndTell, TheBinding);
    ExQueueWorkItem(&Item, DelayedWorkQueue);
    OnUnbind = WaitAndClear;
}

static VOID CountReceived(PBINDING Binding, PNET_BUFFER_LIST List)
{
    Binding->Received += 1;
    NdisReturnNetBufferLists(Binding->Handle, List, 0);
}

static VOID ReadReceived(PBINDING Binding)
{
    USE(Binding->Received);
}

/* Counts in the receive handler and reads the count in the unbind handler, which NDIS calls when no receive is under way. */
VOID Case_ReadsCountInUnbind(VOID)
{
    OnReceive = CountReceived;
    OnUnbind = ReadReceived;
}

static VOID CountInThread(PVOID Context)
{
    LARGE_INTEGER Interval = After(1);

    KeDelayExecutionThread(KernelMode, FALSE, &Interval);
    ((PBINDING)Context)->Received += 1; // expect: data-race
}

static VOID WaitForThread(PBINDING Binding)
{
    UNREFERENCED_PARAMETER(Binding);
    ZwWaitForSingleObject(Thread, FALSE, NULL);
    ZwClose(Thread);
}

static VOID CountFreely(PBINDING Binding, PNET_BUFFER_LIST List)
{
    Binding->Received += 1; // expect: data-race
    NdisReturnNetBufferLists(Binding->Handle, List, 0);
}

/* Counts in the receive handler and in a thread without a lock. */
VOID Case_CountsInReceiveAndThread(VOID)
{
    OnReceive = CountFreely;
    OnUnbind = WaitForThread;
    PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, CountInThread, TheBinding);
}

static VOID ReadLocked(PVOID Context)
{
    PBINDING Binding = Context;
    KIRQL Irql;

    KeAcquireSpinLock(&Binding->Lock, &Irql);
    Binding->Received += 1;
    KeReleaseSpinLock(&Binding->Lock, Irql);
}

static VOID CountLocked(PBINDING Binding, PNET_BUFFER_LIST List)
{
    ReadLocked(Binding);
    NdisReturnNetBufferLists(Binding->Handle, List, 0);
}

/* Counts in the receive handler and in a thread under a lock. */
VOID Case_CountsInReceiveAndThreadUnderLock(VOID)
{
    OnReceive = CountLocked;
    OnUnbind = WaitForThread;
    PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, ReadLocked, TheBinding);
}

/* Says of the buffer of a request that it is longer than it is. */
VOID Case_PassesShortBufferOfRequest(VOID)
{
    NDIS_OID_REQUEST Request;
    PVOID Buffer = ALLOCATE(2);

    InitializeRequest(&Request, NdisRequestQueryInformation, OID_GEN_CURRENT_PACKET_FILTER, Buffer, sizeof(ULONG));
    USE(NdisOidRequest(TheBinding->Handle, &Request)); // expect: out-of-bounds
    FREE(Buffer);
}

static NDIS_STATUS Ask(PNDIS_OID_REQUEST Request)
{
    NDIS_STATUS Status;

    NdisInitializeEvent(&TheBinding->Ready);
    Status = NdisOidRequest(TheBinding->Handle, Request);
    if (Status == NDIS_STATUS_PENDING) {
        NdisWaitEvent(&TheBinding->Ready, 0);
        Status = TheBinding->Status;
    }
    return Status;
}

/* Passes a request a buffer as long as it says. */
VOID Case_PassesBufferOfRequest(VOID)
{
    NDIS_OID_REQUEST Request;
    PULONG Buffer = ALLOCATE(sizeof(ULONG));

    InitializeRequest(&Request, NdisRequestQueryInformation, OID_GEN_CURRENT_PACKET_FILTER, Buffer, sizeof(ULONG));
    if (Ask(&Request) == NDIS_STATUS_SUCCESS) {
        USE(*Buffer);
    }
    FREE(Buffer);
}

/* Passes a request a buffer that is gone. */
VOID Case_PassesFreedBufferOfRequest(VOID)
{
    NDIS_OID_REQUEST Request;
    PULONG Buffer = ALLOCATE(sizeof(ULONG));

    FREE(Buffer);
    InitializeRequest(&Request, NdisRequestQueryInformation, OID_GEN_CURRENT_PACKET_FILTER, Buffer, sizeof(ULONG));
    USE(NdisOidRequest(TheBinding->Handle, &Request)); // expect: use-after-free
}
