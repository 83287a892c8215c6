/* Accessors of NET_BUFFER and NET_BUFFER_LIST. */
#pragma once

#define NET_BUFFER_NEXT_NB(nb) ((nb)->Next)
#define NET_BUFFER_FIRST_MDL(nb) ((nb)->MdlChain)
#define NET_BUFFER_DATA_LENGTH(nb) ((nb)->DataLength)
#define NET_BUFFER_DATA_OFFSET(nb) ((nb)->DataOffset)
#define NET_BUFFER_CURRENT_MDL(nb) ((nb)->CurrentMdl)
#define NET_BUFFER_CURRENT_MDL_OFFSET(nb) ((nb)->CurrentMdlOffset)
#define NET_BUFFER_PROTOCOL_RESERVED(nb) ((nb)->ProtocolReserved)
#define NET_BUFFER_MINIPORT_RESERVED(nb) ((nb)->MiniportReserved)
#define NET_BUFFER_CHECKSUM_BIAS(nb) ((nb)->ChecksumBias)
#define NET_BUFFER_DATA_PHYSICAL_ADDRESS(nb) ((nb)->DataPhysicalAddress)
#define NET_BUFFER_FIRST_SHARED_MEM_INFO(nb) ((nb)->SharedMemoryInfo)
#define NET_BUFFER_SCATTER_GATHER_LIST(nb) ((nb)->ScatterGatherList)
#define NET_BUFFER_SHARED_MEM_NEXT_SEGMENT(info) ((info)->NextSharedMemorySegment)
#define NET_BUFFER_SHARED_MEM_FLAGS(info) ((info)->SharedMemoryFlags)
#define NET_BUFFER_SHARED_MEM_HANDLE(info) ((info)->SharedMemoryHandle)
#define NET_BUFFER_SHARED_MEM_OFFSET(info) ((info)->SharedMemoryOffset)
#define NET_BUFFER_SHARED_MEM_LENGTH(info) ((info)->SharedMemoryLength)

#define NET_BUFFER_LIST_NEXT_NBL(nbl) ((nbl)->Next)
#define NET_BUFFER_LIST_FIRST_NB(nbl) ((nbl)->FirstNetBuffer)
#define NET_BUFFER_LIST_FLAGS(nbl) ((nbl)->Flags)
#define NET_BUFFER_LIST_NBL_FLAGS(nbl) ((nbl)->NblFlags)
#define NET_BUFFER_LIST_PROTOCOL_RESERVED(nbl) ((nbl)->ProtocolReserved)
#define NET_BUFFER_LIST_MINIPORT_RESERVED(nbl) ((nbl)->MiniportReserved)
#define NET_BUFFER_LIST_CONTEXT_DATA_START(nbl) \
  ((PUCHAR)(((nbl)->Context) + 1) + ((nbl)->Context)->Offset)
#define NET_BUFFER_LIST_CONTEXT_DATA_SIZE(nbl) (((nbl)->Context)->Size)
#define NET_BUFFER_LIST_INFO(nbl, id) ((nbl)->NetBufferListInfo[(id)])
#define NET_BUFFER_LIST_STATUS(nbl) ((nbl)->Status)
#define NET_BUFFER_LIST_GET_HASH_VALUE(nbl) ((ULONG)(ULONG_PTR)NET_BUFFER_LIST_INFO(nbl, NetBufferListHashValue))
#define NET_BUFFER_LIST_SET_HASH_VALUE(nbl, value) (NET_BUFFER_LIST_INFO(nbl, NetBufferListHashValue) = UlongToPtr(value))
#define NET_BUFFER_LIST_GET_HASH_TYPE(nbl) \
  ((ULONG)(ULONG_PTR)NET_BUFFER_LIST_INFO(nbl, NetBufferListHashInfo) & NDIS_HASH_TYPE_MASK)
#define NET_BUFFER_LIST_GET_HASH_FUNCTION(nbl) \
  ((ULONG)(ULONG_PTR)NET_BUFFER_LIST_INFO(nbl, NetBufferListHashInfo) & NDIS_HASH_FUNCTION_MASK)
