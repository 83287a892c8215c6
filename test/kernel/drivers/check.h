/* A function of a driver under test returns 0, or the line at which something was not as it should be. */
#pragma once
#include <ndis.h>

#define CHECK(condition)     \
    if (!(condition)) {      \
        return __LINE__;     \
    }

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    return STATUS_SUCCESS;
}
