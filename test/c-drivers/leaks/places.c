/* Blocks and objects whose makers and whose ends are asked for. */
#include <ndis.h>

#define TAG 'kaeL'

static PVOID Kept[4];

static PVOID Make(ULONG Bytes)
{
    return ExAllocatePoolWithTag(NonPagedPoolNx, Bytes, TAG); /* MARK: makes */
}

static VOID Unmake(PVOID Block)
{
    ExFreePoolWithTag(Block, TAG); /* MARK: unmakes */
}

ULONG Leave(VOID)
{
    Kept[0] = Make(40); /* MARK: leaves */
    return 0;
}

ULONG FreeTwice(VOID)
{
    PVOID block = Make(16); /* MARK: asks for it */

    Unmake(block); /* MARK: frees it */
    ExFreePoolWithTag(block, TAG); /* MARK: frees it again */
    return 0;
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    return STATUS_SUCCESS;
}
