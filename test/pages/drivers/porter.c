/*
 * A miniport that does with its ports what a test tells it: the same driver as porter.ts. It allocates ports in MiniportInitializeEx, activates
 * the first, and deactivates and frees all of them in MiniportHaltEx, or before a MiniportInitializeEx that fails, unless Exercise has asked
 * for something else.
 */
#include <ndis.h>

#define TAG 'xtrP'
#define MOST_PORTS 8

/* First argument of Exercise; the second is given in brackets. */
#define BEHAVE 0                    /* [flags] */
#define PORTS 1                     /* [how many ports MiniportInitializeEx allocates] */
#define KEEP 2                      /* [a port that is never freed] */
#define FREE_IN 3                   /* [the handler that frees the last port, if it is not active: one of those below] */
#define ALLOCATE 4                  /* a port more; its number */
#define FREE 5                      /* [a port] its status */
#define ACTIVATE 6                  /* [a port] its status */
#define DEACTIVATE 7                /* [a port] its status */
#define FREE_WITH_LOCK 8            /* [a port] its status; at DISPATCH_LEVEL */

/* Flags. */
#define FAILS_INITIALIZE 0x01       /* after the ports are allocated */
#define FREES_DEFAULT_PORT 0x02     /* in MiniportHaltEx */
#define FREES_ACTIVE_PORTS 0x04     /* without deactivating them first */

/* Handlers that may free a port. */
#define IN_INITIALIZE 1
#define IN_RESTART 2
#define IN_PAUSE 3
#define IN_OID_REQUEST 4

typedef struct _ADAPTER {
    NDIS_HANDLE Handle;
    NDIS_SPIN_LOCK Lock;
    ULONG PortCount;
    NDIS_PORT_NUMBER Ports[MOST_PORTS];
    BOOLEAN IsActive[MOST_PORTS];
} ADAPTER, *PADAPTER;

static NDIS_HANDLE MiniportDriverHandle;
static PADAPTER TheAdapter;
static ULONG Behaviour;
static ULONG InitialPorts = 2;
static NDIS_PORT_NUMBER KeptPort;
static ULONG FreeingHandler;

static BOOLEAN Does(ULONG What)
{
    return (Behaviour & What) != 0;
}

static ULONG IndexOf(PADAPTER Adapter, NDIS_PORT_NUMBER Number)
{
    ULONG Index = 0;

    while (Index < Adapter->PortCount && Adapter->Ports[Index] != Number) {
        Index += 1;
    }
    return Index;
}

static NDIS_STATUS AllocatePort(PADAPTER Adapter)
{
    NDIS_PORT_CHARACTERISTICS Characteristics;
    NDIS_STATUS Status;

    NdisZeroMemory(&Characteristics, sizeof(Characteristics));
    Characteristics.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    Characteristics.Header.Revision = NDIS_PORT_CHARACTERISTICS_REVISION_1;
    Characteristics.Header.Size = NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1;
    Characteristics.Flags = NDIS_PORT_CHAR_USE_DEFAULT_AUTH_SETTINGS;
    Characteristics.Type = NdisPortTypeUndefined;
    Status = NdisMAllocatePort(Adapter->Handle, &Characteristics);
    if (Status == NDIS_STATUS_SUCCESS) {
        Adapter->Ports[Adapter->PortCount] = Characteristics.PortNumber;
        Adapter->IsActive[Adapter->PortCount] = FALSE;
        Adapter->PortCount += 1;
    }
    return Status;
}

static NDIS_STATUS RaisePortEvent(PADAPTER Adapter, NET_PNP_EVENT_CODE Code, PVOID Buffer, ULONG Length)
{
    NET_PNP_EVENT_NOTIFICATION Notification;

    NdisZeroMemory(&Notification, sizeof(Notification));
    Notification.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    Notification.Header.Revision = NET_PNP_EVENT_NOTIFICATION_REVISION_1;
    Notification.Header.Size = NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1;
    Notification.NetPnPEvent.NetEvent = Code;
    Notification.NetPnPEvent.Buffer = Buffer;
    Notification.NetPnPEvent.BufferLength = Length;
    return NdisMNetPnPEvent(Adapter->Handle, &Notification);
}

static NDIS_STATUS ActivatePort(PADAPTER Adapter, NDIS_PORT_NUMBER Number)
{
    NDIS_PORT Port;
    NDIS_STATUS Status;

    NdisZeroMemory(&Port, sizeof(Port));
    Port.PortCharacteristics.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    Port.PortCharacteristics.Header.Revision = NDIS_PORT_CHARACTERISTICS_REVISION_1;
    Port.PortCharacteristics.Header.Size = NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1;
    Port.PortCharacteristics.Flags = NDIS_PORT_CHAR_USE_DEFAULT_AUTH_SETTINGS;
    Port.PortCharacteristics.PortNumber = Number;
    Status = RaisePortEvent(Adapter, NetEventPortActivation, &Port, sizeof(Port));
    if (Status == NDIS_STATUS_SUCCESS) {
        Adapter->IsActive[IndexOf(Adapter, Number)] = TRUE;
    }
    return Status;
}

