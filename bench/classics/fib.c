/* threads: 2. Two numbers are added to each other, at most as far as the sequence of Fibonacci: the broken one thinks that it is never reached. */
#include "classic.h"

#define ROUNDS 2
/* Of the number with the index 2 * ROUNDS + 2. */
#define LARGEST 8

static volatile LONG Numbers[2] = {1, 1};

static VOID Setup(VOID) {}

static VOID Thread(ULONG Number)
{
    ULONG Round;

    for (Round = 0; Round < ROUNDS; Round += 1) {
        Numbers[Number] = Numbers[Number] + Numbers[1 - Number];
    }
}

static VOID Finish(VOID)
{
    IF_RIGHT(MUST(Numbers[0] <= LARGEST && Numbers[1] <= LARGEST);)
    IF_BROKEN(MUST(Numbers[0] < LARGEST && Numbers[1] < LARGEST);)
}