NDISLAB_INLINE void NET_BUFFER_LIST_SET_HASH_TYPE(NET_BUFFER_LIST *Nbl, ULONG HashType) {
  ULONG info = (ULONG)(ULONG_PTR)NET_BUFFER_LIST_INFO(Nbl, NetBufferListHashInfo);
  NET_BUFFER_LIST_INFO(Nbl, NetBufferListHashInfo) = UlongToPtr((info & ~NDIS_HASH_TYPE_MASK) | (HashType & NDIS_HASH_TYPE_MASK));
}
NDISLAB_INLINE void NET_BUFFER_LIST_SET_HASH_FUNCTION(NET_BUFFER_LIST *Nbl, ULONG HashFunction) {
  ULONG info = (ULONG)(ULONG_PTR)NET_BUFFER_LIST_INFO(Nbl, NetBufferListHashInfo);
  NET_BUFFER_LIST_INFO(Nbl, NetBufferListHashInfo) =
      UlongToPtr((info & ~NDIS_HASH_FUNCTION_MASK) | (HashFunction & NDIS_HASH_FUNCTION_MASK));
}
#define NDIS_RSS_HASH_FUNC_FROM_HASH_INFO(info) ((info) & NDIS_HASH_FUNCTION_MASK)
#define NDIS_RSS_HASH_TYPE_FROM_HASH_INFO(info) ((info) & NDIS_HASH_TYPE_MASK)
#define NDIS_RSS_HASH_INFO_FROM_TYPE_AND_FUNC(type, function) ((type) | (function))

/* Flags of a list: which bits belong to whom is for the caller to know. */
#define NdisSetNblFlag(nbl, flag) ((nbl)->NblFlags |= (flag))
#define NdisClearNblFlag(nbl, flag) ((nbl)->NblFlags &= ~(flag))
#define NdisTestNblFlag(nbl, flag) (((nbl)->NblFlags & (flag)) != 0)
#define NdisTestNblFlags(nbl, flags) (((nbl)->NblFlags & (flags)) == (flags))
#define NBL_SET_FLAG(nbl, flag) NdisSetNblFlag(nbl, flag)
#define NBL_CLEAR_FLAG(nbl, flag) NdisClearNblFlag(nbl, flag)
#define NBL_TEST_FLAG(nbl, flag) NdisTestNblFlag(nbl, flag)
#define NBL_TEST_FLAGS(nbl, flags) NdisTestNblFlags(nbl, flags)
#define NDISLAB_PROTOCOL_FLAGS 0xFFF00003
#define NBL_SET_PROTOCOL_RSVD_FLAG(nbl, flag) ((nbl)->NblFlags |= ((flag) & NDISLAB_PROTOCOL_FLAGS))
#define NBL_CLEAR_PROTOCOL_RSVD_FLAG(nbl, flag) ((nbl)->NblFlags &= ~((flag) & NDISLAB_PROTOCOL_FLAGS))
#define NBL_TEST_PROTOCOL_RSVD_FLAG(nbl, flag) (((nbl)->NblFlags & ((flag) & NDISLAB_PROTOCOL_FLAGS)) != 0)
#define NBL_SET_PROT_RSVD_FLAG NBL_SET_PROTOCOL_RSVD_FLAG
#define NBL_CLEAR_PROT_RSVD_FLAG NBL_CLEAR_PROTOCOL_RSVD_FLAG
#define NBL_TEST_PROT_RSVD_FLAG NBL_TEST_PROTOCOL_RSVD_FLAG

