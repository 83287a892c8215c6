/* A driver with a device for each way of passing data, and what its dispatch routines do at the least. Its story is what it prints. */
#pragma once
#include <ndis.h>

#define CHECK(condition)     \
    if (!(condition)) {      \
        return __LINE__;     \
    }
/* Inside a dispatch routine there is nobody to return a line to. */
#define EXPECT(condition)                                    \
    if (!(condition)) {                                      \
        DbgPrint("line %d: %s", __LINE__, #condition);       \
    }

static PDRIVER_OBJECT TheDriver;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS MakeDevice(PCWSTR Name, PCWSTR Link, ULONG ExtensionBytes, ULONG Flags, BOOLEAN Exclusive, PDEVICE_OBJECT* Device)
{
    UNICODE_STRING name, link;
    NTSTATUS status;

    RtlInitUnicodeString(&name, Name);
    RtlInitUnicodeString(&link, Link);
    status = IoCreateDevice(TheDriver, ExtensionBytes, Name == NULL ? NULL : &name, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN, Exclusive,
                            Device);
    if (status != STATUS_SUCCESS) {
        return status;
    }
    (*Device)->Flags |= Flags;
    return Link == NULL ? STATUS_SUCCESS : IoCreateSymbolicLink(&link, &name);
}

static void RemoveDevice(PCWSTR Link, PDEVICE_OBJECT Device)
{
    UNICODE_STRING link;

    RtlInitUnicodeString(&link, Link);
    if (Link != NULL) {
        IoDeleteSymbolicLink(&link);
    }
    IoDeleteDevice(Device);
}
