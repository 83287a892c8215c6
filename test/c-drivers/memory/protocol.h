/*
 * A protocol that binds, opens, closes and sends as it should. A case is called while its binding runs; it may send, and it may choose what is
 * done with the list that it receives afterwards, with sends that are complete, and before the adapter is closed.
 */
#pragma once
#include "cases.h"

#define FRAME_BYTES 64

typedef struct _BINDING {
    NDIS_HANDLE Handle;
    NDIS_HANDLE Pool;
    NDIS_MEDIUM Medium;
    UINT SelectedMedium;
    NDIS_EVENT Ready;
    NDIS_STATUS Status;
    ULONG PacketFilter;
    ULONG Received;
    KSPIN_LOCK Lock;
} BINDING, *PBINDING;

static NDIS_HANDLE ProtocolHandle;
static PDRIVER_OBJECT TheDriver;
static PBINDING TheBinding;
static VOID (*OnReceive)(PBINDING Binding, PNET_BUFFER_LIST List);
static VOID (*OnSendComplete)(PBINDING Binding, PNET_BUFFER_LIST List);
static VOID (*OnUnbind)(PBINDING Binding);

static VOID InitializeRequest(PNDIS_OID_REQUEST Request, NDIS_REQUEST_TYPE Type, NDIS_OID Oid, PVOID Buffer, ULONG Length)
{
    NdisZeroMemory(Request, sizeof(*Request));
    Request->Header.Type = NDIS_OBJECT_TYPE_OID_REQUEST;
    Request->Header.Revision = NDIS_OID_REQUEST_REVISION_1;
    Request->Header.Size = NDIS_SIZEOF_OID_REQUEST_REVISION_1;
    Request->RequestType = Type;
    Request->DATA.SET_INFORMATION.Oid = Oid;
    Request->DATA.SET_INFORMATION.InformationBuffer = Buffer;
    Request->DATA.SET_INFORMATION.InformationBufferLength = Length;
}

static NDIS_STATUS SetPacketFilter(PBINDING Binding, ULONG Filter)
{
    NDIS_OID_REQUEST Request;
    NDIS_STATUS Status;

    Binding->PacketFilter = Filter;
    InitializeRequest(&Request, NdisRequestSetInformation, OID_GEN_CURRENT_PACKET_FILTER, &Binding->PacketFilter, sizeof(ULONG));
    NdisInitializeEvent(&Binding->Ready);
    Status = NdisOidRequest(Binding->Handle, &Request);
    if (Status == NDIS_STATUS_PENDING) {
        NdisWaitEvent(&Binding->Ready, 0);
        Status = Binding->Status;
    }
    return Status;
}

static VOID OperationComplete(NDIS_HANDLE Context, NDIS_STATUS Status)
{
    PBINDING Binding = (PBINDING)Context;

    Binding->Status = Status;
    NdisSetEvent(&Binding->Ready);
}

static VOID OidRequestComplete(NDIS_HANDLE Context, PNDIS_OID_REQUEST Request, NDIS_STATUS Status)
{
    UNREFERENCED_PARAMETER(Request);
    OperationComplete(Context, Status);
}

static VOID CloseAdapterCompleteEx(NDIS_HANDLE Context)
{
    OperationComplete(Context, NDIS_STATUS_SUCCESS);
}

static VOID FreeBinding(PBINDING Binding)
{
    TheBinding = NULL;
    NdisFreeNetBufferListPool(Binding->Pool);
    FREE(Binding);
}

