/* The miniport of the benchmarks: it completes every send at once, and Exercise runs the calls that are measured. */
#include <ndis.h>

static NDIS_HANDLE DriverHandle;
static NDIS_HANDLE AdapterHandle;
static NDIS_SPIN_LOCK Lock;

static NDIS_STATUS OidRequest(NDIS_HANDLE Context, PNDIS_OID_REQUEST Request)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Request);
    return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS InitializeEx(NDIS_HANDLE Handle, NDIS_HANDLE DriverContext, PNDIS_MINIPORT_INIT_PARAMETERS Parameters)
{
    NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES Registration;
    NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES General;

    UNREFERENCED_PARAMETER(DriverContext);
    UNREFERENCED_PARAMETER(Parameters);
    AdapterHandle = Handle;
    NdisAllocateSpinLock(&Lock);
    NdisZeroMemory(&Registration, sizeof(Registration));
    Registration.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES;
    Registration.Header.Revision = NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1;
    Registration.Header.Size = NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1;
    Registration.MiniportAdapterContext = &Lock;
    NdisMSetMiniportAttributes(Handle, (PNDIS_MINIPORT_ADAPTER_ATTRIBUTES)&Registration);
    NdisZeroMemory(&General, sizeof(General));
    General.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES;
    General.Header.Revision = NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1;
    General.Header.Size = NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1;
    General.MediaType = NdisMedium802_3;
    General.MtuSize = 1500;
    return NdisMSetMiniportAttributes(Handle, (PNDIS_MINIPORT_ADAPTER_ATTRIBUTES)&General);
}

static VOID HaltEx(NDIS_HANDLE Context, NDIS_HALT_ACTION Action)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Action);
}

static NDIS_STATUS Restart(NDIS_HANDLE Context, PNDIS_MINIPORT_RESTART_PARAMETERS Parameters)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Parameters);
    return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS Pause(NDIS_HANDLE Context, PNDIS_MINIPORT_PAUSE_PARAMETERS Parameters)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Parameters);
    return NDIS_STATUS_SUCCESS;
}

static VOID SendNetBufferLists(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, NDIS_PORT_NUMBER Port, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Port);
    UNREFERENCED_PARAMETER(Flags);
    NdisMSendNetBufferListsComplete(AdapterHandle, Lists, 0);
}

static VOID ReturnNetBufferLists(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Lists);
    UNREFERENCED_PARAMETER(Flags);
}

static VOID Cancel(NDIS_HANDLE Context, PVOID Id)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Id);
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

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    NdisMDeregisterMiniportDriver(DriverHandle);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS Miniport;

    NdisZeroMemory(&Miniport, sizeof(Miniport));
    Miniport.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS;
    Miniport.Header.Revision = NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1;
    Miniport.Header.Size = NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1;
    Miniport.MajorNdisVersion = 6;
    Miniport.InitializeHandlerEx = InitializeEx;
    Miniport.HaltHandlerEx = HaltEx;
    Miniport.UnloadHandler = Unload;
    Miniport.PauseHandler = Pause;
    Miniport.RestartHandler = Restart;
    Miniport.OidRequestHandler = OidRequest;
    Miniport.SendNetBufferListsHandler = SendNetBufferLists;
    Miniport.ReturnNetBufferListsHandler = ReturnNetBufferLists;
    Miniport.CancelSendHandler = Cancel;
    Miniport.CancelOidRequestHandler = Cancel;
    Miniport.DevicePnPEventNotifyHandler = DevicePnPEventNotify;
    Miniport.ShutdownHandlerEx = ShutdownEx;
    return NdisMRegisterMiniportDriver(DriverObject, RegistryPath, NULL, &Miniport, &DriverHandle);
}

static VOID ChangePort(NET_PNP_EVENT_CODE Code, PVOID Buffer, ULONG Bytes)
{
    NET_PNP_EVENT_NOTIFICATION Event;

    NdisZeroMemory(&Event, sizeof(Event));
    Event.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    Event.Header.Revision = NET_PNP_EVENT_NOTIFICATION_REVISION_1;
    Event.Header.Size = NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1;
    Event.NetPnPEvent.NetEvent = Code;
    Event.NetPnPEvent.Buffer = Buffer;
    Event.NetPnPEvent.BufferLength = Bytes;
    NdisMNetPnPEvent(AdapterHandle, &Event);
}

/* What 0: allocate and free a port; 1: a spin lock pair; 2: allocate, activate, deactivate and free a port. */
ULONG Exercise(ULONG What, ULONG Count)
{
    NDIS_PORT Port;
    ULONG Index;

    NdisZeroMemory(&Port, sizeof(Port));
    Port.PortCharacteristics.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    Port.PortCharacteristics.Header.Revision = NDIS_PORT_CHARACTERISTICS_REVISION_1;
    Port.PortCharacteristics.Header.Size = NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1;
    Port.PortCharacteristics.Flags = NDIS_PORT_CHAR_USE_DEFAULT_AUTH_SETTINGS;
    for (Index = 0; Index < Count; Index += 1) {
        if (What == 1) {
            NdisAcquireSpinLock(&Lock);
            NdisReleaseSpinLock(&Lock);
            continue;
        }
        NdisMAllocatePort(AdapterHandle, &Port.PortCharacteristics);
        if (What == 2) {
            ChangePort(NetEventPortActivation, &Port, sizeof(Port));
            ChangePort(NetEventPortDeactivation, &Port.PortCharacteristics.PortNumber, sizeof(NDIS_PORT_NUMBER));
        }
        NdisMFreePort(AdapterHandle, Port.PortCharacteristics.PortNumber);
    }
    return Count;
}