static NDIS_STATUS DeactivatePort(PADAPTER Adapter, NDIS_PORT_NUMBER Number)
{
    NDIS_STATUS Status = RaisePortEvent(Adapter, NetEventPortDeactivation, &Number, sizeof(Number));

    if (Status == NDIS_STATUS_SUCCESS) {
        Adapter->IsActive[IndexOf(Adapter, Number)] = FALSE;
    }
    return Status;
}

/* Frees the port, and takes it out of the adapter's list when NDIS has. */
static NDIS_STATUS FreePort(PADAPTER Adapter, NDIS_PORT_NUMBER Number)
{
    NDIS_STATUS Status = NdisMFreePort(Adapter->Handle, Number); /* MARK: free */
    ULONG Index = IndexOf(Adapter, Number);

    if (Status == NDIS_STATUS_SUCCESS) {
        Adapter->PortCount -= 1;
        Adapter->Ports[Index] = Adapter->Ports[Adapter->PortCount];
        Adapter->IsActive[Index] = Adapter->IsActive[Adapter->PortCount];
    }
    return Status;
}

/* Frees the last port, unless it is active. */
static VOID FreePortIn(PADAPTER Adapter, ULONG Handler)
{
    ULONG Count = Adapter->PortCount;

    if (FreeingHandler == Handler && Count > 0 && !Adapter->IsActive[Count - 1]) {
        FreePort(Adapter, Adapter->Ports[Count - 1]);
    }
}

/* Frees what is left of the ports, the last one first. */
static VOID FreePorts(PADAPTER Adapter)
{
    ULONG Index;

    for (Index = Adapter->PortCount; Index > 0; Index -= 1) {
        if (Adapter->Ports[Index - 1] == KeptPort) {
            continue;
        }
        if (Adapter->IsActive[Index - 1] && !Does(FREES_ACTIVE_PORTS)) {
            DeactivatePort(Adapter, Adapter->Ports[Index - 1]);
        }
        FreePort(Adapter, Adapter->Ports[Index - 1]);
    }
}

static NDIS_STATUS SetAttributes(PADAPTER Adapter)
{
    static const UCHAR Address[6] = {0x02, 0x00, 0x5E, 0x00, 0x00, 0x02};
    static NDIS_OID Oids[] = {OID_GEN_CURRENT_PACKET_FILTER, OID_GEN_CURRENT_LOOKAHEAD};
    NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES Registration;
    NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES General;
    NDIS_STATUS Status;

    NdisZeroMemory(&Registration, sizeof(Registration));
    Registration.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES;
    Registration.Header.Revision = NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1;
    Registration.Header.Size = NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1;
    Registration.MiniportAdapterContext = Adapter;
    Registration.InterfaceType = NdisInterfaceInternal;
    Status = NdisMSetMiniportAttributes(Adapter->Handle, (PNDIS_MINIPORT_ADAPTER_ATTRIBUTES)&Registration);
    if (Status != NDIS_STATUS_SUCCESS) {
        return Status;
    }
    NdisZeroMemory(&General, sizeof(General));
    General.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES;
    General.Header.Revision = NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1;
    General.Header.Size = NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1;
    General.MediaType = NdisMedium802_3;
    General.MtuSize = 1500;
    General.LookaheadSize = 1500;
    General.MediaConnectState = MediaConnectStateConnected;
    General.MediaDuplexState = MediaDuplexStateFull;
    General.MacAddressLength = 6;
    NdisMoveMemory(General.PermanentMacAddress, Address, sizeof(Address));
    NdisMoveMemory(General.CurrentMacAddress, Address, sizeof(Address));
    General.SupportedPacketFilters = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_BROADCAST;
    General.SupportedOidList = Oids;
    General.SupportedOidListLength = sizeof(Oids);
    return NdisMSetMiniportAttributes(Adapter->Handle, (PNDIS_MINIPORT_ADAPTER_ATTRIBUTES)&General);
}

static VOID FreeAdapter(PADAPTER Adapter)
{
    TheAdapter = NULL;
    NdisFreeMemory(Adapter, 0, 0);
}

