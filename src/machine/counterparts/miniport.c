/*
 * The stock counterpart of a protocol: a miniport that loops sends back and answers everything now or later, as the run chooses.
 *
 * Scenarios call Inject to have frames received.
 */
#include "counterpart.h"

#define FRAME_BYTES 64
/* Where the data of a split frame goes on in a second MDL. */
#define HEADER_BYTES 14

typedef struct _ADAPTER {
    NDIS_HANDLE Handle;
    NDIS_HANDLE Pool;
    NDIS_SPIN_LOCK Lock;            /* protects the members below */
    BOOLEAN IsRunning;
    BOOLEAN PauseIsPending;
    LONG Outstanding;               /* receives not returned and sends not completed */
    ULONG PacketFilter;
    BOOLEAN HoldsSends;             /* a scenario wants sends to stay until they are cancelled or let go */
    PNET_BUFFER_LIST Held;
} ADAPTER, *PADAPTER;

typedef struct _PENDING_SEND {
    PADAPTER Adapter;
    PNET_BUFFER_LIST Lists;
} PENDING_SEND, *PPENDING_SEND;

typedef struct _PENDING_OID {
    PADAPTER Adapter;
    PNDIS_OID_REQUEST Request;
} PENDING_OID, *PPENDING_OID;

static NDIS_HANDLE MiniportDriverHandle;
static PADAPTER TheAdapter;
/* Adapters that are initialized from now on activate their default port themselves, when a scenario says so. */
static BOOLEAN ControlsDefaultPort;
/* They can sleep; else NDIS halts them for that time. */
static BOOLEAN ManagesPower;

static PVOID Allocate(PADAPTER Adapter, ULONG Bytes)
{
    return NdisAllocateMemoryWithTagPriority(Adapter->Handle, Bytes, COUNTERPART_TAG, NormalPoolPriority);
}

static VOID FreeAdapter(PADAPTER Adapter)
{
    TheAdapter = NULL;
    if (Adapter->Pool != NULL) {
        NdisFreeNetBufferListPool(Adapter->Pool);
    }
    NdisFreeMemory(Adapter, 0, 0);
}

static NDIS_STATUS SetAttributes(PADAPTER Adapter)
{
    static const UCHAR Address[6] = {0x02, 0x00, 0x5E, 0x00, 0x00, 0xFF};
    static NDIS_PNP_CAPABILITIES Power = {0, {NdisDeviceStateD2, NdisDeviceStateD2, NdisDeviceStateD2}};
    static NDIS_OID Oids[] = {OID_PNP_SET_POWER, OID_GEN_CURRENT_PACKET_FILTER, OID_GEN_CURRENT_LOOKAHEAD, OID_802_3_MULTICAST_LIST};
    NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES Registration;
    NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES General;

    NdisZeroMemory(&Registration, sizeof(Registration));
    Registration.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES;
    Registration.Header.Revision = NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1;
    Registration.Header.Size = NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1;
    Registration.MiniportAdapterContext = Adapter;
    Registration.InterfaceType = NdisInterfaceInternal;
    Registration.AttributeFlags = ControlsDefaultPort ? NDIS_MINIPORT_ATTRIBUTES_CONTROLS_DEFAULT_PORT : 0;
    NdisMSetMiniportAttributes(Adapter->Handle, (PNDIS_MINIPORT_ADAPTER_ATTRIBUTES)&Registration);

    NdisZeroMemory(&General, sizeof(General));
    General.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES;
    General.Header.Revision = NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1;
    General.Header.Size = NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1;
    General.MediaType = NdisMedium802_3;
    General.MtuSize = 1500;
    General.LookaheadSize = 1500;
    General.MaxXmitLinkSpeed = General.XmitLinkSpeed = General.MaxRcvLinkSpeed = General.RcvLinkSpeed = 1000000000;
    General.MediaConnectState = MediaConnectStateConnected;
    General.MediaDuplexState = MediaDuplexStateFull;
    General.MaxMulticastListSize = 32;
    General.MacAddressLength = 6;
    NdisMoveMemory(General.PermanentMacAddress, Address, sizeof(Address));
    NdisMoveMemory(General.CurrentMacAddress, Address, sizeof(Address));
    General.SupportedPacketFilters = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST | NDIS_PACKET_TYPE_BROADCAST;
    General.PowerManagementCapabilities = ManagesPower ? &Power : NULL;
    General.AccessType = NET_IF_ACCESS_BROADCAST;
    General.DirectionType = NET_IF_DIRECTION_SENDRECEIVE;
    General.ConnectionType = NET_IF_CONNECTION_DEDICATED;
    General.SupportedOidList = Oids;
    General.SupportedOidListLength = sizeof(Oids);
    return NdisMSetMiniportAttributes(Adapter->Handle, (PNDIS_MINIPORT_ADAPTER_ATTRIBUTES)&General);
}

