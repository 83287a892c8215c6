/*
 * A loopback miniport with an NDIS port: it allocates the port in MiniportInitializeEx, activates it when it runs, answers sends on it,
 * deactivates and frees it in MiniportHaltEx, in the order of the pages "Allocating", "Activating", "Deactivating" and "Freeing an NDIS Port".
 *
 * A frame that is sent comes back as a receive on the same port; then the send is completed.
 *
 * Build with -DFREE_ACTIVE_PORT for the planted mistake: the port is freed without being deactivated first.
 */
#include <ndis.h>

#define TAG 'xEtP'

typedef struct _ADAPTER {
    NDIS_HANDLE Handle;
    NDIS_PORT_NUMBER Port;          /* 0: not allocated */
    BOOLEAN PortIsActive;
    NDIS_HANDLE Pool;
    NDIS_SPIN_LOCK Lock;            /* protects the members below */
    BOOLEAN IsRunning;
    BOOLEAN IsRemoved;
    BOOLEAN PauseIsPending;
    LONG Receives;                  /* indicated and not returned */
    ULONG PacketFilter;
} ADAPTER, *PADAPTER;

static NDIS_HANDLE MiniportDriverHandle;

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
    Characteristics.MediaConnectState = MediaConnectStateConnected;
    Status = NdisMAllocatePort(Adapter->Handle, &Characteristics);
    if (Status == NDIS_STATUS_SUCCESS) {
        Adapter->Port = Characteristics.PortNumber;
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

static NDIS_STATUS ActivatePort(PADAPTER Adapter)
{
    NDIS_PORT Port;
    NDIS_STATUS Status;

    NdisZeroMemory(&Port, sizeof(Port));
    Port.PortCharacteristics.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    Port.PortCharacteristics.Header.Revision = NDIS_PORT_CHARACTERISTICS_REVISION_1;
    Port.PortCharacteristics.Header.Size = NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1;
    Port.PortCharacteristics.Flags = NDIS_PORT_CHAR_USE_DEFAULT_AUTH_SETTINGS;
    Port.PortCharacteristics.PortNumber = Adapter->Port;
    Status = RaisePortEvent(Adapter, NetEventPortActivation, &Port, sizeof(Port));
    Adapter->PortIsActive = Status == NDIS_STATUS_SUCCESS;
    return Status;
}

static VOID ReleasePort(PADAPTER Adapter)
{
    if (Adapter->Port == 0) {
        return;
    }
#ifndef FREE_ACTIVE_PORT
    if (Adapter->PortIsActive) {
        RaisePortEvent(Adapter, NetEventPortDeactivation, &Adapter->Port, sizeof(Adapter->Port));
        Adapter->PortIsActive = FALSE;
    }
#endif
    NdisMFreePort(Adapter->Handle, Adapter->Port);
    Adapter->Port = 0;
}

static VOID FreeAdapter(PADAPTER Adapter)
{
    ReleasePort(Adapter);
    if (Adapter->Pool != NULL) {
        NdisFreeNetBufferListPool(Adapter->Pool);
    }
    NdisFreeSpinLock(&Adapter->Lock);
    NdisFreeMemory(Adapter, 0, 0);
}

static NDIS_STATUS SetAttributes(PADAPTER Adapter)
{
    static const UCHAR Address[6] = {0x02, 0x00, 0x5E, 0x00, 0x00, 0x01};
    static NDIS_OID Oids[] = {OID_GEN_CURRENT_PACKET_FILTER, OID_GEN_CURRENT_LOOKAHEAD};
    NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES General;

    NdisZeroMemory(&General, sizeof(General));
    General.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES;
    General.Header.Revision = NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1;
    General.Header.Size = NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1;
    General.MediaType = NdisMedium802_3;
    General.PhysicalMediumType = NdisPhysicalMediumUnspecified;
    General.MtuSize = 1500;
    General.LookaheadSize = 1500;
    General.MediaConnectState = MediaConnectStateConnected;
    General.MediaDuplexState = MediaDuplexStateFull;
    General.MacAddressLength = 6;
    NdisMoveMemory(General.PermanentMacAddress, Address, sizeof(Address));
    NdisMoveMemory(General.CurrentMacAddress, Address, sizeof(Address));
    General.SupportedPacketFilters = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_BROADCAST;
    General.AccessType = NET_IF_ACCESS_BROADCAST;
    General.DirectionType = NET_IF_DIRECTION_SENDRECEIVE;
    General.ConnectionType = NET_IF_CONNECTION_DEDICATED;
    General.SupportedOidList = Oids;
    General.SupportedOidListLength = sizeof(Oids);
    return NdisMSetMiniportAttributes(Adapter->Handle, (PNDIS_MINIPORT_ADAPTER_ATTRIBUTES)&General);
}

static NDIS_STATUS InitializeEx(NDIS_HANDLE Handle, NDIS_HANDLE DriverContext, PNDIS_MINIPORT_INIT_PARAMETERS Parameters)
{
    NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES Registration;
    NET_BUFFER_LIST_POOL_PARAMETERS Pool;
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

    NdisZeroMemory(&Registration, sizeof(Registration));
    Registration.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES;
    Registration.Header.Revision = NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1;
    Registration.Header.Size = NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1;
    Registration.MiniportAdapterContext = Adapter;
    Registration.InterfaceType = NdisInterfaceInternal;
    Status = NdisMSetMiniportAttributes(Handle, (PNDIS_MINIPORT_ADAPTER_ATTRIBUTES)&Registration);
    if (Status == NDIS_STATUS_SUCCESS) {
        Status = SetAttributes(Adapter);
    }
    if (Status == NDIS_STATUS_SUCCESS) {
        NdisZeroMemory(&Pool, sizeof(Pool));
        Pool.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
        Pool.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
        Pool.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
        Pool.fAllocateNetBuffer = TRUE;
        Pool.PoolTag = TAG;
        Adapter->Pool = NdisAllocateNetBufferListPool(Handle, &Pool);
        if (Adapter->Pool == NULL) {
            Status = NDIS_STATUS_RESOURCES;
        }
    }
    if (Status == NDIS_STATUS_SUCCESS) {
        Status = AllocatePort(Adapter);
    }
    if (Status == NDIS_STATUS_SUCCESS) {
        Status = ActivatePort(Adapter);
    }
    if (Status != NDIS_STATUS_SUCCESS) {
        FreeAdapter(Adapter);
    }
    return Status;
}

static VOID HaltEx(NDIS_HANDLE Context, NDIS_HALT_ACTION Action)
{
    UNREFERENCED_PARAMETER(Action);
    FreeAdapter((PADAPTER)Context);
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
    MustWait = Adapter->Receives > 0;
    Adapter->PauseIsPending = MustWait;
    NdisReleaseSpinLock(&Adapter->Lock);
    return MustWait ? NDIS_STATUS_PENDING : NDIS_STATUS_SUCCESS;
}

static VOID ReturnNetBufferLists(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, ULONG Flags)
{
    PADAPTER Adapter = (PADAPTER)Context;
    PNET_BUFFER_LIST Next;
    BOOLEAN PauseIsComplete;
    LONG Count = 0;

    UNREFERENCED_PARAMETER(Flags);
    while (Lists != NULL) {
        Next = NET_BUFFER_LIST_NEXT_NBL(Lists);
        NET_BUFFER_LIST_NEXT_NBL(Lists) = NULL;
        NdisFreeNetBufferList(Lists);
        Count += 1;
        Lists = Next;
    }
    NdisAcquireSpinLock(&Adapter->Lock);
    Adapter->Receives -= Count;
    PauseIsComplete = Adapter->PauseIsPending && Adapter->Receives == 0;
    if (PauseIsComplete) {
        Adapter->PauseIsPending = FALSE;
    }
    NdisReleaseSpinLock(&Adapter->Lock);
    if (PauseIsComplete) {
        NdisMPauseComplete(Adapter->Handle);
    }
}

/* Indicates a list of the same data as the one that is sent. It is indicated with the RESOURCES flag, so that it is back at once. */
static VOID LoopBack(PADAPTER Adapter, PNET_BUFFER_LIST List, NDIS_PORT_NUMBER Port)
{
    PNET_BUFFER Sent = NET_BUFFER_LIST_FIRST_NB(List);
    PNET_BUFFER_LIST Copy;

    Copy = NdisAllocateNetBufferAndNetBufferList(
        Adapter->Pool, 0, 0, NET_BUFFER_FIRST_MDL(Sent), NET_BUFFER_DATA_OFFSET(Sent), NET_BUFFER_DATA_LENGTH(Sent));
    if (Copy == NULL) {
        return;
    }
    Copy->SourceHandle = Adapter->Handle;
    NdisMIndicateReceiveNetBufferLists(Adapter->Handle, Copy, Port, 1, NDIS_RECEIVE_FLAGS_RESOURCES);
    NdisFreeNetBufferList(Copy);
}

static VOID SendNetBufferLists(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, NDIS_PORT_NUMBER Port, ULONG Flags)
{
    PADAPTER Adapter = (PADAPTER)Context;
    PNET_BUFFER_LIST List;
    BOOLEAN IsRunning;

    NdisAcquireSpinLock(&Adapter->Lock);
    IsRunning = Adapter->IsRunning;
    NdisReleaseSpinLock(&Adapter->Lock);
    for (List = Lists; List != NULL; List = NET_BUFFER_LIST_NEXT_NBL(List)) {
        if (IsRunning) {
            LoopBack(Adapter, List, Port);
        }
        NET_BUFFER_LIST_STATUS(List) = IsRunning ? NDIS_STATUS_SUCCESS : NDIS_STATUS_PAUSED;
    }
    NdisMSendNetBufferListsComplete(
        Adapter->Handle, Lists, NDIS_TEST_SEND_AT_DISPATCH_LEVEL(Flags) ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL : 0);
}

static NDIS_STATUS OidRequest(NDIS_HANDLE Context, PNDIS_OID_REQUEST Request)
{
    PADAPTER Adapter = (PADAPTER)Context;

    if (Adapter->IsRemoved) {
        return NDIS_STATUS_NOT_ACCEPTED;
    }
    if (Request->RequestType != NdisRequestSetInformation) {
        return NDIS_STATUS_NOT_SUPPORTED;
    }
    switch (Request->DATA.SET_INFORMATION.Oid) {
    case OID_GEN_CURRENT_PACKET_FILTER:
        if (Request->DATA.SET_INFORMATION.InformationBufferLength < sizeof(ULONG)) {
            Request->DATA.SET_INFORMATION.BytesNeeded = sizeof(ULONG);
            return NDIS_STATUS_INVALID_LENGTH;
        }
        Adapter->PacketFilter = *(PULONG)Request->DATA.SET_INFORMATION.InformationBuffer;
        Request->DATA.SET_INFORMATION.BytesRead = sizeof(ULONG);
        return NDIS_STATUS_SUCCESS;

    case OID_GEN_CURRENT_LOOKAHEAD:
        Request->DATA.SET_INFORMATION.BytesRead = sizeof(ULONG);
        return NDIS_STATUS_SUCCESS;

    default:
        return NDIS_STATUS_NOT_SUPPORTED;
    }
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
    if (Event->DevicePnPEvent == NdisDevicePnPEventSurpriseRemoved) {
        ((PADAPTER)Context)->IsRemoved = TRUE;
    }
}

static VOID ShutdownEx(NDIS_HANDLE Context, NDIS_SHUTDOWN_ACTION Action)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Action);
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
