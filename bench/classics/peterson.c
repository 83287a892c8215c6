/* threads: 2. Each wants to come in, and gives the turn to the other: the broken one gives the turn before it tells that it wants to come in. */
#include "classic.h"

static volatile LONG Wants[2];
static volatile LONG Turn;
static volatile LONG Inside;

static VOID Setup(VOID) {}

static VOID Thread(ULONG Number)
{
    ULONG Other = 1 - Number;

    IF_BROKEN(Turn = (LONG)Other;)
    Wants[Number] = TRUE;
    IF_RIGHT(Turn = (LONG)Other;)
    /* Whoever may not come in at once goes away. */
    if (!Wants[Other] || Turn == (LONG)Number) {
        MUST(InterlockedIncrement(&Inside) == 1);
        InterlockedDecrement(&Inside);
    }
    Wants[Number] = FALSE;
}

static VOID Finish(VOID) {}