static NDIS_STATUS InitializeEx(NDIS_HANDLE Handle, NDIS_HANDLE DriverContext, PNDIS_MINIPORT_INIT_PARAMETERS Parameters)
{
    NET_BUFFER_LIST_POOL_PARAMETERS Pool;
    PADAPTER Adapter;

    UNREFERENCED_PARAMETER(DriverContext);
    UNREFERENCED_PARAMETER(Parameters);
    Adapter = (PADAPTER)NdisAllocateMemoryWithTagPriority(Handle, sizeof(*Adapter), COUNTERPART_TAG, NormalPoolPriority);
    if (Adapter == NULL) {
        return NDIS_STATUS_RESOURCES;
    }
    NdisZeroMemory(Adapter, sizeof(*Adapter));
    NdisAllocateSpinLock(&Adapter->Lock);
    Adapter->Handle = Handle;
    SetAttributes(Adapter);
    NdisZeroMemory(&Pool, sizeof(Pool));
    Pool.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    Pool.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
    Pool.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
    Pool.fAllocateNetBuffer = TRUE;
    Pool.PoolTag = COUNTERPART_TAG;
    Adapter->Pool = NdisAllocateNetBufferListPool(Handle, &Pool);
    TheAdapter = Adapter;
    return NDIS_STATUS_SUCCESS;
}

static VOID HaltEx(NDIS_HANDLE Context, NDIS_HALT_ACTION Action)
{
    UNREFERENCED_PARAMETER(Action);
    FreeAdapter((PADAPTER)Context);
}

static VOID FinishRestart(PVOID Context)
{
    PADAPTER Adapter = (PADAPTER)Context;

    NdisAcquireSpinLock(&Adapter->Lock);
    Adapter->IsRunning = TRUE;
    NdisReleaseSpinLock(&Adapter->Lock);
}

static VOID RestartLater(PVOID Context)
{
    FinishRestart(Context);
    NdisMRestartComplete(((PADAPTER)Context)->Handle, NDIS_STATUS_SUCCESS);
}

static NDIS_STATUS Restart(NDIS_HANDLE Context, PNDIS_MINIPORT_RESTART_PARAMETERS Parameters)
{
    UNREFERENCED_PARAMETER(Parameters);
    if (NdislabChoose(2, "MiniportRestart pends") == 1) {
        DoLater(((PADAPTER)Context)->Handle, RestartLater, Context);
        return NDIS_STATUS_PENDING;
    }
    FinishRestart(Context);
    return NDIS_STATUS_SUCCESS;
}

/* Something that a pause may wait for is over. */
static VOID Release(PADAPTER Adapter, LONG Count)
{
    BOOLEAN PauseIsComplete;

    NdisAcquireSpinLock(&Adapter->Lock);
    Adapter->Outstanding -= Count;
    PauseIsComplete = Adapter->PauseIsPending && Adapter->Outstanding == 0;
    if (PauseIsComplete) {
        Adapter->PauseIsPending = FALSE;
    }
    NdisReleaseSpinLock(&Adapter->Lock);
    if (PauseIsComplete) {
        NdisMPauseComplete(Adapter->Handle);
    }
}

