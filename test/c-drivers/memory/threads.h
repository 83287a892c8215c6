/* Two threads for the cases of races: nothing orders what they do but what they do about it. */
#pragma once
#include "driver.h"

static VOID RunBoth(PKSTART_ROUTINE First, PKSTART_ROUTINE Second)
{
    HANDLE Thread, Other;

    PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, First, NULL);
    PsCreateSystemThread(&Other, THREAD_ALL_ACCESS, NULL, NULL, NULL, Second, NULL);
    ZwWaitForSingleObject(Thread, FALSE, NULL);
    ZwWaitForSingleObject(Other, FALSE, NULL);
    ZwClose(Thread);
    ZwClose(Other);
}

static VOID Sleep(LONG Milliseconds)
{
    LARGE_INTEGER Interval;

    Interval.QuadPart = -10000ll * Milliseconds;
    KeDelayExecutionThread(KernelMode, FALSE, &Interval);
}
