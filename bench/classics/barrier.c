/* threads: 2. Both threads wait for each other, twice: the broken one counts from zero again only when it has let the other one go on. */
#include "classic.h"

#define COUNT 2
#define ROUNDS 2

static volatile LONG Arrived;
static KEVENT AllArrived[ROUNDS];
static volatile LONG Round[COUNT];

static VOID Setup(VOID)
{
    ULONG Index;

    for (Index = 0; Index < ROUNDS; Index += 1) {
        KeInitializeEvent(&AllArrived[Index], NotificationEvent, FALSE);
    }
}

static VOID Wait(ULONG Which)
{
    if (InterlockedIncrement(&Arrived) == COUNT) {
        IF_RIGHT(InterlockedExchange(&Arrived, 0);)
        KeSetEvent(&AllArrived[Which], IO_NO_INCREMENT, FALSE);
        IF_BROKEN(InterlockedExchange(&Arrived, 0);)
    }
    KeWaitForSingleObject(&AllArrived[Which], Executive, KernelMode, FALSE, NULL);
}

static VOID Thread(ULONG Number)
{
    ULONG Index;

    for (Index = 0; Index < ROUNDS; Index += 1) {
        InterlockedExchange(&Round[Number], (LONG)Index + 1);
        Wait(Index);
        MUST(InterlockedCompareExchange(&Round[1 - Number], 0, 0) > (LONG)Index);
    }
}

static VOID Finish(VOID) {}
