/* Interlocked operations of every width, with and without a spin lock, and the lists. */
#include "check.h"

typedef struct _ITEM {
    LIST_ENTRY Link;
    SINGLE_LIST_ENTRY Single;
} ITEM;

static KSPIN_LOCK Lock;
static LIST_ENTRY Head;
static SINGLE_LIST_ENTRY Stack;
static SLIST_HEADER Sequenced;
static ITEM Items[4];
static LONG Sum;
static LONG Torn;

ULONG Words(void)
{
    LONG value = 5;
    PVOID pointer = &value;

    CHECK(InterlockedAdd(&value, -7) == -2 && value == -2);
    CHECK(InterlockedExchangeAdd(&value, 10) == -2 && value == 8);
    CHECK(InterlockedIncrement(&value) == 9 && InterlockedDecrement(&value) == 8);
    CHECK(InterlockedCompareExchange(&value, 1, 7) == 8 && value == 8);
    CHECK(InterlockedCompareExchange(&value, 1, 8) == 8 && value == 1);
    CHECK(InterlockedExchange(&value, 0x0F0F) == 1);
    CHECK(InterlockedAnd(&value, 0x00FF) == 0x0F0F && value == 0x000F);
    CHECK(InterlockedOr(&value, 0x0110) == 0x000F && value == 0x011F);
    CHECK(InterlockedXor(&value, 0x0001) == 0x011F && value == 0x011E);
    CHECK(InterlockedExchangePointer(&pointer, NULL) == &value && pointer == NULL);
    return 0;
}

ULONG Narrow(void)
{
    CHAR bytes[3] = {1, 2, 3};
    SHORT shorts[3] = {1, 2, 3};

    CHECK(InterlockedExchange8(&bytes[1], -3) == 2 && bytes[0] == 1 && bytes[1] == -3 && bytes[2] == 3);
    CHECK(InterlockedExchange8(&bytes[1], 0x55) == -3);
    CHECK(InterlockedAnd8(&bytes[1], 0x0F) == 0x55 && bytes[1] == 0x05);
    CHECK(InterlockedOr8(&bytes[1], 0x10) == 0x05 && bytes[1] == 0x15);
    CHECK(InterlockedXor8(&bytes[1], 0x01) == 0x15 && bytes[1] == 0x14);
    shorts[1] = 0x7FFF;
    CHECK(InterlockedIncrement16(&shorts[1]) == -0x8000 && shorts[0] == 1 && shorts[2] == 3);
    CHECK(InterlockedDecrement16(&shorts[1]) == 0x7FFF);
    CHECK(InterlockedExchange16(&shorts[1], -1) == 0x7FFF);
    CHECK(InterlockedCompareExchange16(&shorts[1], 9, 1) == -1 && shorts[1] == -1);
    CHECK(InterlockedCompareExchange16(&shorts[1], 9, -1) == -1 && shorts[1] == 9);
    return 0;
}

ULONG Wide(void)
{
    LONG64 value = 0x00000000FFFFFFFFLL;

    CHECK(InterlockedIncrement64(&value) == 0x100000000LL && value == 0x100000000LL);
    CHECK(InterlockedDecrement64(&value) == 0x0FFFFFFFFLL);
    CHECK(InterlockedExchangeAdd64(&value, -0x100000000LL) == 0x0FFFFFFFFLL && value == -1);
    CHECK(InterlockedAdd64(&value, 3) == 2);
    CHECK(InterlockedCompareExchange64(&value, 0x1122334455667788LL, 1) == 2 && value == 2);
    CHECK(InterlockedCompareExchange64(&value, 0x1122334455667788LL, 2) == 2 && value == 0x1122334455667788LL);
    CHECK(InterlockedAnd64(&value, 0x00000000FFFFFFFFLL) == 0x1122334455667788LL && value == 0x55667788LL);
    CHECK(InterlockedOr64(&value, 0x100000000LL) == 0x55667788LL && value == 0x155667788LL);
    CHECK(InterlockedXor64(&value, 0x8LL) == 0x155667788LL && value == 0x155667780LL);
    CHECK(InterlockedExchange64(&value, -2) == 0x155667780LL && value == -2);
    return 0;
}

ULONG Bits(void)
{
    LONG words[2] = {0, 0};

    CHECK(InterlockedBitTestAndSet(words, 3) == FALSE && words[0] == 8);
    CHECK(InterlockedBitTestAndSet(words, 3) == TRUE && words[0] == 8);
    CHECK(InterlockedBitTestAndSet(words, 33) == FALSE && words[1] == 2 && words[0] == 8);
    CHECK(InterlockedBitTestAndReset(words, 3) == TRUE && words[0] == 0);
    CHECK(InterlockedBitTestAndReset(words, 3) == FALSE);
    return 0;
}

