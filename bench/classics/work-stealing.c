/* threads: 2. A thief steals work from the other end of a queue: the broken owner looks for the thief before it moves its own end. */
#include "classic.h"

#define PIECES 2

static KSPIN_LOCK Lock;
static volatile LONG Head;
static volatile LONG Tail = PIECES;
static volatile LONG Done[PIECES];

static VOID Setup(VOID)
{
    KeInitializeSpinLock(&Lock);
}

static VOID Work(LONG Piece)
{
    MUST(InterlockedIncrement(&Done[Piece]) == 1);
}

/* The end moves first; only if the beginning may have come there, the lock decides. */
static LONG TakeOwn(VOID)
{
    LONG Piece;
    BOOLEAN IsSafe;
    KIRQL Irql;

    IF_BROKEN(IsSafe = Head < Tail;)
    Piece = InterlockedDecrement(&Tail);
    IF_RIGHT(IsSafe = Head <= Piece;)
    if (IsSafe) {
        return Piece;
    }
    InterlockedIncrement(&Tail);
    KeAcquireSpinLock(&Lock, &Irql);
    if (Head < Tail) {
        Piece = InterlockedDecrement(&Tail);
    } else {
        Piece = -1;
    }
    KeReleaseSpinLock(&Lock, Irql);
    return Piece;
}

static LONG Steal(VOID)
{
    LONG Piece;
    KIRQL Irql;

    KeAcquireSpinLock(&Lock, &Irql);
    Piece = InterlockedIncrement(&Head) - 1;
    if (Piece >= Tail) {
        InterlockedDecrement(&Head);
        Piece = -1;
    }
    KeReleaseSpinLock(&Lock, Irql);
    return Piece;
}

static VOID Thread(ULONG Number)
{
    ULONG Round;
    LONG Piece;

    for (Round = 0; Round < (Number == 0 ? PIECES : 1); Round += 1) {
        Piece = Number == 0 ? TakeOwn() : Steal();
        if (Piece >= 0) {
            Work(Piece);
        }
    }
}

static VOID Finish(VOID) {}
