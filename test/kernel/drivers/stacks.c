/* A device and a filter device above it. How the filter passes a request on, and how the device below answers it, is in the IOCTL. */
#include "devices.h"

enum { SKIP, COPY, KEEP, RETRY, MARK, ONLY_ON_ERROR, NOT_ATTACHED };
enum { AT_ONCE, LATER, FAIL };
#define FILTERED(code) (((code) >> 2) & 0xf)
#define ANSWERED(code) (((code) >> 6) & 0xf)

static PDEVICE_OBJECT Bottom, Top, Below;
static PIRP Waiting;
static KEVENT Done;
static ULONG Tries;

static NTSTATUS BottomDispatch(PIRP Irp, PIO_STACK_LOCATION Location)
{
    if (Location->MajorFunction != IRP_MJ_DEVICE_CONTROL) {
        return Complete(Irp, STATUS_SUCCESS, 0);
    }
    DbgPrint("bottom, location %d of %d", Irp->CurrentLocation, Irp->StackCount);
    switch (ANSWERED(Location->Parameters.DeviceIoControl.IoControlCode)) {
    case LATER:
        IoMarkIrpPending(Irp);
        Waiting = Irp;
        return STATUS_PENDING;
    case FAIL:
        Tries += 1;
        return Complete(Irp, Tries == 1 ? STATUS_DEVICE_BUSY : STATUS_SUCCESS, Tries);
    default:
        return Complete(Irp, STATUS_SUCCESS, 1);
    }
}