/* Takes the held lists with that cancel id, or all when IsAny. */
static PNET_BUFFER_LIST TakeHeld(PADAPTER Adapter, PVOID CancelId, BOOLEAN IsAny)
{
    PNET_BUFFER_LIST Taken = NULL;
    PNET_BUFFER_LIST *End = &Taken;
    PNET_BUFFER_LIST *Place;
    PNET_BUFFER_LIST List;

    NdisAcquireSpinLock(&Adapter->Lock);
    for (Place = &Adapter->Held; (List = *Place) != NULL;) {
        if (!IsAny && NDIS_GET_NET_BUFFER_LIST_CANCEL_ID(List) != CancelId) {
            Place = &NET_BUFFER_LIST_NEXT_NBL(List);
            continue;
        }
        *Place = NET_BUFFER_LIST_NEXT_NBL(List);
        NET_BUFFER_LIST_NEXT_NBL(List) = NULL;
        *End = List;
        End = &NET_BUFFER_LIST_NEXT_NBL(List);
    }
    NdisReleaseSpinLock(&Adapter->Lock);
    return Taken;
}

static VOID GiveUp(PADAPTER Adapter, PNET_BUFFER_LIST Lists, NDIS_STATUS Status)
{
    PNET_BUFFER_LIST List;
    LONG Count = 0;

    for (List = Lists; List != NULL; List = NET_BUFFER_LIST_NEXT_NBL(List)) {
        NET_BUFFER_LIST_STATUS(List) = Status;
        Count += 1;
    }
    if (Count > 0) {
        NdisMSendNetBufferListsComplete(Adapter->Handle, Lists, 0);
        Release(Adapter, Count);
    }
}

static VOID PauseLater(PVOID Context)
{
    Release((PADAPTER)Context, 1);
}

static NDIS_STATUS Pause(NDIS_HANDLE Context, PNDIS_MINIPORT_PAUSE_PARAMETERS Parameters)
{
    PADAPTER Adapter = (PADAPTER)Context;
    BOOLEAN IsLate = NdislabChoose(2, "MiniportPause pends") == 1;
    BOOLEAN MustWait;

    UNREFERENCED_PARAMETER(Parameters);
    NdisAcquireSpinLock(&Adapter->Lock);
    Adapter->IsRunning = FALSE;
    if (IsLate) {
        Adapter->Outstanding += 1;
    }
    MustWait = Adapter->Outstanding > 0;
    Adapter->PauseIsPending = MustWait;
    NdisReleaseSpinLock(&Adapter->Lock);
    GiveUp(Adapter, TakeHeld(Adapter, NULL, TRUE), NDIS_STATUS_PAUSED);
    if (IsLate) {
        DoLater(Adapter->Handle, PauseLater, Adapter);
    }
    return MustWait ? NDIS_STATUS_PENDING : NDIS_STATUS_SUCCESS;
}

static VOID ReturnNetBufferLists(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, ULONG Flags)
{
    PNET_BUFFER_LIST Next;
    LONG Count = 0;
    PMDL NextMdl;
    PMDL Mdl;

    UNREFERENCED_PARAMETER(Flags);
    while (Lists != NULL) {
        Next = NET_BUFFER_LIST_NEXT_NBL(Lists);
        NET_BUFFER_LIST_NEXT_NBL(Lists) = NULL;
        Mdl = NET_BUFFER_FIRST_MDL(NET_BUFFER_LIST_FIRST_NB(Lists));
        NdisFreeMemory(MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority), 0, 0);
        for (; Mdl != NULL; Mdl = NextMdl) {
            NextMdl = NDIS_MDL_LINKAGE(Mdl);
            NdisFreeMdl(Mdl);
        }
        NdisFreeNetBufferList(Lists);
        Count += 1;
        Lists = Next;
    }
    Release((PADAPTER)Context, Count);
}

