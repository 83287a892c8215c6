/*
 * What the classic programs share: a driver without a device, whose threads are functions that a scenario calls in parallel, and a check at the end.
 * Setup returns the number of threads; thread i is Thread(i).
 */
#pragma once
#include <ntddk.h>

#ifdef BROKEN
#define IF_RIGHT(code)
#define IF_BROKEN(code) code
#else
#define IF_RIGHT(code) code
#define IF_BROKEN(code)
#endif

/* 0: all is as it should be. */
static ULONG Wrong;
#define MUST(condition)                                                                                                                              \
    do {                                                                                                                                             \
        if (!(condition)) {                                                                                                                          \
            Wrong = __LINE__;                                                                                                                        \
        }                                                                                                                                            \
    } while (0)

static VOID Setup(VOID);
static VOID Thread(ULONG Number);
static VOID Finish(VOID);

#define THREAD(number)                                                                                                                               \
    __declspec(dllexport) ULONG Thread##number(VOID)                                                                                                 \
    {                                                                                                                                                \
        Thread(number);                                                                                                                              \
        return 0;                                                                                                                                    \
    }
THREAD(0)
THREAD(1)
THREAD(2)
THREAD(3)
THREAD(4)
THREAD(5)
THREAD(6)
THREAD(7)

__declspec(dllexport) ULONG Finished(VOID)
{
    Finish();
    return Wrong;
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    Setup();
    return STATUS_SUCCESS;
}
