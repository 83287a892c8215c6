/*
 * A protocol that binds and unbinds with everything pending: it handles NDIS_STATUS_PENDING from NdisOpenAdapterEx, NdisOidRequest and
 * NdisCloseAdapterEx, and answers NDIS_STATUS_PENDING itself to bind, pause and unbind.
 *
 * The sequence that it shows is the one of the page "Unbinding from an Adapter":
 *
 *   NetEventPause               the last send comes back, then the event is completed
 *   ProtocolUnbindAdapterEx     clears the packet filter, closes the adapter, answers PENDING
 *   ProtocolCloseAdapterCompleteEx
 *                               releases what belongs to the binding, completes the unbind
 *
 * Build with -DFORGET_COMPLETE for the planted mistake: when the close pends, the unbind is never completed.
 */
#include <ndis.h>

#define TAG 'xEdP'
#define FRAME_BYTES 64

typedef struct _BINDING {
    NDIS_HANDLE Handle;             /* written by NdisOpenAdapterEx, which may pend: it must outlive the bind callback */
    NDIS_HANDLE BindContext;
    NDIS_HANDLE UnbindContext;
    NDIS_HANDLE Pool;
    NDIS_OPEN_PARAMETERS Open;
    NDIS_MEDIUM Medium;
    UINT SelectedMedium;
    NDIS_EVENT Ready;               /* an operation that pended is complete */
    NDIS_STATUS Status;
    NDIS_SPIN_LOCK Lock;            /* protects the members below */
    BOOLEAN IsRunning;
    LONG Sends;                     /* sent and not completed */
    PNET_PNP_EVENT_NOTIFICATION Pause;  /* a pause that waits for the sends */
    PIO_WORKITEM PauseWork;         /* completes it: sends complete at up to DISPATCH_LEVEL, an event is completed at PASSIVE_LEVEL */
    ULONG PacketFilter;
    NDIS_OID_REQUEST Request;
    EX_RUNDOWN_REF Users;           /* threads of our own that use the binding: it is not closed under them */
} BINDING, *PBINDING;

static NDIS_HANDLE ProtocolHandle;
static PDRIVER_OBJECT TheDriver;       /* whose the work items are: NdisAllocateIoWorkItem is not for protocols */
static NDIS_SPIN_LOCK TheLock;         /* protects TheBinding */
static PBINDING TheBinding;

static NDIS_STATUS SetPacketFilter(PBINDING Binding, ULONG Filter)
{
    NDIS_STATUS Status;

    Binding->PacketFilter = Filter;
    NdisZeroMemory(&Binding->Request, sizeof(Binding->Request));
    Binding->Request.Header.Type = NDIS_OBJECT_TYPE_OID_REQUEST;
    Binding->Request.Header.Revision = NDIS_OID_REQUEST_REVISION_1;
    Binding->Request.Header.Size = NDIS_SIZEOF_OID_REQUEST_REVISION_1;
    Binding->Request.RequestType = NdisRequestSetInformation;
    Binding->Request.DATA.SET_INFORMATION.Oid = OID_GEN_CURRENT_PACKET_FILTER;
    Binding->Request.DATA.SET_INFORMATION.InformationBuffer = &Binding->PacketFilter;
    Binding->Request.DATA.SET_INFORMATION.InformationBufferLength = sizeof(Binding->PacketFilter);

    NdisInitializeEvent(&Binding->Ready);
    Status = NdisOidRequest(Binding->Handle, &Binding->Request);
    if (Status == NDIS_STATUS_PENDING) {
        NdisWaitEvent(&Binding->Ready, 0);
        Status = Binding->Status;
    }
    return Status;
}

static VOID OidRequestComplete(NDIS_HANDLE Context, PNDIS_OID_REQUEST Request, NDIS_STATUS Status)
{
    PBINDING Binding = (PBINDING)Context;

    UNREFERENCED_PARAMETER(Request);
    Binding->Status = Status;
    NdisSetEvent(&Binding->Ready);
}

static VOID FreeBinding(PBINDING Binding)
{
    if (Binding->PauseWork != NULL) {
        IoFreeWorkItem(Binding->PauseWork);
    }
    if (Binding->Pool != NULL) {
        NdisFreeNetBufferListPool(Binding->Pool);
    }
    NdisFreeSpinLock(&Binding->Lock);
    NdisFreeMemory(Binding, 0, 0);
}

