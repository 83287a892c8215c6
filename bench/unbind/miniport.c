/* The unbind measure: a miniport that completes each send in a DPC. */
#include "../../test/c-drivers/idle-miniport.h"

typedef struct _SENT {
    KDPC Dpc;
    PNET_BUFFER_LIST Lists;
} SENT;

#define TAG 'nimE'

static NDIS_HANDLE Adapter;

static VOID Complete(PKDPC Dpc, PVOID Context, PVOID First, PVOID Second)
{
    SENT *Own = (SENT *)Context;
    PNET_BUFFER_LIST Lists = Own->Lists;

    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(First);
    UNREFERENCED_PARAMETER(Second);
    NdisFreeMemory(Own, 0, 0);
    NdisMSendNetBufferListsComplete(Adapter, Lists, NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL);
}

static VOID Send(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, NDIS_PORT_NUMBER Port, ULONG Flags)
{
    SENT *Own = (SENT *)NdisAllocateMemoryWithTagPriority(Adapter, sizeof(*Own), TAG, NormalPoolPriority);

    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Port);
    UNREFERENCED_PARAMETER(Flags);
    Own->Lists = Lists;
    KeInitializeDpc(&Own->Dpc, Complete, Own);
    KeInsertQueueDpc(&Own->Dpc, NULL, NULL);
}

static NDIS_STATUS Initialize(NDIS_HANDLE Handle, NDIS_HANDLE Context, PNDIS_MINIPORT_INIT_PARAMETERS Parameters)
{
    static NDIS_OID Oids[] = {OID_GEN_CURRENT_PACKET_FILTER, OID_GEN_CURRENT_LOOKAHEAD};
    NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES General = {{0}};

    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Parameters);
    Adapter = Handle;
    SetRegistrationAttributes(Handle, &Adapter, 0);
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
    General.SupportedPacketFilters = NDIS_PACKET_TYPE_DIRECTED;
    General.AccessType = NET_IF_ACCESS_BROADCAST;
    General.DirectionType = NET_IF_DIRECTION_SENDRECEIVE;
    General.ConnectionType = NET_IF_CONNECTION_DEDICATED;
    General.SupportedOidList = Oids;
    General.SupportedOidListLength = sizeof(Oids);
    return NdisMSetMiniportAttributes(Handle, (PNDIS_MINIPORT_ADAPTER_ATTRIBUTES)&General);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS Miniport = IdleMiniport;

    Miniport.InitializeHandlerEx = Initialize;
    Miniport.SendNetBufferListsHandler = Send;
    return NdisMRegisterMiniportDriver(DriverObject, RegistryPath, NULL, &Miniport, &TheMiniport);
}
