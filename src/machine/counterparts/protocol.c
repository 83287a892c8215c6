/*
 * The stock counterpart of a miniport: a protocol that sends, receives and asks OIDs, and answers everything now or later, as the run chooses.
 *
 * Scenarios call Send and Ask, and whatever else is exported.
 */
#include "counterpart.h"

#define FRAME_BYTES 64
#define MAX_PORTS 8
/* Of the range that is left to drivers of their own, and no driver's. */
#define UNKNOWN_OID 0xFF0F0F0F

typedef struct _BINDING {
    struct _BINDING *Next;
    NDIS_HANDLE Handle;
    NDIS_HANDLE BindContext;
    NDIS_HANDLE UnbindContext;
    NDIS_HANDLE Pool;
    NDIS_HANDLE BufferPool;         /* for the further buffers of a list */
    NDIS_OPEN_PARAMETERS Open;
    NDIS_MEDIUM Medium;
    UINT SelectedMedium;
    BOOLEAN BindIsPending;
    NDIS_EVENT Ready;
    NDIS_STATUS Status;
    NDIS_SPIN_LOCK Lock;            /* protects the members below */
    BOOLEAN IsRunning;
    BOOLEAN RunsWhenAwake;
    LONG Outstanding;               /* sends not completed and receives not returned */
    PNET_PNP_EVENT_NOTIFICATION Pause;
    ULONG PortCount;
    NDIS_PORT_NUMBER Ports[MAX_PORTS];  /* active, as told by the bind parameters and by events */
    ULONG Value;
    NDIS_OID_REQUEST Request;
    ULONG Received;
    EX_RUNDOWN_REF Users;           /* functions that scenarios call: it is not closed under them */
    struct _PENDING_RETURN *Held;   /* receives that are kept until the scenario, or a pause, lets them go */
} BINDING, *PBINDING;

typedef struct _PENDING_RETURN {
    struct _PENDING_RETURN *Next;
    PBINDING Binding;
    PNET_BUFFER_LIST Lists;
} PENDING_RETURN, *PPENDING_RETURN;

typedef struct _PENDING_PAUSE {
    NDIS_HANDLE Handle;
    PNET_PNP_EVENT_NOTIFICATION Event;
} PENDING_PAUSE, *PPENDING_PAUSE;

static NDIS_HANDLE ProtocolHandle;
static NDIS_SPIN_LOCK ListLock;
/* Bindings, the oldest first; protected by ListLock. */
static PBINDING FirstBinding;
static ULONG FramesReceived;
/* What is received is kept. */
static BOOLEAN HoldsReceives;
/* Marks every frame that is sent. */
static PVOID CancelId;

/* How an OID request reaches the miniport. */
#define BY_QUEUE 0
#define BY_DIRECT_CALL 1
#define BY_SYNCHRONOUS_CALL 2

static VOID Link(PBINDING Binding)
{
    PBINDING *Place = &FirstBinding;

    NdisAcquireSpinLock(&ListLock);
    while (*Place != NULL) {
        Place = &(*Place)->Next;
    }
    *Place = Binding;
    NdisReleaseSpinLock(&ListLock);
}

/* Waits until no scenario uses it. */
static VOID Unlink(PBINDING Binding)
{
    PBINDING *Place = &FirstBinding;

    NdisAcquireSpinLock(&ListLock);
    while (*Place != NULL && *Place != Binding) {
        Place = &(*Place)->Next;
    }
    if (*Place != NULL) {
        *Place = Binding->Next;
    }
    NdisReleaseSpinLock(&ListLock);
    ExWaitForRundownProtectionRelease(&Binding->Users);
}

/* The binding of that number, which stays until EndUse; NULL: there is none. */
static PBINDING Use(ULONG Index)
{
    PBINDING Binding;

    NdisAcquireSpinLock(&ListLock);
    for (Binding = FirstBinding; Binding != NULL && Index > 0; Index -= 1) {
        Binding = Binding->Next;
    }
    if (Binding != NULL) {
        ExAcquireRundownProtection(&Binding->Users);
    }
    NdisReleaseSpinLock(&ListLock);
    return Binding;
}

static VOID EndUse(PBINDING Binding)
{
    ExReleaseRundownProtection(&Binding->Users);
}

