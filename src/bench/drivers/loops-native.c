/* The same loops in a program: prints the nanoseconds of one round of each. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "loops.h"

static volatile unsigned Kept;

static double Seconds(void)
{
    struct timespec Now;

    clock_gettime(CLOCK_MONOTONIC, &Now);
    return (double)Now.tv_sec + (double)Now.tv_nsec / 1e9;
}

int main(int ArgumentCount, char **Arguments)
{
    unsigned Count = ArgumentCount > 1 ? (unsigned)atoi(Arguments[1]) : 1;
    unsigned char *Data = calloc(1, FRAME_BYTES), *Other = calloc(1, FRAME_BYTES);
    ENTRY *Entries = calloc(ENTRIES, sizeof(ENTRY));

    for (unsigned What = 0; What < 3; What++) {
        double Start = Seconds();

        Kept = Loop(What, Count, Data, Other, Entries);
        printf("%f\n", (Seconds() - Start) * 1e9 / Count);
    }
    free(Data);
    free(Other);
    free(Entries);
    return 0;
}
