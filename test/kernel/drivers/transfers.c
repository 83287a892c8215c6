/* Reads, writes and control requests in every way of passing data; the device is named after the way. */
#include "devices.h"

#define IOCTL(function, method, access) CTL_CODE(FILE_DEVICE_UNKNOWN, function, method, access)
#define IOCTL_ANSWER IOCTL(0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)

static PDEVICE_OBJECT Buffered, Direct, Neither;
/* What IOCTL_ANSWER is completed with: set by its input. */
typedef struct _ANSWER {
    NTSTATUS Status;
    ULONG Information;
    ULONG Filled;
} ANSWER;

static void Fill(PUCHAR Bytes, ULONG Count)
{
    for (ULONG index = 0; index < Count; index += 1) {
        Bytes[index] = (UCHAR)(0x10 + index);
    }
}

static ULONG Sum(const UCHAR* Bytes, ULONG Count)
{
    ULONG sum = 0;

    for (ULONG index = 0; index < Count; index += 1) {
        sum += Bytes[index];
    }
    return sum;
}

/* Where the data of a read or a write is; what is not its place has to be empty. */
static PUCHAR DataOf(PDEVICE_OBJECT Device, PIRP Irp, ULONG Length)
{
    if (Device == Buffered) {
        EXPECT(Irp->MdlAddress == NULL && (Length == 0) == (Irp->AssociatedIrp.SystemBuffer == NULL));
        return Irp->AssociatedIrp.SystemBuffer;
    }
    EXPECT(Irp->AssociatedIrp.SystemBuffer == NULL);
    if (Device == Direct) {
        EXPECT((Length == 0) == (Irp->MdlAddress == NULL) && Irp->UserBuffer == NULL);
        if (Length == 0) {
            return NULL;
        }
        EXPECT(MmGetMdlByteCount(Irp->MdlAddress) == Length && (Irp->MdlAddress->MdlFlags & MDL_PAGES_LOCKED) != 0);
        return MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority);
    }
    EXPECT(Irp->MdlAddress == NULL);
    ProbeForWrite(Irp->UserBuffer, Length, 1);
    return Irp->UserBuffer;
}

static NTSTATUS Read(PDEVICE_OBJECT Device, PIRP Irp)
{
    ULONG length = IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.Length;

    EXPECT(Irp->RequestorMode == UserMode && ExGetPreviousMode() == UserMode);
    Fill(DataOf(Device, Irp, length), length);
    return Complete(Irp, STATUS_SUCCESS, length);
}

static NTSTATUS Write(PDEVICE_OBJECT Device, PIRP Irp)
{
    ULONG length = IoGetCurrentIrpStackLocation(Irp)->Parameters.Write.Length;

    DbgPrint("written %d", Sum(DataOf(Device, Irp, length), length));
    return Complete(Irp, STATUS_SUCCESS, length);
}

/* A control request of any method: its input is summed up, its output is filled. */
static NTSTATUS Transfer(PIRP Irp, PIO_STACK_LOCATION Location)
{
    ULONG inputBytes = Location->Parameters.DeviceIoControl.InputBufferLength;
    ULONG outputBytes = Location->Parameters.DeviceIoControl.OutputBufferLength;
    PUCHAR input = Irp->AssociatedIrp.SystemBuffer, output = input;

    switch (METHOD_FROM_CTL_CODE(Location->Parameters.DeviceIoControl.IoControlCode)) {
    case METHOD_BUFFERED:
        EXPECT(Irp->MdlAddress == NULL);
        break;
    case METHOD_IN_DIRECT:
        EXPECT(MmGetMdlByteCount(Irp->MdlAddress) == outputBytes);
        DbgPrint("second input %d", Sum(MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority), outputBytes));
        output = NULL;
        break;
    case METHOD_OUT_DIRECT:
        EXPECT(MmGetMdlByteCount(Irp->MdlAddress) == outputBytes);
        output = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority);
        break;
    default:
        EXPECT(Irp->MdlAddress == NULL && Irp->AssociatedIrp.SystemBuffer == NULL);
        input = Location->Parameters.DeviceIoControl.Type3InputBuffer;
        output = Irp->UserBuffer;
        ProbeForRead(input, inputBytes, 1);
        ProbeForWrite(output, outputBytes, 1);
        break;
    }
    DbgPrint("input %d", Sum(input, inputBytes));
    if (output != NULL) {
        Fill(output, outputBytes);
    }
    return Complete(Irp, STATUS_SUCCESS, outputBytes);
}

static NTSTATUS Control(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
    ANSWER answer;

    UNREFERENCED_PARAMETER(Device);
    if (location->Parameters.DeviceIoControl.IoControlCode != IOCTL_ANSWER) {
        return Transfer(Irp, location);
    }
    answer = *(ANSWER*)Irp->AssociatedIrp.SystemBuffer;
    Fill(Irp->AssociatedIrp.SystemBuffer, answer.Filled);
    return Complete(Irp, answer.Status, answer.Information);
}

static NTSTATUS Succeed(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static void Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
    RemoveDevice(L"\\DosDevices\\Buffered", Buffered);
    RemoveDevice(L"\\DosDevices\\Direct", Direct);
    RemoveDevice(L"\\DosDevices\\Neither", Neither);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    TheDriver = DriverObject;
    DriverObject->DriverUnload = Unload;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Succeed;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Succeed;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Succeed;
    DriverObject->MajorFunction[IRP_MJ_READ] = Read;
    DriverObject->MajorFunction[IRP_MJ_WRITE] = Write;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    MakeDevice(L"\\Device\\Buffered", L"\\DosDevices\\Buffered", 0, DO_BUFFERED_IO, FALSE, &Buffered);
    MakeDevice(L"\\Device\\Direct", L"\\DosDevices\\Direct", 0, DO_DIRECT_IO, FALSE, &Direct);
    return MakeDevice(L"\\Device\\Neither", L"\\DosDevices\\Neither", 0, 0, FALSE, &Neither);
}
