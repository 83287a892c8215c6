/* A driver that opens its own device by the Zw routines, and sends itself requests. Its reads pend until a write comes. */
#include "devices.h"

static PDEVICE_OBJECT Device;
static PIRP Waiting;
static HANDLE File;
static IO_STATUS_BLOCK LateBlock;
static HANDLE LateEvent;
static UCHAR LateData[4];
static ULONG FromMode;

static NTSTATUS Create(PDEVICE_OBJECT TheDevice, PIRP Irp)
{
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);

    EXPECT(TheDevice == Device);
    EXPECT(Irp->RequestorMode == KernelMode || FromMode == UserMode);
    EXPECT(ExGetPreviousMode() == Irp->RequestorMode);
    DbgPrint("create '%wZ' disposition %d options %x share %x attributes %x access %x ea %d", &location->FileObject->FileName,
             location->Parameters.Create.Options >> 24, location->Parameters.Create.Options & 0xffffff,
             location->Parameters.Create.ShareAccess, location->Parameters.Create.FileAttributes,
             location->Parameters.Create.SecurityContext->DesiredAccess, location->Parameters.Create.EaLength);
    return Complete(Irp, STATUS_SUCCESS, FILE_OPENED);
}

static NTSTATUS Read(PDEVICE_OBJECT TheDevice, PIRP Irp)
{
    UNREFERENCED_PARAMETER(TheDevice);
    EXPECT(Irp->RequestorMode == KernelMode && ExGetPreviousMode() == KernelMode);
    EXPECT(IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.ByteOffset.QuadPart == 5);
    IoMarkIrpPending(Irp);
    Waiting = Irp;
    return STATUS_PENDING;
}

static NTSTATUS Write(PDEVICE_OBJECT TheDevice, PIRP Irp)
{
    PIRP read = Waiting;
    UCHAR first = *(PUCHAR)Irp->AssociatedIrp.SystemBuffer;

    UNREFERENCED_PARAMETER(TheDevice);
    Waiting = NULL;
    if (read != NULL) {
        *(PUCHAR)read->AssociatedIrp.SystemBuffer = first;
        Complete(read, STATUS_SUCCESS, 1);
    }
    return Complete(Irp, STATUS_SUCCESS, IoGetCurrentIrpStackLocation(Irp)->Parameters.Write.Length);
}

static NTSTATUS OpenSelf(PCWSTR Path, ULONG Options, HANDLE* Handle)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
    IO_STATUS_BLOCK block;

    RtlInitUnicodeString(&name, Path);
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    return ZwCreateFile(Handle, GENERIC_READ | SYNCHRONIZE, &attributes, &block, NULL, FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ, FILE_OPEN,
                        Options, NULL, 0);
}

static NTSTATUS Control(PDEVICE_OBJECT TheDevice, PIRP Irp)
{
    HANDLE handle;
    ULONG code = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode;

    UNREFERENCED_PARAMETER(TheDevice);
    if (METHOD_FROM_CTL_CODE(code) == METHOD_NEITHER) {
        /* For an application the driver opens its device; the open comes from kernel mode. */
        EXPECT(ExGetPreviousMode() == UserMode);
        FromMode = KernelMode;
        EXPECT(OpenSelf(L"\\Device\\Self", FILE_SYNCHRONOUS_IO_NONALERT, &handle) == STATUS_SUCCESS);
        EXPECT(ExGetPreviousMode() == UserMode && ZwClose(handle) == STATUS_SUCCESS);
        return Complete(Irp, STATUS_SUCCESS, 0);
    }
    *(PULONG)Irp->AssociatedIrp.SystemBuffer += 1;
    return Complete(Irp, STATUS_SUCCESS, sizeof(ULONG));
}

static NTSTATUS Succeed(PDEVICE_OBJECT TheDevice, PIRP Irp)
{
    UNREFERENCED_PARAMETER(TheDevice);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

ULONG Opens(void)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
    IO_STATUS_BLOCK block;
    HANDLE handle = NULL;

    CHECK(OpenSelf(L"\\Device\\Nobody", 0, &handle) == STATUS_OBJECT_NAME_NOT_FOUND && handle == NULL);
    CHECK(OpenSelf(L"Device", 0, &handle) == STATUS_OBJECT_PATH_SYNTAX_BAD);
    CHECK(OpenSelf(L"\\DosDevices\\Self\\x", FILE_SYNCHRONOUS_IO_NONALERT, &handle) == STATUS_SUCCESS);
    CHECK(ZwClose(handle) == STATUS_SUCCESS && ZwClose(handle) == STATUS_INVALID_HANDLE);
    RtlInitUnicodeString(&name, L"\\Device\\Self");
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, NULL, NULL);
    CHECK(ZwOpenFile(&handle, FILE_WRITE_DATA, &attributes, &block, FILE_SHARE_WRITE, 0) == STATUS_SUCCESS);
    CHECK(block.Status == STATUS_SUCCESS && block.Information == FILE_OPENED);
    return ZwClose(handle);
}

