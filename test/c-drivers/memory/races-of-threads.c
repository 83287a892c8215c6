/* Two threads at the same memory: without a lock, with two locks, with one, and with what else excludes them. */
#include "driver.h"
#include "threads.h"

typedef struct _STATISTICS {
    ULONG Sent;
    ULONG Received;
    ULONG64 Bytes;
} STATISTICS;

static KSPIN_LOCK FirstLock, SecondLock;
static volatile LONG Counter;
static STATISTICS Statistics;
static UCHAR Bytes[4];
static ULONG Words[2];
static struct {
    ULONG IsOpen : 1;
    ULONG IsBusy : 1;
} Bits;

static VOID CountFreely(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Counter += 1; // expect: data-race
}

/* Two threads count without a lock. */
VOID Case_CountsWithoutLock(VOID)
{
    RunBoth(CountFreely, CountFreely);
}

static VOID CountUnderLock(PVOID Context)
{
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Context);
    KeAcquireSpinLock(&FirstLock, &Irql);
    Counter += 1;
    KeReleaseSpinLock(&FirstLock, Irql);
}

/* Two threads count under a spin lock. */
VOID Case_CountsUnderLock(VOID)
{
    RunBoth(CountUnderLock, CountUnderLock);
}

static VOID CountUnderFirst(PVOID Context)
{
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Context);
    KeAcquireSpinLock(&FirstLock, &Irql);
    Counter += 1; // expect: data-race
    KeReleaseSpinLock(&FirstLock, Irql);
}

static VOID CountUnderSecond(PVOID Context)
{
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Context);
    KeAcquireSpinLock(&SecondLock, &Irql);
    Counter += 1; // expect: data-race
    KeReleaseSpinLock(&SecondLock, Irql);
}

/* Two threads count, each under a lock of its own. */
VOID Case_CountsUnderTwoLocks(VOID)
{
    RunBoth(CountUnderFirst, CountUnderSecond);
}

static VOID SendUnderLock(PVOID Context)
{
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Context);
    KeAcquireSpinLock(&FirstLock, &Irql);
    Statistics.Sent += 1; // expect: data-race
    KeReleaseSpinLock(&FirstLock, Irql);
}

static VOID ResetWithoutLock(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Statistics.Sent = 0; // expect: data-race
}

/* One thread takes the lock, and the other does not. */
VOID Case_LocksInOneThreadOnly(VOID)
{
    RunBoth(SendUnderLock, ResetWithoutLock);
}

static VOID CountInterlocked(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    InterlockedIncrement(&Counter);
}

/* Two threads count by InterlockedIncrement. */
VOID Case_CountsInterlocked(VOID)
{
    RunBoth(CountInterlocked, CountInterlocked);
}

static VOID IncrementInterlocked(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    InterlockedIncrement(&Counter); // expect: data-race
}

static VOID IncrementFreely(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Counter += 1; // expect: data-race
}

/* One thread counts by InterlockedIncrement, and the other by +=. */
VOID Case_InterlockedInOneThreadOnly(VOID)
{
    RunBoth(IncrementInterlocked, IncrementFreely);
}

static VOID ReadStatistics(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    USE(Statistics.Sent);
}

/* Two threads read what was written before they were made. */
VOID Case_TwoThreadsRead(VOID)
{
    Statistics.Sent = 5;
    RunBoth(ReadStatistics, ReadStatistics);
    Statistics.Sent = 6;
}

static VOID WriteOddByte(PVOID Context)
{
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Context);
    KeAcquireSpinLock(&FirstLock, &Irql);
    Bytes[1] += 1;
    KeReleaseSpinLock(&FirstLock, Irql);
}

static VOID WriteEvenByte(PVOID Context)
{
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Context);
    KeAcquireSpinLock(&SecondLock, &Irql);
    Bytes[2] += 1;
    KeReleaseSpinLock(&SecondLock, Irql);
}

/* Two threads write neighbouring bytes of a word under two locks. */
VOID Case_WritesNeighbouringBytes(VOID)
{
    RunBoth(WriteOddByte, WriteEvenByte);
}

static VOID SetOpen(PVOID Context)
{
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Context);
    KeAcquireSpinLock(&FirstLock, &Irql);
    Bits.IsOpen = 1; // expect: data-race
    KeReleaseSpinLock(&FirstLock, Irql);
}

static VOID SetBusy(PVOID Context)
{
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Context);
    KeAcquireSpinLock(&SecondLock, &Irql);
    Bits.IsBusy = 1; // expect: data-race
    KeReleaseSpinLock(&SecondLock, Irql);
}

/* Two threads write bits of one word, which is read and written whole, under two locks. */
VOID Case_WritesBitsUnderTwoLocks(VOID)
{
    RunBoth(SetOpen, SetBusy);
}

static VOID WriteFirstWord(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Words[0] += 1;
}

static VOID WriteSecondWord(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Words[1] += 1;
}

/* Each thread has an element of the array for itself. */
VOID Case_WritesOwnElements(VOID)
{
    RunBoth(WriteFirstWord, WriteSecondWord);
}

static VOID RaiseAndCount(PVOID Context)
{
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Context);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    Counter += 1; // expect: data-race
    KeLowerIrql(Irql);
}

/* Two threads raise the IRQL in place of taking a lock, which excludes nobody on another processor. */
VOID Case_RaisesIrqlInsteadOfLocking(VOID)
{
    RunBoth(RaiseAndCount, RaiseAndCount);
}

static VOID AddBytes(PVOID Context)
{
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Context);
    KeAcquireSpinLock(&FirstLock, &Irql);
    Statistics.Bytes += 1500; // expect: data-race
    KeReleaseSpinLock(&FirstLock, Irql);
}

static VOID ReadBytes(PVOID Context)
{
    volatile ULONG64 Total;

    UNREFERENCED_PARAMETER(Context);
    Total = Statistics.Bytes; // expect: data-race
    (void)Total;
}

/* Reads a number of 64 bits without the lock, in two halves. */
VOID Case_ReadsTornNumber(VOID)
{
    RunBoth(AddBytes, ReadBytes);
}

static VOID ClearAll(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    RtlZeroMemory(&Statistics, sizeof(Statistics)); // expect: data-race
}

static VOID CountReceived(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Statistics.Received += 1; // expect: data-race
}

/* Clears a structure while the other thread counts in a member of it. */
VOID Case_ClearsStructureInUse(VOID)
{
    RunBoth(ClearAll, CountReceived);
}