/* Sends the request that is in Binding->Request and waits for its end; a synchronous one at DISPATCH_LEVEL, as those of RSS are. */
static NDIS_STATUS SubmitBy(PBINDING Binding, NDIS_REQUEST_TYPE Type, ULONG Way)
{
    NDIS_STATUS Status;
    KIRQL OldIrql;

    Binding->Request.Header.Type = NDIS_OBJECT_TYPE_OID_REQUEST;
    Binding->Request.Header.Revision = NDIS_OID_REQUEST_REVISION_1;
    Binding->Request.Header.Size = NDIS_SIZEOF_OID_REQUEST_REVISION_1;
    Binding->Request.RequestType = Type;
    Binding->Request.RequestId = Binding;
    NdisInitializeEvent(&Binding->Ready);
    if (Way == BY_SYNCHRONOUS_CALL) {
        KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
        Status = NdisSynchronousOidRequest(Binding->Handle, &Binding->Request);
        KeLowerIrql(OldIrql);
        return Status;
    }
    Status = Way == BY_DIRECT_CALL ? NdisDirectOidRequest(Binding->Handle, &Binding->Request)
                                   : NdisOidRequest(Binding->Handle, &Binding->Request);
    if (Status == NDIS_STATUS_PENDING) {
        NdisWaitEvent(&Binding->Ready, 0);
        Status = Binding->Status;
    }
    return Status;
}

static NDIS_STATUS Submit(PBINDING Binding, NDIS_REQUEST_TYPE Type)
{
    return SubmitBy(Binding, Type, BY_QUEUE);
}

static NDIS_STATUS Request(PBINDING Binding, NDIS_REQUEST_TYPE Type, NDIS_OID Oid)
{
    NdisZeroMemory(&Binding->Request, sizeof(Binding->Request));
    Binding->Request.DATA.SET_INFORMATION.Oid = Oid;
    Binding->Request.DATA.SET_INFORMATION.InformationBuffer = &Binding->Value;
    Binding->Request.DATA.SET_INFORMATION.InformationBufferLength = sizeof(Binding->Value);
    return Submit(Binding, Type);
}

static NDIS_STATUS SetPacketFilter(PBINDING Binding, ULONG Filter)
{
    Binding->Value = Filter;
    return Request(Binding, NdisRequestSetInformation, OID_GEN_CURRENT_PACKET_FILTER);
}

static VOID OidRequestComplete(NDIS_HANDLE Context, PNDIS_OID_REQUEST OidRequest, NDIS_STATUS Status)
{
    PBINDING Binding = (PBINDING)Context;

    UNREFERENCED_PARAMETER(OidRequest);
    Binding->Status = Status;
    NdisSetEvent(&Binding->Ready);
}

static VOID FreeBinding(PBINDING Binding)
{
    NdisFreeNetBufferPool(Binding->BufferPool);
    NdisFreeNetBufferListPool(Binding->Pool);
    NdisFreeMemory(Binding, 0, 0);
}

static VOID FinishBind(PBINDING Binding, NDIS_STATUS Status)
{
    NDIS_HANDLE BindContext = Binding->BindContext;
    BOOLEAN IsPending = Binding->BindIsPending;

    if (Status == NDIS_STATUS_SUCCESS) {
        Link(Binding);
    } else {
        FreeBinding(Binding);
    }
    if (IsPending) {
        NdisCompleteBindAdapterEx(BindContext, Status);
    }
}

static VOID OpenAdapterCompleteEx(NDIS_HANDLE Context, NDIS_STATUS Status)
{
    PBINDING Binding = (PBINDING)Context;

    if (Binding->BindIsPending) {
        FinishBind(Binding, Status);
        return;
    }
    Binding->Status = Status;
    NdisSetEvent(&Binding->Ready);
}

static VOID RememberPorts(PBINDING Binding, PNDIS_PORT Port)
{
    for (; Port != NULL && Binding->PortCount < MAX_PORTS; Port = Port->Next) {
        Binding->Ports[Binding->PortCount] = Port->PortCharacteristics.PortNumber;
        Binding->PortCount += 1;
    }
}

