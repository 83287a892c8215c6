/* Opens, cleanups and closes are printed; reads pend, with a cancel routine or (if they are for one byte) without, until a write completes one. */
#include "devices.h"

static PDEVICE_OBJECT Plain, Only;
static PIRP Reads[4], LateCreate;

static PIRP TakeRead(PFILE_OBJECT File)
{
    PIRP found = NULL;
    KIRQL irql;

    IoAcquireCancelSpinLock(&irql);
    for (ULONG index = 0; index < 4 && found == NULL; index += 1) {
        PIRP irp = Reads[index];
        if (irp == NULL || (File != NULL && IoGetCurrentIrpStackLocation(irp)->FileObject != File)) {
            continue;
        }
        IoSetCancelRoutine(irp, NULL);
        Reads[index] = NULL;
        found = irp;
    }
    IoReleaseCancelSpinLock(irql);
    return found;
}

static void Cancel(PDEVICE_OBJECT Device, PIRP Irp)
{
    EXPECT(Device == Plain && KeGetCurrentIrql() == DISPATCH_LEVEL && Irp->Cancel && Irp->CancelRoutine == NULL);
    for (ULONG index = 0; index < 4; index += 1) {
        if (Reads[index] == Irp) {
            Reads[index] = NULL;
        }
    }
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    DbgPrint("cancelled");
    Complete(Irp, STATUS_CANCELLED, 0);
}

static NTSTATUS Create(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
    PFILE_OBJECT file = location->FileObject;
    PFILE_FULL_EA_INFORMATION attribute = Irp->AssociatedIrp.SystemBuffer;

    EXPECT(file->Type == IO_TYPE_FILE && file->DeviceObject == Device && Irp->Tail.Overlay.OriginalFileObject == file);
    EXPECT(location->Parameters.Create.SecurityContext->DesiredAccess != 0);
    DbgPrint("create '%wZ' disposition %d options %x share %x read %d write %d", &file->FileName,
             location->Parameters.Create.Options >> 24, location->Parameters.Create.Options & 0xffffff,
             location->Parameters.Create.ShareAccess, file->ReadAccess, file->WriteAccess);
    if (location->Parameters.Create.EaLength > 0) {
        PUCHAR value = (PUCHAR)attribute->EaName + attribute->EaNameLength + 1;
        DbgPrint("attribute %s: %d bytes, %d", attribute->EaName, attribute->EaValueLength, value[0]);
    }
    if (file->FileName.Length == 2 * 7) {
        return Complete(Irp, STATUS_UNSUCCESSFUL, 0);
    }
    if (file->FileName.Length == 2 * 5) {
        IoMarkIrpPending(Irp);
        LateCreate = Irp;
        return STATUS_PENDING;
    }
    return Complete(Irp, STATUS_SUCCESS, FILE_OPENED);
}

ULONG CompleteCreate(void)
{
    CHECK(LateCreate != NULL);
    Complete(LateCreate, STATUS_SUCCESS, FILE_OPENED);
    return 0;
}

