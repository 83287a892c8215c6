/* Handles, events, threads and processes; a control request has each function run in the context of the application that sends it. */
#include "devices.h"

static PDEVICE_OBJECT Device;
static HANDLE Kept;
static PKEVENT KeptEvent;
static KEVENT Go;
static LONG Ran;
static CLIENT_ID Client;
static PVOID KeptThread;
static ULONG ProcessIds[2];

typedef struct _CALL {
    ULONG Function;
    HANDLE Event;
    ULONG More;
} CALL;

static NTSTATUS Reference(HANDLE Handle, ACCESS_MASK Access, POBJECT_TYPE Type, KPROCESSOR_MODE Mode)
{
    PVOID object;
    NTSTATUS status = ObReferenceObjectByHandle(Handle, Access, Type, Mode, &object, NULL);

    if (NT_SUCCESS(status)) {
        ObDereferenceObject(object);
    } else {
        EXPECT(object == NULL);
    }
    return status;
}

/* ---- handles of an application */

static ULONG Types(HANDLE Event)
{
    OBJECT_HANDLE_INFORMATION information;
    PVOID object;

    CHECK(Reference(Event, EVENT_MODIFY_STATE, *ExEventObjectType, UserMode) == STATUS_SUCCESS);
    CHECK(Reference(Event, EVENT_MODIFY_STATE, NULL, UserMode) == STATUS_SUCCESS);
    CHECK(Reference(Event, EVENT_MODIFY_STATE, *IoFileObjectType, UserMode) == STATUS_OBJECT_TYPE_MISMATCH);
    CHECK(Reference(Event, 0x01000000, *ExEventObjectType, UserMode) == STATUS_ACCESS_DENIED);
    CHECK(Reference(Event, 0x01000000, *ExEventObjectType, KernelMode) == STATUS_SUCCESS);
    CHECK(Reference((HANDLE)(ULONG_PTR)0x124, 0, NULL, UserMode) == STATUS_INVALID_HANDLE);
    CHECK(Reference(NULL, 0, NULL, UserMode) == STATUS_INVALID_HANDLE);
    CHECK(ObReferenceObjectByHandle(Event, 0, NULL, UserMode, &object, &information) == STATUS_SUCCESS);
    CHECK(information.GrantedAccess == EVENT_ALL_ACCESS);
    ObDereferenceObject(object);
    CHECK(Reference(NtCurrentThread(), 0, *PsThreadType, KernelMode) == STATUS_SUCCESS);
    CHECK(Reference(NtCurrentProcess(), 0, *PsProcessType, KernelMode) == STATUS_SUCCESS);
    return 0;
}

static ULONG Signal(HANDLE Event)
{
    LONG before;
    LARGE_INTEGER zero = {0};

    CHECK(ObReferenceObjectByHandle(Event, EVENT_MODIFY_STATE, *ExEventObjectType, UserMode, (PVOID*)&KeptEvent, NULL) == STATUS_SUCCESS);
    CHECK(KeReadStateEvent(KeptEvent) == 0);
    CHECK(ZwWaitForSingleObject(Event, FALSE, &zero) == STATUS_TIMEOUT);
    CHECK(ZwSetEvent(Event, &before) == STATUS_SUCCESS && before == 0 && KeReadStateEvent(KeptEvent) != 0);
    CHECK(ZwSetEvent(Event, NULL) == STATUS_SUCCESS);
    /* An application's event resets itself. */
    CHECK(ZwWaitForSingleObject(Event, FALSE, NULL) == STATUS_SUCCESS && KeReadStateEvent(KeptEvent) == 0);
    KeSetEvent(KeptEvent, IO_NO_INCREMENT, FALSE);
    CHECK(KeWaitForSingleObject(KeptEvent, Executive, KernelMode, FALSE, &zero) == STATUS_SUCCESS);
    Kept = Event;
    return 0;
}

/* In whichever process comes now: the handle was one of another, or is closed. */
static ULONG Elsewhere(void)
{
    CHECK(Reference(Kept, 0, NULL, UserMode) == STATUS_INVALID_HANDLE);
    CHECK(Reference(Kept, 0, NULL, KernelMode) == STATUS_INVALID_HANDLE);
    CHECK(ZwSetEvent(Kept, NULL) == STATUS_INVALID_HANDLE && ZwClose(Kept) == STATUS_INVALID_HANDLE);
    CHECK(ZwWaitForSingleObject(Kept, FALSE, NULL) == STATUS_INVALID_HANDLE);
    /* The reference keeps the event whatever becomes of its handle. */
    KeSetEvent(KeptEvent, IO_NO_INCREMENT, FALSE);
    ObDereferenceObject(KeptEvent);
    return 0;
}

