/* The protocol of the benchmarks: it binds and unbinds at once, and Exercise sends one list over and over. */
#include <ndis.h>

#define TAG 'cneB'

static NDIS_HANDLE ProtocolHandle;
static NDIS_HANDLE BindingHandle;
static NDIS_HANDLE Pool;
static ULONG Completed;
static UCHAR Frame[64];

static NDIS_STATUS BindAdapterEx(NDIS_HANDLE DriverContext, NDIS_HANDLE BindContext, PNDIS_BIND_PARAMETERS Parameters)
{
    NDIS_OPEN_PARAMETERS Open;
    NDIS_MEDIUM Medium = NdisMedium802_3;
    UINT Selected;

    UNREFERENCED_PARAMETER(DriverContext);
    NdisZeroMemory(&Open, sizeof(Open));
    Open.Header.Type = NDIS_OBJECT_TYPE_OPEN_PARAMETERS;
    Open.Header.Revision = NDIS_OPEN_PARAMETERS_REVISION_1;
    Open.Header.Size = NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1;
    Open.AdapterName = Parameters->AdapterName;
    Open.MediumArray = &Medium;
    Open.MediumArraySize = 1;
    Open.SelectedMediumIndex = &Selected;
    return NdisOpenAdapterEx(ProtocolHandle, &BindingHandle, &Open, BindContext, &BindingHandle);
}

static NDIS_STATUS UnbindAdapterEx(NDIS_HANDLE UnbindContext, NDIS_HANDLE Context)
{
    UNREFERENCED_PARAMETER(UnbindContext);
    UNREFERENCED_PARAMETER(Context);
    return NdisCloseAdapterEx(BindingHandle);
}

static VOID OpenAdapterCompleteEx(NDIS_HANDLE Context, NDIS_STATUS Status)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Status);
}

static VOID CloseAdapterCompleteEx(NDIS_HANDLE Context)
{
    UNREFERENCED_PARAMETER(Context);
}

static NDIS_STATUS NetPnPEvent(NDIS_HANDLE Context, PNET_PNP_EVENT_NOTIFICATION Event)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Event);
    return NDIS_STATUS_SUCCESS;
}

static VOID OidRequestComplete(NDIS_HANDLE Context, PNDIS_OID_REQUEST Request, NDIS_STATUS Status)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Request);
    UNREFERENCED_PARAMETER(Status);
}

static VOID StatusEx(NDIS_HANDLE Context, PNDIS_STATUS_INDICATION Indication)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Indication);
}

static VOID ReceiveNetBufferLists(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, NDIS_PORT_NUMBER Port, ULONG Count, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Lists);
    UNREFERENCED_PARAMETER(Port);
    UNREFERENCED_PARAMETER(Count);
    UNREFERENCED_PARAMETER(Flags);
}

static VOID SendComplete(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Lists);
    UNREFERENCED_PARAMETER(Flags);
    Completed += 1;
}

/* Sends one list Count times; each send is complete when its call returns. */
ULONG Exercise(ULONG What, ULONG Count)
{
    NET_BUFFER_LIST_POOL_PARAMETERS Parameters;
    PNET_BUFFER_LIST List;
    ULONG Index;
    PMDL Mdl;

    UNREFERENCED_PARAMETER(What);
    NdisZeroMemory(&Parameters, sizeof(Parameters));
    Parameters.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    Parameters.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
    Parameters.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
    Parameters.fAllocateNetBuffer = TRUE;
    Parameters.PoolTag = TAG;
    Pool = NdisAllocateNetBufferListPool(ProtocolHandle, &Parameters);
    Mdl = NdisAllocateMdl(ProtocolHandle, Frame, sizeof(Frame));
    List = NdisAllocateNetBufferAndNetBufferList(Pool, 0, 0, Mdl, 0, sizeof(Frame));
    List->SourceHandle = BindingHandle;
    Completed = 0;
    for (Index = 0; Index < Count; Index += 1) {
        NdisSendNetBufferLists(BindingHandle, List, NDIS_DEFAULT_PORT_NUMBER, 0);
    }
    NdisFreeNetBufferList(List);
    NdisFreeMdl(Mdl);
    NdisFreeNetBufferListPool(Pool);
    return Completed;
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
    NdisZeroMemory(&Protocol, sizeof(Protocol));
    Protocol.Header.Type = NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS;
    Protocol.Header.Revision = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1;
    Protocol.Header.Size = NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1;
    Protocol.MajorNdisVersion = 6;
    NdisInitUnicodeString(&Protocol.Name, L"BENCH");
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