static NDIS_STATUS BindAdapterEx(NDIS_HANDLE DriverContext, NDIS_HANDLE BindContext, PNDIS_BIND_PARAMETERS Parameters)
{
    NET_BUFFER_LIST_POOL_PARAMETERS Pool;
    NET_BUFFER_POOL_PARAMETERS BufferPool;
    NDIS_STATUS Status;
    PBINDING Binding;
    BOOLEAN IsPending = NdislabChoose(2, "ProtocolBindAdapterEx pends") == 1;

    UNREFERENCED_PARAMETER(DriverContext);
    Binding = (PBINDING)NdisAllocateMemoryWithTagPriority(ProtocolHandle, sizeof(*Binding), COUNTERPART_TAG, NormalPoolPriority);
    if (Binding == NULL) {
        return NDIS_STATUS_RESOURCES;
    }
    NdisZeroMemory(Binding, sizeof(*Binding));
    NdisAllocateSpinLock(&Binding->Lock);
    NdisInitializeEvent(&Binding->Ready);
    ExInitializeRundownProtection(&Binding->Users);
    Binding->BindContext = BindContext;
    Binding->BindIsPending = IsPending;
    RememberPorts(Binding, Parameters->ActivePorts);

    NdisZeroMemory(&Pool, sizeof(Pool));
    Pool.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    Pool.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
    Pool.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
    Pool.fAllocateNetBuffer = TRUE;
    Pool.PoolTag = COUNTERPART_TAG;
    Binding->Pool = NdisAllocateNetBufferListPool(ProtocolHandle, &Pool);
    NdisZeroMemory(&BufferPool, sizeof(BufferPool));
    BufferPool.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    BufferPool.Header.Revision = NET_BUFFER_POOL_PARAMETERS_REVISION_1;
    BufferPool.Header.Size = NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1;
    BufferPool.PoolTag = COUNTERPART_TAG;
    Binding->BufferPool = NdisAllocateNetBufferPool(ProtocolHandle, &BufferPool);

    Binding->Medium = Parameters->MediaType;
    Binding->Open.Header.Type = NDIS_OBJECT_TYPE_OPEN_PARAMETERS;
    Binding->Open.Header.Revision = NDIS_OPEN_PARAMETERS_REVISION_1;
    Binding->Open.Header.Size = NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1;
    Binding->Open.AdapterName = Parameters->AdapterName;
    Binding->Open.MediumArray = &Binding->Medium;
    Binding->Open.MediumArraySize = 1;
    Binding->Open.SelectedMediumIndex = &Binding->SelectedMedium;
    Status = NdisOpenAdapterEx(ProtocolHandle, Binding, &Binding->Open, BindContext, &Binding->Handle);
    if (IsPending) {
        if (Status != NDIS_STATUS_PENDING) {
            FinishBind(Binding, Status);
        }
        return NDIS_STATUS_PENDING;
    }
    if (Status == NDIS_STATUS_PENDING) {
        NdisWaitEvent(&Binding->Ready, 0);
        Status = Binding->Status;
    }
    FinishBind(Binding, Status);
    return Status;
}

static VOID CloseAdapterCompleteEx(NDIS_HANDLE Context)
{
    PBINDING Binding = (PBINDING)Context;
    NDIS_HANDLE UnbindContext = Binding->UnbindContext;

    if (UnbindContext == NULL) {
        NdisSetEvent(&Binding->Ready);
        return;
    }
    FreeBinding(Binding);
    NdisCompleteUnbindAdapterEx(UnbindContext);
}

static NDIS_STATUS UnbindAdapterEx(NDIS_HANDLE UnbindContext, NDIS_HANDLE Context)
{
    PBINDING Binding = (PBINDING)Context;
    BOOLEAN IsPending = NdislabChoose(2, "ProtocolUnbindAdapterEx pends") == 1;

    Unlink(Binding);
    SetPacketFilter(Binding, 0);
    Binding->UnbindContext = IsPending ? UnbindContext : NULL;
    NdisInitializeEvent(&Binding->Ready);
    if (NdisCloseAdapterEx(Binding->Handle) == NDIS_STATUS_PENDING) {
        if (IsPending) {
            return NDIS_STATUS_PENDING;
        }
        NdisWaitEvent(&Binding->Ready, 0);
    }
    FreeBinding(Binding);
    if (IsPending) {
        NdisCompleteUnbindAdapterEx(UnbindContext);
        return NDIS_STATUS_PENDING;
    }
    return NDIS_STATUS_SUCCESS;
}

