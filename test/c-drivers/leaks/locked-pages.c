/* A device whose driver locks the buffer of an application: code 0x801 unlocks it when the file is cleaned up, 0x800 too late. */
#include <ndis.h>

#define LOCK_FOR_LONG CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_NEITHER, FILE_ANY_ACCESS)

static PDRIVER_OBJECT Driver;
static PDEVICE_OBJECT Device;
static PMDL Locked;
static BOOLEAN IsForLong;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static VOID Release(VOID)
{
    if (Locked != NULL) {
        MmUnlockPages(Locked);
        IoFreeMdl(Locked);
        Locked = NULL;
    }
}

static DRIVER_DISPATCH Dispatch;
static NTSTATUS Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);

    UNREFERENCED_PARAMETER(DeviceObject);
    if (location->MajorFunction == IRP_MJ_CLEANUP && !IsForLong) {
        Release();
    }
    return Complete(Irp, STATUS_SUCCESS);
}

static DRIVER_DISPATCH Control;
static NTSTATUS Control(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);

    UNREFERENCED_PARAMETER(DeviceObject);
    IsForLong = location->Parameters.DeviceIoControl.IoControlCode == LOCK_FOR_LONG;
    Locked = IoAllocateMdl(Irp->UserBuffer, location->Parameters.DeviceIoControl.OutputBufferLength, FALSE, FALSE, NULL); /* MARK: describes */
    if (Locked == NULL) {
        return Complete(Irp, STATUS_INSUFFICIENT_RESOURCES);
    }
    MmProbeAndLockPages(Locked, UserMode, IoWriteAccess);
    return Complete(Irp, STATUS_SUCCESS);
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING link;

    UNREFERENCED_PARAMETER(DriverObject);
    Release();
    RtlInitUnicodeString(&link, L"\\DosDevices\\Locks");
    IoDeleteSymbolicLink(&link);
    IoDeleteDevice(Device);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name, link;

    UNREFERENCED_PARAMETER(RegistryPath);
    Driver = DriverObject;
    DriverObject->DriverUnload = Unload;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    RtlInitUnicodeString(&name, L"\\Device\\Locks");
    RtlInitUnicodeString(&link, L"\\DosDevices\\Locks");
    if (IoCreateDevice(Driver, 0, &name, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN, FALSE, &Device) != STATUS_SUCCESS) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return IoCreateSymbolicLink(&link, &name);
}