/* A handle of the system's is none of an application's. */
static ULONG SystemHandle(void)
{
    OBJECT_ATTRIBUTES attributes;
    HANDLE handle;

    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    CHECK(ZwCreateEvent(&handle, EVENT_ALL_ACCESS, &attributes, NotificationEvent, FALSE) == STATUS_SUCCESS);
    CHECK(Reference(handle, 0, NULL, UserMode) == STATUS_INVALID_HANDLE);
    CHECK(Reference(handle, 0, NULL, KernelMode) == STATUS_SUCCESS);
    CHECK(ZwClose(handle) == STATUS_SUCCESS);
    CHECK(Reference(handle, 0, NULL, KernelMode) == STATUS_INVALID_HANDLE);
    return 0;
}

/* Who asks: the application, while the driver works for it. */
static ULONG Who(PIRP Irp, ULONG Number)
{
    PEPROCESS process;
    KAPC_STATE state;
    ULONG id = (ULONG)(ULONG_PTR)PsGetCurrentProcessId();

    CHECK(ExGetPreviousMode() == UserMode && Irp->RequestorMode == UserMode);
    CHECK(IoGetRequestorProcessId(Irp) == id && IoGetRequestorProcess(Irp) == PsGetCurrentProcess());
    CHECK(PsGetProcessId(PsGetCurrentProcess()) == (HANDLE)(ULONG_PTR)id);
    ProcessIds[Number] = id;
    CHECK(PsLookupProcessByProcessId((HANDLE)(ULONG_PTR)4, &process) == STATUS_SUCCESS && process != PsGetCurrentProcess());
    KeStackAttachProcess(process, &state);
    CHECK(PsGetCurrentProcess() == process && PsGetCurrentProcessId() == (HANDLE)(ULONG_PTR)4 && ExGetPreviousMode() == UserMode);
    KeUnstackDetachProcess(&state);
    ObDereferenceObject(process);
    CHECK((ULONG)(ULONG_PTR)PsGetCurrentProcessId() == id);
    return 0;
}

static NTSTATUS Control(PDEVICE_OBJECT TheDevice, PIRP Irp)
{
    CALL call = *(CALL*)Irp->AssociatedIrp.SystemBuffer;
    ULONG line = 0;

    UNREFERENCED_PARAMETER(TheDevice);
    switch (call.Function) {
    case 0: line = Types(call.Event); break;
    case 1: line = Signal(call.Event); break;
    case 2: line = Elsewhere(); break;
    case 3: line = SystemHandle(); break;
    case 4: line = Who(Irp, call.More); break;
    default: break;
    }
    if (line != 0) {
        DbgPrint("line %d", line);
    }
    return Complete(Irp, STATUS_SUCCESS, 0);
}

/* ---- from a thread of the system */

ULONG InSystem(void)
{
    PEPROCESS process;
    KAPC_STATE state, inner;

    CHECK(ExGetPreviousMode() == KernelMode && PsGetCurrentProcessId() == (HANDLE)(ULONG_PTR)4);
    CHECK(PsLookupProcessByProcessId((HANDLE)(ULONG_PTR)0x4000, &process) == STATUS_INVALID_CID);
    CHECK(ProcessIds[0] != ProcessIds[1]);
    CHECK(PsLookupProcessByProcessId((HANDLE)(ULONG_PTR)ProcessIds[0], &process) == STATUS_SUCCESS);
    KeStackAttachProcess(process, &state);
    CHECK(PsGetCurrentProcess() == process && ExGetPreviousMode() == KernelMode);
    KeStackAttachProcess(process, &inner);
    KeUnstackDetachProcess(&inner);
    CHECK(PsGetCurrentProcess() == process);
    KeUnstackDetachProcess(&state);
    ObDereferenceObject(process);
    CHECK(PsGetCurrentProcessId() == (HANDLE)(ULONG_PTR)4);
    return 0;
}

ULONG DetachTwice(void)
{
    KAPC_STATE state;

    KeStackAttachProcess(PsGetCurrentProcess(), &state);
    KeUnstackDetachProcess(&state);
    KeUnstackDetachProcess(&state);
    return 0;
}

