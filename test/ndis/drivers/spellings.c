/* Calls NDIS by the names and macros of the headers; DriverEntry fails with the line of the first thing that is not as it should be. */
#include <ndis.h>

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD Unload;

#define TAG 'llpS'
#define EXPECT(condition)                         \
  do {                                            \
    if (!(condition)) return 0xE0000000 | __LINE__; \
  } while (0)

static LONG allocated;

static PMDL AllocateMdl(PULONG BufferSize) {
  PVOID memory = NdisAllocateMemoryWithTagPriority(NULL, *BufferSize, TAG, NormalPoolPriority);
  allocated += 1;
  return memory == NULL ? NULL : NdisAllocateMdl(NULL, memory, *BufferSize);
}

static VOID FreeMdl(PMDL Mdl) {
  PVOID memory = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
  allocated -= 1;
  NdisFreeMdl(Mdl);
  NdisFreeMemory(memory, 0, 0);
}

static NTSTATUS Lists(void) {
  NET_BUFFER_LIST_POOL_PARAMETERS parameters;
  NET_BUFFER_POOL_PARAMETERS bufferParameters;
  NDIS_HANDLE lists, buffers;
  PNET_BUFFER_LIST list, clone, fragments, whole;
  PNET_BUFFER buffer;
  UCHAR storage[8];
  PUCHAR data;
  ULONG copied;

  NdisZeroMemory(&parameters, sizeof(parameters));
  parameters.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  parameters.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  parameters.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  parameters.fAllocateNetBuffer = TRUE;
  parameters.DataSize = 32;
  parameters.ContextSize = 2 * MEMORY_ALLOCATION_ALIGNMENT;
  parameters.ProtocolId = NDIS_PROTOCOL_ID_TCP_IP;
  parameters.PoolTag = TAG;
  lists = NdisAllocateNetBufferListPool(NULL, &parameters);
  EXPECT(lists != NULL);

  NdisZeroMemory(&bufferParameters, sizeof(bufferParameters));
  bufferParameters.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  bufferParameters.Header.Revision = NET_BUFFER_POOL_PARAMETERS_REVISION_1;
  bufferParameters.Header.Size = NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1;
  bufferParameters.PoolTag = TAG;
  bufferParameters.DataSize = 16;
  buffers = NdisAllocateNetBufferPool(NULL, &bufferParameters);
  EXPECT(buffers != NULL);
  buffer = NdisAllocateNetBufferMdlAndData(buffers);
  EXPECT(buffer != NULL && NdisGetPoolFromNetBuffer(buffer) == buffers);
  NdisFreeNetBuffer(buffer);

  list = NdisAllocateNetBufferList(lists, 0, 0);
  EXPECT(list != NULL && NdisGetPoolFromNetBufferList(list) == lists);
  EXPECT(NdisGetNetBufferListProtocolId(list) == NDIS_PROTOCOL_ID_TCP_IP);
  NdisSetNetBufferListProtocolId(list, NDIS_PROTOCOL_ID_IPX);
  EXPECT(NdisGetNetBufferListProtocolId(list) == NDIS_PROTOCOL_ID_IPX);

  /* The context space. */
  EXPECT(NET_BUFFER_LIST_CONTEXT_DATA_SIZE(list) == 2 * MEMORY_ALLOCATION_ALIGNMENT);
  NET_BUFFER_LIST_CONTEXT_DATA_START(list)[0] = 1;
  EXPECT(NdisAllocateNetBufferListContext(list, 16, 8, TAG) == NDIS_STATUS_SUCCESS);
  NET_BUFFER_LIST_CONTEXT_DATA_START(list)[15] = 1;
  NdisFreeNetBufferListContext(list, 16);

  /* The data. */
  buffer = NET_BUFFER_LIST_FIRST_NB(list);
  NET_BUFFER_DATA_LENGTH(buffer) = 20;
  EXPECT(NdisQueryNetBufferPhysicalCount(buffer) >= 1);
  data = NdisGetDataBuffer(buffer, 20, NULL, 1, 0);
  EXPECT(data != NULL);
  data[0] = 7;
  EXPECT(NdisRetreatNetBufferDataStart(buffer, 4, 2, AllocateMdl) == NDIS_STATUS_SUCCESS);
  EXPECT(allocated == 1 && NET_BUFFER_DATA_OFFSET(buffer) == 2 && NET_BUFFER_DATA_LENGTH(buffer) == 24);
  NdisAdjustNetBufferCurrentMdl(buffer);
  EXPECT(NdisGetDataBuffer(buffer, 6, storage, 1, 0) == storage && storage[4] == 7);
  NdisAdvanceNetBufferDataStart(buffer, 4, TRUE, FreeMdl);
  EXPECT(allocated == 0 && NET_BUFFER_DATA_LENGTH(buffer) == 20);
  EXPECT(NdisRetreatNetBufferListDataStart(list, 4, 0, NULL, NULL) == NDIS_STATUS_SUCCESS);
  NdisAdvanceNetBufferListDataStart(list, 4, TRUE, NULL);

  /* What the list carries. */
  NET_BUFFER_LIST_SET_HASH_TYPE(list, NDIS_HASH_TCP_IPV4);
  NET_BUFFER_LIST_SET_HASH_FUNCTION(list, NdisHashFunctionToeplitz);
  NET_BUFFER_LIST_SET_HASH_VALUE(list, 0x12345678);
  EXPECT(NET_BUFFER_LIST_GET_HASH_TYPE(list) == NDIS_HASH_TCP_IPV4);
  EXPECT(NET_BUFFER_LIST_GET_HASH_FUNCTION(list) == NdisHashFunctionToeplitz);
  NDIS_SET_NET_BUFFER_LIST_CANCEL_ID(list, 5);
  NdisSetNblFlag(list, NDIS_NBL_FLAGS_IS_TCP);
  EXPECT(NdisTestNblFlag(list, NDIS_NBL_FLAGS_IS_TCP) && !NdisTestNblFlags(list, NDIS_NBL_FLAGS_IS_TCP | NDIS_NBL_FLAGS_IS_UDP));
  NdisClearNblFlag(list, NDIS_NBL_FLAGS_IS_TCP);
  EXPECT(!NdisTestNblFlag(list, NDIS_NBL_FLAGS_IS_TCP));

  /* Lists that are derived from it. */
  clone = NdisAllocateCloneNetBufferList(list, NULL, NULL, NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS);
  EXPECT(clone != NULL);
  NdisCopySendNetBufferListInfo(clone, list);
  EXPECT(NDIS_GET_NET_BUFFER_LIST_CANCEL_ID(clone) == (PVOID)5 && NET_BUFFER_LIST_GET_HASH_VALUE(clone) == 0);
  NdisCopyReceiveNetBufferListInfo(clone, list);
  EXPECT(NET_BUFFER_LIST_GET_HASH_VALUE(clone) == 0x12345678);
  EXPECT(NdisCopyFromNetBufferToNetBuffer(NET_BUFFER_LIST_FIRST_NB(clone), 1, 1, buffer, 0, &copied) == NDIS_STATUS_SUCCESS);
  EXPECT(copied == 1 && data[1] == 7);
  NdisFreeCloneNetBufferList(clone, NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS);
  fragments = NdisAllocateFragmentNetBufferList(list, NULL, NULL, 0, 8, 4, 0, 0);
  EXPECT(fragments != NULL);
  whole = NdisAllocateReassembledNetBufferList(fragments, NULL, 4, 0, 0, 0);
  EXPECT(whole != NULL && NET_BUFFER_DATA_LENGTH(NET_BUFFER_LIST_FIRST_NB(whole)) == 20);
  NdisFreeReassembledNetBufferList(whole, 0, 0);
  NdisFreeFragmentNetBufferList(fragments, 4, 0);

  NdisFreeNetBufferList(list);
  NdisFreeNetBufferPool(buffers);
  NdisFreeNetBufferListPool(lists);
  return STATUS_SUCCESS;
}

