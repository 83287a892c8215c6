/*
 * A miniport that completes what is sent and answers requests as it should. A case is called while its adapter runs, and chooses what is done
 * with the list that is sent afterwards, with an OID request, and before the adapter is halted.
 */
#pragma once
#include "cases.h"
#include "../idle-miniport.h"

/* Its buffer is 16 bytes long; what is set is four numbers, as in device.h. */
#define OID_OF_CASES 0xFF010001

typedef struct _ADAPTER {
    NDIS_HANDLE Handle;
    NDIS_HANDLE Pool;
    ULONG PacketFilter;
    ULONG Sent;
    KSPIN_LOCK Lock;
} ADAPTER, *PADAPTER;

static PADAPTER TheAdapter;
static VOID (*OnSend)(PADAPTER Adapter, PNET_BUFFER_LIST List);
static NDIS_REQUEST_TYPE OfType = NdisRequestGeneric1;
static NDIS_STATUS (*OnRequest)(PADAPTER Adapter, PNDIS_OID_REQUEST Request);
static VOID (*OnReturn)(PADAPTER Adapter, PNET_BUFFER_LIST List);
static VOID (*OnHalt)(PADAPTER Adapter);

static NDIS_STATUS SetAttributes(PADAPTER Adapter)
{
    static NDIS_OID Oids[] = {OID_GEN_CURRENT_PACKET_FILTER, OID_GEN_CURRENT_LOOKAHEAD};
    NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES General = {{0}};

    SetRegistrationAttributes(Adapter->Handle, Adapter, 0);
    General.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES;
    General.Header.Revision = NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1;
    General.Header.Size = NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1;
    General.MediaType = NdisMedium802_3;
    General.MtuSize = General.LookaheadSize = 1500;
    General.MediaConnectState = MediaConnectStateConnected;
    General.MediaDuplexState = MediaDuplexStateFull;
    General.MacAddressLength = 6;
    General.PermanentMacAddress[0] = General.CurrentMacAddress[0] = 2;
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
    NET_BUFFER_LIST_POOL_PARAMETERS Pool = {{0}};
    PADAPTER Adapter = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Adapter), TAG);

    UNREFERENCED_PARAMETER(DriverContext);
    UNREFERENCED_PARAMETER(Parameters);
    KeInitializeSpinLock(&Adapter->Lock);
    Adapter->Handle = Handle;
    Pool.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    Pool.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
    Pool.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
    Pool.fAllocateNetBuffer = TRUE;
    Pool.PoolTag = TAG;
    Adapter->Pool = NdisAllocateNetBufferListPool(Handle, &Pool);
    TheAdapter = Adapter;
    return SetAttributes(Adapter);
}

static VOID HaltEx(NDIS_HANDLE Context, NDIS_HALT_ACTION Action)
{
    PADAPTER Adapter = (PADAPTER)Context;

    UNREFERENCED_PARAMETER(Action);
    if (OnHalt != NULL) {
        OnHalt(Adapter);
    }
    TheAdapter = NULL;
    NdisFreeNetBufferListPool(Adapter->Pool);
    FREE(Adapter);
}

static VOID CompleteSend(PADAPTER Adapter, PNET_BUFFER_LIST List)
{
    NET_BUFFER_LIST_STATUS(List) = NDIS_STATUS_SUCCESS;
    NdisMSendNetBufferListsComplete(Adapter->Handle, List, 0);
}

static VOID SendNetBufferLists(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, NDIS_PORT_NUMBER Port, ULONG Flags)
{
    PNET_BUFFER_LIST Next;

    UNREFERENCED_PARAMETER(Port);
    UNREFERENCED_PARAMETER(Flags);
    for (; Lists != NULL; Lists = Next) {
        Next = NET_BUFFER_LIST_NEXT_NBL(Lists);
        NET_BUFFER_LIST_NEXT_NBL(Lists) = NULL;
        if (OnSend != NULL) {
            OnSend((PADAPTER)Context, Lists);
        } else {
            CompleteSend((PADAPTER)Context, Lists);
        }
    }
}

static VOID ReturnNetBufferLists(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    OnReturn((PADAPTER)Context, Lists);
}

static NDIS_STATUS OidRequest(NDIS_HANDLE Context, PNDIS_OID_REQUEST Request)
{
    if (Request->RequestType == OfType && Request->DATA.SET_INFORMATION.Oid == OID_OF_CASES) {
        return OnRequest((PADAPTER)Context, Request);
    }
    if (Request->RequestType != NdisRequestSetInformation || Request->DATA.SET_INFORMATION.Oid != OID_GEN_CURRENT_PACKET_FILTER) {
        return NDIS_STATUS_NOT_SUPPORTED;
    }
    if (Request->DATA.SET_INFORMATION.InformationBufferLength < sizeof(ULONG)) {
        Request->DATA.SET_INFORMATION.BytesNeeded = sizeof(ULONG);
        return NDIS_STATUS_INVALID_LENGTH;
    }
    ((PADAPTER)Context)->PacketFilter = *(PULONG)Request->DATA.SET_INFORMATION.InformationBuffer;
    Request->DATA.SET_INFORMATION.BytesRead = sizeof(ULONG);
    return NDIS_STATUS_SUCCESS;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS Miniport = IdleMiniport;

    Miniport.InitializeHandlerEx = InitializeEx;
    Miniport.HaltHandlerEx = HaltEx;
    Miniport.OidRequestHandler = OidRequest;
    Miniport.SendNetBufferListsHandler = SendNetBufferLists;
    Miniport.ReturnNetBufferListsHandler = ReturnNetBufferLists;
    return NdisMRegisterMiniportDriver(DriverObject, RegistryPath, NULL, &Miniport, &TheMiniport);
}
