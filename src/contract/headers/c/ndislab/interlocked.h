/* Every spelling of an interlocked operation leads to one import, so that each is a scheduling point. */
#pragma once

#define _InterlockedIncrement(target) InterlockedIncrement((LONG volatile *)(target))
#define _InterlockedDecrement(target) InterlockedDecrement((LONG volatile *)(target))
#define _InterlockedExchange(target, value) InterlockedExchange((LONG volatile *)(target), (value))
#define _InterlockedExchangeAdd(target, value) InterlockedExchangeAdd((LONG volatile *)(target), (value))
#define _InterlockedCompareExchange(target, value, comparand) InterlockedCompareExchange((LONG volatile *)(target), (value), (comparand))
#define _InterlockedExchangePointer(target, value) InterlockedExchangePointer((PVOID volatile *)(target), (PVOID)(value))
#define _InterlockedCompareExchangePointer(target, value, comparand) \
  InterlockedCompareExchangePointer((PVOID volatile *)(target), (PVOID)(value), (PVOID)(comparand))
#define _InterlockedAnd InterlockedAnd
#define _InterlockedOr InterlockedOr
#define _InterlockedXor InterlockedXor
#define _InterlockedAnd8 InterlockedAnd8
#define _InterlockedOr8 InterlockedOr8
#define _InterlockedXor8 InterlockedXor8
#define _InterlockedExchange8 InterlockedExchange8
#define _InterlockedExchange16 InterlockedExchange16
#define _InterlockedIncrement16 InterlockedIncrement16
#define _InterlockedDecrement16 InterlockedDecrement16
#define _InterlockedCompareExchange16 InterlockedCompareExchange16
#define _InterlockedIncrement64 InterlockedIncrement64
#define _InterlockedDecrement64 InterlockedDecrement64
#define _InterlockedExchange64 InterlockedExchange64
#define _InterlockedExchangeAdd64 InterlockedExchangeAdd64
#define _InterlockedCompareExchange64 InterlockedCompareExchange64
#define _InterlockedAnd64 InterlockedAnd64
#define _InterlockedOr64 InterlockedOr64
#define _InterlockedXor64 InterlockedXor64
#define _interlockedbittestandset InterlockedBitTestAndSet
#define _interlockedbittestandreset InterlockedBitTestAndReset
#define InterlockedExchangeAddSizeT(target, value) ((SIZE_T)InterlockedExchangeAdd((LONG volatile *)(target), (LONG)(value)))
#define InterlockedIncrementSizeT(target) ((SIZE_T)InterlockedIncrement((LONG volatile *)(target)))
#define InterlockedDecrementSizeT(target) ((SIZE_T)InterlockedDecrement((LONG volatile *)(target)))
#define InterlockedExchangeSubtract(target, value) InterlockedExchangeAdd((target), -(LONG)(value))

#include <ndislab/interlocked-variants.h>

#define ExInterlockedIncrementLong(target, lock) InterlockedIncrement((LONG volatile *)(target))
#define ExInterlockedPopEntrySList(head, lock) InterlockedPopEntrySList(head)
#define ExInterlockedPushEntrySList(head, entry, lock) InterlockedPushEntrySList((head), (PSLIST_ENTRY)(entry))
#define ExInterlockedFlushSList InterlockedFlushSList
#define ExInterlockedCompareExchange64(target, value, comparand, lock) \
  InterlockedCompareExchange64((LONG64 volatile *)(target), *(LONG64 *)(value), *(LONG64 *)(comparand))
#define ExInitializeSListHead InitializeSListHead
#define ExQueryDepthSList QueryDepthSList

#define ReadPointerNoFence(source) (*(PVOID volatile const *)(source))
#define ReadPointerAcquire(source) (*(PVOID volatile const *)(source))
#define ReadPointerRaw(source) (*(PVOID volatile const *)(source))
#define WritePointerNoFence(target, value) ((void)(*(PVOID volatile *)(target) = (PVOID)(value)))
#define WritePointerRelease(target, value) ((void)(*(PVOID volatile *)(target) = (PVOID)(value)))
#define WritePointerRaw(target, value) ((void)(*(PVOID volatile *)(target) = (PVOID)(value)))
#define MemoryBarrier() KeMemoryBarrier()
#define KeMemoryBarrierWithoutFence() _ReadWriteBarrier()