static NTSTATUS Back(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    ULONG how = (ULONG)(ULONG_PTR)Context;

    EXPECT(Device == Top);
    DbgPrint("completion, status %x, pending %d", Irp->IoStatus.Status, Irp->PendingReturned != 0);
    if (how == KEEP) {
        KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    if (how == RETRY && !NT_SUCCESS(Irp->IoStatus.Status)) {
        IoCopyCurrentIrpStackLocationToNext(Irp);
        IoSetCompletionRoutine(Irp, Back, Context, TRUE, TRUE, TRUE);
        IoCallDriver(Below, Irp);
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    if (how != MARK && Irp->PendingReturned) {
        IoMarkIrpPending(Irp);
    }
    return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS TopDispatch(PIRP Irp, PIO_STACK_LOCATION Location)
{
    ULONG how = FILTERED(Location->Parameters.DeviceIoControl.IoControlCode);
    NTSTATUS status;

    if (Location->MajorFunction != IRP_MJ_DEVICE_CONTROL || how == SKIP) {
        IoSkipCurrentIrpStackLocation(Irp);
        return IoCallDriver(Below, Irp);
    }
    IoCopyCurrentIrpStackLocationToNext(Irp);
    if (how == ONLY_ON_ERROR) {
        IoSetCompletionRoutine(Irp, Back, (PVOID)(ULONG_PTR)how, FALSE, TRUE, FALSE);
        return IoCallDriver(Below, Irp);
    }
    IoSetCompletionRoutine(Irp, Back, (PVOID)(ULONG_PTR)how, TRUE, TRUE, TRUE);
    if (how == MARK || how == RETRY) {
        IoMarkIrpPending(Irp);
        IoCallDriver(Below, Irp);
        return STATUS_PENDING;
    }
    if (how != KEEP) {
        return IoCallDriver(Below, Irp);
    }
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    status = IoCallDriver(Below, Irp);
    if (status == STATUS_PENDING) {
        KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    }
    DbgPrint("top has it again");
    return Complete(Irp, Irp->IoStatus.Status, 7);
}

static NTSTATUS Dispatch(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);

    EXPECT(location->DeviceObject == Device);
    return Device == Top ? TopDispatch(Irp, location) : BottomDispatch(Irp, location);
}

/* Completes the request that the device below keeps. */
ULONG CompleteWaiting(void)
{
    CHECK(Waiting != NULL);
    Complete(Waiting, STATUS_SUCCESS, 3);
    Waiting = NULL;
    return 0;
}

ULONG AttachTop(void)
{
    CHECK(MakeDevice(NULL, NULL, 0, 0, FALSE, &Top) == STATUS_SUCCESS);
    CHECK(Top->StackSize == 1 && Bottom->AttachedDevice == NULL);
    Below = IoAttachDeviceToDeviceStack(Top, Bottom);
    CHECK(Below == Bottom && Bottom->AttachedDevice == Top);
    CHECK(Top->StackSize == Bottom->StackSize + 1 && Top->AlignmentRequirement == Bottom->AlignmentRequirement);
    Top->Flags &= ~DO_DEVICE_INITIALIZING;
    return 0;
}

ULONG AttachTopByName(void)
{
    UNICODE_STRING name;

    CHECK(MakeDevice(NULL, NULL, 0, 0, FALSE, &Top) == STATUS_SUCCESS);
    RtlInitUnicodeString(&name, L"\\Device\\Nowhere");
    CHECK(IoAttachDevice(Top, &name, &Below) == STATUS_OBJECT_NAME_NOT_FOUND);
    RtlInitUnicodeString(&name, L"\\Device\\Bottom");
    CHECK(IoAttachDevice(Top, &name, &Below) == STATUS_SUCCESS && Below == Bottom && Bottom->AttachedDevice == Top);
    Top->Flags &= ~DO_DEVICE_INITIALIZING;
    return 0;
}

ULONG AttachToInitializing(void)
{
    PDEVICE_OBJECT half, other;

    CHECK(MakeDevice(NULL, NULL, 0, 0, FALSE, &half) == STATUS_SUCCESS);
    CHECK((half->Flags & DO_DEVICE_INITIALIZING) != 0);
    CHECK(MakeDevice(NULL, NULL, 0, 0, FALSE, &other) == STATUS_SUCCESS);
    CHECK(IoAttachDeviceToDeviceStack(other, half) == NULL);
    IoDeleteDevice(other);
    IoDeleteDevice(half);
    return 0;
}

ULONG DetachTop(void)
{
    IoDetachDevice(Below);
    CHECK(Bottom->AttachedDevice == NULL);
    IoDeleteDevice(Top);
    Top = NULL;
    return 0;
}

/* The device below keeps the address of a device that is gone. */
ULONG DeleteTopOnly(void)
{
    IoDeleteDevice(Top);
    Top = NULL;
    return 0;
}

/* ---- requests that the driver makes itself */

static ULONG Input, Output;

static NTSTATUS Send(PDEVICE_OBJECT Device, PIRP Irp, PKEVENT Event, PIO_STATUS_BLOCK Block)
{
    NTSTATUS status = IoCallDriver(Device, Irp);

    if (status == STATUS_PENDING) {
        KeWaitForSingleObject(Event, Executive, KernelMode, FALSE, NULL);
        status = Block->Status;
    }
    return status;
}

ULONG BuildControl(ULONG Answer)
{
    KEVENT event;
    IO_STATUS_BLOCK block = {0};
    PIRP irp;
    PIO_STACK_LOCATION next;

    KeInitializeEvent(&event, NotificationEvent, FALSE);
    irp = IoBuildDeviceIoControlRequest(Answer << 6, Bottom, &Input, sizeof(Input), &Output, sizeof(Output), FALSE, &event, &block);
    CHECK(irp != NULL && irp->RequestorMode == KernelMode && irp->StackCount == Bottom->StackSize);
    next = IoGetNextIrpStackLocation(irp);
    CHECK(next->MajorFunction == IRP_MJ_DEVICE_CONTROL && next->Parameters.DeviceIoControl.InputBufferLength == sizeof(Input));
    CHECK(Send(Bottom, irp, &event, &block) == STATUS_SUCCESS);
    CHECK(KeReadStateEvent(&event) != 0 && block.Status == STATUS_SUCCESS && block.Information == (Answer == LATER ? 3u : 1u));
    return 0;
}

ULONG BuildInternal(void)
{
    KEVENT event;
    IO_STATUS_BLOCK block = {0};
    PIRP irp;

    KeInitializeEvent(&event, NotificationEvent, FALSE);
    irp = IoBuildDeviceIoControlRequest(0, Bottom, NULL, 0, NULL, 0, TRUE, &event, &block);
    CHECK(IoGetNextIrpStackLocation(irp)->MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL);
    /* The driver has no routine for it. */
    CHECK(Send(Bottom, irp, &event, &block) == STATUS_INVALID_DEVICE_REQUEST && block.Status == STATUS_INVALID_DEVICE_REQUEST);
    return 0;
}

ULONG BuildSynchronous(void)
{
    KEVENT event;
    IO_STATUS_BLOCK block = {0};
    LARGE_INTEGER offset;
    PIRP irp;
    UCHAR data[3] = {1, 2, 3};

    KeInitializeEvent(&event, NotificationEvent, FALSE);
    offset.QuadPart = 0x123456789;
    irp = IoBuildSynchronousFsdRequest(IRP_MJ_WRITE, Bottom, data, sizeof(data), &offset, &event, &block);
    CHECK(IoGetNextIrpStackLocation(irp)->MajorFunction == IRP_MJ_WRITE);
    CHECK(IoGetNextIrpStackLocation(irp)->Parameters.Write.Length == 3);
    CHECK(IoGetNextIrpStackLocation(irp)->Parameters.Write.ByteOffset.QuadPart == 0x123456789);
    CHECK(irp->UserBuffer == data);
    CHECK(Send(Bottom, irp, &event, &block) == STATUS_SUCCESS && KeReadStateEvent(&event) != 0);
    irp = IoBuildSynchronousFsdRequest(IRP_MJ_FLUSH_BUFFERS, Bottom, NULL, 0, NULL, &event, &block);
    CHECK(IoGetNextIrpStackLocation(irp)->MajorFunction == IRP_MJ_FLUSH_BUFFERS && irp->UserBuffer == NULL);
    CHECK(Send(Bottom, irp, &event, &block) == STATUS_INVALID_DEVICE_REQUEST);
    return 0;
}

static NTSTATUS OwnBack(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    /* The driver that allocated the IRP has no stack location, and so no device in it. */
    EXPECT(Device == NULL);
    *(PULONG)Context += 1;
    if (*(PULONG)Context < 3) {
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    IoFreeIrp(Irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

ULONG OwnIrp(void)
{
    ULONG count = 0;
    PIRP irp = IoAllocateIrp(Bottom->StackSize, FALSE);

    CHECK(irp != NULL && irp->StackCount == Bottom->StackSize && irp->CurrentLocation == irp->StackCount + 1);
    CHECK(IoGetRequestorProcess(irp) == NULL && IoGetRequestorProcessId(irp) == 0);
    for (ULONG turn = 1; turn <= 3; turn += 1) {
        IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_WRITE;
        IoSetCompletionRoutine(irp, OwnBack, &count, TRUE, TRUE, TRUE);
        CHECK(IoCallDriver(Bottom, irp) == STATUS_SUCCESS && count == turn);
        if (turn < 3) {
            CHECK(irp->CurrentLocation == irp->StackCount + 1);
            IoReuseIrp(irp, STATUS_UNSUCCESSFUL);
            CHECK(irp->IoStatus.Status == STATUS_UNSUCCESSFUL && irp->CurrentLocation == irp->StackCount + 1);
        }
    }
    return 0;
}

static NTSTATUS FreeAndGoOn(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Context);
    IoFreeIrp(Irp);
    return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS GoOn(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Irp);
    UNREFERENCED_PARAMETER(Context);
    return STATUS_CONTINUE_COMPLETION;
}

/* 0: freed and given back; 1: given back; 2: it has no stack location for the driver below. */
ULONG OwnIrpWrong(ULONG How)
{
    PIRP irp = IoAllocateIrp(How == 2 ? 0 : Bottom->StackSize, FALSE);

    if (How != 2) {
        IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_WRITE;
        IoSetCompletionRoutine(irp, How == 0 ? FreeAndGoOn : GoOn, NULL, TRUE, TRUE, TRUE);
    }
    IoCallDriver(Bottom, irp);
    return 0;
}

ULONG DevicePointer(void)
{
    UNICODE_STRING name;
    PFILE_OBJECT file;
    PDEVICE_OBJECT device = NULL;

    RtlInitUnicodeString(&name, L"\\Device\\Nowhere");
    CHECK(IoGetDeviceObjectPointer(&name, FILE_READ_DATA, &file, &device) == STATUS_OBJECT_NAME_NOT_FOUND);
    RtlInitUnicodeString(&name, L"\\DosDevices\\Bottom");
    CHECK(IoGetDeviceObjectPointer(&name, FILE_READ_DATA, &file, &device) == STATUS_SUCCESS);
    CHECK(device == (Top == NULL ? Bottom : Top) && file->DeviceObject == Bottom);
    CHECK(IoGetRelatedDeviceObject(file) == device);
    ObDereferenceObject(file);
    return 0;
}

/* The file of the pointer is kept, and with it the driver below. */
ULONG KeepPointer(void)
{
    UNICODE_STRING name;
    PFILE_OBJECT file;
    PDEVICE_OBJECT device;

    RtlInitUnicodeString(&name, L"\\Device\\Bottom");
    return IoGetDeviceObjectPointer(&name, FILE_READ_DATA, &file, &device);
}

static void Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
    if (Top != NULL) {
        DetachTop();
    }
    RemoveDevice(L"\\DosDevices\\Bottom", Bottom);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    TheDriver = DriverObject;
    DriverObject->DriverUnload = Unload;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_WRITE] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Dispatch;
    return MakeDevice(L"\\Device\\Bottom", L"\\DosDevices\\Bottom", 0, 0, FALSE, &Bottom);
}