#define NDIS_SET_SEND_FLAG(flags, flag) ((flags) |= (flag))
#define NDIS_CLEAR_SEND_FLAG(flags, flag) ((flags) &= ~(flag))
#define NDIS_TEST_SEND_FLAG(flags, flag) (((flags) & (flag)) != 0)
#define NDIS_SET_SEND_COMPLETE_FLAG(flags, flag) ((flags) |= (flag))
#define NDIS_TEST_SEND_COMPLETE_FLAG(flags, flag) (((flags) & (flag)) != 0)
#define NDIS_SET_RECEIVE_FLAG(flags, flag) ((flags) |= (flag))
#define NDIS_TEST_RECEIVE_FLAG(flags, flag) (((flags) & (flag)) != 0)
#define NDIS_SET_RETURN_FLAG(flags, flag) ((flags) |= (flag))
#define NDIS_TEST_RETURN_FLAG(flags, flag) (((flags) & (flag)) != 0)
#define NDIS_SET_CLONE_FLAG(flags, flag) ((flags) |= (flag))
#define NDIS_CLEAR_CLONE_FLAG(flags, flag) ((flags) &= ~(flag))
#define NDIS_TEST_CLONE_FLAG(flags, flag) (((flags) & (flag)) != 0)
#define NDIS_TEST_SEND_AT_DISPATCH_LEVEL(flags) NDIS_TEST_SEND_FLAG(flags, NDIS_SEND_FLAGS_DISPATCH_LEVEL)
#define NDIS_TEST_SEND_COMPLETE_AT_DISPATCH_LEVEL(flags) NDIS_TEST_SEND_COMPLETE_FLAG(flags, NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL)
#define NDIS_TEST_RECEIVE_AT_DISPATCH_LEVEL(flags) NDIS_TEST_RECEIVE_FLAG(flags, NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL)
#define NDIS_TEST_RETURN_AT_DISPATCH_LEVEL(flags) NDIS_TEST_RETURN_FLAG(flags, NDIS_RETURN_FLAGS_DISPATCH_LEVEL)
#define NDIS_TEST_RECEIVE_CANNOT_PEND(flags) NDIS_TEST_RECEIVE_FLAG(flags, NDIS_RECEIVE_FLAGS_RESOURCES)
#define NDIS_TEST_RECEIVE_CAN_PEND(flags) (((flags) & NDIS_RECEIVE_FLAGS_RESOURCES) == 0)
#define NDIS_STATUS_INDICATION_SET_FLAG(indication, flag) ((indication)->Flags |= (flag))
#define NDIS_STATUS_INDICATION_CLEAR_FLAG(indication, flag) ((indication)->Flags &= ~(flag))
#define NDIS_STATUS_INDICATION_TEST_FLAG(indication, flag) (((indication)->Flags & (flag)) != 0)

/* Out-of-band information. */
#define NDIS_GET_NET_BUFFER_LIST_CANCEL_ID(nbl) (NET_BUFFER_LIST_INFO(nbl, NetBufferListCancelId))
#define NDIS_SET_NET_BUFFER_LIST_CANCEL_ID(nbl, id) (NET_BUFFER_LIST_INFO(nbl, NetBufferListCancelId) = (PVOID)(id))
#define NDIS_GET_NET_BUFFER_LIST_VLAN_ID(nbl) \
  (((NDIS_NET_BUFFER_LIST_8021Q_INFO *)&NET_BUFFER_LIST_INFO(nbl, Ieee8021QNetBufferListInfo))->TagHeader.VlanId)
#define NDIS_SET_NET_BUFFER_LIST_VLAN_ID(nbl, id) \
  (((NDIS_NET_BUFFER_LIST_8021Q_INFO *)&NET_BUFFER_LIST_INFO(nbl, Ieee8021QNetBufferListInfo))->TagHeader.VlanId = (id))
#define NDIS_GET_NET_BUFFER_LIST_IM_RESERVED(nbl) (NET_BUFFER_LIST_INFO(nbl, IMReserved))
#define NDIS_SET_NET_BUFFER_LIST_IM_RESERVED(nbl, value) (NET_BUFFER_LIST_INFO(nbl, IMReserved) = (PVOID)(value))
#define NdisSetNetBufferListProtocolId(nbl, id) \
  (((UCHAR *)&NET_BUFFER_LIST_INFO(nbl, NetBufferListProtocolId))[0] = (UCHAR)(id))
#define NET_BUFFER_LIST_COALESCED_SEG_COUNT(nbl) \
  (((NDIS_RSC_NBL_INFO *)&NET_BUFFER_LIST_INFO(nbl, TcpRecvSegCoalesceInfo))->Info.CoalescedSegCount)
