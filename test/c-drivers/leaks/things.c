/* Functions that leave one thing each, and functions that nearly do. */
#include <ndis.h>

#define TAG 'kaeL'
#define OTHER_TAG 'htO2'

typedef struct _NODE {
    struct _NODE *Next;
    ULONG Value;
    LIST_ENTRY Link;
} NODE;

static PDRIVER_OBJECT Driver;
static PVOID Kept;
static PVOID KeptInside;
static NODE *List;
static LIST_ENTRY Links;
static HANDLE KeptHandle;
static PVOID KeptObject;
static PIO_WORKITEM Item;
static EX_RUNDOWN_REF Rundown;
static ERESOURCE Resource;
static NPAGED_LOOKASIDE_LIST Lookaside;
static KTIMER Timer;
static KDPC Dpc;
static PEX_TIMER ExTimer;
static PVOID Registration;
static PCALLBACK_OBJECT Callback;
static KSPIN_LOCK Lock, OtherLock;
static PNDIS_RW_LOCK_EX RwLock;
static PDEVICE_OBJECT Device;

static PVOID Allocate(ULONG Bytes)
{
    return ExAllocatePoolWithTag(NonPagedPoolNx, Bytes, TAG); /* MARK: allocates */
}

/* ---- memory */

ULONG LeaveInGlobal(VOID)
{
    Kept = Allocate(40); /* MARK: keeps it */
    return 0;
}

ULONG Lose(VOID)
{
    NODE *block = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(NODE), TAG); /* MARK: loses it */

    if (block == NULL) {
        return 1;
    }
    block->Value = 7;
    return 0;
}

ULONG LoseList(VOID)
{
    NODE *first = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(NODE), TAG); /* MARK: first of the list */

    first->Next = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(NODE), TAG); /* MARK: second of the list */
    first->Next->Next = NULL;
    return 0;
}

ULONG LeaveInside(VOID)
{
    UCHAR *block = ExAllocatePoolWithTag(NonPagedPoolNx, 64, TAG); /* MARK: keeps the inside */

    KeptInside = block + 16;
    return 0;
}

ULONG LeaveTwoTags(VOID)
{
    ULONG index;

    for (index = 0; index < 4; index++) {
        Kept = ExAllocatePoolWithTag(NonPagedPoolNx, 16, (index & 1) == 0 ? TAG : OTHER_TAG); /* MARK: two tags */
    }
    return 0;
}

ULONG LeaveInTwoPlaces(VOID)
{
    Kept = ExAllocatePoolWithTag(NonPagedPoolNx, 16, TAG); /* MARK: one place */
    KeptInside = ExAllocatePoolWithTag(NonPagedPoolNx, 16, TAG); /* MARK: other place */
    return 0;
}

/* Near misses: freed elsewhere. */

ULONG AllocateForFree(VOID)
{
    Kept = Allocate(40);
    return 0;
}

ULONG FreeElsewhere(VOID)
{
    ExFreePoolWithTag(Kept, TAG);
    Kept = NULL;
    return 0;
}

ULONG AddToList(VOID)
{
    NODE *node = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(NODE), TAG);

    node->Next = List;
    List = node;
    return 0;
}

ULONG AddToLinks(VOID)
{
    NODE *node = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(NODE), TAG);

    InsertTailList(&Links, &node->Link);
    return 0;
}

/* ---- what other routines allocate */

ULONG LeaveMdl(VOID)
{
    Kept = IoAllocateMdl(&Links, sizeof(Links), FALSE, FALSE, NULL); /* MARK: MDL */
    return 0;
}

ULONG MdlOfIrp(VOID)
{
    PIRP irp = IoAllocateIrp(2, FALSE);
    PMDL mdl = IoAllocateMdl(&Links, sizeof(Links), FALSE, FALSE, irp);

    IoFreeMdl(mdl);
    irp->MdlAddress = NULL;
    IoFreeIrp(irp);
    return 0;
}

ULONG LeaveIrp(VOID)
{
    Kept = IoAllocateIrp(2, FALSE); /* MARK: IRP */
    return 0;
}

static ULONG MakeDevice(VOID)
{
    return (ULONG)IoCreateDevice(Driver, 16, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device); /* MARK: device */
}

