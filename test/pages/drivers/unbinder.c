/*
 * A protocol that does what a test tells it: the same driver as unbinder.ts. It binds, pauses, closes and unbinds correctly, unless
 * Exercise(BEHAVE, flags) has asked for something else.
 */
#include <ndis.h>

#define TAG 'xbnU'
#define MOST_BINDINGS 4

/* First argument of Exercise; the second is given in brackets. Bindings are numbered in the order of their binds. */
#define BEHAVE 0                        /* [flags] */
#define HANDLE_OF 1                     /* [number of a binding] its handle, as NdisOpenAdapterEx wrote it */
#define UNBIND_ITSELF 2                 /* [number of a binding] asks NDIS to unbind it */
#define UNBIND_AND_USE 3                /* [number of a binding] asks NDIS to unbind it, then uses its handle */
#define CLOSE_OUTSIDE 4                 /* [number of a binding] closes it here and now */

/* Flags. */
#define PENDS_UNBIND 0x0001             /* answers NDIS_STATUS_PENDING to the unbind; completes it when the close is complete */
#define COMPLETES_ON_WORKER 0x0002      /* ... and completes it on a thread of its own */
#define FORGETS_COMPLETE 0x0004         /* ... and never completes it */
#define COMPLETES_TWICE 0x0008
#define COMPLETES_BEFORE_CLOSE 0x0010   /* ... and completes it without waiting for a close that pends */
#define COMPLETES_WITHOUT_PENDING 0x0020
#define DOES_NOT_CLOSE 0x0040
#define CLOSES_FIRST_BINDING 0x0080     /* closes binding 0, whichever is to be unbound */
#define CLOSES_WRONG_HANDLE 0x0100      /* closes with the UnbindContext in place of the binding handle */
#define DOES_NOT_WAIT_FOR_CLOSE 0x0200
#define FREES_BEFORE_CLOSE_IS_COMPLETE 0x0400
#define KEEPS_MEMORY 0x0800
#define CLOSES_IN_PAUSE 0x1000
#define PENDS_PAUSE 0x2000
#define FAILS_BIND 0x4000               /* opens the adapter, closes it and fails the bind */
#define FAILS_UNBIND 0x8000

typedef struct _BINDING {
    NDIS_HANDLE Handle;                 /* written by NdisOpenAdapterEx */
    NDIS_HANDLE UnbindContext;          /* of an unbind that pends */
    BOOLEAN IsClosed;
    PNET_PNP_EVENT_NOTIFICATION Pause;
    NDIS_STATUS Status;
    NDIS_MEDIUM Medium;
    UINT SelectedMedium;
    NDIS_EVENT Done;                    /* the open or the close that pended is complete */
    NDIS_OPEN_PARAMETERS Open;
} BINDING, *PBINDING;

static NDIS_HANDLE ProtocolHandle;
static ULONG Behaviour;
static PBINDING Bindings[MOST_BINDINGS];
static PDRIVER_OBJECT TheDriver;
static NDIS_OID_REQUEST Request;
static ULONG PacketFilter;
static NDIS_HANDLE Orphan;              /* the UnbindContext of a binding whose memory was freed too early */

static BOOLEAN Does(ULONG What)
{
    return (Behaviour & What) != 0;
}

static VOID Replace(PBINDING From, PBINDING To)
{
    ULONG Number;

    for (Number = 0; Number < MOST_BINDINGS; Number += 1) {
        if (Bindings[Number] == From) {
            Bindings[Number] = To;
            return;
        }
    }
}

static VOID Later(PIO_WORKITEM_ROUTINE_EX Routine, PVOID Context)
{
    IoQueueWorkItemEx(IoAllocateWorkItem((PDEVICE_OBJECT)TheDriver), Routine, DelayedWorkQueue, Context);
}

static VOID FreeBinding(PBINDING Binding)
{
    if (!Does(KEEPS_MEMORY)) {
        NdisFreeMemory(Binding, 0, 0); /* MARK: free */
    }
}

static VOID CompleteUnbind(NDIS_HANDLE UnbindContext)
{
    if (Does(FORGETS_COMPLETE)) {
        return;
    }
    NdisCompleteUnbindAdapterEx(UnbindContext); /* MARK: complete */
    if (Does(COMPLETES_TWICE)) {
        NdisCompleteUnbindAdapterEx(UnbindContext); /* MARK: complete again */
    }
}

static VOID CompleteUnbindLater(PVOID IoObject, PVOID UnbindContext, PIO_WORKITEM Item)
{
    UNREFERENCED_PARAMETER(IoObject);
    IoFreeWorkItem(Item);
    CompleteUnbind((NDIS_HANDLE)UnbindContext);
}

/* Everything of a binding whose unbind pends is closed: release it, then complete the unbind. */
static VOID FinishUnbind(PBINDING Binding)
{
    NDIS_HANDLE UnbindContext = Binding->UnbindContext;

    FreeBinding(Binding);
    if (Does(COMPLETES_ON_WORKER)) {
        Later(CompleteUnbindLater, UnbindContext);
    } else {
        CompleteUnbind(UnbindContext);
    }
}

