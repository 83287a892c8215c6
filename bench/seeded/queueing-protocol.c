/*
 * A protocol that queues what it sends until a timer is due, counts who uses its binding, and takes back what is queued when it is asked to. For the
 * measure of seeded defects: this one is right.
 */
#include <ndis.h>

#define TAG 'qeeS'
#define DELAY (-10000)      /* a millisecond, in units of 100 nanoseconds, from now on */

typedef struct _BINDING {
    NDIS_HANDLE Handle;
    NDIS_HANDLE BindContext;
    NDIS_HANDLE UnbindContext;
    NDIS_HANDLE Pool;
    NDIS_HANDLE Timer;
    NDIS_OPEN_PARAMETERS Open;
    NDIS_MEDIUM Medium;
    UINT SelectedMedium;
    NDIS_EVENT Idle;            /* the last reference is gone */
    LONG IsFlushing;            /* whose it is sends, one list after the other */
    PNET_BUFFER_LIST Sending;   /* that one's */
    BOOLEAN IsOpen;             /* Lock protects this and the members below */
    BOOLEAN TimerIsSet;
    LONG References;            /* of those that use it, of lists, of the timer, and one while it is open */
    PNET_BUFFER_LIST Queue;
} BINDING, *PBINDING;

static NDIS_HANDLE ProtocolHandle;
static NDIS_SPIN_LOCK Lock;
static PBINDING TheBinding;     /* protected by Lock */

static PBINDING Reference(VOID)
{
    PBINDING Binding;

    NdisAcquireSpinLock(&Lock);
    Binding = TheBinding;
    if (Binding != NULL && !Binding->IsOpen) {
        Binding = NULL;
    }
    if (Binding != NULL) {
        Binding->References += 1;
    }
    NdisReleaseSpinLock(&Lock);
    return Binding;
}

static VOID Dereference(PBINDING Binding)
{
    BOOLEAN IsLast;

    NdisAcquireSpinLock(&Lock);
    Binding->References -= 1;
    IsLast = Binding->References == 0;
    NdisReleaseSpinLock(&Lock);
    if (IsLast) {
        NdisSetEvent(&Binding->Idle);
    }
}

/* Takes back what is queued. */
static VOID CancelQueue(PBINDING Binding)
{
    PNET_BUFFER_LIST Lists;
    PNET_BUFFER_LIST Next;

    NdisAcquireSpinLock(&Lock);
    Lists = Binding->Queue;
    Binding->Queue = NULL;
    NdisReleaseSpinLock(&Lock);
    for (; Lists != NULL; Lists = Next) {
        Next = NET_BUFFER_LIST_NEXT_NBL(Lists);
        NdisFreeNetBufferList(Lists);
        Dereference(Binding);
    }
}

/* Sends what is queued, if nobody else does. */
static VOID Flush(PBINDING Binding, ULONG Flags)
{
    PNET_BUFFER_LIST List;
    BOOLEAN IsEmpty = FALSE;

    while (!IsEmpty && InterlockedExchange(&Binding->IsFlushing, 1) == 0) {
        NdisAcquireSpinLock(&Lock);
        Binding->Sending = Binding->Queue;
        Binding->Queue = NULL;
        NdisReleaseSpinLock(&Lock);
        while ((List = Binding->Sending) != NULL) {
            Binding->Sending = NET_BUFFER_LIST_NEXT_NBL(List);
            NET_BUFFER_LIST_NEXT_NBL(List) = NULL;
            NdisSendNetBufferLists(Binding->Handle, List, NDIS_DEFAULT_PORT_NUMBER, Flags);
        }
        InterlockedExchange(&Binding->IsFlushing, 0);
        /* What was queued meanwhile has found it taken. */
        NdisAcquireSpinLock(&Lock);
        IsEmpty = Binding->Queue == NULL;
        NdisReleaseSpinLock(&Lock);
    }
}

static VOID TimerIsDue(PVOID First, PVOID Context, PVOID Second, PVOID Third)
{
    PBINDING Binding = (PBINDING)Context;

    UNREFERENCED_PARAMETER(First);
    UNREFERENCED_PARAMETER(Second);
    UNREFERENCED_PARAMETER(Third);
    NdisAcquireSpinLock(&Lock);
    Binding->TimerIsSet = FALSE;
    NdisReleaseSpinLock(&Lock);
    Flush(Binding, NDIS_SEND_FLAGS_DISPATCH_LEVEL);
    Dereference(Binding);
}