ULONG LeaveDevice(VOID)
{
    return MakeDevice(); /* MARK: asks for the device */
}

ULONG LeaveBuiltIrp(VOID)
{
    static IO_STATUS_BLOCK status;
    static KEVENT event;

    if (MakeDevice() != STATUS_SUCCESS) {
        return 1;
    }
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    Kept = IoBuildDeviceIoControlRequest(0x220000, Device, NULL, 0, NULL, 0, FALSE, &event, &status); /* MARK: built IRP */
    IoDeleteDevice(Device);
    return Kept == NULL;
}

static DRIVER_DISPATCH Control;
static NTSTATUS Control(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

ULONG SendBuiltIrp(VOID)
{
    IO_STATUS_BLOCK status;
    KEVENT event;
    PIRP irp;

    if (MakeDevice() != STATUS_SUCCESS) {
        return 1;
    }
    Device->Flags &= ~DO_DEVICE_INITIALIZING;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    irp = IoBuildDeviceIoControlRequest(0x220000, Device, NULL, 0, NULL, 0, FALSE, &event, &status);
    IoCallDriver(Device, irp);
    KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
    IoDeleteDevice(Device);
    return 0;
}

ULONG LeaveWorkItem(VOID)
{
    if (MakeDevice() != STATUS_SUCCESS) {
        return 1;
    }
    Kept = IoAllocateWorkItem(Device); /* MARK: work item */
    IoDeleteDevice(Device);
    return 0;
}

static IO_WORKITEM_ROUTINE FreesItself;
static VOID FreesItself(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    IoFreeWorkItem(Item);
    IoDeleteDevice(DeviceObject);
}

ULONG QueueItemThatFreesItself(VOID)
{
    if (MakeDevice() != STATUS_SUCCESS) {
        return 1;
    }
    Item = IoAllocateWorkItem(Device);
    IoQueueWorkItem(Item, FreesItself, DelayedWorkQueue, NULL);
    return 0;
}

ULONG LeaveClone(VOID)
{
    static NDIS_OID_REQUEST request;
    PNDIS_OID_REQUEST clone;

    request.Header.Type = NDIS_OBJECT_TYPE_OID_REQUEST;
    request.Header.Revision = NDIS_OID_REQUEST_REVISION_1;
    request.Header.Size = NDIS_SIZEOF_OID_REQUEST_REVISION_1;
    return (ULONG)NdisAllocateCloneOidRequest(NULL, &request, TAG, &clone); /* MARK: clone */
}

ULONG LeaveRwLock(VOID)
{
    RwLock = NdisAllocateRWLock(NULL); /* MARK: rw lock */
    return 0;
}

ULONG LeaveContiguous(VOID)
{
    PHYSICAL_ADDRESS highest;

    highest.QuadPart = 0xffffffff;
    Kept = MmAllocateContiguousMemory(8192, highest); /* MARK: contiguous */
    return 0;
}

ULONG LeaveExTimer(VOID)
{
    ExTimer = ExAllocateTimer(NULL, NULL, EX_TIMER_NOTIFICATION); /* MARK: ex timer */
    return 0;
}

ULONG DeleteExTimer(VOID)
{
    ExTimer = ExAllocateTimer(NULL, NULL, EX_TIMER_NOTIFICATION);
    ExDeleteTimer(ExTimer, TRUE, TRUE, NULL);
    return 0;
}

ULONG LeaveEntry(VOID)
{
    ExInitializeNPagedLookasideList(&Lookaside, NULL, NULL, POOL_NX_ALLOCATION, 24, TAG, 0);
    Kept = ExAllocateFromNPagedLookasideList(&Lookaside); /* MARK: entry */
    ExDeleteNPagedLookasideList(&Lookaside);
    return 0;
}

ULONG LeaveLookasideList(VOID)
{
    ExInitializeNPagedLookasideList(&Lookaside, NULL, NULL, POOL_NX_ALLOCATION, 24, TAG, 0); /* MARK: lookaside list */
    return 0;
}

ULONG EntriesOnTheList(VOID)
{
    PVOID entry;

    ExInitializeNPagedLookasideList(&Lookaside, NULL, NULL, POOL_NX_ALLOCATION, 24, TAG, 0);
    entry = ExAllocateFromNPagedLookasideList(&Lookaside);
    ExFreeToNPagedLookasideList(&Lookaside, entry);
    ExDeleteNPagedLookasideList(&Lookaside);
    return 0;
}

static NDIS_HANDLE MakePool(VOID)
{
    NET_BUFFER_LIST_POOL_PARAMETERS parameters = {0};

    parameters.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    parameters.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
    parameters.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
    parameters.fAllocateNetBuffer = TRUE;
    parameters.PoolTag = TAG;
    return NdisAllocateNetBufferListPool(NULL, &parameters); /* MARK: pool */
}

ULONG LeavePool(VOID)
{
    KeptHandle = MakePool();
    return 0;
}

ULONG FreePoolWithList(VOID)
{
    NDIS_HANDLE pool = MakePool();

    Kept = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, NULL, 0, 0); /* MARK: list */
    NdisFreeNetBufferListPool(pool); /* MARK: frees the pool */
    return 0;
}