static VOID WaitUntilClosed(PBINDING Binding)
{
    NdisWaitEvent(&Binding->Done, 0);
}

static NDIS_STATUS CloseInUnbind(NDIS_HANDLE UnbindContext, PBINDING Binding)
{
    if (Does(DOES_NOT_CLOSE) || Binding->IsClosed) {
        return NDIS_STATUS_SUCCESS;
    }
    if (Does(CLOSES_FIRST_BINDING) && Bindings[0] != NULL) {
        Bindings[0]->IsClosed = TRUE;
        return NdisCloseAdapterEx(Bindings[0]->Handle); /* MARK: close another binding */
    }
    if (Does(CLOSES_WRONG_HANDLE)) {
        return NdisCloseAdapterEx(UnbindContext); /* MARK: close a wrong handle */
    }
    return NdisCloseAdapterEx(Binding->Handle); /* MARK: close in unbind */
}

static NDIS_STATUS BindAdapterEx(NDIS_HANDLE DriverContext, NDIS_HANDLE BindContext, PNDIS_BIND_PARAMETERS Parameters)
{
    NDIS_STATUS Status;
    PBINDING Binding;

    UNREFERENCED_PARAMETER(DriverContext);
    Binding = (PBINDING)NdisAllocateMemoryWithTagPriority(ProtocolHandle, sizeof(*Binding), TAG, NormalPoolPriority); /* MARK: allocate */
    if (Binding == NULL) {
        return NDIS_STATUS_RESOURCES;
    }
    NdisZeroMemory(Binding, sizeof(*Binding));
    NdisInitializeEvent(&Binding->Done);
    Binding->Medium = NdisMedium802_3;
    Binding->Open.Header.Type = NDIS_OBJECT_TYPE_OPEN_PARAMETERS;
    Binding->Open.Header.Revision = NDIS_OPEN_PARAMETERS_REVISION_1;
    Binding->Open.Header.Size = NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1;
    Binding->Open.AdapterName = Parameters->AdapterName;
    Binding->Open.MediumArray = &Binding->Medium;
    Binding->Open.MediumArraySize = 1;
    Binding->Open.SelectedMediumIndex = &Binding->SelectedMedium;
    Status = NdisOpenAdapterEx(ProtocolHandle, Binding, &Binding->Open, BindContext, &Binding->Handle);
    if (Status == NDIS_STATUS_PENDING) {
        NdisWaitEvent(&Binding->Done, 0);
        Status = Binding->Status;
    }
    if (Status == NDIS_STATUS_SUCCESS && Does(FAILS_BIND)) {
        NdisInitializeEvent(&Binding->Done);
        if (NdisCloseAdapterEx(Binding->Handle) == NDIS_STATUS_PENDING) { /* MARK: close in bind */
            WaitUntilClosed(Binding);
        }
        Status = NDIS_STATUS_FAILURE;
    }
    if (Status == NDIS_STATUS_SUCCESS) {
        Replace(NULL, Binding);
    } else {
        FreeBinding(Binding);
    }
    return Status;
}

static VOID OpenAdapterCompleteEx(NDIS_HANDLE Context, NDIS_STATUS Status)
{
    PBINDING Binding = (PBINDING)Context;

    Binding->Status = Status;
    NdisSetEvent(&Binding->Done);
}

/* MARK: unbind handler begins */
static NDIS_STATUS UnbindAdapterEx(NDIS_HANDLE UnbindContext, NDIS_HANDLE Context)
{
    PBINDING Binding = (PBINDING)Context;
    NDIS_STATUS Status;

    Replace(Binding, NULL);
    Binding->UnbindContext = Does(PENDS_UNBIND) ? UnbindContext : NULL;
    NdisInitializeEvent(&Binding->Done);
    Status = CloseInUnbind(UnbindContext, Binding);
    if (Does(COMPLETES_WITHOUT_PENDING)) {
        NdisCompleteUnbindAdapterEx(UnbindContext);
    }
    if (Status == NDIS_STATUS_PENDING && Does(FREES_BEFORE_CLOSE_IS_COMPLETE)) {
        Orphan = UnbindContext;
        NdisFreeMemory(Binding, 0, 0); /* MARK: free before the close is complete */
        return NDIS_STATUS_PENDING;
    }
    if (Does(PENDS_UNBIND)) {
        if (Status == NDIS_STATUS_PENDING && Does(COMPLETES_BEFORE_CLOSE)) {
            CompleteUnbind(UnbindContext);
        } else if (Status != NDIS_STATUS_PENDING) {
            FinishUnbind(Binding);
        }
        return NDIS_STATUS_PENDING;
    }
    if (Status == NDIS_STATUS_PENDING && Does(DOES_NOT_WAIT_FOR_CLOSE)) {
        return NDIS_STATUS_SUCCESS;
    }
    if (Status == NDIS_STATUS_PENDING) {
        WaitUntilClosed(Binding);
    }
    FreeBinding(Binding);
    return Does(FAILS_UNBIND) ? NDIS_STATUS_FAILURE : NDIS_STATUS_SUCCESS;
}