static NTSTATUS Cleanup(PDEVICE_OBJECT Device, PIRP Irp)
{
    PFILE_OBJECT file = IoGetCurrentIrpStackLocation(Irp)->FileObject;

    UNREFERENCED_PARAMETER(Device);
    DbgPrint("cleanup in process %d", (ULONG)(ULONG_PTR)PsGetCurrentProcessId());
    for (PIRP irp = TakeRead(file); irp != NULL; irp = TakeRead(file)) {
        DbgPrint("cleaned up");
        Complete(irp, STATUS_CANCELLED, 0);
    }
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS Close(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    DbgPrint("close");
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS Read(PDEVICE_OBJECT Device, PIRP Irp)
{
    ULONG index = 0;
    ULONG bytes = IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.Length;
    KIRQL irql;

    UNREFERENCED_PARAMETER(Device);
    DbgPrint("read %d by process %d", bytes, IoGetRequestorProcessId(Irp));
    EXPECT(IoGetRequestorProcess(Irp) == PsGetCurrentProcess() && Irp->Tail.Overlay.Thread == PsGetCurrentThread());
    IoAcquireCancelSpinLock(&irql);
    if (Irp->Cancel) {
        IoReleaseCancelSpinLock(irql);
        return Complete(Irp, STATUS_CANCELLED, 0);
    }
    if (bytes != 1) {
        IoSetCancelRoutine(Irp, Cancel);
    }
    IoMarkIrpPending(Irp);
    while (Reads[index] != NULL) {
        index += 1;
    }
    Reads[index] = Irp;
    IoReleaseCancelSpinLock(irql);
    return STATUS_PENDING;
}

static NTSTATUS Write(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIRP read = TakeRead(NULL);

    UNREFERENCED_PARAMETER(Device);
    if (read != NULL) {
        Complete(read, STATUS_SUCCESS, 0);
    }
    return Complete(Irp, STATUS_SUCCESS, IoGetCurrentIrpStackLocation(Irp)->Parameters.Write.Length);
}

/* Completes one read from outside. */
ULONG CompleteRead(void)
{
    PIRP read = TakeRead(NULL);

    CHECK(read != NULL);
    Complete(read, STATUS_SUCCESS, 0);
    return 0;
}

/* Completes one read if there is one. */
ULONG CompleteAnyRead(void)
{
    PIRP read = TakeRead(NULL);

    if (read != NULL) {
        Complete(read, STATUS_SUCCESS, 0);
    }
    return 0;
}

/* What is between the driver and a device's names. */
ULONG Names(void)
{
    PDEVICE_OBJECT device = NULL, first;
    UNICODE_STRING name, link;

    RtlInitUnicodeString(&link, L"\\??\\Second");
    CHECK(MakeDevice(L"\\device\\PLAIN", NULL, 0, 0, FALSE, &device) == STATUS_OBJECT_NAME_COLLISION);
    CHECK(MakeDevice(L"\\Device\\Second", L"\\DosDevices\\Plain", 40, 0, FALSE, &device) == STATUS_OBJECT_NAME_COLLISION);
    RtlInitUnicodeString(&name, L"\\Device\\Second");
    CHECK(IoCreateSymbolicLink(&link, &name) == STATUS_SUCCESS);
    CHECK(IoCreateSymbolicLink(&link, &name) == STATUS_OBJECT_NAME_COLLISION);
    first = TheDriver->DeviceObject;
    CHECK(first == device && device->NextDevice == Only && device->DriverObject == TheDriver);
    CHECK(device->StackSize == 1 && device->AlignmentRequirement == 63 && device->DeviceType == FILE_DEVICE_UNKNOWN);
    CHECK((device->Flags & DO_DEVICE_INITIALIZING) != 0 && (device->Flags & DO_DEVICE_HAS_NAME) != 0);
    CHECK((device->Characteristics & FILE_DEVICE_SECURE_OPEN) != 0 && (Only->Flags & DO_EXCLUSIVE) != 0);
    for (ULONG index = 0; index < 40; index += 1) {
        CHECK(((PUCHAR)device->DeviceExtension)[index] == 0);
    }
    return 0;
}

ULONG Ready(void)
{
    TheDriver->DeviceObject->Flags &= ~DO_DEVICE_INITIALIZING;
    return 0;
}

ULONG NoNames(void)
{
    UNICODE_STRING link;
    PDEVICE_OBJECT device = TheDriver->DeviceObject;

    RtlInitUnicodeString(&link, L"\\DosDevices\\Second");
    CHECK(IoDeleteSymbolicLink(&link) == STATUS_SUCCESS);
    CHECK(IoDeleteSymbolicLink(&link) == STATUS_OBJECT_NAME_NOT_FOUND);
    IoDeleteDevice(device);
    CHECK(TheDriver->DeviceObject == Only && Only->NextDevice == Plain);
    return 0;
}

/* Deletes the device while a file of it may be open. */
ULONG DeleteOnly(void)
{
    RemoveDevice(L"\\DosDevices\\Only", Only);
    Only = NULL;
    return 0;
}

static void Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
    RemoveDevice(L"\\DosDevices\\Plain", Plain);
    if (Only != NULL) {
        RemoveDevice(L"\\DosDevices\\Only", Only);
    }
    DbgPrint("unload");
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    TheDriver = DriverObject;
    DriverObject->DriverUnload = Unload;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Create;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Cleanup;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Close;
    DriverObject->MajorFunction[IRP_MJ_READ] = Read;
    DriverObject->MajorFunction[IRP_MJ_WRITE] = Write;
    MakeDevice(L"\\Device\\Plain", L"\\DosDevices\\Plain", 0, DO_BUFFERED_IO, FALSE, &Plain);
    return MakeDevice(L"\\Device\\Only", L"\\DosDevices\\Only", 0, 0, TRUE, &Only);
}