static VOID CompletePause(PVOID Context)
{
    PENDING_PAUSE Pause = *(PPENDING_PAUSE)Context;

    NdisFreeMemory(Context, 0, 0);
    NdisCompleteNetPnPEvent(Pause.Handle, Pause.Event, NDIS_STATUS_SUCCESS);
}

/*
 * A send or a receive is over; a pause may have waited for it. It is completed on a worker thread: sends complete at up to DISPATCH_LEVEL, and
 * an event is completed at PASSIVE_LEVEL.
 */
static VOID Release(PBINDING Binding, LONG Count)
{
    PNET_PNP_EVENT_NOTIFICATION Pause = NULL;
    NDIS_HANDLE Handle = Binding->Handle;
    PPENDING_PAUSE Pending;

    NdisAcquireSpinLock(&Binding->Lock);
    Binding->Outstanding -= Count;
    if (Binding->Outstanding == 0) {
        Pause = Binding->Pause;
        Binding->Pause = NULL;
    }
    NdisReleaseSpinLock(&Binding->Lock);
    if (Pause != NULL) {
        Pending = (PPENDING_PAUSE)NdisAllocateMemoryWithTagPriority(ProtocolHandle, sizeof(*Pending), COUNTERPART_TAG, NormalPoolPriority);
        Pending->Handle = Handle;
        Pending->Event = Pause;
        DoLater(ProtocolHandle, CompletePause, Pending);
    }
}

static VOID PauseLater(PVOID Context)
{
    Release((PBINDING)Context, 1);
}

static VOID ReturnLists(PVOID Context)
{
    PENDING_RETURN Return = *(PPENDING_RETURN)Context;
    PNET_BUFFER_LIST List;
    LONG Count = 0;

    NdisFreeMemory(Context, 0, 0);
    for (List = Return.Lists; List != NULL; List = NET_BUFFER_LIST_NEXT_NBL(List)) {
        Count += 1;
    }
    NdisReturnNetBufferLists(Return.Binding->Handle, Return.Lists, 0);
    Release(Return.Binding, Count);
}

/* Lets go what the binding keeps. */
static VOID ReleaseHeld(PBINDING Binding)
{
    PPENDING_RETURN Return;
    PPENDING_RETURN Next;

    NdisAcquireSpinLock(&Binding->Lock);
    Return = Binding->Held;
    Binding->Held = NULL;
    NdisReleaseSpinLock(&Binding->Lock);
    for (; Return != NULL; Return = Next) {
        Next = Return->Next;
        ReturnLists(Return);
    }
}

static NDIS_STATUS NetPnPEvent(NDIS_HANDLE Context, PNET_PNP_EVENT_NOTIFICATION Event)
{
    PBINDING Binding = (PBINDING)Context;
    PNDIS_PORT_NUMBER Gone;
    NDIS_DEVICE_POWER_STATE State;
    BOOLEAN MustWait;
    BOOLEAN IsLate;
    ULONG Index;

    switch (Event->NetPnPEvent.NetEvent) {
    case NetEventRestart:
        SetPacketFilter(Binding, NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_BROADCAST);
        NdisAcquireSpinLock(&Binding->Lock);
        Binding->IsRunning = TRUE;
        NdisReleaseSpinLock(&Binding->Lock);
        return NDIS_STATUS_SUCCESS;

    case NetEventSetPower:
        State = *(PNDIS_DEVICE_POWER_STATE)Event->NetPnPEvent.Buffer;
        NdisAcquireSpinLock(&Binding->Lock);
        if (State == NdisDeviceStateD0) {
            Binding->IsRunning = (BOOLEAN)(Binding->IsRunning || Binding->RunsWhenAwake);
        } else {
            Binding->RunsWhenAwake = Binding->IsRunning;
            Binding->IsRunning = FALSE;
        }
        NdisReleaseSpinLock(&Binding->Lock);
        /* From NDIS 6.30 on it does not wait for what is under way. */
        return NDIS_STATUS_SUCCESS;

    case NetEventPause:
        IsLate = NdislabChoose(2, "NetEventPause pends") == 1;
        NdisAcquireSpinLock(&Binding->Lock);
        Binding->IsRunning = FALSE;
        Binding->RunsWhenAwake = FALSE;
        if (IsLate) {
            Binding->Outstanding += 1;
        }
        MustWait = Binding->Outstanding > 0;
        if (MustWait) {
            Binding->Pause = Event;
        }
        NdisReleaseSpinLock(&Binding->Lock);
        if (IsLate) {
            DoLater(ProtocolHandle, PauseLater, Binding);
        }
        ReleaseHeld(Binding);
        return MustWait ? NDIS_STATUS_PENDING : NDIS_STATUS_SUCCESS;

    case NetEventPortActivation:
        RememberPorts(Binding, (PNDIS_PORT)Event->NetPnPEvent.Buffer);
        return NDIS_STATUS_SUCCESS;

    case NetEventPortDeactivation:
        for (Gone = (PNDIS_PORT_NUMBER)Event->NetPnPEvent.Buffer;
             (PUCHAR)Gone < (PUCHAR)Event->NetPnPEvent.Buffer + Event->NetPnPEvent.BufferLength; Gone += 1) {
            for (Index = 0; Index < Binding->PortCount; Index += 1) {
                if (Binding->Ports[Index] == *Gone) {
                    Binding->PortCount -= 1;
                    Binding->Ports[Index] = Binding->Ports[Binding->PortCount];
                    break;
                }
            }
        }
        return NDIS_STATUS_SUCCESS;

    default:
        return NDIS_STATUS_SUCCESS;
    }
}