static VOID CloseAdapterCompleteEx(NDIS_HANDLE Context)
{
    PBINDING Binding = (PBINDING)Context;
    NDIS_HANDLE Orphaned = Orphan;

    if (Orphaned != NULL) {
        Orphan = NULL;
        NdisCompleteUnbindAdapterEx(Orphaned);
    } else if (Does(COMPLETES_BEFORE_CLOSE | DOES_NOT_WAIT_FOR_CLOSE)) {
        FreeBinding(Binding);
    } else if (Binding->UnbindContext != NULL) {
        FinishUnbind(Binding);
    } else {
        NdisSetEvent(&Binding->Done);
    }
}

static VOID CompletePauseLater(PVOID IoObject, PVOID Context, PIO_WORKITEM Item)
{
    PBINDING Binding = (PBINDING)Context;

    UNREFERENCED_PARAMETER(IoObject);
    IoFreeWorkItem(Item);
    NdisCompleteNetPnPEvent(Binding->Handle, Binding->Pause, NDIS_STATUS_SUCCESS);
}

static NDIS_STATUS NetPnPEvent(NDIS_HANDLE Context, PNET_PNP_EVENT_NOTIFICATION Event)
{
    PBINDING Binding = (PBINDING)Context;

    if (Event->NetPnPEvent.NetEvent != NetEventPause) {
        return NDIS_STATUS_SUCCESS;
    }
    if (Does(CLOSES_IN_PAUSE) && !Binding->IsClosed) {
        Binding->IsClosed = TRUE;
        if (NdisCloseAdapterEx(Binding->Handle) == NDIS_STATUS_PENDING) { /* MARK: close in pause */
            WaitUntilClosed(Binding);
        }
    }
    if (!Does(PENDS_PAUSE)) {
        return NDIS_STATUS_SUCCESS;
    }
    Binding->Pause = Event;
    Later(CompletePauseLater, Binding);
    return NDIS_STATUS_PENDING;
}

static VOID OidRequestComplete(NDIS_HANDLE Context, PNDIS_OID_REQUEST OidRequest, NDIS_STATUS Status)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(OidRequest);
    UNREFERENCED_PARAMETER(Status);
}

static VOID SendComplete(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Lists);
    UNREFERENCED_PARAMETER(Flags);
}

static VOID StatusEx(NDIS_HANDLE Context, PNDIS_STATUS_INDICATION Indication)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Indication);
}

static VOID ReceiveNetBufferLists(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, NDIS_PORT_NUMBER Port, ULONG Count, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Port);
    UNREFERENCED_PARAMETER(Count);
    if (!NDIS_TEST_RECEIVE_CANNOT_PEND(Flags)) {
        NdisReturnNetBufferLists(((PBINDING)Context)->Handle, Lists, 0);
    }
}

static NDIS_STATUS UnbindAndUse(NDIS_HANDLE Handle)
{
    Request.Header.Type = NDIS_OBJECT_TYPE_OID_REQUEST;
    Request.Header.Revision = NDIS_OID_REQUEST_REVISION_1;
    Request.Header.Size = NDIS_SIZEOF_OID_REQUEST_REVISION_1;
    Request.RequestType = NdisRequestSetInformation;
    Request.DATA.SET_INFORMATION.Oid = OID_GEN_CURRENT_PACKET_FILTER;
    Request.DATA.SET_INFORMATION.InformationBuffer = &PacketFilter;
    Request.DATA.SET_INFORMATION.InformationBufferLength = sizeof(PacketFilter);
    NdisUnbindAdapter(Handle);
    return NdisOidRequest(Handle, &Request); /* MARK: use the handle after the unbind was asked for */
}

static NDIS_STATUS CloseOutside(PBINDING Binding)
{
    NDIS_STATUS Status;

    NdisInitializeEvent(&Binding->Done);
    Binding->IsClosed = TRUE;
    Status = NdisCloseAdapterEx(Binding->Handle); /* MARK: close outside */
    if (Status == NDIS_STATUS_PENDING) {
        WaitUntilClosed(Binding);
    }
    return Status;
}

/* Called by the scenario. */
__declspec(dllexport) ULONG Exercise(ULONG What, ULONG Value)
{
    switch (What) {
    case BEHAVE:
        Behaviour = Value;
        return 0;
    case HANDLE_OF:
        return (ULONG)(ULONG_PTR)Bindings[Value]->Handle;
    case UNBIND_ITSELF:
        return NdisUnbindAdapter(Bindings[Value]->Handle);
    case UNBIND_AND_USE:
        return UnbindAndUse(Bindings[Value]->Handle);
    case CLOSE_OUTSIDE:
        return CloseOutside(Bindings[Value]);
    default:
        return 0;
    }
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
    TheDriver = DriverObject;
    DriverObject->DriverUnload = Unload;
    NdisZeroMemory(&Protocol, sizeof(Protocol));
    Protocol.Header.Type = NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS;
    Protocol.Header.Revision = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1;
    Protocol.Header.Size = NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1;
    Protocol.MajorNdisVersion = 6;
    Protocol.MinorNdisVersion = 0;
    NdisInitUnicodeString(&Protocol.Name, L"UNBINDER");
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