/* A list with one frame: of zeros, or of the data of Source; when IsSplit its header has an MDL of its own. */
static PNET_BUFFER_LIST BuildFrame(PADAPTER Adapter, PNET_BUFFER Source, BOOLEAN IsSplit)
{
    ULONG Bytes = Source == NULL ? FRAME_BYTES : NET_BUFFER_DATA_LENGTH(Source);
    PUCHAR Data = (PUCHAR)Allocate(Adapter, Bytes);
    PNET_BUFFER_LIST List;
    ULONG Copied;
    PMDL Mdl;

    NdisZeroMemory(Data, Bytes);
    Mdl = NdisAllocateMdl(Adapter->Handle, Data, IsSplit ? HEADER_BYTES : Bytes);
    if (IsSplit) {
        NDIS_MDL_LINKAGE(Mdl) = NdisAllocateMdl(Adapter->Handle, Data + HEADER_BYTES, Bytes - HEADER_BYTES);
    }
    List = NdisAllocateNetBufferAndNetBufferList(Adapter->Pool, 0, 0, Mdl, 0, Bytes);
    if (Source != NULL) {
        NdisCopyFromNetBufferToNetBuffer(NET_BUFFER_LIST_FIRST_NB(List), 0, Bytes, Source, 0, &Copied);
    }
    return List;
}

/* Indicates so many lists in one chain; those of more than one are split. FALSE: the adapter does not run. */
static BOOLEAN Indicate(PADAPTER Adapter, PNET_BUFFER Source, NDIS_PORT_NUMBER Port, ULONG Count)
{
    ULONG Flags = NdislabChoose(2, "receive: low on resources") == 1 ? NDIS_RECEIVE_FLAGS_RESOURCES : 0;
    PNET_BUFFER_LIST First = NULL;
    PNET_BUFFER_LIST List;
    BOOLEAN IsRunning;
    ULONG Index;

    NdisAcquireSpinLock(&Adapter->Lock);
    IsRunning = Adapter->IsRunning;
    if (IsRunning) {
        Adapter->Outstanding += Count;
    }
    NdisReleaseSpinLock(&Adapter->Lock);
    if (!IsRunning) {
        return FALSE;
    }
    for (Index = 0; Index < Count; Index += 1) {
        List = BuildFrame(Adapter, Source, Count > 1);
        NET_BUFFER_LIST_NEXT_NBL(List) = First;
        First = List;
    }
    NdisMIndicateReceiveNetBufferLists(Adapter->Handle, First, Port, Count, Flags);
    if (Flags & NDIS_RECEIVE_FLAGS_RESOURCES) {
        ReturnNetBufferLists(Adapter, First, 0);
    }
    return TRUE;
}

static VOID CompleteSends(PVOID Context)
{
    PENDING_SEND Send = *(PPENDING_SEND)Context;
    PNET_BUFFER_LIST List;
    PNET_BUFFER Buffer;
    LONG Count = 0;

    NdisFreeMemory(Context, 0, 0);
    for (List = Send.Lists; List != NULL; List = NET_BUFFER_LIST_NEXT_NBL(List)) {
        for (Buffer = NET_BUFFER_LIST_FIRST_NB(List); Buffer != NULL; Buffer = NET_BUFFER_NEXT_NB(Buffer)) {
            Indicate(Send.Adapter, Buffer, NDIS_DEFAULT_PORT_NUMBER, 1);
        }
        NET_BUFFER_LIST_STATUS(List) = NDIS_STATUS_SUCCESS;
        Count += 1;
    }
    NdisMSendNetBufferListsComplete(Send.Adapter->Handle, Send.Lists, 0);
    Release(Send.Adapter, Count);
}

/* Keeps the lists if a scenario wants it. */
static BOOLEAN Hold(PADAPTER Adapter, PNET_BUFFER_LIST Lists)
{
    PNET_BUFFER_LIST *Last;
    BOOLEAN Holds;

    NdisAcquireSpinLock(&Adapter->Lock);
    Holds = Adapter->HoldsSends;
    if (Holds) {
        for (Last = &Adapter->Held; *Last != NULL; Last = &NET_BUFFER_LIST_NEXT_NBL(*Last)) {
        }
        *Last = Lists;
    }
    NdisReleaseSpinLock(&Adapter->Lock);
    return Holds;
}