static VOID FreeData(PNET_BUFFER Buffer)
{
    PMDL Mdl = NET_BUFFER_FIRST_MDL(Buffer);

    NdisFreeMemory(MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority), 0, 0);
    NdisFreeMdl(Mdl);
}

/* The first buffer is the list's own; the others go before it. */
static VOID FreeFrame(PNET_BUFFER_LIST List)
{
    PNET_BUFFER First = NET_BUFFER_LIST_FIRST_NB(List);
    PNET_BUFFER Buffer;

    while ((Buffer = NET_BUFFER_NEXT_NB(First)) != NULL) {
        NET_BUFFER_NEXT_NB(First) = NET_BUFFER_NEXT_NB(Buffer);
        FreeData(Buffer);
        NdisFreeNetBuffer(Buffer);
    }
    FreeData(First);
    NdisFreeNetBufferList(List);
}

static VOID SendComplete(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, ULONG Flags)
{
    PNET_BUFFER_LIST Next;
    LONG Count = 0;

    UNREFERENCED_PARAMETER(Flags);
    for (; Lists != NULL; Lists = Next) {
        Next = NET_BUFFER_LIST_NEXT_NBL(Lists);
        NET_BUFFER_LIST_NEXT_NBL(Lists) = NULL;
        FreeFrame(Lists);
        Count += 1;
    }
    Release((PBINDING)Context, Count);
}

static VOID ReceiveNetBufferLists(NDIS_HANDLE Context, PNET_BUFFER_LIST Lists, NDIS_PORT_NUMBER Port, ULONG Count, ULONG Flags)
{
    PBINDING Binding = (PBINDING)Context;
    PPENDING_RETURN Return;
    BOOLEAN MayKeep;
    BOOLEAN IsHeld;

    UNREFERENCED_PARAMETER(Port);
    if (NDIS_TEST_RECEIVE_CANNOT_PEND(Flags)) {
        return;
    }
    Return = (PPENDING_RETURN)NdisAllocateMemoryWithTagPriority(ProtocolHandle, sizeof(*Return), COUNTERPART_TAG, NormalPoolPriority);
    Return->Binding = Binding;
    Return->Lists = Lists;
    NdisAcquireSpinLock(&Binding->Lock);
    MayKeep = Binding->IsRunning;
    IsHeld = MayKeep && HoldsReceives;
    if (IsHeld) {
        Return->Next = Binding->Held;
        Binding->Held = Return;
    }
    Binding->Outstanding += Count;
    NdisReleaseSpinLock(&Binding->Lock);
    FramesReceived += Count;
    Binding->Received += Count;
    if (IsHeld) {
        return;
    }
    if (MayKeep && NdislabChoose(2, "receive is returned later") == 1) {
        DoLater(ProtocolHandle, ReturnLists, Return);
    } else {
        ReturnLists(Return);
    }
}