static NTSTATUS Services(PDRIVER_OBJECT DriverObject) {
  NDIS_STRING string;
  NDIS_OID_REQUEST request, *requestClone;
  NDIS_SYSTEM_PROCESSOR_INFO_EX *processors;
  SIZE_T size = 0;
  PNDIS_GENERIC_OBJECT object;

  string.Buffer = NULL;
  NdisInitializeString(&string, (PUCHAR) "name");
  EXPECT(string.Length == 8 && string.Buffer[3] == L'e');
  NdisFreeString(string);

  NdisZeroMemory(&request, sizeof(request));
  request.Header.Type = NDIS_OBJECT_TYPE_OID_REQUEST;
  request.Header.Revision = NDIS_OID_REQUEST_REVISION_1;
  request.Header.Size = NDIS_SIZEOF_OID_REQUEST_REVISION_1;
  request.DATA.QUERY_INFORMATION.Oid = OID_GEN_STATISTICS;
  EXPECT(NdisAllocateCloneOidRequest(NULL, &request, TAG, &requestClone) == NDIS_STATUS_SUCCESS);
  EXPECT(requestClone->DATA.QUERY_INFORMATION.Oid == OID_GEN_STATISTICS);
  NdisFreeCloneOidRequest(NULL, requestClone);

  object = NdisAllocateGenericObject(DriverObject, TAG, 8);
  EXPECT(object != NULL && object->DriverObject == DriverObject);
  NdisFreeGenericObject(object);

  EXPECT(NdisGetProcessorInformationEx(NULL, NULL, &size) == NDIS_STATUS_BUFFER_TOO_SHORT);
  processors = NdisAllocateMemoryWithTagPriority(NULL, (UINT)size, TAG, NormalPoolPriority);
  EXPECT(NdisGetProcessorInformationEx(NULL, processors, &size) == NDIS_STATUS_SUCCESS);
  EXPECT(processors->NumberOfProcessors == NdisSystemProcessorCount());
  NdisFreeMemory(processors, 0, 0);
  EXPECT(NdisGeneratePartialCancelId() != NdisGeneratePartialCancelId());
  return STATUS_SUCCESS;
}

