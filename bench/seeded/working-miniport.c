/*
 * A miniport that does everything in one work item: it completes sends and OID requests there, and a request may be cancelled before. For the measure
 * of seeded defects: this one is right.
 */
#include "../../test/c-drivers/idle-miniport.h"

#define TAG 'weeS'

typedef struct _ADAPTER {
    NDIS_HANDLE Handle;
    NDIS_HANDLE Work;
    NDIS_EVENT Idle;            /* the work item is neither queued nor running */
    NDIS_SPIN_LOCK Lock;        /* protects the members below */
    BOOLEAN IsRunning;
    BOOLEAN IsBusy;             /* the work item is queued or running */
    BOOLEAN PauseIsPending;
    LONG Sends;                 /* not completed */
    PNET_BUFFER_LIST Queue;
    PNDIS_OID_REQUEST Request;
    ULONG PacketFilter;
} ADAPTER, *PADAPTER;

static VOID FreeAdapter(PADAPTER Adapter)
{
    if (Adapter->Work != NULL) {
        NdisFreeIoWorkItem(Adapter->Work);
    }
    NdisFreeSpinLock(&Adapter->Lock);
    NdisFreeMemory(Adapter, 0, 0);
}

static NDIS_STATUS AnswerOid(PADAPTER Adapter, PNDIS_OID_REQUEST Request)
{
    if (Request->RequestType != NdisRequestSetInformation) {
        return NDIS_STATUS_NOT_SUPPORTED;
    }
    if (Request->DATA.SET_INFORMATION.Oid == OID_GEN_CURRENT_PACKET_FILTER) {
        if (Request->DATA.SET_INFORMATION.InformationBufferLength < sizeof(ULONG)) {
            Request->DATA.SET_INFORMATION.BytesNeeded = sizeof(ULONG);
            return NDIS_STATUS_INVALID_LENGTH;
        }
        Adapter->PacketFilter = *(PULONG)Request->DATA.SET_INFORMATION.InformationBuffer;
    } else if (Request->DATA.SET_INFORMATION.Oid != OID_GEN_CURRENT_LOOKAHEAD) {
        return NDIS_STATUS_NOT_SUPPORTED;
    }
    Request->DATA.SET_INFORMATION.BytesRead = sizeof(ULONG);
    return NDIS_STATUS_SUCCESS;
}

static VOID CompleteLists(PADAPTER Adapter, PNET_BUFFER_LIST Lists, NDIS_STATUS Status, ULONG Flags)
{
    PNET_BUFFER_LIST List;

    for (List = Lists; List != NULL; List = NET_BUFFER_LIST_NEXT_NBL(List)) {
        NET_BUFFER_LIST_STATUS(List) = Status;
    }
    NdisMSendNetBufferListsComplete(Adapter->Handle, Lists, Flags);
}

/* So many sends are complete; a pause may have waited for the last. */
static VOID Completed(PADAPTER Adapter, LONG Count)
{
    BOOLEAN PauseIsOver;

    NdisAcquireSpinLock(&Adapter->Lock);
    Adapter->Sends -= Count;
    PauseIsOver = Adapter->PauseIsPending && Adapter->Sends == 0;
    if (PauseIsOver) {
        Adapter->PauseIsPending = FALSE;
    }
    NdisReleaseSpinLock(&Adapter->Lock);
    if (PauseIsOver) {
        NdisMPauseComplete(Adapter->Handle);
    }
}

static LONG CountOf(PNET_BUFFER_LIST Lists)
{
    LONG Count = 0;

    for (; Lists != NULL; Lists = NET_BUFFER_LIST_NEXT_NBL(Lists)) {
        Count += 1;
    }
    return Count;
}

