/* threads: 1. A timer is cancelled and its context freed: the broken one does not wait for the DPC of a timer that is due already. */
#include "classic.h"

typedef struct _CONTEXT {
    KTIMER Timer;
    KDPC Dpc;
    volatile LONG Ticks;
} CONTEXT, *PCONTEXT;

static PCONTEXT Context;

static VOID Tick(PKDPC Dpc, PVOID DeferredContext, PVOID First, PVOID Second)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(First);
    UNREFERENCED_PARAMETER(Second);
    InterlockedIncrement(&((PCONTEXT)DeferredContext)->Ticks);
}

static VOID Setup(VOID)
{
    Context = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Context), 'tseT');
    if (Context != NULL) {
        KeInitializeTimer(&Context->Timer);
        KeInitializeDpc(&Context->Dpc, Tick, Context);
    }
}

static VOID Thread(ULONG Number)
{
    LARGE_INTEGER Due;

    UNREFERENCED_PARAMETER(Number);
    if (Context == NULL) {
        return;
    }
    Due.QuadPart = -10000;
    KeSetTimer(&Context->Timer, Due, &Context->Dpc);
    if (!KeCancelTimer(&Context->Timer)) {
        IF_RIGHT(KeFlushQueuedDpcs();)
    }
    ExFreePool(Context);
}

static VOID Finish(VOID) {}