static NDIS_STATUS BindAdapterEx(NDIS_HANDLE DriverContext, NDIS_HANDLE BindContext, PNDIS_BIND_PARAMETERS Parameters)
{
    NET_BUFFER_LIST_POOL_PARAMETERS Pool = {{0}};
    NDIS_OPEN_PARAMETERS Open = {{0}};
    PBINDING Binding = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Binding), TAG);
    NDIS_STATUS Status;

    UNREFERENCED_PARAMETER(DriverContext);
    Pool.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    Pool.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
    Pool.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
    Pool.fAllocateNetBuffer = TRUE;
    Pool.ContextSize = 16;
    Pool.PoolTag = TAG;
    Binding->Pool = NdisAllocateNetBufferListPool(ProtocolHandle, &Pool);
    Binding->Medium = NdisMedium802_3;
    KeInitializeSpinLock(&Binding->Lock);
    NdisInitializeEvent(&Binding->Ready);
    Open.Header.Type = NDIS_OBJECT_TYPE_OPEN_PARAMETERS;
    Open.Header.Revision = NDIS_OPEN_PARAMETERS_REVISION_1;
    Open.Header.Size = NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1;
    Open.AdapterName = Parameters->AdapterName;
    Open.MediumArray = &Binding->Medium;
    Open.MediumArraySize = 1;
    Open.SelectedMediumIndex = &Binding->SelectedMedium;
    Status = NdisOpenAdapterEx(ProtocolHandle, Binding, &Open, BindContext, &Binding->Handle);
    if (Status == NDIS_STATUS_PENDING) {
        NdisWaitEvent(&Binding->Ready, 0);
        Status = Binding->Status;
    }
    if (Status != NDIS_STATUS_SUCCESS) {
        FreeBinding(Binding);
        return Status;
    }
    TheBinding = Binding;
    return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS UnbindAdapterEx(NDIS_HANDLE UnbindContext, NDIS_HANDLE Context)
{
    PBINDING Binding = (PBINDING)Context;

    UNREFERENCED_PARAMETER(UnbindContext);
    SetPacketFilter(Binding, 0);
    if (OnUnbind != NULL) {
        OnUnbind(Binding);
    }
    NdisInitializeEvent(&Binding->Ready);
    if (NdisCloseAdapterEx(Binding->Handle) == NDIS_STATUS_PENDING) {
        NdisWaitEvent(&Binding->Ready, 0);
    }
    FreeBinding(Binding);
    return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS NetPnPEvent(NDIS_HANDLE Context, PNET_PNP_EVENT_NOTIFICATION Event)
{
    if (Event->NetPnPEvent.NetEvent == NetEventRestart) {
        SetPacketFilter((PBINDING)Context, NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_BROADCAST);
    }
    return NDIS_STATUS_SUCCESS;
}

/* A list with one frame of zeros. */
static PNET_BUFFER_LIST MakeFrame(PBINDING Binding)
{
    PVOID Data = ExAllocatePoolZero(NonPagedPoolNx, FRAME_BYTES, TAG);
    PMDL Mdl = NdisAllocateMdl(ProtocolHandle, Data, FRAME_BYTES);
    PNET_BUFFER_LIST List = NdisAllocateNetBufferAndNetBufferList(Binding->Pool, 16, 0, Mdl, 0, FRAME_BYTES);

    List->SourceHandle = Binding->Handle;
    return List;
}

static VOID FreeFrame(PNET_BUFFER_LIST List)
{
    PMDL Mdl = NET_BUFFER_FIRST_MDL(NET_BUFFER_LIST_FIRST_NB(List));
    PVOID Data = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);

    NdisFreeMdl(Mdl);
    FREE(Data);
    NdisFreeNetBufferList(List);
}

static VOID SendComplete(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, ULONG Flags)
{
    PNET_BUFFER_LIST Next;

    UNREFERENCED_PARAMETER(Flags);
    for (; Lists != NULL; Lists = Next) {
        Next = NET_BUFFER_LIST_NEXT_NBL(Lists);
        NET_BUFFER_LIST_NEXT_NBL(Lists) = NULL;
        if (OnSendComplete != NULL) {
            OnSendComplete((PBINDING)Context, Lists);
        } else {
            FreeFrame(Lists);
        }
    }
}

static VOID ReceiveNetBufferLists(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, NDIS_PORT_NUMBER Port, ULONG Count, ULONG Flags)
{
    PBINDING Binding = (PBINDING)Context;

    UNREFERENCED_PARAMETER(Port);
    UNREFERENCED_PARAMETER(Count);
    if (NDIS_TEST_RECEIVE_CANNOT_PEND(Flags)) {
        return;
    }
    if (OnReceive != NULL) {
        OnReceive(Binding, Lists);
    } else {
        NdisReturnNetBufferLists(Binding->Handle, Lists, 0);
    }
}

static VOID StatusEx(NDIS_HANDLE Context, PNDIS_STATUS_INDICATION Indication)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Indication);
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
    TheDriver = DriverObject;
    DriverObject->DriverUnload = Unload;
    Protocol.Header.Type = NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS;
    Protocol.Header.Revision = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1;
    Protocol.Header.Size = NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1;
    Protocol.MajorNdisVersion = 6;
    NdisInitUnicodeString(&Protocol.Name, L"CASES");
    Protocol.BindAdapterHandlerEx = BindAdapterEx;
    Protocol.UnbindAdapterHandlerEx = UnbindAdapterEx;
    Protocol.OpenAdapterCompleteHandlerEx = OperationComplete;
    Protocol.CloseAdapterCompleteHandlerEx = CloseAdapterCompleteEx;
    Protocol.NetPnPEventHandler = NetPnPEvent;
    Protocol.OidRequestCompleteHandler = OidRequestComplete;
    Protocol.StatusHandlerEx = StatusEx;
    Protocol.ReceiveNetBufferListsHandler = ReceiveNetBufferLists;
    Protocol.SendNetBufferListsCompleteHandler = SendComplete;
    return NdisRegisterProtocolDriver(NULL, &Protocol, &ProtocolHandle);
}