static VOID Work(PVOID Context, NDIS_HANDLE Item)
{
    PADAPTER Adapter = (PADAPTER)Context;
    PNDIS_OID_REQUEST Request;
    PNET_BUFFER_LIST Lists;
    BOOLEAN IsDone = FALSE;
    LONG Count;

    UNREFERENCED_PARAMETER(Item);
    while (!IsDone) {
        NdisAcquireSpinLock(&Adapter->Lock);
        Request = Adapter->Request;
        Adapter->Request = NULL;
        Lists = Adapter->Queue;
        Adapter->Queue = NULL;
        IsDone = Request == NULL && Lists == NULL;
        if (IsDone) {
            Adapter->IsBusy = FALSE;
            NdisSetEvent(&Adapter->Idle);
        }
        NdisReleaseSpinLock(&Adapter->Lock);
        if (Request != NULL) {
            NdisMOidRequestComplete(Adapter->Handle, Request, AnswerOid(Adapter, Request));
        }
        if (Lists != NULL) {
            Count = CountOf(Lists);
            CompleteLists(Adapter, Lists, NDIS_STATUS_SUCCESS, 0);
            Completed(Adapter, Count);
        }
    }
}

/* There is something to do. The lock is held; whether the work item has to be queued. */
static BOOLEAN Begin(PADAPTER Adapter)
{
    if (Adapter->IsBusy) {
        return FALSE;
    }
    Adapter->IsBusy = TRUE;
    NdisResetEvent(&Adapter->Idle);
    return TRUE;
}

static VOID Send(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, NDIS_PORT_NUMBER Port, ULONG Flags)
{
    PADAPTER Adapter = (PADAPTER)Context;
    PNET_BUFFER_LIST *Last;
    BOOLEAN IsRunning;
    BOOLEAN MustQueue = FALSE;

    UNREFERENCED_PARAMETER(Port);
    NdisAcquireSpinLock(&Adapter->Lock);
    IsRunning = Adapter->IsRunning;
    if (IsRunning) {
        Adapter->Sends += CountOf(Lists);
        for (Last = &Adapter->Queue; *Last != NULL; Last = &NET_BUFFER_LIST_NEXT_NBL(*Last)) {
        }
        *Last = Lists;
        MustQueue = Begin(Adapter);
    }
    NdisReleaseSpinLock(&Adapter->Lock);
    if (MustQueue) {
        NdisQueueIoWorkItem(Adapter->Work, Work, Adapter);
    }
    if (!IsRunning) {
        CompleteLists(
            Adapter, Lists, NDIS_STATUS_PAUSED, NDIS_TEST_SEND_AT_DISPATCH_LEVEL(Flags) ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL : 0);
    }
}

static NDIS_STATUS OidRequest(NDIS_HANDLE Context, PNDIS_OID_REQUEST Request)
{
    PADAPTER Adapter = (PADAPTER)Context;
    BOOLEAN MustQueue;

    NdisAcquireSpinLock(&Adapter->Lock);
    Adapter->Request = Request;
    MustQueue = Begin(Adapter);
    NdisReleaseSpinLock(&Adapter->Lock);
    if (MustQueue) {
        NdisQueueIoWorkItem(Adapter->Work, Work, Adapter);
    }
    return NDIS_STATUS_PENDING;
}

static VOID CancelOidRequest(NDIS_HANDLE Context, PVOID RequestId)
{
    PADAPTER Adapter = (PADAPTER)Context;
    PNDIS_OID_REQUEST Request;

    NdisAcquireSpinLock(&Adapter->Lock);
    Request = Adapter->Request;
    if (Request != NULL && Request->RequestId == RequestId) {
        Adapter->Request = NULL;
    } else {
        Request = NULL;
    }
    NdisReleaseSpinLock(&Adapter->Lock);
    if (Request != NULL) {
        NdisMOidRequestComplete(Adapter->Handle, Request, NDIS_STATUS_REQUEST_ABORTED);
    }
}