/* Called by scenarios: queues a list and sees that a timer is set. */
__declspec(dllexport) ULONG QueueSend(VOID)
{
    PBINDING Binding = Reference();
    PNET_BUFFER_LIST List;
    LARGE_INTEGER Due;
    BOOLEAN IsOpen;
    BOOLEAN MustSet;

    if (Binding == NULL) {
        return 0;
    }
    List = NdisAllocateNetBufferAndNetBufferList(Binding->Pool, 0, 0, NULL, 0, 0);
    if (List == NULL) {
        Dereference(Binding);
        return 0;
    }
    List->SourceHandle = Binding->Handle;
    NdisAcquireSpinLock(&Lock);
    IsOpen = Binding->IsOpen;
    MustSet = IsOpen && !Binding->TimerIsSet;
    if (IsOpen) {
        NET_BUFFER_LIST_NEXT_NBL(List) = Binding->Queue;
        Binding->Queue = List;
        Binding->References += 1;
    }
    if (MustSet) {
        Binding->TimerIsSet = TRUE;
        Binding->References += 1;
    }
    NdisReleaseSpinLock(&Lock);
    if (!IsOpen) {
        NdisFreeNetBufferList(List);
    }
    if (MustSet) {
        Due.QuadPart = DELAY;
        NdisSetTimerObject(Binding->Timer, Due, 0, Binding);
    }
    Dereference(Binding);
    return IsOpen;
}

/* Called by scenarios: sends what is queued now. */
__declspec(dllexport) VOID FlushNow(VOID)
{
    PBINDING Binding = Reference();

    if (Binding != NULL) {
        Flush(Binding, 0);
        Dereference(Binding);
    }
}

/* Called by scenarios: what is queued is not to be sent. */
__declspec(dllexport) VOID CancelNow(VOID)
{
    PBINDING Binding = Reference();

    if (Binding != NULL) {
        CancelQueue(Binding);
        Dereference(Binding);
    }
}

static VOID FreeBinding(PBINDING Binding)
{
    if (Binding->Timer != NULL) {
        NdisFreeTimerObject(Binding->Timer);
    }
    if (Binding->Pool != NULL) {
        NdisFreeNetBufferListPool(Binding->Pool);
    }
    NdisFreeMemory(Binding, 0, 0);
}

static VOID FinishBind(PBINDING Binding, NDIS_STATUS Status)
{
    NDIS_HANDLE BindContext = Binding->BindContext;

    if (Status == NDIS_STATUS_SUCCESS) {
        NdisAcquireSpinLock(&Lock);
        TheBinding = Binding;
        NdisReleaseSpinLock(&Lock);
    } else {
        FreeBinding(Binding);
    }
    NdisCompleteBindAdapterEx(BindContext, Status);
}

static VOID OpenComplete(NDIS_HANDLE Context, NDIS_STATUS Status)
{
    FinishBind((PBINDING)Context, Status);
}

static NDIS_STATUS Bind(NDIS_HANDLE DriverContext, NDIS_HANDLE BindContext, PNDIS_BIND_PARAMETERS Parameters)
{
    NET_BUFFER_LIST_POOL_PARAMETERS Pool = {{0}};
    NDIS_TIMER_CHARACTERISTICS Timer = {{0}};
    NDIS_STATUS Status;
    PBINDING Binding;

    UNREFERENCED_PARAMETER(DriverContext);
    Binding = (PBINDING)NdisAllocateMemoryWithTagPriority(ProtocolHandle, sizeof(*Binding), TAG, NormalPoolPriority);
    if (Binding == NULL) {
        return NDIS_STATUS_RESOURCES;
    }
    NdisZeroMemory(Binding, sizeof(*Binding));
    NdisInitializeEvent(&Binding->Idle);
    Binding->BindContext = BindContext;
    Pool.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    Pool.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
    Pool.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
    Pool.ProtocolId = NDIS_PROTOCOL_ID_DEFAULT;
    Pool.fAllocateNetBuffer = TRUE;
    Pool.PoolTag = TAG;
    Binding->Pool = NdisAllocateNetBufferListPool(ProtocolHandle, &Pool);
    Timer.Header.Type = NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS;
    Timer.Header.Revision = NDIS_TIMER_CHARACTERISTICS_REVISION_1;
    Timer.Header.Size = NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1;
    Timer.AllocationTag = TAG;
    Timer.TimerFunction = TimerIsDue;
    Timer.FunctionContext = Binding;
    if (NdisAllocateTimerObject(ProtocolHandle, &Timer, &Binding->Timer) != NDIS_STATUS_SUCCESS) {
        Binding->Timer = NULL;
    }
    if (Binding->Pool == NULL || Binding->Timer == NULL) {
        FreeBinding(Binding);
        return NDIS_STATUS_RESOURCES;
    }
    Binding->Medium = Parameters->MediaType;
    Binding->Open.Header.Type = NDIS_OBJECT_TYPE_OPEN_PARAMETERS;
    Binding->Open.Header.Revision = NDIS_OPEN_PARAMETERS_REVISION_1;
    Binding->Open.Header.Size = NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1;
    Binding->Open.AdapterName = Parameters->AdapterName;
    Binding->Open.MediumArray = &Binding->Medium;
    Binding->Open.MediumArraySize = 1;
    Binding->Open.SelectedMediumIndex = &Binding->SelectedMedium;
    Status = NdisOpenAdapterEx(ProtocolHandle, Binding, &Binding->Open, BindContext, &Binding->Handle);
    if (Status != NDIS_STATUS_PENDING) {
        FinishBind(Binding, Status);
    }
    return NDIS_STATUS_PENDING;
}

