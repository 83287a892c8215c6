/*
 * The unbind measure: a protocol whose SENDERS threads send PACKETS lists each while it is unbound. The unbind waits for the sends that are under way,
 * then closes the binding. BROKEN: the count of sends is tested outside the lock.
 */
#include <ndis.h>

#ifndef PACKETS
#define PACKETS 2
#endif

#define TAG 'bnuE'

static NDIS_HANDLE Protocol;
static NDIS_HANDLE Binding;
static NDIS_HANDLE BindContext;
static NDIS_HANDLE UnbindContext;
static NDIS_HANDLE Pool;
static NDIS_SPIN_LOCK Lock; /* protects the members below */
static BOOLEAN IsOpen;
static LONG Sends;
static NDIS_EVENT NoSends;

static VOID OpenComplete(NDIS_HANDLE Context, NDIS_STATUS Status)
{
    UNREFERENCED_PARAMETER(Context);
    NdisCompleteBindAdapterEx(BindContext, Status);
}

static NDIS_STATUS Bind(NDIS_HANDLE Context, NDIS_HANDLE Handle, PNDIS_BIND_PARAMETERS Parameters)
{
    static NDIS_MEDIUM Medium = NdisMedium802_3;
    static UINT Selected;
    static NDIS_OPEN_PARAMETERS Open;   /* NDIS may use it after the return */

    UNREFERENCED_PARAMETER(Context);
    BindContext = Handle;
    Open.Header.Type = NDIS_OBJECT_TYPE_OPEN_PARAMETERS;
    Open.Header.Revision = NDIS_OPEN_PARAMETERS_REVISION_1;
    Open.Header.Size = NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1;
    Open.AdapterName = Parameters->AdapterName;
    Open.MediumArray = &Medium;
    Open.MediumArraySize = 1;
    Open.SelectedMediumIndex = &Selected;
    return NdisOpenAdapterEx(Protocol, &Binding, &Open, Handle, &Binding);
}

/* A send is over, or given up. */
static VOID Done(VOID)
{
    BOOLEAN IsLast;

    NdisAcquireSpinLock(&Lock);
    Sends -= 1;
    IsLast = Sends == 0 && !IsOpen;
    NdisReleaseSpinLock(&Lock);
    if (IsLast) {
        NdisSetEvent(&NoSends);
    }
}

static VOID CloseComplete(NDIS_HANDLE Context)
{
    UNREFERENCED_PARAMETER(Context);
    NdisCompleteUnbindAdapterEx(UnbindContext);
}

static NDIS_STATUS Unbind(NDIS_HANDLE Handle, NDIS_HANDLE Context)
{
    BOOLEAN MustWait;

    UNREFERENCED_PARAMETER(Context);
    UnbindContext = Handle;
    NdisAcquireSpinLock(&Lock);
    IsOpen = FALSE;
    MustWait = Sends > 0;
    NdisReleaseSpinLock(&Lock);
    if (MustWait) {
        NdisWaitEvent(&NoSends, 0);
    }
    return NdisCloseAdapterEx(Binding);
}

static NDIS_STATUS Event(NDIS_HANDLE Context, PNET_PNP_EVENT_NOTIFICATION Notification)
{
    UNREFERENCED_PARAMETER(Context);
    if (Notification->NetPnPEvent.NetEvent == NetEventRestart) {
        NdisAcquireSpinLock(&Lock);
        IsOpen = TRUE;
        NdisReleaseSpinLock(&Lock);
    }
    if (Notification->NetPnPEvent.NetEvent == NetEventPause) {
        BOOLEAN MustWait;

        NdisAcquireSpinLock(&Lock);
        IsOpen = FALSE;
        MustWait = Sends > 0;
        NdisReleaseSpinLock(&Lock);
        if (MustWait) {
            NdisWaitEvent(&NoSends, 0);
        }
    }
    return NDIS_STATUS_SUCCESS;
}

static VOID SendComplete(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, ULONG Flags)
{
    PNET_BUFFER_LIST Next;

    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Flags);
    for (; Lists != NULL; Lists = Next) {
        Next = NET_BUFFER_LIST_NEXT_NBL(Lists);
        NdisFreeNetBufferList(Lists);
        Done();
    }
}

static VOID Status(NDIS_HANDLE Context, PNDIS_STATUS_INDICATION Indication)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Indication);
}

static VOID Receive(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, NDIS_PORT_NUMBER Port, ULONG Count, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Port);
    UNREFERENCED_PARAMETER(Count);
    if (!NDIS_TEST_RECEIVE_CANNOT_PEND(Flags)) {
        NdisReturnNetBufferLists(Binding, Lists, 0);
    }
}

static VOID OidComplete(NDIS_HANDLE Context, PNDIS_OID_REQUEST Request, NDIS_STATUS Result)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Request);
    UNREFERENCED_PARAMETER(Result);
}

/* A sender. */
__declspec(dllexport) ULONG Exercise(VOID)
{
    static UCHAR Frame[64];
    ULONG Index;

    for (Index = 0; Index < PACKETS; Index += 1) {
        PNET_BUFFER_LIST List;
        BOOLEAN MaySend;

#ifdef BROKEN
        MaySend = IsOpen;
        NdisAcquireSpinLock(&Lock);
#else
        NdisAcquireSpinLock(&Lock);
        MaySend = IsOpen;
#endif
        if (MaySend) {
            Sends += 1;
        }
        NdisReleaseSpinLock(&Lock);
        if (!MaySend) {
            return Index;
        }
        List = NdisAllocateNetBufferAndNetBufferList(Pool, 0, 0, NULL, 0, 0);
        if (List == NULL) {
            Done();
            return Index;
        }
        List->SourceHandle = Binding;
        NdisSendNetBufferLists(Binding, List, NDIS_DEFAULT_PORT_NUMBER, 0);
    }
    UNREFERENCED_PARAMETER(Frame);
    return Index;
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    NdisDeregisterProtocolDriver(Protocol);
    NdisFreeNetBufferListPool(Pool);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NDIS_PROTOCOL_DRIVER_CHARACTERISTICS Own = {{0}};
    NET_BUFFER_LIST_POOL_PARAMETERS Parameters = {{0}};
    NDIS_STATUS Result;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    NdisAllocateSpinLock(&Lock);
    NdisInitializeEvent(&NoSends);
    Parameters.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    Parameters.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
    Parameters.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
    Parameters.ProtocolId = NDIS_PROTOCOL_ID_DEFAULT;
    Parameters.fAllocateNetBuffer = TRUE;
    Parameters.PoolTag = TAG;
    Pool = NdisAllocateNetBufferListPool(NULL, &Parameters);
    if (Pool == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Own.Header.Type = NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS;
    Own.Header.Revision = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1;
    Own.Header.Size = NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1;
    Own.MajorNdisVersion = 6;
    NdisInitUnicodeString(&Own.Name, L"UNBIND");
    Own.BindAdapterHandlerEx = Bind;
    Own.UnbindAdapterHandlerEx = Unbind;
    Own.OpenAdapterCompleteHandlerEx = OpenComplete;
    Own.CloseAdapterCompleteHandlerEx = CloseComplete;
    Own.NetPnPEventHandler = Event;
    Own.OidRequestCompleteHandler = OidComplete;
    Own.StatusHandlerEx = Status;
    Own.ReceiveNetBufferListsHandler = Receive;
    Own.SendNetBufferListsCompleteHandler = SendComplete;
    Result = NdisRegisterProtocolDriver(NULL, &Own, &Protocol);
    if (Result != NDIS_STATUS_SUCCESS) {
        NdisFreeNetBufferListPool(Pool);
    }
    return Result;
}