static VOID SendNetBufferLists(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, NDIS_PORT_NUMBER Port, ULONG Flags)
{
    PADAPTER Adapter = (PADAPTER)Context;
    PNET_BUFFER_LIST List;
    PPENDING_SEND Send;
    BOOLEAN IsRunning;
    LONG Count = 0;

    UNREFERENCED_PARAMETER(Port);
    for (List = Lists; List != NULL; List = NET_BUFFER_LIST_NEXT_NBL(List)) {
        Count += 1;
    }
    NdisAcquireSpinLock(&Adapter->Lock);
    IsRunning = Adapter->IsRunning;
    if (IsRunning) {
        Adapter->Outstanding += Count;
    }
    NdisReleaseSpinLock(&Adapter->Lock);
    if (!IsRunning) {
        for (List = Lists; List != NULL; List = NET_BUFFER_LIST_NEXT_NBL(List)) {
            NET_BUFFER_LIST_STATUS(List) = NDIS_STATUS_PAUSED;
        }
        NdisMSendNetBufferListsComplete(
            Adapter->Handle, Lists, NDIS_TEST_SEND_AT_DISPATCH_LEVEL(Flags) ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL : 0);
        return;
    }
    if (Hold(Adapter, Lists)) {
        return;
    }
    Send = (PPENDING_SEND)Allocate(Adapter, sizeof(*Send));
    Send->Adapter = Adapter;
    Send->Lists = Lists;
    if (NDIS_TEST_SEND_AT_DISPATCH_LEVEL(Flags) || NdislabChoose(2, "send completes later") == 1) {
        DoLater(Adapter->Handle, CompleteSends, Send);
    } else {
        CompleteSends(Send);
    }
}

static NDIS_STATUS AnswerQuery(PADAPTER Adapter, PNDIS_OID_REQUEST Request)
{
    ULONG Value;

    switch (Request->DATA.QUERY_INFORMATION.Oid) {
    case OID_GEN_CURRENT_PACKET_FILTER:
        Value = Adapter->PacketFilter;
        break;

    case OID_GEN_MAXIMUM_FRAME_SIZE:
        Value = 1500;
        break;

    default:
        return NDIS_STATUS_NOT_SUPPORTED;
    }
    if (Request->DATA.QUERY_INFORMATION.InformationBufferLength < sizeof(Value)) {
        Request->DATA.QUERY_INFORMATION.BytesNeeded = sizeof(Value);
        return NDIS_STATUS_BUFFER_TOO_SHORT;
    }
    *(PULONG)Request->DATA.QUERY_INFORMATION.InformationBuffer = Value;
    Request->DATA.QUERY_INFORMATION.BytesWritten = sizeof(Value);
    return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS Answer(PADAPTER Adapter, PNDIS_OID_REQUEST Request)
{
    if (Request->RequestType == NdisRequestQueryInformation) {
        return AnswerQuery(Adapter, Request);
    }
    if (Request->RequestType != NdisRequestSetInformation) {
        return NDIS_STATUS_NOT_SUPPORTED;
    }
    switch (Request->DATA.SET_INFORMATION.Oid) {
    case OID_GEN_CURRENT_PACKET_FILTER:
        if (Request->DATA.SET_INFORMATION.InformationBufferLength < sizeof(ULONG)) {
            return NDIS_STATUS_INVALID_LENGTH;
        }
        Adapter->PacketFilter = *(PULONG)Request->DATA.SET_INFORMATION.InformationBuffer;
        /* fall through */
    case OID_GEN_CURRENT_LOOKAHEAD:
    case OID_802_3_MULTICAST_LIST:
    case OID_PNP_SET_POWER:
        Request->DATA.SET_INFORMATION.BytesRead = Request->DATA.SET_INFORMATION.InformationBufferLength;
        return NDIS_STATUS_SUCCESS;

    default:
        return NDIS_STATUS_NOT_SUPPORTED;
    }
}

static VOID CompleteOid(PVOID Context)
{
    PENDING_OID Oid = *(PPENDING_OID)Context;

    NdisFreeMemory(Context, 0, 0);
    NdisMOidRequestComplete(Oid.Adapter->Handle, Oid.Request, Answer(Oid.Adapter, Oid.Request));
}

static NDIS_STATUS OidRequest(NDIS_HANDLE Context, PNDIS_OID_REQUEST Request)
{
    PADAPTER Adapter = (PADAPTER)Context;
    PPENDING_OID Oid;

    if (NdislabChoose(2, "MiniportOidRequest pends") == 0) {
        return Answer(Adapter, Request);
    }
    Oid = (PPENDING_OID)Allocate(Adapter, sizeof(*Oid));
    Oid->Adapter = Adapter;
    Oid->Request = Request;
    DoLater(Adapter->Handle, CompleteOid, Oid);
    return NDIS_STATUS_PENDING;
}

static VOID CancelSend(NDIS_HANDLE Context, PVOID CancelId)
{
    PADAPTER Adapter = (PADAPTER)Context;

    GiveUp(Adapter, TakeHeld(Adapter, CancelId, FALSE), NDIS_STATUS_SEND_ABORTED);
}

static VOID CancelOidRequest(NDIS_HANDLE Context, PVOID RequestId)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(RequestId);
}