static VOID StatusEx(NDIS_HANDLE Context, PNDIS_STATUS_INDICATION Indication)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Indication);
}

/* A frame to that address, as an MDL. */
static PMDL BuildData(const UCHAR *Destination)
{
    PUCHAR Data = (PUCHAR)NdisAllocateMemoryWithTagPriority(ProtocolHandle, FRAME_BYTES, COUNTERPART_TAG, NormalPoolPriority);

    NdisZeroMemory(Data, FRAME_BYTES);
    NdisMoveMemory(Data, Destination, ETH_LENGTH_OF_ADDRESS);
    Data[6] = 0x02;
    return NdisAllocateMdl(ProtocolHandle, Data, FRAME_BYTES);
}

/* A list of so many frames, to whom, and in which VLAN: 0 is none. */
static PNET_BUFFER_LIST BuildList(PBINDING Binding, const UCHAR *Destination, ULONG VlanId, ULONG Buffers)
{
    PNET_BUFFER_LIST List =
        NdisAllocateNetBufferAndNetBufferList(Binding->Pool, 0, 0, BuildData(Destination), 0, FRAME_BYTES);
    PNET_BUFFER Last = NET_BUFFER_LIST_FIRST_NB(List);
    NDIS_NET_BUFFER_LIST_8021Q_INFO Tag;

    Tag.Value = NULL;
    Tag.TagHeader.VlanId = VlanId;
    NET_BUFFER_LIST_INFO(List, Ieee8021QNetBufferListInfo) = Tag.Value;
    NDIS_SET_NET_BUFFER_LIST_CANCEL_ID(List, CancelId);
    List->SourceHandle = Binding->Handle;
    for (; Buffers > 1; Buffers -= 1) {
        NET_BUFFER_NEXT_NB(Last) = NdisAllocateNetBuffer(Binding->BufferPool, BuildData(Destination), 0, FRAME_BYTES);
        Last = NET_BUFFER_NEXT_NB(Last);
    }
    return List;
}

/* Sends the chain of so many lists, or frees it; FALSE: the binding does not run. */
static BOOLEAN SendLists(PBINDING Binding, NDIS_PORT_NUMBER Port, PNET_BUFFER_LIST Lists, LONG Count)
{
    PNET_BUFFER_LIST Next;
    BOOLEAN MaySend;

    NdisAcquireSpinLock(&Binding->Lock);
    MaySend = Binding->IsRunning;
    if (MaySend) {
        Binding->Outstanding += Count;
    }
    NdisReleaseSpinLock(&Binding->Lock);
    if (MaySend) {
        NdisSendNetBufferLists(Binding->Handle, Lists, Port, 0);
        return TRUE;
    }
    for (; Lists != NULL; Lists = Next) {
        Next = NET_BUFFER_LIST_NEXT_NBL(Lists);
        FreeFrame(Lists);
    }
    return FALSE;
}

static BOOLEAN SendFrame(PBINDING Binding, NDIS_PORT_NUMBER Port, const UCHAR *Destination, ULONG VlanId)
{
    return SendLists(Binding, Port, BuildList(Binding, Destination, VlanId, 1), 1);
}

static const UCHAR Everybody[ETH_LENGTH_OF_ADDRESS] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };

/* Called by scenarios: each binding sends one chain of so many lists, each of so many frames. */
__declspec(dllexport) ULONG SendChain(ULONG Lists, ULONG Buffers)
{
    PNET_BUFFER_LIST First;
    PNET_BUFFER_LIST List;
    PBINDING Binding;
    ULONG Sent = 0;
    ULONG Place;
    ULONG Index;

    for (Place = 0; (Binding = Use(Place)) != NULL; Place += 1) {
        First = NULL;
        for (Index = 0; Index < Lists; Index += 1) {
            List = BuildList(Binding, Everybody, 0, Buffers);
            NET_BUFFER_LIST_NEXT_NBL(List) = First;
            First = List;
        }
        Sent += SendLists(Binding, NDIS_DEFAULT_PORT_NUMBER, First, (LONG)Lists) ? Lists : 0;
        EndUse(Binding);
    }
    return Sent;
}