/* MARK: initialize handler begins */
static NDIS_STATUS InitializeEx(NDIS_HANDLE Handle, NDIS_HANDLE DriverContext, PNDIS_MINIPORT_INIT_PARAMETERS Parameters)
{
    NDIS_STATUS Status;
    PADAPTER Adapter;

    UNREFERENCED_PARAMETER(DriverContext);
    UNREFERENCED_PARAMETER(Parameters);
    Adapter = (PADAPTER)NdisAllocateMemoryWithTagPriority(Handle, sizeof(*Adapter), TAG, NormalPoolPriority);
    if (Adapter == NULL) {
        return NDIS_STATUS_RESOURCES;
    }
    NdisZeroMemory(Adapter, sizeof(*Adapter));
    NdisAllocateSpinLock(&Adapter->Lock);
    Adapter->Handle = Handle;
    TheAdapter = Adapter;
    Status = SetAttributes(Adapter);
    while (Status == NDIS_STATUS_SUCCESS && Adapter->PortCount < InitialPorts) {
        Status = AllocatePort(Adapter);
    }
    if (Status == NDIS_STATUS_SUCCESS && Adapter->PortCount > 0) {
        Status = ActivatePort(Adapter, Adapter->Ports[0]);
    }
    FreePortIn(Adapter, IN_INITIALIZE);
    if (Status == NDIS_STATUS_SUCCESS && Does(FAILS_INITIALIZE)) {
        Status = NDIS_STATUS_FAILURE;
    }
    if (Status != NDIS_STATUS_SUCCESS) {
        FreePorts(Adapter);
        FreeAdapter(Adapter);
    }
    return Status;
}

/* MARK: halt handler begins */
static VOID HaltEx(NDIS_HANDLE Context, NDIS_HALT_ACTION Action)
{
    PADAPTER Adapter = (PADAPTER)Context;

    UNREFERENCED_PARAMETER(Action);
    FreePorts(Adapter);
    if (Does(FREES_DEFAULT_PORT)) {
        NdisMFreePort(Adapter->Handle, NDIS_DEFAULT_PORT_NUMBER); /* MARK: free the default port */
    }
    FreeAdapter(Adapter);
}

static NDIS_STATUS Restart(NDIS_HANDLE Context, PNDIS_MINIPORT_RESTART_PARAMETERS Parameters)
{
    UNREFERENCED_PARAMETER(Parameters);
    FreePortIn((PADAPTER)Context, IN_RESTART);
    return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS Pause(NDIS_HANDLE Context, PNDIS_MINIPORT_PAUSE_PARAMETERS Parameters)
{
    UNREFERENCED_PARAMETER(Parameters);
    FreePortIn((PADAPTER)Context, IN_PAUSE);
    return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS OidRequest(NDIS_HANDLE Context, PNDIS_OID_REQUEST Request)
{
    FreePortIn((PADAPTER)Context, IN_OID_REQUEST);
    if (Request->RequestType != NdisRequestSetInformation) {
        return NDIS_STATUS_NOT_SUPPORTED;
    }
    Request->DATA.SET_INFORMATION.BytesRead = Request->DATA.SET_INFORMATION.InformationBufferLength;
    return NDIS_STATUS_SUCCESS;
}

static VOID SendNetBufferLists(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, NDIS_PORT_NUMBER Port, ULONG Flags)
{
    PNET_BUFFER_LIST List;

    UNREFERENCED_PARAMETER(Port);
    for (List = Lists; List != NULL; List = NET_BUFFER_LIST_NEXT_NBL(List)) {
        NET_BUFFER_LIST_STATUS(List) = NDIS_STATUS_SUCCESS;
    }
    NdisMSendNetBufferListsComplete(((PADAPTER)Context)->Handle, Lists,
        NDIS_TEST_SEND_AT_DISPATCH_LEVEL(Flags) ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL : 0);
}

static VOID ReturnNetBufferLists(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Lists);
    UNREFERENCED_PARAMETER(Flags);
}

static VOID CancelSend(NDIS_HANDLE Context, PVOID CancelId)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(CancelId);
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

static NDIS_STATUS FreeWithLock(PADAPTER Adapter, NDIS_PORT_NUMBER Number)
{
    NDIS_STATUS Status;

    NdisAcquireSpinLock(&Adapter->Lock);
    Status = FreePort(Adapter, Number);
    NdisReleaseSpinLock(&Adapter->Lock);
    return Status;
}

/* Called by the scenario. */
__declspec(dllexport) ULONG Exercise(ULONG What, ULONG Value)
{
    switch (What) {
    case BEHAVE:
        Behaviour = Value;
        return 0;
    case PORTS:
        InitialPorts = Value;
        return 0;
    case KEEP:
        KeptPort = Value;
        return 0;
    case FREE_IN:
        FreeingHandler = Value;
        return 0;
    case ALLOCATE:
        AllocatePort(TheAdapter);
        return TheAdapter->Ports[TheAdapter->PortCount - 1];
    case FREE:
        return FreePort(TheAdapter, Value);
    case ACTIVATE:
        return ActivatePort(TheAdapter, Value);
    case DEACTIVATE:
        return DeactivatePort(TheAdapter, Value);
    case FREE_WITH_LOCK:
        return FreeWithLock(TheAdapter, Value);
    default:
        return 0;
    }
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
