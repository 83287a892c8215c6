/* Macros and inline functions of the kernel that work on the caller's memory, or rename an import. */
#pragma once
#include <ndislab/lists.h>
#include <ndislab/interlocked.h>

#define KeAcquireSpinLock(lock, oldIrql) ((void)(*(oldIrql) = KeAcquireSpinLockRaiseToDpc(lock)))
#define KeRaiseIrql(newIrql, oldIrql) ((void)(*(oldIrql) = KfRaiseIrql(newIrql)))
#define PsGetCurrentProcess IoGetCurrentProcess
#define PsGetCurrentThread() ((PETHREAD)KeGetCurrentThread())
#define NtCurrentProcess() ((HANDLE)(LONG_PTR)-1)
#define ZwCurrentProcess() NtCurrentProcess()
#define NtCurrentThread() ((HANDLE)(LONG_PTR)-2)
#define ZwCurrentThread() NtCurrentThread()
#define KeWaitForMutexObject KeWaitForSingleObject
#define ExInitializeDriverRuntime(flags) ((void)(flags))
#define RtlFailFast(code) ndislab_fail_fast(code)
#define RTL_SOFT_ASSERT(condition) NT_ASSERT(condition)
#define KeQueryTickCountEx KeQueryTickCount

/* Types of objects for ObReferenceObjectByHandle: a driver module has no access to variables of the kernel, so they are numbers. */
#define NDISLAB_OBJECT_TYPE(number) ((POBJECT_TYPE[]){(POBJECT_TYPE)(ULONG_PTR)(number)})
#define ExEventObjectType NDISLAB_OBJECT_TYPE(1)
#define ExSemaphoreObjectType NDISLAB_OBJECT_TYPE(2)
#define PsThreadType NDISLAB_OBJECT_TYPE(3)
#define PsProcessType NDISLAB_OBJECT_TYPE(4)
#define IoFileObjectType NDISLAB_OBJECT_TYPE(5)

/* Memory. */
#define RtlCopyMemory(to, from, length) memcpy((to), (from), (length))
#define RtlCopyBytes RtlCopyMemory
#define RtlCopyMemoryNonTemporal RtlCopyMemory
#define RtlCopyVolatileMemory(to, from, length) memcpy((void *)(to), (const void *)(from), (length))
#define _RTL_VOL_MEM_ACCESSORS_
#define RtlMoveMemory(to, from, length) memmove((to), (from), (length))
#define RtlFillMemory(to, length, fill) memset((to), (fill), (length))
#define RtlFillMemoryNonTemporal RtlFillMemory
#define RtlZeroMemory(to, length) memset((to), 0, (length))
#define RtlZeroBytes RtlZeroMemory
#define RtlSecureZeroMemory(to, length) memset((to), 0, (length))
#define RtlEqualMemory(one, two, length) (memcmp((one), (two), (length)) == 0)
#define RtlUshortByteSwap(value) __builtin_bswap16(value)
#define RtlUlongByteSwap(value) __builtin_bswap32(value)
#define RtlUlonglongByteSwap(value) __builtin_bswap64(value)
#define PAGE_ALIGN(address) ((PVOID)((ULONG_PTR)(address) & ~(PAGE_SIZE - 1)))
#define ROUND_TO_PAGES(size) (((ULONG_PTR)(size) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))
#define BYTES_TO_PAGES(size) (((size) >> PAGE_SHIFT) + (((size) & (PAGE_SIZE - 1)) != 0))
#define ADDRESS_AND_SIZE_TO_SPAN_PAGES(address, size) (((ULONG_PTR)BYTE_OFFSET(address) + (size) + (PAGE_SIZE - 1)) >> PAGE_SHIFT)
#define POOL_FLAG_USE_QUOTA 0x0000000000000001ULL
#define POOL_FLAG_UNINITIALIZED 0x0000000000000002ULL
#define POOL_FLAG_SESSION 0x0000000000000004ULL
#define POOL_FLAG_CACHE_ALIGNED 0x0000000000000008ULL
#define POOL_FLAG_RAISE_ON_FAILURE 0x0000000000000020ULL
#define POOL_FLAG_NON_PAGED 0x0000000000000040ULL
#define POOL_FLAG_NON_PAGED_EXECUTE 0x0000000000000080ULL
#define POOL_FLAG_PAGED 0x0000000000000100ULL

/* Memory descriptor lists. */
#define MmGetMdlByteCount(mdl) ((mdl)->ByteCount)
#define MmGetMdlByteOffset(mdl) ((mdl)->ByteOffset)
#define MmGetMdlVirtualAddress(mdl) ((PVOID)((PCHAR)((mdl)->StartVa) + (mdl)->ByteOffset))
#define MmGetMdlBaseVa(mdl) ((mdl)->StartVa)
#define MmGetMdlPfnArray(mdl) ((PULONG)((mdl) + 1))
#define MmPrepareMdlForReuse(mdl) \
  ((void)(((mdl)->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED) ? (MmUnmapLockedPages((mdl)->MappedSystemVa, (mdl)), 0) : 0))