static VOID CloseComplete(NDIS_HANDLE Context)
{
    PBINDING Binding = (PBINDING)Context;
    NDIS_HANDLE UnbindContext = Binding->UnbindContext;

    FreeBinding(Binding);
    NdisCompleteUnbindAdapterEx(UnbindContext);
}

static NDIS_STATUS Unbind(NDIS_HANDLE UnbindContext, NDIS_HANDLE Context)
{
    PBINDING Binding = (PBINDING)Context;

    Binding->UnbindContext = UnbindContext;
    NdisAcquireSpinLock(&Lock);
    TheBinding = NULL;
    NdisReleaseSpinLock(&Lock);
    if (NdisCloseAdapterEx(Binding->Handle) != NDIS_STATUS_PENDING) {
        CloseComplete(Binding);
    }
    return NDIS_STATUS_PENDING;
}

static VOID Pause(PBINDING Binding)
{
    BOOLEAN IsCancelled;

    NdisAcquireSpinLock(&Lock);
    Binding->IsOpen = FALSE;
    NdisReleaseSpinLock(&Lock);
    CancelQueue(Binding);
    IsCancelled = NdisCancelTimerObject(Binding->Timer);
    if (IsCancelled) {
        NdisAcquireSpinLock(&Lock);
        Binding->TimerIsSet = FALSE;
        NdisReleaseSpinLock(&Lock);
        Dereference(Binding);
    }
    Dereference(Binding);
    NdisWaitEvent(&Binding->Idle, 0);
    /* The callback of the timer may have said that it is over, and not returned. */
    KeFlushQueuedDpcs();
}

static NDIS_STATUS NetPnPEvent(NDIS_HANDLE Context, PNET_PNP_EVENT_NOTIFICATION Event)
{
    PBINDING Binding = (PBINDING)Context;

    if (Event->NetPnPEvent.NetEvent == NetEventRestart) {
        NdisResetEvent(&Binding->Idle);
        NdisAcquireSpinLock(&Lock);
        Binding->References = 1;
        Binding->IsOpen = TRUE;
        NdisReleaseSpinLock(&Lock);
    }
    if (Event->NetPnPEvent.NetEvent == NetEventPause) {
        Pause(Binding);
    }
    return NDIS_STATUS_SUCCESS;
}

static VOID SendComplete(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, ULONG Flags)
{
    PNET_BUFFER_LIST Next;

    UNREFERENCED_PARAMETER(Flags);
    for (; Lists != NULL; Lists = Next) {
        Next = NET_BUFFER_LIST_NEXT_NBL(Lists);
        NdisFreeNetBufferList(Lists);
        Dereference((PBINDING)Context);
    }
}

static VOID OidComplete(NDIS_HANDLE Context, PNDIS_OID_REQUEST Request, NDIS_STATUS Status)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Request);
    UNREFERENCED_PARAMETER(Status);
}

static VOID Status(NDIS_HANDLE Context, PNDIS_STATUS_INDICATION Indication)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Indication);
}

static VOID Receive(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, NDIS_PORT_NUMBER Port, ULONG Count, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Port);
    UNREFERENCED_PARAMETER(Count);
    if (!NDIS_TEST_RECEIVE_CANNOT_PEND(Flags)) {
        NdisReturnNetBufferLists(((PBINDING)Context)->Handle, Lists, 0);
    }
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    NdisDeregisterProtocolDriver(ProtocolHandle);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NDIS_PROTOCOL_DRIVER_CHARACTERISTICS Protocol = {{0}};

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    NdisAllocateSpinLock(&Lock);
    Protocol.Header.Type = NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS;
    Protocol.Header.Revision = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1;
    Protocol.Header.Size = NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1;
    Protocol.MajorNdisVersion = 6;
    NdisInitUnicodeString(&Protocol.Name, L"QUEUEING");
    Protocol.BindAdapterHandlerEx = Bind;
    Protocol.UnbindAdapterHandlerEx = Unbind;
    Protocol.OpenAdapterCompleteHandlerEx = OpenComplete;
    Protocol.CloseAdapterCompleteHandlerEx = CloseComplete;
    Protocol.NetPnPEventHandler = NetPnPEvent;
    Protocol.OidRequestCompleteHandler = OidComplete;
    Protocol.StatusHandlerEx = Status;
    Protocol.ReceiveNetBufferListsHandler = Receive;
    Protocol.SendNetBufferListsCompleteHandler = SendComplete;
    return NdisRegisterProtocolDriver(NULL, &Protocol, &ProtocolHandle);
}