/* Called by scenarios: sends so many frames on each active port of each binding. */
__declspec(dllexport) ULONG Send(ULONG Frames)
{
    PBINDING Binding;
    ULONG Sent = 0;
    ULONG Place;
    ULONG Port;
    ULONG Index;

    for (Place = 0; (Binding = Use(Place)) != NULL; Place += 1) {
        for (Port = 0; Port < Binding->PortCount; Port += 1) {
            for (Index = 0; Index < Frames && SendFrame(Binding, Binding->Ports[Port], Everybody, 0); Index += 1) {
                Sent += 1;
            }
        }
        EndUse(Binding);
    }
    return Sent;
}

/* Called by scenarios: sends so many frames on the binding of that number, to an address that is given as its first two and last four bytes. */
__declspec(dllexport) ULONG SendTo(ULONG Index, ULONG Frames, ULONG First, ULONG Last, ULONG VlanId)
{
    UCHAR Destination[ETH_LENGTH_OF_ADDRESS] = { (UCHAR)(First >> 8), (UCHAR)First, (UCHAR)(Last >> 24), (UCHAR)(Last >> 16),
                                                 (UCHAR)(Last >> 8), (UCHAR)Last };
    PBINDING Binding = Use(Index);
    ULONG Sent = 0;

    while (Binding != NULL && Sent < Frames && SendFrame(Binding, NDIS_DEFAULT_PORT_NUMBER, Destination, VlanId)) {
        Sent += 1;
    }
    if (Binding != NULL) {
        EndUse(Binding);
    }
    return Sent;
}

/* Called by scenarios: cancels the sends of the binding of that number. */
__declspec(dllexport) VOID CancelSends(ULONG Index)
{
    PBINDING Binding = Use(Index);

    if (Binding != NULL) {
        NdisCancelSendNetBufferLists(Binding->Handle, CancelId);
        EndUse(Binding);
    }
}

/* Called by scenarios: 1 keeps what is received from now on, 0 returns what was kept. */
__declspec(dllexport) VOID HoldReceives(ULONG Holds)
{
    PBINDING Binding;
    ULONG Place;

    HoldsReceives = Holds != 0;
    for (Place = 0; !HoldsReceives && (Binding = Use(Place)) != NULL; Place += 1) {
        ReleaseHeld(Binding);
        EndUse(Binding);
    }
}

/* Called by scenarios: returns what was kept at DISPATCH_LEVEL, as the handler of a receive might. */
__declspec(dllexport) VOID ReturnAtDispatch(VOID)
{
    KIRQL OldIrql;

    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    HoldReceives(0);
    KeLowerIrql(OldIrql);
}

/* Called by scenarios: how many frames the binding of that number has received. */
__declspec(dllexport) ULONG ReceivedOn(ULONG Index)
{
    PBINDING Binding = Use(Index);
    ULONG Received;

    if (Binding == NULL) {
        return 0;
    }
    Received = Binding->Received;
    EndUse(Binding);
    return Received;
}

/* Called by scenarios: how many frames all bindings have received; receives that may not pend are not counted. */
__declspec(dllexport) ULONG Received(VOID)
{
    return FramesReceived;
}

/* Called by scenarios: asks an OID that no miniport knows and one that it may, and sets another. */
__declspec(dllexport) ULONG Ask(VOID)
{
    PBINDING Binding = Use(0);
    NDIS_STATUS Status;

    if (Binding == NULL) {
        return 0;
    }
    Request(Binding, NdisRequestQueryInformation, UNKNOWN_OID);
    Request(Binding, NdisRequestQueryInformation, OID_GEN_CURRENT_LOOKAHEAD);
    Binding->Value = 1500;
    Status = Request(Binding, NdisRequestSetInformation, OID_GEN_CURRENT_LOOKAHEAD);
    EndUse(Binding);
    return Status;
}