static NDIS_STATUS Restart(NDIS_HANDLE Context, PNDIS_MINIPORT_RESTART_PARAMETERS Parameters)
{
    PADAPTER Adapter = (PADAPTER)Context;

    UNREFERENCED_PARAMETER(Parameters);
    NdisAcquireSpinLock(&Adapter->Lock);
    Adapter->IsRunning = TRUE;
    NdisReleaseSpinLock(&Adapter->Lock);
    return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS Pause(NDIS_HANDLE Context, PNDIS_MINIPORT_PAUSE_PARAMETERS Parameters)
{
    PADAPTER Adapter = (PADAPTER)Context;
    BOOLEAN MustWait;

    UNREFERENCED_PARAMETER(Parameters);
    NdisAcquireSpinLock(&Adapter->Lock);
    Adapter->IsRunning = FALSE;
    MustWait = Adapter->Sends > 0;
    Adapter->PauseIsPending = MustWait;
    NdisReleaseSpinLock(&Adapter->Lock);
    return MustWait ? NDIS_STATUS_PENDING : NDIS_STATUS_SUCCESS;
}

static VOID Halt(NDIS_HANDLE Context, NDIS_HALT_ACTION Action)
{
    PADAPTER Adapter = (PADAPTER)Context;

    UNREFERENCED_PARAMETER(Action);
    NdisWaitEvent(&Adapter->Idle, 0);
    /* Who has set the event holds the lock. */
    NdisAcquireSpinLock(&Adapter->Lock);
    NdisReleaseSpinLock(&Adapter->Lock);
    FreeAdapter(Adapter);
}

static NDIS_STATUS SetAttributes(PADAPTER Adapter)
{
    static NDIS_OID Oids[] = {OID_GEN_CURRENT_PACKET_FILTER, OID_GEN_CURRENT_LOOKAHEAD};
    NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES General = {{0}};
    NDIS_STATUS Status = SetRegistrationAttributes(Adapter->Handle, Adapter, 0);

    if (Status != NDIS_STATUS_SUCCESS) {
        return Status;
    }
    General.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES;
    General.Header.Revision = NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1;
    General.Header.Size = NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1;
    General.MediaType = NdisMedium802_3;
    General.MtuSize = 1500;
    General.LookaheadSize = 1500;
    General.MaxXmitLinkSpeed = General.XmitLinkSpeed = General.MaxRcvLinkSpeed = General.RcvLinkSpeed = 1000000000;
    General.MediaConnectState = MediaConnectStateConnected;
    General.MediaDuplexState = MediaDuplexStateFull;
    General.MacAddressLength = 6;
    General.SupportedPacketFilters = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_BROADCAST;
    General.AccessType = NET_IF_ACCESS_BROADCAST;
    General.DirectionType = NET_IF_DIRECTION_SENDRECEIVE;
    General.ConnectionType = NET_IF_CONNECTION_DEDICATED;
    General.SupportedOidList = Oids;
    General.SupportedOidListLength = sizeof(Oids);
    return NdisMSetMiniportAttributes(Adapter->Handle, (PNDIS_MINIPORT_ADAPTER_ATTRIBUTES)&General);
}

static NDIS_STATUS Initialize(NDIS_HANDLE Handle, NDIS_HANDLE Context, PNDIS_MINIPORT_INIT_PARAMETERS Parameters)
{
    NDIS_STATUS Status = NDIS_STATUS_RESOURCES;
    PADAPTER Adapter;

    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Parameters);
    Adapter = (PADAPTER)NdisAllocateMemoryWithTagPriority(Handle, sizeof(*Adapter), TAG, NormalPoolPriority);
    if (Adapter == NULL) {
        return NDIS_STATUS_RESOURCES;
    }
    NdisZeroMemory(Adapter, sizeof(*Adapter));
    NdisAllocateSpinLock(&Adapter->Lock);
    NdisInitializeEvent(&Adapter->Idle);
    NdisSetEvent(&Adapter->Idle);
    Adapter->Handle = Handle;
    Adapter->Work = NdisAllocateIoWorkItem(Handle);
    if (Adapter->Work != NULL) {
        Status = SetAttributes(Adapter);
    }
    if (Status != NDIS_STATUS_SUCCESS) {
        FreeAdapter(Adapter);
    }
    return Status;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS Miniport = IdleMiniport;

    Miniport.InitializeHandlerEx = Initialize;
    Miniport.HaltHandlerEx = Halt;
    Miniport.PauseHandler = Pause;
    Miniport.RestartHandler = Restart;
    Miniport.SendNetBufferListsHandler = Send;
    Miniport.OidRequestHandler = OidRequest;
    Miniport.CancelOidRequestHandler = CancelOidRequest;
    return NdisMRegisterMiniportDriver(DriverObject, RegistryPath, NULL, &Miniport, &TheMiniport);
}
