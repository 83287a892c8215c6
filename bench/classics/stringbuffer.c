/* threads: 2. A text is appended to another while it is made shorter: the broken one lets go of its lock between its length and its letters. */
#include "classic.h"

#define ROOM 4

typedef struct _TEXT {
    FAST_MUTEX Mutex;
    ULONG Length;
    CHAR Letters[ROOM];
} TEXT, *PTEXT;

static TEXT Source;
static TEXT Target;

static VOID Setup(VOID)
{
    ExInitializeFastMutex(&Source.Mutex);
    ExInitializeFastMutex(&Target.Mutex);
    Source.Letters[0] = 'a';
    Source.Letters[1] = 'b';
    Source.Length = 2;
}

static VOID Append(VOID)
{
    ULONG Length;
    ULONG Index;

    ExAcquireFastMutex(&Target.Mutex);
    ExAcquireFastMutex(&Source.Mutex);
    Length = Source.Length;
    IF_BROKEN(ExReleaseFastMutex(&Source.Mutex); ExAcquireFastMutex(&Source.Mutex);)
    for (Index = 0; Index < Length; Index += 1) {
        MUST(Source.Letters[Index] != 0);
        Target.Letters[Index] = Source.Letters[Index];
    }
    Target.Length = Length;
    ExReleaseFastMutex(&Source.Mutex);
    ExReleaseFastMutex(&Target.Mutex);
}

static VOID Erase(VOID)
{
    ExAcquireFastMutex(&Source.Mutex);
    Source.Length = 0;
    RtlZeroMemory(Source.Letters, sizeof(Source.Letters));
    ExReleaseFastMutex(&Source.Mutex);
}

static VOID Thread(ULONG Number)
{
    if (Number == 0) {
        Append();
    } else {
        Erase();
    }
}

static VOID Finish(VOID)
{
    MUST(Target.Length == 0 || Target.Length == 2);
}