ULONG Additions(void)
{
    ULONG number = 0xFFFFFFFF;
    LARGE_INTEGER large, increment, old;
    NDIS_SPIN_LOCK ndisLock;

    KeInitializeSpinLock(&Lock);
    NdisAllocateSpinLock(&ndisLock);
    CHECK(ExInterlockedAddUlong(&number, 2, &Lock) == 0xFFFFFFFF && number == 1);
    CHECK(NdisInterlockedAddUlong(&number, 2, &ndisLock) == 1 && number == 3);
    large.QuadPart = 0xFFFFFFFFLL;
    ExInterlockedAddLargeStatistic(&large, 0xFFFFFFFF);
    CHECK(large.QuadPart == 0x1FFFFFFFELL);
    NdisInterlockedAddLargeStatistic(&large, 2);
    CHECK(large.QuadPart == 0x200000000LL);
    increment.QuadPart = -0x200000001LL;
    old = ExInterlockedAddLargeInteger(&large, increment, &Lock);
    CHECK(old.QuadPart == 0x200000000LL && large.QuadPart == -1);
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);
    return 0;
}

ULONG DoublyLinked(void)
{
    KeInitializeSpinLock(&Lock);
    InitializeListHead(&Head);
    CHECK(ExInterlockedRemoveHeadList(&Head, &Lock) == NULL);
    CHECK(ExInterlockedInsertTailList(&Head, &Items[1].Link, &Lock) == NULL);
    CHECK(ExInterlockedInsertHeadList(&Head, &Items[0].Link, &Lock) == &Items[1].Link);
    CHECK(ExInterlockedInsertTailList(&Head, &Items[2].Link, &Lock) == &Items[1].Link);
    CHECK(Head.Flink == &Items[0].Link && Head.Blink == &Items[2].Link && Items[1].Link.Blink == &Items[0].Link);
    CHECK(ExInterlockedRemoveHeadList(&Head, &Lock) == &Items[0].Link);
    CHECK(ExInterlockedRemoveHeadList(&Head, &Lock) == &Items[1].Link);
    CHECK(ExInterlockedRemoveHeadList(&Head, &Lock) == &Items[2].Link && IsListEmpty(&Head));
    return 0;
}

ULONG SinglyLinked(void)
{
    KeInitializeSpinLock(&Lock);
    Stack.Next = NULL;
    CHECK(ExInterlockedPopEntryList(&Stack, &Lock) == NULL);
    CHECK(ExInterlockedPushEntryList(&Stack, &Items[0].Single, &Lock) == NULL);
    CHECK(ExInterlockedPushEntryList(&Stack, &Items[1].Single, &Lock) == &Items[0].Single);
    CHECK(ExInterlockedPopEntryList(&Stack, &Lock) == &Items[1].Single);
    CHECK(ExInterlockedPopEntryList(&Stack, &Lock) == &Items[0].Single && Stack.Next == NULL);
    return 0;
}

ULONG SequencedLists(void)
{
    InitializeSListHead(&Sequenced);
    CHECK(InterlockedPopEntrySList(&Sequenced) == NULL && QueryDepthSList(&Sequenced) == 0);
    CHECK(InterlockedPushEntrySList(&Sequenced, &Items[0].Single) == NULL);
    CHECK(InterlockedPushEntrySList(&Sequenced, &Items[1].Single) == &Items[0].Single);
    CHECK(QueryDepthSList(&Sequenced) == 2);
    CHECK(InterlockedPopEntrySList(&Sequenced) == &Items[1].Single && QueryDepthSList(&Sequenced) == 1);
    CHECK(ExInterlockedPushEntrySList(&Sequenced, &Items[2].Single, &Lock) == &Items[0].Single);
    CHECK(InterlockedFlushSList(&Sequenced) == &Items[2].Single && Items[2].Single.Next == &Items[0].Single);
    CHECK(QueryDepthSList(&Sequenced) == 0 && InterlockedFlushSList(&Sequenced) == NULL);
    return 0;
}

/* Two steps under the lock; in between, Sum is not a multiple of 10. */
ULONG AddInTwoSteps(void)
{
    KIRQL irql;

    KeAcquireSpinLock(&Lock, &irql);
    InterlockedExchangeAdd(&Sum, 3);
    InterlockedExchangeAdd(&Sum, 7);
    KeReleaseSpinLock(&Lock, irql);
    return 0;
}

ULONG AddWithLock(void)
{
    if (ExInterlockedAddUlong((PULONG)&Sum, 10, &Lock) % 10 != 0) {
        Torn = 1;
    }
    return KeGetCurrentIrql();
}

ULONG SumIsWhole(void)
{
    CHECK(Sum == 50 && Torn == 0);
    return 0;
}