static VOID DevicePnPEventNotify(NDIS_HANDLE Context, PNET_DEVICE_PNP_EVENT Event)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Event);
}

static VOID ShutdownEx(NDIS_HANDLE Context, NDIS_SHUTDOWN_ACTION Action)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Action);
}

/* Called by scenarios: so many frames arrive. */
__declspec(dllexport) ULONG Inject(ULONG Frames)
{
    ULONG Index;

    for (Index = 0; Index < Frames && TheAdapter != NULL; Index += 1) {
        Indicate(TheAdapter, NULL, NDIS_DEFAULT_PORT_NUMBER, 1);
    }
    return Index;
}

/* Called by scenarios: so many frames arrive in one chain, each with its header in an MDL of its own. */
__declspec(dllexport) ULONG InjectChain(ULONG Frames)
{
    return TheAdapter != NULL && Indicate(TheAdapter, NULL, NDIS_DEFAULT_PORT_NUMBER, Frames) ? Frames : 0;
}

/* Called by scenarios: adapters that are initialized from now on control their default port. */
__declspec(dllexport) ULONG ControlDefaultPort(VOID)
{
    ControlsDefaultPort = TRUE;
    return 0;
}

/* Called by scenarios: adapters that are initialized from now on can sleep. */
__declspec(dllexport) ULONG ManagePower(VOID)
{
    ManagesPower = TRUE;
    return 0;
}

/* Called by scenarios: activates the default port, or deactivates it; NDIS binds the protocols to the adapter, or unbinds them all. */
__declspec(dllexport) ULONG ChangeDefaultPort(ULONG IsActive)
{
    NET_PNP_EVENT_NOTIFICATION Event;
    NDIS_PORT_NUMBER Number = NDIS_DEFAULT_PORT_NUMBER;
    NDIS_PORT Port;

    if (TheAdapter == NULL) {
        return 0;
    }
    NdisZeroMemory(&Event, sizeof(Event));
    Event.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    Event.Header.Revision = NET_PNP_EVENT_NOTIFICATION_REVISION_1;
    Event.Header.Size = NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1;
    NdisZeroMemory(&Port, sizeof(Port));
    Port.PortCharacteristics.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    Port.PortCharacteristics.Header.Revision = NDIS_PORT_CHARACTERISTICS_REVISION_1;
    Port.PortCharacteristics.Header.Size = NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1;
    Port.PortCharacteristics.Flags = NDIS_PORT_CHAR_USE_DEFAULT_AUTH_SETTINGS;
    if (IsActive != 0) {
        Event.NetPnPEvent.NetEvent = NetEventPortActivation;
        Event.NetPnPEvent.Buffer = &Port;
        Event.NetPnPEvent.BufferLength = sizeof(Port);
    } else {
        Event.NetPnPEvent.NetEvent = NetEventPortDeactivation;
        Event.NetPnPEvent.Buffer = &Number;
        Event.NetPnPEvent.BufferLength = sizeof(Number);
    }
    return NdisMNetPnPEvent(TheAdapter->Handle, &Event);
}