/* The open is complete: finish the bind, which pended. */
static VOID FinishBind(PBINDING Binding, NDIS_STATUS Status)
{
    NDIS_HANDLE BindContext = Binding->BindContext;

    if (Status != NDIS_STATUS_SUCCESS) {
        FreeBinding(Binding);
    } else {
        NdisAcquireSpinLock(&TheLock);
        TheBinding = Binding;
        NdisReleaseSpinLock(&TheLock);
    }
    NdisCompleteBindAdapterEx(BindContext, Status);
}

static VOID OpenAdapterCompleteEx(NDIS_HANDLE Context, NDIS_STATUS Status)
{
    FinishBind((PBINDING)Context, Status);
}

static NDIS_STATUS BindAdapterEx(NDIS_HANDLE DriverContext, NDIS_HANDLE BindContext, PNDIS_BIND_PARAMETERS Parameters)
{
    NET_BUFFER_LIST_POOL_PARAMETERS Pool;
    NDIS_STATUS Status;
    PBINDING Binding;

    UNREFERENCED_PARAMETER(DriverContext);
    Binding = (PBINDING)NdisAllocateMemoryWithTagPriority(ProtocolHandle, sizeof(*Binding), TAG, NormalPoolPriority);
    if (Binding == NULL) {
        return NDIS_STATUS_RESOURCES;
    }
    NdisZeroMemory(Binding, sizeof(*Binding));
    NdisAllocateSpinLock(&Binding->Lock);
    NdisInitializeEvent(&Binding->Ready);
    ExInitializeRundownProtection(&Binding->Users);
    Binding->BindContext = BindContext;

    NdisZeroMemory(&Pool, sizeof(Pool));
    Pool.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    Pool.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
    Pool.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
    Pool.ProtocolId = NDIS_PROTOCOL_ID_DEFAULT;
    Pool.fAllocateNetBuffer = TRUE;
    Pool.PoolTag = TAG;
    Binding->Pool = NdisAllocateNetBufferListPool(ProtocolHandle, &Pool);
    Binding->PauseWork = IoAllocateWorkItem((PDEVICE_OBJECT)TheDriver);
    if (Binding->Pool == NULL || Binding->PauseWork == NULL) {
        FreeBinding(Binding);
        return NDIS_STATUS_RESOURCES;
    }

    Binding->Medium = NdisMedium802_3;
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

/* Everything of the binding is closed: release it, then complete the unbind, after which nothing may be touched. */
static VOID FinishUnbind(PBINDING Binding)
{
    NDIS_HANDLE UnbindContext = Binding->UnbindContext;

    FreeBinding(Binding);
    NdisCompleteUnbindAdapterEx(UnbindContext);
}

static VOID CloseAdapterCompleteEx(NDIS_HANDLE Context)
{
#ifdef FORGET_COMPLETE
    FreeBinding((PBINDING)Context);     /* the mistake: nobody calls NdisCompleteUnbindAdapterEx */
#else
    FinishUnbind((PBINDING)Context);
#endif
}

static NDIS_STATUS UnbindAdapterEx(NDIS_HANDLE UnbindContext, NDIS_HANDLE Context)
{
    PBINDING Binding = (PBINDING)Context;
    NDIS_STATUS Status;

    NdisAcquireSpinLock(&TheLock);
    TheBinding = NULL;
    NdisReleaseSpinLock(&TheLock);
    ExWaitForRundownProtectionRelease(&Binding->Users);
    Binding->UnbindContext = UnbindContext;
    SetPacketFilter(Binding, 0);
    Status = NdisCloseAdapterEx(Binding->Handle);
    if (Status != NDIS_STATUS_PENDING) {
        FinishUnbind(Binding);
    }
    return NDIS_STATUS_PENDING;
}

static NDIS_STATUS NetPnPEvent(NDIS_HANDLE Context, PNET_PNP_EVENT_NOTIFICATION Event)
{
    PBINDING Binding = (PBINDING)Context;
    BOOLEAN MustWait;

    switch (Event->NetPnPEvent.NetEvent) {
    case NetEventRestart:
        SetPacketFilter(Binding, NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_BROADCAST);
        NdisAcquireSpinLock(&Binding->Lock);
        Binding->IsRunning = TRUE;
        NdisReleaseSpinLock(&Binding->Lock);
        return NDIS_STATUS_SUCCESS;

    case NetEventPause:
        NdisAcquireSpinLock(&Binding->Lock);
        Binding->IsRunning = FALSE;
        MustWait = Binding->Sends > 0;
        if (MustWait) {
            Binding->Pause = Event;
        }
        NdisReleaseSpinLock(&Binding->Lock);
        return MustWait ? NDIS_STATUS_PENDING : NDIS_STATUS_SUCCESS;

    default:
        return NDIS_STATUS_SUCCESS;
    }
}

static VOID FreeFrame(PNET_BUFFER_LIST List)
{
    PMDL Mdl = NET_BUFFER_FIRST_MDL(NET_BUFFER_LIST_FIRST_NB(List));
    PVOID Data = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);

    NdisFreeMdl(Mdl);
    NdisFreeMemory(Data, 0, 0);
    NdisFreeNetBufferList(List);
}

