/*
 * A driver with a device for applications, which may pass data in every way. A case chooses the method of the control requests that it is for,
 * and what handles them; all others succeed. The input of each is 16 bytes, see IOCTL_INPUT, and its output may have as many.
 */
#pragma once
#include "cases.h"

typedef struct _IOCTL_INPUT {
    ULONG WrappingCount;    /* 0x40000001 */
    ULONG LargeCount;       /* 100 */
    ULONG SmallCount;       /* 2 */
    LONG NegativeCount;     /* -16 */
} IOCTL_INPUT, *PIOCTL_INPUT;

#define ANY_METHOD 4

typedef NTSTATUS CONTROL(PIRP Irp, PIO_STACK_LOCATION Location);

static PDRIVER_OBJECT TheDriver;
static PDEVICE_OBJECT TheDevice;
static CONTROL *Chosen;
static ULONG ChosenMethod;

static VOID Choose(ULONG Method, CONTROL *Control)
{
    ChosenMethod = Method;
    Chosen = Control;
}

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS Succeed(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS DeviceControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);

    if (ChosenMethod != ANY_METHOD && METHOD_FROM_CTL_CODE(Location->Parameters.DeviceIoControl.IoControlCode) != ChosenMethod) {
        return Succeed(Device, Irp);
    }
    return Chosen(Irp, Location);
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\DosDevices\\Cases");

    UNREFERENCED_PARAMETER(DriverObject);
    IoDeleteSymbolicLink(&Link);
    IoDeleteDevice(TheDevice);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Cases"), Link = RTL_CONSTANT_STRING(L"\\DosDevices\\Cases");
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    TheDriver = DriverObject;
    DriverObject->DriverUnload = Unload;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Succeed;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Succeed;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Succeed;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = DeviceControl;
    Status = IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN, FALSE, &TheDevice);
    return NT_SUCCESS(Status) ? IoCreateSymbolicLink(&Link, &Name) : Status;
}
