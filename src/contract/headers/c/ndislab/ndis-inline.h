/* Accessors of NDIS that work on the caller's memory, or rename an import. */
#pragma once
#include <ndislab/net-buffers.h>

#ifndef NDIS_STRING_CONST
#define NDIS_STRING_CONST(text) {sizeof(L##text) - sizeof(WCHAR), sizeof(L##text), (PWCH)L##text}
#endif
#define NdisMoveMemory(to, from, length) RtlCopyMemory(to, from, length)
#define NdisZeroMemory(to, length) RtlZeroMemory(to, length)
#define NdisFillMemory(to, length, fill) RtlFillMemory(to, length, fill)
#define NdisEqualMemory(one, two, length) RtlEqualMemory(one, two, length)
#define NdisMoveMappedMemory(to, from, length) RtlCopyMemory(to, from, length)
#define NdisMoveFromMappedMemory(to, from, length) RtlCopyMemory(to, from, length)
#define NdisMoveToMappedMemory(to, from, length) RtlCopyMemory(to, from, length)
#define NdisZeroMappedMemory(to, length) RtlZeroMemory(to, length)
#define NdisRetrieveUlong(to, from) memcpy((to), (from), sizeof(ULONG))
#define NdisStoreUlong(to, value) ndislab_store_ulong((PVOID)(to), (value))
NDISLAB_INLINE void ndislab_store_ulong(PVOID to, ULONG value) { memcpy(to, &value, sizeof(value)); }

/* Memory descriptor lists under their NDIS names. */
#define NDIS_MDL_LINKAGE(mdl) ((mdl)->Next)
#define NDIS_BUFFER_LINKAGE NDIS_MDL_LINKAGE
#define NDIS_MDL_TO_SPAN_PAGES(mdl) \
  (MmGetMdlByteCount(mdl) == 0 ? 1 : ADDRESS_AND_SIZE_TO_SPAN_PAGES(MmGetMdlVirtualAddress(mdl), MmGetMdlByteCount(mdl)))
#define NDIS_BUFFER_TO_SPAN_PAGES NDIS_MDL_TO_SPAN_PAGES
#define NdisGetNextMdl(current, next) ((void)(*(next) = (current)->Next))
#define NdisGetNextBuffer NdisGetNextMdl
#define NdisAdjustMdlLength(mdl, length) ((mdl)->ByteCount = (length))
#define NdisAdjustBufferLength NdisAdjustMdlLength
#define NdisBufferLength MmGetMdlByteCount
#define NdisBufferVirtualAddress(mdl) MmGetSystemAddressForMdl(mdl)
#define NdisBufferVirtualAddressSafe(mdl, priority) MmGetSystemAddressForMdlSafe(mdl, priority)
#define NdisQueryMdl(mdl, address, length, priority)                                                                 \
  do {                                                                                                               \
    if ((PVOID)(address) != NULL) *(PVOID *)(address) = MmGetSystemAddressForMdlSafe((mdl), (priority));              \
    *(length) = MmGetMdlByteCount(mdl);                                                                              \
  } while (0)
#define NdisQueryBufferSafe NdisQueryMdl
#define NdisQueryMdlOffset(mdl, offset, length) \
  ((void)(*(offset) = MmGetMdlByteOffset(mdl)), (void)(*(length) = MmGetMdlByteCount(mdl)))
#define NdisQueryBufferOffset NdisQueryMdlOffset
#define NdisGetMdlPhysicalArraySize(mdl, size) ((void)(*(size) = NDIS_MDL_TO_SPAN_PAGES(mdl)))
#define NdisGetBufferPhysicalArraySize NdisGetMdlPhysicalArraySize
#define NdisFlushBuffer(mdl, write) ((void)0)
#define NdisFreeBuffer(mdl) IoFreeMdl(mdl)