static VOID CompletePause(PVOID IoObject, PVOID Context, PIO_WORKITEM WorkItem)
{
    PBINDING Binding = (PBINDING)Context;
    PNET_PNP_EVENT_NOTIFICATION Pause = Binding->Pause;

    UNREFERENCED_PARAMETER(IoObject);
    UNREFERENCED_PARAMETER(WorkItem);
    Binding->Pause = NULL;
    NdisCompleteNetPnPEvent(Binding->Handle, Pause, NDIS_STATUS_SUCCESS);
}

static VOID SendComplete(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, ULONG Flags)
{
    PBINDING Binding = (PBINDING)Context;
    PNET_BUFFER_LIST Next;
    BOOLEAN PauseIsOver;
    LONG Count = 0;

    UNREFERENCED_PARAMETER(Flags);
    while (Lists != NULL) {
        Next = NET_BUFFER_LIST_NEXT_NBL(Lists);
        NET_BUFFER_LIST_NEXT_NBL(Lists) = NULL;
        FreeFrame(Lists);
        Count += 1;
        Lists = Next;
    }
    NdisAcquireSpinLock(&Binding->Lock);
    Binding->Sends -= Count;
    PauseIsOver = Binding->Sends == 0 && Binding->Pause != NULL;
    NdisReleaseSpinLock(&Binding->Lock);
    if (PauseIsOver) {
        IoQueueWorkItemEx(Binding->PauseWork, CompletePause, DelayedWorkQueue, Binding);
    }
}

static VOID ReceiveNetBufferLists(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, NDIS_PORT_NUMBER Port, ULONG Count, ULONG Flags)
{
    PBINDING Binding = (PBINDING)Context;
    ULONG ReturnFlags = 0;

    UNREFERENCED_PARAMETER(Port);
    UNREFERENCED_PARAMETER(Count);
    if (NDIS_TEST_RECEIVE_CANNOT_PEND(Flags)) {
        return;
    }
    if (NDIS_TEST_RECEIVE_AT_DISPATCH_LEVEL(Flags)) {
        NDIS_SET_RETURN_FLAG(ReturnFlags, NDIS_RETURN_FLAGS_DISPATCH_LEVEL);
    }
    NdisReturnNetBufferLists(Binding->Handle, Lists, ReturnFlags);
}

static VOID StatusEx(NDIS_HANDLE Context, PNDIS_STATUS_INDICATION Indication)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Indication);
}