ULONG Controls(void)
{
    IO_STATUS_BLOCK block = {0};
    HANDLE handle, event;
    ULONG input = 41, output = 0;

    CHECK(OpenSelf(L"\\Device\\Self", FILE_SYNCHRONOUS_IO_NONALERT, &handle) == STATUS_SUCCESS);
    CHECK(ZwCreateEvent(&event, EVENT_ALL_ACCESS, NULL, NotificationEvent, TRUE) == STATUS_SUCCESS);
    /* Kernel-mode callers need no access for the code. */
    CHECK(ZwDeviceIoControlFile(handle, event, NULL, NULL, &block, CTL_CODE(0x22, 1, METHOD_BUFFERED, FILE_WRITE_ACCESS), &input,
                                sizeof(input), &output, sizeof(output)) == STATUS_SUCCESS);
    CHECK(output == 42 && block.Status == STATUS_SUCCESS && block.Information == 4);
    CHECK(ZwWaitForSingleObject(event, FALSE, NULL) == STATUS_SUCCESS);
    CHECK(ZwDeviceIoControlFile(event, NULL, NULL, NULL, &block, 0, NULL, 0, NULL, 0) == STATUS_INVALID_HANDLE);
    CHECK(ZwDeviceIoControlFile(handle, handle, NULL, NULL, &block, 0, NULL, 0, NULL, 0) == STATUS_OBJECT_TYPE_MISMATCH);
    CHECK(ZwClose(event) == STATUS_SUCCESS);
    return ZwClose(handle);
}

/* A read on a file that is not synchronous: it ends when another request has it end. */
ULONG ReadLater(ULONG HasEvent)
{
    LARGE_INTEGER offset, zero = {0};

    offset.QuadPart = 5;
    LateBlock.Status = STATUS_UNSUCCESSFUL;
    CHECK(OpenSelf(L"\\Device\\Self", 0, &File) == STATUS_SUCCESS);
    CHECK(ZwCreateEvent(&LateEvent, EVENT_ALL_ACCESS, NULL, NotificationEvent, TRUE) == STATUS_SUCCESS);
    CHECK(ZwReadFile(File, HasEvent ? LateEvent : NULL, NULL, NULL, &LateBlock, LateData, sizeof(LateData), &offset, NULL) ==
          STATUS_PENDING);
    CHECK(LateBlock.Status == STATUS_UNSUCCESSFUL);
    CHECK(ZwWaitForSingleObject(HasEvent ? LateEvent : File, FALSE, &zero) == STATUS_TIMEOUT);
    return 0;
}

ULONG WriteNow(void)
{
    IO_STATUS_BLOCK block;
    HANDLE handle;
    UCHAR data = 9;

    CHECK(OpenSelf(L"\\Device\\Self", FILE_SYNCHRONOUS_IO_NONALERT, &handle) == STATUS_SUCCESS);
    CHECK(ZwWriteFile(handle, NULL, NULL, NULL, &block, &data, 1, NULL, NULL) == STATUS_SUCCESS && block.Information == 1);
    return ZwClose(handle);
}

ULONG AwaitRead(ULONG HasEvent)
{
    CHECK(ZwWaitForSingleObject(HasEvent ? LateEvent : File, FALSE, NULL) == STATUS_SUCCESS);
    CHECK(LateBlock.Status == STATUS_SUCCESS && LateBlock.Information == 1 && LateData[0] == 9);
    CHECK(ZwClose(LateEvent) == STATUS_SUCCESS);
    return ZwClose(File);
}

static void Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
    RemoveDevice(L"\\DosDevices\\Self", Device);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    TheDriver = DriverObject;
    FromMode = UserMode;
    DriverObject->DriverUnload = Unload;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Create;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Succeed;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Succeed;
    DriverObject->MajorFunction[IRP_MJ_READ] = Read;
    DriverObject->MajorFunction[IRP_MJ_WRITE] = Write;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    return MakeDevice(L"\\Device\\Self", L"\\DosDevices\\Self", 0, DO_BUFFERED_IO, FALSE, &Device);
}