#define NET_BUFFER_LIST_DUP_ACK_COUNT(nbl) \
  (((NDIS_RSC_NBL_INFO *)&NET_BUFFER_LIST_INFO(nbl, TcpRecvSegCoalesceInfo))->Info.DupAckCount)
#define NET_BUFFER_LIST_UDP_COALESCED_SEG_COUNT(nbl) \
  (((NDIS_UDP_RSC_OFFLOAD_NET_BUFFER_LIST_INFO *)&NET_BUFFER_LIST_INFO(nbl, UdpRecvSegCoalesceOffloadInfo))->Receive.SegCount)
#define NET_BUFFER_LIST_UDP_COALESCED_SEG_SIZE(nbl) \
  (((NDIS_UDP_RSC_OFFLOAD_NET_BUFFER_LIST_INFO *)&NET_BUFFER_LIST_INFO(nbl, UdpRecvSegCoalesceOffloadInfo))->Receive.SegSize)
#define NET_BUFFER_LIST_RECEIVE_FILTER_ID(nbl) \
  (((NDIS_NET_BUFFER_LIST_FILTERING_INFO *)&NET_BUFFER_LIST_INFO(nbl, NetBufferListFilteringInfo))->FilteringInfo.FilterId)
#define NET_BUFFER_LIST_RECEIVE_QUEUE_ID(nbl) \
  (((NDIS_NET_BUFFER_LIST_FILTERING_INFO *)&NET_BUFFER_LIST_INFO(nbl, NetBufferListFilteringInfo))->FilteringInfo.QueueVPortInfo.QueueId)
#define NET_BUFFER_LIST_RECEIVE_FILTER_VPORT_ID(nbl) \
  (((NDIS_NET_BUFFER_LIST_FILTERING_INFO *)&NET_BUFFER_LIST_INFO(nbl, NetBufferListFilteringInfo))->FilteringInfo.QueueVPortInfo.VPortId)
#define NDIS_GET_NET_BUFFER_LIST_VIRTUAL_SUBNET_ID(nbl) \
  (((NDIS_NET_BUFFER_LIST_VIRTUAL_SUBNET_INFO *)&NET_BUFFER_LIST_INFO(nbl, VirtualSubnetInfo))->VirtualSubnetId)
#define NDIS_SET_NET_BUFFER_LIST_VIRTUAL_SUBNET_ID(nbl, id) \
  (((NDIS_NET_BUFFER_LIST_VIRTUAL_SUBNET_INFO *)&NET_BUFFER_LIST_INFO(nbl, VirtualSubnetInfo))->VirtualSubnetId = (id))

/* Undocumented: where the time stamp of a list is kept; the two slots that the table calls reserved hold its two halves. */
#if NDIS_SUPPORT_NDIS682
NDISLAB_INLINE void NdisSetNblTimestampInfo(PNET_BUFFER_LIST Nbl, const NET_BUFFER_LIST_TIMESTAMP *Timestamp) {
  Nbl->NetBufferListInfo[21] = UlongToPtr((ULONG)Timestamp->Timestamp);
  Nbl->NetBufferListInfo[22] = UlongToPtr((ULONG)(Timestamp->Timestamp >> 32));
}
NDISLAB_INLINE void NdisGetNblTimestampInfo(const NET_BUFFER_LIST *Nbl, PNET_BUFFER_LIST_TIMESTAMP Timestamp) {
  Timestamp->Timestamp = PtrToUlong(Nbl->NetBufferListInfo[21]) | ((ULONG64)PtrToUlong(Nbl->NetBufferListInfo[22]) << 32);
}
NDISLAB_INLINE void NdisCopyNblTimestampInfo(PNET_BUFFER_LIST NblDest, const NET_BUFFER_LIST *NblSrc) {
  NblDest->NetBufferListInfo[21] = NblSrc->NetBufferListInfo[21];
  NblDest->NetBufferListInfo[22] = NblSrc->NetBufferListInfo[22];
}
#endif