static BOOLEAN SendFrame(PBINDING Binding)
{
    PNET_BUFFER_LIST List = NULL;
    PVOID Data;
    PMDL Mdl = NULL;
    BOOLEAN MaySend;

    Data = NdisAllocateMemoryWithTagPriority(ProtocolHandle, FRAME_BYTES, TAG, NormalPoolPriority);
    if (Data != NULL) {
        NdisZeroMemory(Data, FRAME_BYTES);
        Mdl = NdisAllocateMdl(ProtocolHandle, Data, FRAME_BYTES);
    }
    if (Mdl != NULL) {
        List = NdisAllocateNetBufferAndNetBufferList(Binding->Pool, 0, 0, Mdl, 0, FRAME_BYTES);
    }
    if (List == NULL) {
        if (Mdl != NULL) {
            NdisFreeMdl(Mdl);
        }
        if (Data != NULL) {
            NdisFreeMemory(Data, 0, 0);
        }
        return FALSE;
    }
    NdisAcquireSpinLock(&Binding->Lock);
    MaySend = Binding->IsRunning;
    if (MaySend) {
        Binding->Sends += 1;
    }
    NdisReleaseSpinLock(&Binding->Lock);
    if (!MaySend) {
        FreeFrame(List);
        return FALSE;
    }
    List->SourceHandle = Binding->Handle;
    NdisSendNetBufferLists(Binding->Handle, List, NDIS_DEFAULT_PORT_NUMBER, 0);
    return TRUE;
}

/* The binding, for a thread that NDIS does not know: until it gives it back with ExReleaseRundownProtection, the binding is not closed. */
static PBINDING UseBinding(VOID)
{
    PBINDING Binding;

    NdisAcquireSpinLock(&TheLock);
    Binding = TheBinding;
    if (Binding != NULL && !ExAcquireRundownProtection(&Binding->Users)) {
        Binding = NULL;
    }
    NdisReleaseSpinLock(&TheLock);
    return Binding;
}

/* Called by the scenario, on a thread of its own: sends some frames while the binding runs. */
__declspec(dllexport) ULONG Exercise(VOID)
{
    PBINDING Binding = UseBinding();
    ULONG Sent = 0;

    if (Binding == NULL) {
        return 0;
    }
    while (Sent < 3 && SendFrame(Binding)) {
        Sent += 1;
    }
    ExReleaseRundownProtection(&Binding->Users);
    return Sent;
}

static VOID Leave(PVOID IoObject, PVOID Context, PIO_WORKITEM WorkItem)
{
    UNREFERENCED_PARAMETER(IoObject);
    IoFreeWorkItem(WorkItem);
    NdisUnbindAdapter((NDIS_HANDLE)Context);
}

/* Called by the scenario: the protocol has NDIS unbind it. In a work item, since NDIS may call the unbind handler before the call returns. */
__declspec(dllexport) ULONG UnbindItself(VOID)
{
    PBINDING Binding = UseBinding();
    PIO_WORKITEM Item = Binding == NULL ? NULL : IoAllocateWorkItem((PDEVICE_OBJECT)TheDriver);

    if (Item != NULL) {
        IoQueueWorkItemEx(Item, Leave, DelayedWorkQueue, Binding->Handle);
    }
    if (Binding != NULL) {
        ExReleaseRundownProtection(&Binding->Users);
    }
    return Item != NULL;
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    NdisDeregisterProtocolDriver(ProtocolHandle);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NDIS_PROTOCOL_DRIVER_CHARACTERISTICS Protocol;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    TheDriver = DriverObject;
    NdisAllocateSpinLock(&TheLock);
    NdisZeroMemory(&Protocol, sizeof(Protocol));
    Protocol.Header.Type = NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS;
    Protocol.Header.Revision = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1;
    Protocol.Header.Size = NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1;
    Protocol.MajorNdisVersion = 6;
    Protocol.MinorNdisVersion = 0;
    NdisInitUnicodeString(&Protocol.Name, L"PENDING");
    Protocol.BindAdapterHandlerEx = BindAdapterEx;
    Protocol.UnbindAdapterHandlerEx = UnbindAdapterEx;
    Protocol.OpenAdapterCompleteHandlerEx = OpenAdapterCompleteEx;
    Protocol.CloseAdapterCompleteHandlerEx = CloseAdapterCompleteEx;
    Protocol.NetPnPEventHandler = NetPnPEvent;
    Protocol.OidRequestCompleteHandler = OidRequestComplete;
    Protocol.StatusHandlerEx = StatusEx;
    Protocol.ReceiveNetBufferListsHandler = ReceiveNetBufferLists;
    Protocol.SendNetBufferListsCompleteHandler = SendComplete;
    return NdisRegisterProtocolDriver(NULL, &Protocol, &ProtocolHandle);
}