#define MmInitializeMdl(mdl, base, length)                                                                                 \
  do {                                                                                                                     \
    (mdl)->Next = NULL;                                                                                                    \
    (mdl)->Size = (CSHORT)(sizeof(MDL) + sizeof(ULONG_PTR) * ADDRESS_AND_SIZE_TO_SPAN_PAGES((base), (length)));             \
    (mdl)->MdlFlags = 0;                                                                                                   \
    (mdl)->StartVa = PAGE_ALIGN(base);                                                                                     \
    (mdl)->ByteOffset = BYTE_OFFSET(base);                                                                                 \
    (mdl)->ByteCount = (ULONG)(length);                                                                                    \
  } while (0)
NDISLAB_INLINE PVOID MmGetSystemAddressForMdlSafe(PMDL Mdl, ULONG Priority) {
  if (Mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)) return Mdl->MappedSystemVa;
  return MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, NULL, FALSE, Priority);
}
#define MmGetSystemAddressForMdl(mdl) MmGetSystemAddressForMdlSafe((mdl), HighPagePriority)

/* I/O request packets: the stack locations follow the IRP, the current one is the lowest in use. */
#define CTL_CODE(type, function, method, access) (((type) << 16) | ((access) << 14) | ((function) << 2) | (method))
#define DEVICE_TYPE_FROM_CTL_CODE(code) (((ULONG)((code) & 0xFFFF0000)) >> 16)
#define METHOD_FROM_CTL_CODE(code) ((ULONG)((code) & 3))
#define IoSizeOfIrp(stackSize) ((USHORT)(sizeof(IRP) + (stackSize) * sizeof(IO_STACK_LOCATION)))
NDISLAB_INLINE PIO_STACK_LOCATION IoGetCurrentIrpStackLocation(PIRP Irp) { return Irp->Tail.Overlay.CurrentStackLocation; }
NDISLAB_INLINE PIO_STACK_LOCATION IoGetNextIrpStackLocation(PIRP Irp) { return Irp->Tail.Overlay.CurrentStackLocation - 1; }
NDISLAB_INLINE void IoMarkIrpPending(PIRP Irp) { IoGetCurrentIrpStackLocation(Irp)->Control |= SL_PENDING_RETURNED; }
NDISLAB_INLINE void IoSkipCurrentIrpStackLocation(PIRP Irp) {
  Irp->CurrentLocation++;
  Irp->Tail.Overlay.CurrentStackLocation++;
}
NDISLAB_INLINE void IoSetNextIrpStackLocation(PIRP Irp) {
  Irp->CurrentLocation--;
  Irp->Tail.Overlay.CurrentStackLocation--;
}
NDISLAB_INLINE void IoCopyCurrentIrpStackLocationToNext(PIRP Irp) {
  PIO_STACK_LOCATION next = IoGetNextIrpStackLocation(Irp);
  memcpy(next, IoGetCurrentIrpStackLocation(Irp), __builtin_offsetof(IO_STACK_LOCATION, CompletionRoutine));
  next->Control = 0;
}
#define STATUS_CONTINUE_COMPLETION STATUS_SUCCESS
typedef enum _IO_COMPLETION_ROUTINE_RESULT {
  ContinueCompletion = STATUS_CONTINUE_COMPLETION,
  StopCompletion = STATUS_MORE_PROCESSING_REQUIRED
} IO_COMPLETION_ROUTINE_RESULT, *PIO_COMPLETION_ROUTINE_RESULT;
NDISLAB_INLINE void IoSetCompletionRoutine(PIRP Irp, PIO_COMPLETION_ROUTINE CompletionRoutine, PVOID Context, BOOLEAN OnSuccess,
                                           BOOLEAN OnError, BOOLEAN OnCancel) {
  PIO_STACK_LOCATION next = IoGetNextIrpStackLocation(Irp);
  next->CompletionRoutine = CompletionRoutine;
  next->Context = Context;
  next->Control = (UCHAR)((OnSuccess ? SL_INVOKE_ON_SUCCESS : 0) | (OnError ? SL_INVOKE_ON_ERROR : 0) | (OnCancel ? SL_INVOKE_ON_CANCEL : 0));
}
#define IoSetCancelRoutine(irp, routine) \
  ((PDRIVER_CANCEL)(ULONG_PTR)InterlockedExchangePointer((PVOID volatile *)&(irp)->CancelRoutine, (PVOID)(ULONG_PTR)(routine)))
#define IoIsErrorUserInduced(status) (FALSE)

/* Timers that the system allocates. */
NDISLAB_INLINE void ExInitializeSetTimerParameters(PEXT_SET_PARAMETERS Parameters) {
  memset(Parameters, 0, sizeof(*Parameters));
}
NDISLAB_INLINE void ExInitializeDeleteTimerParameters(PEXT_DELETE_PARAMETERS Parameters) {
  memset(Parameters, 0, sizeof(*Parameters));
}

/* Work items of the executive. */
#define ExInitializeWorkItem(item, routine, context) \
  ((item)->WorkerRoutine = (routine), (item)->Parameter = (context), (item)->List.Flink = NULL)