/* Called by scenarios: any request, on the binding of that number. The buffer is input and output. */
__declspec(dllexport) ULONG SubmitRequest(ULONG Index, ULONG Way, ULONG Type, NDIS_OID Oid, PVOID Buffer, ULONG InputBytes, ULONG OutputBytes)
{
    PBINDING Binding = Use(Index);
    NDIS_STATUS Status;

    if (Binding == NULL) {
        return NDIS_STATUS_ADAPTER_NOT_FOUND;
    }
    NdisZeroMemory(&Binding->Request, sizeof(Binding->Request));
    if (Type == NdisRequestMethod) {
        Binding->Request.DATA.METHOD_INFORMATION.Oid = Oid;
        Binding->Request.DATA.METHOD_INFORMATION.InformationBuffer = Buffer;
        Binding->Request.DATA.METHOD_INFORMATION.InputBufferLength = InputBytes;
        Binding->Request.DATA.METHOD_INFORMATION.OutputBufferLength = OutputBytes;
    } else {
        Binding->Request.DATA.SET_INFORMATION.Oid = Oid;
        Binding->Request.DATA.SET_INFORMATION.InformationBuffer = Buffer;
        Binding->Request.DATA.SET_INFORMATION.InformationBufferLength = Type == NdisRequestSetInformation ? InputBytes : OutputBytes;
    }
    Status = SubmitBy(Binding, (NDIS_REQUEST_TYPE)Type, Way);
    EndUse(Binding);
    return Status;
}

/* Called by scenarios: cancels the request of that binding. */
__declspec(dllexport) VOID CancelRequest(ULONG Index)
{
    PBINDING Binding = Use(Index);

    if (Binding != NULL) {
        NdisCancelOidRequest(Binding->Handle, Binding);
        NdisCancelDirectOidRequest(Binding->Handle, Binding);
        EndUse(Binding);
    }
}

/* Called by scenarios: asks the binding of that number for every OID that its miniport says it supports. Returns how many were answered. */
__declspec(dllexport) ULONG AskAll(ULONG Index)
{
    static NDIS_OID List[256];
    static ULONG Buffer[1024];
    ULONG Answered = 0;
    ULONG Count;
    ULONG Place;

    NdisZeroMemory(List, sizeof(List));
    if (SubmitRequest(Index, BY_QUEUE, NdisRequestQueryInformation, OID_GEN_SUPPORTED_LIST, List, 0, sizeof(List)) != NDIS_STATUS_SUCCESS) {
        return 0;
    }
    for (Count = 0; Count < ARRAYSIZE(List) && List[Count] != 0; Count += 1) {
    }
    for (Place = 0; Place < Count; Place += 1) {
        NdisZeroMemory(Buffer, sizeof(Buffer));
        if (SubmitRequest(Index, BY_QUEUE, NdisRequestQueryInformation, List[Place], Buffer, 0, sizeof(Buffer)) == NDIS_STATUS_SUCCESS) {
            Answered += 1;
        }
        /* Too small for most: the miniport has to say how much it needs. */
        SubmitRequest(Index, BY_QUEUE, NdisRequestQueryInformation, List[Place], Buffer, 0, 1);
    }
    return Answered;
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
    NdisAllocateSpinLock(&ListLock);
    CancelId = (PVOID)(((ULONG_PTR)NdisGeneratePartialCancelId() << 24) | 1);
    NdisZeroMemory(&Protocol, sizeof(Protocol));
    Protocol.Header.Type = NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS;
    Protocol.Header.Revision = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2;
    Protocol.Header.Size = NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2;
    Protocol.MajorNdisVersion = 6;
    Protocol.MinorNdisVersion = 80;         /* the first with synchronous OID requests */
    NdisInitUnicodeString(&Protocol.Name, L"COUNTERPART");
    Protocol.BindAdapterHandlerEx = BindAdapterEx;
    Protocol.UnbindAdapterHandlerEx = UnbindAdapterEx;
    Protocol.OpenAdapterCompleteHandlerEx = OpenAdapterCompleteEx;
    Protocol.CloseAdapterCompleteHandlerEx = CloseAdapterCompleteEx;
    Protocol.NetPnPEventHandler = NetPnPEvent;
    Protocol.OidRequestCompleteHandler = OidRequestComplete;
    Protocol.DirectOidRequestCompleteHandler = OidRequestComplete;
    Protocol.StatusHandlerEx = StatusEx;
    Protocol.ReceiveNetBufferListsHandler = ReceiveNetBufferLists;
    Protocol.SendNetBufferListsCompleteHandler = SendComplete;
    return NdisRegisterProtocolDriver(NULL, &Protocol, &ProtocolHandle);
}