/* Called by scenarios: sends stay here from now on (1), or go on, those that were kept too (0). */
__declspec(dllexport) ULONG HoldSends(ULONG Holds)
{
    PNET_BUFFER_LIST Lists;
    PPENDING_SEND Send;

    if (TheAdapter == NULL) {
        return 0;
    }
    NdisAcquireSpinLock(&TheAdapter->Lock);
    TheAdapter->HoldsSends = Holds != 0;
    NdisReleaseSpinLock(&TheAdapter->Lock);
    Lists = Holds != 0 ? NULL : TakeHeld(TheAdapter, NULL, TRUE);
    if (Lists != NULL) {
        Send = (PPENDING_SEND)Allocate(TheAdapter, sizeof(*Send));
        Send->Adapter = TheAdapter;
        Send->Lists = Lists;
        CompleteSends(Send);
    }
    return 0;
}

/* Called by scenarios: a status is indicated; a link state for NDIS_STATUS_LINK_STATE, connected or not. */
__declspec(dllexport) ULONG Tell(NDIS_STATUS StatusCode, ULONG IsConnected)
{
    NDIS_STATUS_INDICATION Indication;
    NDIS_LINK_STATE Link;

    if (TheAdapter == NULL) {
        return 0;
    }
    NdisZeroMemory(&Indication, sizeof(Indication));
    Indication.Header.Type = NDIS_OBJECT_TYPE_STATUS_INDICATION;
    Indication.Header.Revision = NDIS_STATUS_INDICATION_REVISION_1;
    Indication.Header.Size = NDIS_SIZEOF_STATUS_INDICATION_REVISION_1;
    Indication.SourceHandle = TheAdapter->Handle;
    Indication.StatusCode = StatusCode;
    if (StatusCode == NDIS_STATUS_LINK_STATE) {
        NdisZeroMemory(&Link, sizeof(Link));
        Link.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
        Link.Header.Revision = NDIS_LINK_STATE_REVISION_1;
        Link.Header.Size = NDIS_SIZEOF_LINK_STATE_REVISION_1;
        Link.MediaConnectState = IsConnected != 0 ? MediaConnectStateConnected : MediaConnectStateDisconnected;
        Link.MediaDuplexState = MediaDuplexStateFull;
        Link.XmitLinkSpeed = Link.RcvLinkSpeed = 1000000000;
        Indication.StatusBuffer = &Link;
        Indication.StatusBufferSize = sizeof(Link);
    }
    NdisMIndicateStatusEx(TheAdapter->Handle, &Indication);
    return 0;
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    NdisMDeregisterMiniportDriver(MiniportDriverHandle);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS Miniport;

    NdisZeroMemory(&Miniport, sizeof(Miniport));
    Miniport.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS;
    Miniport.Header.Revision = NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1;
    Miniport.Header.Size = NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1;
    Miniport.MajorNdisVersion = 6;
    Miniport.MinorNdisVersion = 0;
    Miniport.InitializeHandlerEx = InitializeEx;
    Miniport.HaltHandlerEx = HaltEx;
    Miniport.UnloadHandler = Unload;
    Miniport.PauseHandler = Pause;
    Miniport.RestartHandler = Restart;
    Miniport.OidRequestHandler = OidRequest;
    Miniport.SendNetBufferListsHandler = SendNetBufferLists;
    Miniport.ReturnNetBufferListsHandler = ReturnNetBufferLists;
    Miniport.CancelSendHandler = CancelSend;
    Miniport.CancelOidRequestHandler = CancelOidRequest;
    Miniport.DevicePnPEventNotifyHandler = DevicePnPEventNotify;
    Miniport.ShutdownHandlerEx = ShutdownEx;
    return NdisMRegisterMiniportDriver(DriverObject, RegistryPath, NULL, &Miniport, &MiniportDriverHandle);
}
