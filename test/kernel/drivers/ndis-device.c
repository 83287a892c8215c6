/* A miniport with a device of NdisRegisterDeviceEx for applications; its adapter never starts. */
#include "devices.h"
#include "../../c-drivers/idle-miniport.h"

static NDIS_HANDLE Handle;
static PDEVICE_OBJECT Device, Own;
static UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Ndis"), Link = RTL_CONSTANT_STRING(L"\\DosDevices\\Ndis");
static UNICODE_STRING Closed = RTL_CONSTANT_STRING(L"D:P(A;;GA;;;SY)"), Wrong = RTL_CONSTANT_STRING(L"whoever");
static PDRIVER_DISPATCH Functions[IRP_MJ_MAXIMUM_FUNCTION + 1];

static NTSTATUS Dispatch(PDEVICE_OBJECT TheDevice, PIRP Irp)
{
    UCHAR major = IoGetCurrentIrpStackLocation(Irp)->MajorFunction;

    EXPECT(TheDevice == Device && NdisGetDeviceReservedExtension(TheDevice) != NULL);
    DbgPrint("device %d", major);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NDIS_STATUS Register(ULONG ExtensionBytes, PUNICODE_STRING Security)
{
    NDIS_DEVICE_OBJECT_ATTRIBUTES attributes;

    NdisZeroMemory(&attributes, sizeof(attributes));
    attributes.Header.Type = NDIS_OBJECT_TYPE_DEVICE_OBJECT_ATTRIBUTES;
    attributes.Header.Revision = NDIS_DEVICE_OBJECT_ATTRIBUTES_REVISION_1;
    attributes.Header.Size = NDIS_SIZEOF_DEVICE_OBJECT_ATTRIBUTES_REVISION_1;
    attributes.DeviceName = &Name;
    attributes.SymbolicName = &Link;
    attributes.MajorFunctions = Functions;
    attributes.ExtensionSize = ExtensionBytes;
    attributes.DefaultSDDLString = Security;
    return NdisRegisterDeviceEx(TheMiniport, &attributes, &Device, &Handle);
}

ULONG RegisterIt(void)
{
    CHECK(Register(64, NULL) == NDIS_STATUS_SUCCESS && Device != NULL && Handle != NULL);
    CHECK((Device->Flags & DO_DEVICE_INITIALIZING) == 0 && Device->DriverObject == TheDriver);
    for (ULONG index = 0; index < 64; index += 1) {
        CHECK(((PUCHAR)NdisGetDeviceReservedExtension(Device))[index] == 0);
    }
    return 0;
}

ULONG RegisterWithout(void)
{
    CHECK(Register(0, NULL) == NDIS_STATUS_SUCCESS && NdisGetDeviceReservedExtension(Device) == NULL);
    NdisDeregisterDeviceEx(Handle);
    return 0;
}

ULONG RegisterClosed(void)
{
    return Register(64, &Closed);
}

ULONG RegisterWrong(void)
{
    NDIS_HANDLE kept = TheMiniport;
    NDIS_DEVICE_OBJECT_ATTRIBUTES attributes = {0};

    CHECK(Register(0, &Wrong) != NDIS_STATUS_SUCCESS && Device == NULL);
    CHECK(NdisRegisterDeviceEx(TheMiniport, &attributes, &Device, &Handle) != NDIS_STATUS_SUCCESS && Device == NULL);
    Device = (PDEVICE_OBJECT)&attributes;
    TheMiniport = NULL;
    CHECK(Register(0, NULL) == NDIS_STATUS_NOT_SUPPORTED && Device == NULL);
    TheMiniport = kept;
    return 0;
}

/* A second device of the same names: none of it stays. */
ULONG RegisterTwice(void)
{
    NDIS_HANDLE handle = Handle;
    PDEVICE_OBJECT device = Device;

    CHECK(Register(0, NULL) != NDIS_STATUS_SUCCESS && Device == NULL);
    Name.Length -= sizeof(WCHAR);
    CHECK(Register(0, NULL) != NDIS_STATUS_SUCCESS && Device == NULL);
    Name.Length += sizeof(WCHAR);
    Handle = handle;
    Device = device;
    return 0;
}

ULONG DeregisterIt(void)
{
    NdisDeregisterDeviceEx(Handle);
    return 0;
}

/* What a device of IoCreateDevice has: not NDIS's extension, and the dispatch table of the driver object. */
ULONG OtherDevice(void)
{
    CHECK(MakeDevice(L"\\Device\\Own", NULL, 16, 0, FALSE, &Own) == STATUS_SUCCESS);
    CHECK(NdisGetDeviceReservedExtension(Own) == NULL && Own->DeviceExtension != NULL);
    IoDeleteDevice(Own);
    return 0;
}

static NDIS_STATUS Initialize(NDIS_HANDLE adapter, NDIS_HANDLE context, PNDIS_MINIPORT_INIT_PARAMETERS parameters) { return NDIS_STATUS_FAILURE; }

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS own = IdleMiniport;

    TheDriver = DriverObject;
    for (ULONG index = 0; index <= IRP_MJ_MAXIMUM_FUNCTION; index += 1) {
        Functions[index] = Dispatch;
    }
    own.InitializeHandlerEx = Initialize;
    return NdisMRegisterMiniportDriver(DriverObject, RegistryPath, NULL, &own, &TheMiniport);
}