/* Lists, strings, addresses. */
#define NdisInitializeListHead InitializeListHead
#define NdisInitializeSListHead InitializeSListHead
#define NdisInterlockedPopEntrySList(head, lock) InterlockedPopEntrySList(head)
#define NdisInterlockedPushEntrySList(head, entry, lock) InterlockedPushEntrySList((head), (PSLIST_ENTRY)(entry))
#define NdisInterlockedFlushSList InterlockedFlushSList
#define NdisQueryDepthSList QueryDepthSList
#define NdisInitAnsiString(string, text) RtlInitAnsiString((string), (text))
#define NdisFreeString(string) NdisFreeMemory((string).Buffer, (string).MaximumLength, 0)
#define NdisPrintString(string) DbgPrint("%ls", (string).Buffer)
#define NdisAnsiStringToUnicodeString(to, from) RtlAnsiStringToUnicodeString((to), (from), FALSE)
#define NdisUnicodeStringToAnsiString(to, from) RtlUnicodeStringToAnsiString((to), (from), FALSE)
#define NdisUpcaseUnicodeString(to, from) RtlUpcaseUnicodeString((to), (from), FALSE)
#define NdisEqualString(one, two, ignoreCase) RtlEqualUnicodeString((one), (two), (ignoreCase))
#define NdisEqualUnicodeString(one, two, ignoreCase) RtlEqualUnicodeString((one), (two), (ignoreCase))
#define NdisGetPhysicalAddressLow(address) ((address).LowPart)
#define NdisGetPhysicalAddressHigh(address) ((address).HighPart)
#define NdisSetPhysicalAddressLow(address, value) ((address).LowPart = (value))
#define NdisSetPhysicalAddressHigh(address, value) ((address).HighPart = (value))
#define NDIS_PHYSICAL_ADDRESS_CONST(low, high) {{(ULONG)(low), (LONG)(high)}}

/* Renamed imports. */
#define NDIS_INIT_MUTEX(mutex) KeInitializeMutex((mutex), 0xFFFF)
#define NDIS_WAIT_FOR_MUTEX(mutex) KeWaitForSingleObject((mutex), Executive, KernelMode, FALSE, NULL)
#define NDIS_RELEASE_MUTEX(mutex) KeReleaseMutex((mutex), FALSE)
#define NDIS_CURRENT_IRQL() KeGetCurrentIrql()
#define NdisGetCurrentIrql() KeGetCurrentIrql()
#define NDIS_RAISE_IRQL_TO_DISPATCH(oldIrql) ((void)(*(oldIrql) = KeRaiseIrqlToDpcLevel()))
#define NDIS_LOWER_IRQL(oldIrql, currentIrql) \
  do {                                        \
    if ((currentIrql) != (oldIrql)) KeLowerIrql(oldIrql); \
  } while (0)
#define NdisStallExecution(microseconds) KeStallExecutionProcessor(microseconds)
#define NdisGetCurrentSystemTime(time) KeQuerySystemTime(time)
#define NdisAllocateFromNPagedLookasideList(list) ExAllocateFromNPagedLookasideList(list)
#define NdisFreeToNPagedLookasideList(list, entry) ExFreeToNPagedLookasideList((list), (entry))
#define NdisDeleteNPagedLookasideList(list) ExDeleteNPagedLookasideList(list)
#define NdisInitializeNPagedLookasideList ExInitializeNPagedLookasideList
#define NdisRawReadPortUchar(port, data) ((void)(*(data) = READ_PORT_UCHAR((PUCHAR)(ULONG_PTR)(port))))
#define NdisRawReadPortUshort(port, data) ((void)(*(data) = READ_PORT_USHORT((PUSHORT)(ULONG_PTR)(port))))
#define NdisRawReadPortUlong(port, data) ((void)(*(data) = READ_PORT_ULONG((PULONG)(ULONG_PTR)(port))))
#define NdisRawWritePortUchar(port, data) WRITE_PORT_UCHAR((PUCHAR)(ULONG_PTR)(port), (UCHAR)(data))
#define NdisRawWritePortUshort(port, data) WRITE_PORT_USHORT((PUSHORT)(ULONG_PTR)(port), (USHORT)(data))
#define NdisRawWritePortUlong(port, data) WRITE_PORT_ULONG((PULONG)(ULONG_PTR)(port), (ULONG)(data))
#define NdisRawReadPortBufferUchar(port, buffer, count) READ_PORT_BUFFER_UCHAR((PUCHAR)(ULONG_PTR)(port), (PUCHAR)(buffer), (count))
#define NdisRawReadPortBufferUshort(port, buffer, count) READ_PORT_BUFFER_USHORT((PUSHORT)(ULONG_PTR)(port), (PUSHORT)(buffer), (count))
#define NdisRawReadPortBufferUlong(port, buffer, count) READ_PORT_BUFFER_ULONG((PULONG)(ULONG_PTR)(port), (PULONG)(buffer), (count))
#define NdisRawWritePortBufferUchar(port, buffer, count) WRITE_PORT_BUFFER_UCHAR((PUCHAR)(ULONG_PTR)(port), (PUCHAR)(buffer), (count))
#define NdisRawWritePortBufferUshort(port, buffer, count) WRITE_PORT_BUFFER_USHORT((PUSHORT)(ULONG_PTR)(port), (PUSHORT)(buffer), (count))
#define NdisRawWritePortBufferUlong(port, buffer, count) WRITE_PORT_BUFFER_ULONG((PULONG)(ULONG_PTR)(port), (PULONG)(buffer), (count))
#define NdisReadRegisterUchar(source, data) ((void)(*(data) = *(volatile UCHAR *)(source)))
#define NdisReadRegisterUshort(source, data) ((void)(*(data) = *(volatile USHORT *)(source)))
#define NdisReadRegisterUlong(source, data) ((void)(*(data) = *(volatile ULONG *)(source)))
#define NdisWriteRegisterUchar(target, data) ((void)(*(volatile UCHAR *)(target) = (data)))
#define NdisWriteRegisterUshort(target, data) ((void)(*(volatile USHORT *)(target) = (data)))
#define NdisWriteRegisterUlong(target, data) ((void)(*(volatile ULONG *)(target) = (data)))