/* Strings. */
#define DECLARE_CONST_UNICODE_STRING(variable, text)   \
  const WCHAR variable##_buffer[] = text;              \
  const UNICODE_STRING variable = {sizeof(text) - sizeof(WCHAR), sizeof(text), (PWCH)variable##_buffer}
#define DECLARE_GLOBAL_CONST_UNICODE_STRING(variable, text) \
  extern const UNICODE_STRING variable;                     \
  DECLARE_CONST_UNICODE_STRING(variable, text)
#define DECLARE_UNICODE_STRING_SIZE(variable, length) \
  WCHAR variable##_buffer[length];                    \
  UNICODE_STRING variable = {0, (length) * sizeof(WCHAR), variable##_buffer}
#define RtlInitEmptyUnicodeString(string, buffer, size) \
  ((string)->Buffer = (buffer), (string)->MaximumLength = (USHORT)(size), (string)->Length = 0)
#define RtlInitEmptyAnsiString RtlInitEmptyUnicodeString
#define RtlUnicodeStringToAnsiSize(string) (((string)->Length + sizeof(WCHAR)) / sizeof(WCHAR))
#define RtlAnsiStringToUnicodeSize(string) (((string)->Length + 1) * sizeof(WCHAR))

/* Versions: three bits for each member, in the order of their bits in a type mask. */
NDISLAB_INLINE ULONGLONG VerSetConditionMask(ULONGLONG ConditionMask, ULONG TypeMask, UCHAR Condition) {
  for (int member = 0; member < 8; member++)
    if (TypeMask & (1U << member)) ConditionMask |= (ULONGLONG)(Condition & 7) << (member * 3);
  return ConditionMask;
}
#define VER_SET_CONDITION(mask, type, condition) ((mask) = VerSetConditionMask((mask), (type), (condition)))

/* Bits. */
NDISLAB_INLINE CCHAR RtlFindLeastSignificantBit(ULONGLONG Set) { return Set == 0 ? -1 : (CCHAR)__builtin_ctzll(Set); }
NDISLAB_INLINE CCHAR RtlFindMostSignificantBit(ULONGLONG Set) { return Set == 0 ? -1 : (CCHAR)(63 - __builtin_clzll(Set)); }
NDISLAB_INLINE ULONG RtlNumberOfSetBitsUlongPtr(ULONG_PTR Target) { return (ULONG)__builtin_popcountl(Target); }
#define AFFINITY_MASK(processor) ((KAFFINITY)1 << (processor))

#define KD_DEBUGGER_ENABLED FALSE
#define KD_DEBUGGER_NOT_PRESENT TRUE
#define DbgRaiseAssertionFailure() DbgBreakPoint()
/* Assertions: active in a checked (Debug) driver. */
#define NDISLAB_ASSERT(condition, message) \
  ((!(condition)) ? (RtlAssert((PVOID)#condition, (PVOID)__FILE__, __LINE__, (PSTR)(message)), FALSE) : TRUE)
#if DBG
#ifndef ASSERT
#define ASSERT(condition) NDISLAB_ASSERT(condition, NULL)
#endif
#define ASSERTMSG(message, condition) NDISLAB_ASSERT(condition, message)
#define RTL_ASSERT(condition) NDISLAB_ASSERT(condition, NULL)
#define NT_ASSERT(condition) NDISLAB_ASSERT(condition, NULL)
#define NT_ASSERTMSG(message, condition) NDISLAB_ASSERT(condition, message)
#define NT_VERIFY(condition) NDISLAB_ASSERT(condition, NULL)
#define NT_VERIFYMSG(message, condition) NDISLAB_ASSERT(condition, message)
#define NT_ASSERT_ASSUME(condition) NDISLAB_ASSERT(condition, NULL)
#define PAGED_CODE() ((void)NDISLAB_ASSERT(KeGetCurrentIrql() <= APC_LEVEL, NULL))
#define KdPrint(arguments) DbgPrint arguments
#define KdPrintEx(arguments) DbgPrintEx arguments
#define KdBreakPoint() DbgBreakPoint()
#else
#ifndef ASSERT
#define ASSERT(condition) ((void)0)
#endif
#define ASSERTMSG(message, condition) ((void)0)
#define RTL_ASSERT(condition) ((void)0)
#define NT_ASSERT(condition) ((void)0)
#define NT_ASSERTMSG(message, condition) ((void)0)
#define NT_VERIFY(condition) ((condition) ? TRUE : FALSE)
#define NT_VERIFYMSG(message, condition) ((condition) ? TRUE : FALSE)
#define NT_ASSERT_ASSUME(condition) ((void)0)
#define PAGED_CODE() ((void)0)
#define KdPrint(arguments) ((void)0)
#define KdPrintEx(arguments) ((void)0)
#define KdBreakPoint() ((void)0)
#endif
#define NT_FRE_ASSERT(condition) NDISLAB_ASSERT(condition, NULL)
#define NT_FRE_ASSERTMSG(message, condition) NDISLAB_ASSERT(condition, message)
#define PAGED_CODE_LOCKED() ((void)0)
