/* Runs the loops of loops.h over blocks of pool. */
#include <ntddk.h>
#include "loops.h"

#define TAG 'pooL'

__declspec(dllexport) ULONG Exercise(ULONG What, ULONG Count)
{
    PUCHAR Data = ExAllocatePoolZero(NonPagedPoolNx, FRAME_BYTES, TAG);
    PUCHAR Other = ExAllocatePoolZero(NonPagedPoolNx, FRAME_BYTES, TAG);
    ENTRY *Entries = ExAllocatePoolZero(NonPagedPoolNx, sizeof(ENTRY) * ENTRIES, TAG);
    ULONG Result = 0;

    if (Data != NULL && Other != NULL && Entries != NULL) {
        Result = Loop(What, Count, Data, Other, Entries);
    }
    if (Data != NULL) {
        ExFreePoolWithTag(Data, TAG);
    }
    if (Other != NULL) {
        ExFreePoolWithTag(Other, TAG);
    }
    if (Entries != NULL) {
        ExFreePoolWithTag(Entries, TAG);
    }
    return Result;
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