/* A context type is a name only: what the macro declares for code analysis has no meaning here. */
#define NDIS_DECLARE_CONTEXT_INNER(type, text, use)
#define NDIS_DECLARE_PROTOCOL_DRIVER_CONTEXT(type)
#define NDIS_DECLARE_PROTOCOL_OPEN_CONTEXT(type)
#define NDIS_DECLARE_FILTER_DRIVER_CONTEXT(type)
#define NDIS_DECLARE_FILTER_MODULE_CONTEXT(type)
#define NDIS_DECLARE_MINIPORT_DRIVER_CONTEXT(type)
#define NDIS_DECLARE_MINIPORT_ADAPTER_CONTEXT(type)
#define NDIS_DECLARE_MINIPORT_ADDDEVICE_CONTEXT(type)
#define NDIS_DECLARE_MINIPORT_INTERRUPT_CONTEXT(type)
#define NDIS_DECLARE_MINIPORT_SGLIST_CONTEXT(type)
#define NDIS_DECLARE_MINIPORT_SHARED_DMA_ASYNC_CONTEXT(type)
#define NDIS_DECLARE_SHARED_MEMORY_ALLOCATION_CONTEXT(type)
#define NDIS_DECLARE_SHARED_MEMORY_PROVIDER_CONTEXT(type)
#define NDIS_DECLARE_CO_CL_AF_CONTEXT(type)
#define NDIS_DECLARE_CO_CL_VC_CONTEXT(type)
#define NDIS_DECLARE_CO_CM_AF_CONTEXT(type)
#define NDIS_DECLARE_CO_CM_VC_CONTEXT(type)
#define NDIS_DECLARE_CO_MINIPORT_VC_CONTEXT(type)

/* Network addresses of Ethernet. */
#ifndef ETH_LENGTH_OF_ADDRESS
#define ETH_LENGTH_OF_ADDRESS 6
#endif
#define ETH_IS_LOCALLY_ADMINISTERED(address) ((BOOLEAN)(((PUCHAR)(address))[0] & 0x02))
#define ETH_IS_MULTICAST(address) ((BOOLEAN)(((PUCHAR)(address))[0] & 0x01))
#define ETH_IS_BROADCAST(address)                                                                                      \
  ((((PUCHAR)(address))[0] == 0xFF) && (((PUCHAR)(address))[1] == 0xFF) && (((PUCHAR)(address))[2] == 0xFF) &&         \
   (((PUCHAR)(address))[3] == 0xFF) && (((PUCHAR)(address))[4] == 0xFF) && (((PUCHAR)(address))[5] == 0xFF))
#define ETH_COPY_NETWORK_ADDRESS(to, from) memcpy((to), (from), ETH_LENGTH_OF_ADDRESS)
#define ETH_COMPARE_NETWORK_ADDRESSES(one, two, result) ((void)(*(result) = memcmp((one), (two), ETH_LENGTH_OF_ADDRESS)))
#define ETH_COMPARE_NETWORK_ADDRESSES_EQ(one, two, result) \
  ((void)(*(result) = (memcmp((one), (two), ETH_LENGTH_OF_ADDRESS) != 0)))
#define ETH_COMPARE_NETWORK_ADDRESSES_EQ_SAFE ETH_COMPARE_NETWORK_ADDRESSES_EQ

/* Interface identifiers. */
#define NDIS_MAKE_NET_LUID(luid, type, index)  \
  do {                                         \
    (luid)->Value = 0;                         \
    (luid)->Info.IfType = (type);              \
    (luid)->Info.NetLuidIndex = (index);       \
  } while (0)
#define NDIS_MAKE_RID(segment, bus, function) (((ULONG)(segment) << 16) | ((ULONG)(bus) << 8) | (ULONG)(function))