ULONG FreeListAndPool(VOID)
{
    NDIS_HANDLE pool = MakePool();

    NdisFreeNetBufferList(NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, NULL, 0, 0));
    NdisFreeNetBufferListPool(pool);
    return 0;
}

/* ---- handles, references, protection */

ULONG LeaveEventHandle(VOID)
{
    OBJECT_ATTRIBUTES attributes;

    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    return (ULONG)ZwCreateEvent(&KeptHandle, EVENT_ALL_ACCESS, &attributes, NotificationEvent, FALSE); /* MARK: event handle */
}

ULONG CloseHandle(VOID)
{
    return (ULONG)ZwClose(KeptHandle);
}

static VOID Take(VOID)
{
    ObReferenceObjectByHandle(KeptHandle, 0, NULL, KernelMode, &KeptObject, NULL); /* MARK: takes by handle */
}

ULONG TakeThree(VOID)
{
    Take();
    Take();
    ObReferenceObject(KeptObject); /* MARK: takes once */
    return 0;
}

ULONG GiveTwo(VOID)
{
    ULONG index;

    for (index = 0; index < 2; index++) {
        ObDereferenceObject(KeptObject); /* MARK: gives back */
    }
    return 0;
}

ULONG GiveOne(VOID)
{
    ObDereferenceObject(KeptObject);
    return 0;
}

ULONG LeaveProcess(VOID)
{
    PEPROCESS process;

    return (ULONG)PsLookupProcessByProcessId(PsGetCurrentProcessId(), &process); /* MARK: process */
}

ULONG LeaveProtection(VOID)
{
    ExInitializeRundownProtection(&Rundown);
    ExAcquireRundownProtection(&Rundown); /* MARK: acquires first */
    ExAcquireRundownProtection(&Rundown);
    ExReleaseRundownProtection(&Rundown); /* MARK: releases */
    return 0;
}

ULONG RunDown(VOID)
{
    ExInitializeRundownProtection(&Rundown);
    ExAcquireRundownProtectionEx(&Rundown, 2);
    ExReleaseRundownProtection(&Rundown);
    ExReleaseRundownProtection(&Rundown);
    ExWaitForRundownProtectionRelease(&Rundown);
    return 0;
}

ULONG FreeWithProtection(VOID)
{
    EX_RUNDOWN_REF *rundown = Allocate(sizeof(EX_RUNDOWN_REF));

    ExInitializeRundownProtection(rundown);
    ExAcquireRundownProtection(rundown);
    ExReleaseRundownProtection(rundown);
    ExFreePoolWithTag(rundown, TAG);
    return 0;
}

/* ---- what the system has in its lists */

ULONG LeaveResource(VOID)
{
    return (ULONG)ExInitializeResourceLite(&Resource);
}

ULONG FreeWithResource(VOID)
{
    PERESOURCE resource = Allocate(sizeof(ERESOURCE)); /* MARK: asks for the resource */

    ExInitializeResourceLite(resource);
    ExFreePoolWithTag(resource, TAG); /* MARK: frees the resource */
    return 0;
}

