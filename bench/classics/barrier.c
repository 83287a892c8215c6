/* threads: 2. Both threads wait for each other, twice: the broken one waits for the same event in each round, and it is reset too late. */
#include "classic.h"

#define COUNT 2
#define ROUNDS 2

static volatile LONG Arrived[ROUNDS];
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
    PKEVENT Event = &AllArrived[IF_RIGHT(Which) IF_BROKEN(0)];

    if (InterlockedIncrement(&Arrived[Which]) == COUNT) {
        KeSetEvent(Event, IO_NO_INCREMENT, FALSE);
    }
    KeWaitForSingleObject(Event, Executive, KernelMode, FALSE, NULL);
    IF_BROKEN(KeClearEvent(Event);)
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
