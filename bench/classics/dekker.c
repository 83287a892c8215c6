/* threads: 3. Whoever sees that none of the others wants to come in comes in: the broken one looks before it tells that it wants to. */
#include "classic.h"

#define COUNT 3

static volatile LONG Wants[COUNT];
static volatile LONG Inside;

static VOID Setup(VOID) {}

static BOOLEAN OthersWant(ULONG Number)
{
    ULONG Other;

    for (Other = 0; Other < COUNT; Other += 1) {
        if (Other != Number && InterlockedCompareExchange(&Wants[Other], 0, 0)) {
            return TRUE;
        }
    }
    return FALSE;
}

static VOID Thread(ULONG Number)
{
    BOOLEAN MustWait;

    IF_BROKEN(MustWait = OthersWant(Number);)
    InterlockedExchange(&Wants[Number], TRUE);
    IF_RIGHT(MustWait = OthersWant(Number);)
    if (!MustWait) {
        MUST(InterlockedIncrement(&Inside) == 1);
        InterlockedDecrement(&Inside);
    }
    InterlockedExchange(&Wants[Number], FALSE);
}

static VOID Finish(VOID) {}