ULONG Events(void)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
    HANDLE first, second, third;
    PKEVENT event;
    LARGE_INTEGER soon;

    CHECK(ZwCreateEvent(&first, EVENT_ALL_ACCESS, NULL, (EVENT_TYPE)2, FALSE) == STATUS_INVALID_PARAMETER_4);
    RtlInitUnicodeString(&name, L"NoPath");
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, NULL, NULL);
    CHECK(ZwCreateEvent(&first, EVENT_ALL_ACCESS, &attributes, NotificationEvent, FALSE) == STATUS_OBJECT_PATH_SYNTAX_BAD);
    RtlInitUnicodeString(&name, L"\\BaseNamedObjects\\Mine");
    CHECK(ZwOpenEvent(&first, EVENT_ALL_ACCESS, &attributes) == STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK(ZwCreateEvent(&first, EVENT_ALL_ACCESS, &attributes, NotificationEvent, TRUE) == STATUS_SUCCESS);
    CHECK(ZwCreateEvent(&second, EVENT_ALL_ACCESS, &attributes, NotificationEvent, TRUE) == STATUS_OBJECT_NAME_COLLISION);
    CHECK(ZwOpenEvent(&second, EVENT_ALL_ACCESS, &attributes) == STATUS_SUCCESS && first != second);
    attributes.Attributes |= OBJ_OPENIF;
    CHECK(ZwCreateEvent(&third, EVENT_ALL_ACCESS, &attributes, NotificationEvent, TRUE) == STATUS_OBJECT_NAME_EXISTS);
    CHECK(ObReferenceObjectByHandle(third, 0, *ExEventObjectType, KernelMode, (PVOID*)&event, NULL) == STATUS_SUCCESS);
    CHECK(KeReadStateEvent(event) != 0);
    /* A notification event stays signalled. */
    CHECK(ZwWaitForSingleObject(first, FALSE, NULL) == STATUS_SUCCESS && ZwWaitForSingleObject(second, FALSE, NULL) == STATUS_SUCCESS);
    KeClearEvent(event);
    soon.QuadPart = -10000;
    CHECK(ZwWaitForSingleObject(first, FALSE, &soon) == STATUS_TIMEOUT);
    ObDereferenceObject(event);
    CHECK(ZwClose(first) == STATUS_SUCCESS && ZwClose(second) == STATUS_SUCCESS && ZwClose(third) == STATUS_SUCCESS);
    CHECK(ZwOpenEvent(&first, EVENT_ALL_ACCESS, &attributes) == STATUS_OBJECT_NAME_NOT_FOUND);
    return 0;
}

/* ---- system threads */

static void ThreadStart(PVOID Context)
{
    if (Context == NULL) {
        KeWaitForSingleObject(&Go, Executive, KernelMode, FALSE, NULL);
    }
    EXPECT(KeAreApcsDisabled() && KeGetCurrentIrql() == PASSIVE_LEVEL && PsGetCurrentProcessId() == (HANDLE)(ULONG_PTR)4);
    EXPECT(KeptThread == NULL || KeptThread == KeGetCurrentThread());
    EXPECT(Client.UniqueThread == NULL || Client.UniqueThread == PsGetCurrentThreadId());
    InterlockedIncrement(&Ran);
    if (Context != &Go) {
        PsTerminateSystemThread(STATUS_SUCCESS);
        Ran = -100;
    }
}

ULONG StartThread(void)
{
    KeInitializeEvent(&Go, NotificationEvent, FALSE);
    CHECK(PsCreateSystemThread(&Kept, THREAD_ALL_ACCESS, NULL, NULL, &Client, ThreadStart, NULL) == STATUS_SUCCESS);
    CHECK(Client.UniqueProcess == (HANDLE)(ULONG_PTR)4);
    CHECK(ObReferenceObjectByHandle(Kept, THREAD_ALL_ACCESS, *PsThreadType, KernelMode, &KeptThread, NULL) == STATUS_SUCCESS);
    return 0;
}

ULONG CloseThread(void)
{
    return ZwClose(Kept);
}

ULONG EndThread(void)
{
    LARGE_INTEGER zero = {0};

    CHECK(KeWaitForSingleObject(KeptThread, Executive, KernelMode, FALSE, &zero) == STATUS_TIMEOUT);
    KeSetEvent(&Go, IO_NO_INCREMENT, FALSE);
    CHECK(KeWaitForSingleObject(KeptThread, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS && Ran == 1);
    /* It stays signalled. */
    CHECK(KeWaitForSingleObject(KeptThread, Executive, KernelMode, FALSE, &zero) == STATUS_SUCCESS);
    ObDereferenceObject(KeptThread);
    KeptThread = NULL;
    return 0;
}

/* Waits for the thread by its handle; it ends by PsTerminateSystemThread, or (1) by returning. */
ULONG RunThread(ULONG Returns)
{
    HANDLE handle;

    Ran = 0;
    KeptThread = NULL;
    RtlZeroMemory(&Client, sizeof(Client));
    CHECK(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, ThreadStart, Returns ? (PVOID)&Go : (PVOID)&Ran) ==
          STATUS_SUCCESS);
    CHECK(ZwWaitForSingleObject(handle, FALSE, NULL) == STATUS_SUCCESS && Ran == 1);
    return ZwClose(handle);
}

ULONG TerminateNobody(void)
{
    CHECK(PsTerminateSystemThread(STATUS_SUCCESS) == STATUS_INVALID_PARAMETER);
    return 0;
}

static NTSTATUS Succeed(PDEVICE_OBJECT TheDevice, PIRP Irp)
{
    UNREFERENCED_PARAMETER(TheDevice);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static void Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
    RemoveDevice(L"\\DosDevices\\Handles", Device);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    TheDriver = DriverObject;
    DriverObject->DriverUnload = Unload;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Succeed;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Succeed;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Succeed;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    return MakeDevice(L"\\Device\\Handles", L"\\DosDevices\\Handles", 0, 0, FALSE, &Device);
}