ULONG DeleteResource(VOID)
{
    PERESOURCE resource = Allocate(sizeof(ERESOURCE));

    ExInitializeResourceLite(resource);
    ExDeleteResourceLite(resource);
    ExFreePoolWithTag(resource, TAG);
    return 0;
}

static KDEFERRED_ROUTINE Deferred;
static VOID Deferred(PKDPC Dpc_, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc_);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
}

static VOID Set(PKTIMER Which, LONG Milliseconds)
{
    LARGE_INTEGER due;

    due.QuadPart = -10000LL * Milliseconds;
    KeInitializeTimer(Which);
    KeInitializeDpc(&Dpc, Deferred, NULL);
    KeSetTimer(Which, due, &Dpc); /* MARK: sets */
}

ULONG LeaveTimerSet(VOID)
{
    Set(&Timer, 100000); /* MARK: sets for long */
    return 0;
}

ULONG CancelTimer(VOID)
{
    Set(&Timer, 100000);
    KeCancelTimer(&Timer);
    return 0;
}

ULONG QueueDpc(VOID)
{
    KeInitializeDpc(&Dpc, Deferred, NULL);
    KeInsertQueueDpc(&Dpc, NULL, NULL); /* MARK: queues */
    return 0;
}

ULONG Flush(VOID)
{
    KeFlushQueuedDpcs();
    return 0;
}

static WORKER_THREAD_ROUTINE Work;
static VOID Work(PVOID Parameter)
{
    UNREFERENCED_PARAMETER(Parameter);
}

ULONG QueueWork(VOID)
{
    static WORK_QUEUE_ITEM item;

    ExInitializeWorkItem(&item, Work, NULL);
    ExQueueWorkItem(&item, DelayedWorkQueue);
    return 0;
}

ULONG FreeWithTimer(VOID)
{
    PKTIMER timer = Allocate(sizeof(KTIMER));

    Set(timer, 1);
    ExFreePoolWithTag(timer, TAG); /* MARK: frees the timer */
    return 0;
}

static CALLBACK_FUNCTION Notified;
static VOID Notified(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
}

static ULONG OpenCallback(VOID)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;

    RtlInitUnicodeString(&name, L"\\Callback\\Leaks");
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return (ULONG)ExCreateCallback(&Callback, &attributes, TRUE, TRUE); /* MARK: callback object */
}

ULONG LeaveRegistration(VOID)
{
    if (OpenCallback() != STATUS_SUCCESS) {
        return 1;
    }
    Registration = ExRegisterCallback(Callback, Notified, NULL); /* MARK: registration */
    ObDereferenceObject(Callback);
    return 0;
}

ULONG LeaveCallback(VOID)
{
    return OpenCallback();
}

ULONG Unregister(VOID)
{
    ExUnregisterCallback(Registration);
    return 0;
}

ULONG LeaveLink(VOID)
{
    UNICODE_STRING name, target;

    RtlInitUnicodeString(&name, L"\\DosDevices\\Leaks");
    RtlInitUnicodeString(&target, L"\\Device\\Leaks");
    return (ULONG)IoCreateSymbolicLink(&name, &target); /* MARK: link */
}

ULONG DeleteLink(VOID)
{
    UNICODE_STRING name;

    RtlInitUnicodeString(&name, L"\\DosDevices\\Leaks");
    return (ULONG)IoDeleteSymbolicLink(&name);
}

ULONG KeepLock(VOID)
{
    KIRQL irql, other;

    KeAcquireSpinLock(&OtherLock, &other);
    KeReleaseSpinLock(&OtherLock, other);
    KeAcquireSpinLock(&Lock, &irql); /* MARK: locks */
    return 0;
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    while (List != NULL) {
        NODE *node = List;

        List = node->Next;
        ExFreePoolWithTag(node, TAG);
    }
    while (!IsListEmpty(&Links)) {
        ExFreePoolWithTag(CONTAINING_RECORD(RemoveHeadList(&Links), NODE, Link), TAG);
    }
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    Driver = DriverObject;
    DriverObject->DriverUnload = Unload;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    InitializeListHead(&Links);
    KeInitializeSpinLock(&Lock);
    KeInitializeSpinLock(&OtherLock);
    return STATUS_SUCCESS;
}