static BOOLEAN Interrupted(NDIS_HANDLE Context, PBOOLEAN QueueDefaultInterruptDpc, PULONG TargetProcessors) {
  UNREFERENCED_PARAMETER(Context);
  *QueueDefaultInterruptDpc = TRUE;
  *TargetProcessors = 0;
  return TRUE;
}

static VOID InterruptedDpc(NDIS_HANDLE Context, PVOID DpcContext, PVOID ReceiveThrottleParameters, PVOID Reserved) {
  UNREFERENCED_PARAMETER(Context);
  UNREFERENCED_PARAMETER(DpcContext);
  UNREFERENCED_PARAMETER(Reserved);
  ((PNDIS_RECEIVE_THROTTLE_PARAMETERS)ReceiveThrottleParameters)->MoreNblsPending = FALSE;
}

static BOOLEAN Synchronized(NDIS_HANDLE Context) {
  return Context != NULL;
}

/* Handles are needed for these: they only have to link. */
static void WithHandles(NDIS_HANDLE Handle, PNDIS_OID_REQUEST Request, PNDIS_STRING Name) {
  PDEVICE_OBJECT devices[3];
  SIZE_T size = 0;
  NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS interrupt;
  GROUP_AFFINITY affinity = {0};
  NdisMResetMiniport(Handle);
  NdisMResetComplete(Handle, NDIS_STATUS_SUCCESS, FALSE);
  NdisMGetDeviceProperty(Handle, &devices[0], &devices[1], &devices[2], NULL, NULL);
  NdisGetRssProcessorInformation(Handle, NULL, &size);
  NdisDirectOidRequest(Handle, Request);
  NdisCancelDirectOidRequest(Handle, Request->RequestId);
  NdisMDirectOidRequestComplete(Handle, Request, NDIS_STATUS_SUCCESS);
  NdisSynchronousOidRequest(Handle, Request);
  NdisSetOptionalHandlers(Handle, NULL);
  NdisMQueryAdapterInstanceName(Name, Handle);
  NdisQueryBindInstanceName(Name, Handle);
  NdisZeroMemory(&interrupt, sizeof(interrupt));
  interrupt.InterruptHandler = Interrupted;
  interrupt.InterruptDpcHandler = InterruptedDpc;
  NdisMRegisterInterruptEx(Handle, NULL, &interrupt, &Handle);
  NdisMQueueDpc(Handle, 0, 1, NULL);
  affinity.Mask = 1;
  NdisMQueueDpcEx(Handle, 0, &affinity, NULL);
  NdisMSynchronizeWithInterruptEx(Handle, 0, Synchronized, NULL);
  NdisMDeregisterInterruptEx(Handle);
}

VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NTSTATUS status;
  DriverObject->DriverUnload = Unload;
  if (RegistryPath == NULL) WithHandles(NULL, NULL, NULL);
  status = Lists();
  return status == STATUS_SUCCESS ? Services(DriverObject) : status;
}
