/* QUIC encryption offload. Undocumented here: only what a driver needs to complete the request for each connection. */
#pragma once
#include <ndis.h>
/* Undocumented: the numbers of the two requests; private ones, so that they meet no other. */
#define OID_QUIC_CONNECTION_ENCRYPTION 0xFF0102E0
#define OID_QUIC_CONNECTION_ENCRYPTION_PROTOTYPE 0xFF0102E1
typedef struct _NDIS_QUIC_CONNECTION {
  UINT32 Operation : 1;
  UINT32 Direction : 1;
  UINT32 DecryptFailureAction : 1;
  UINT32 KeyPhase : 1;
  UINT32 RESERVED : 12;
  UINT32 CipherType : 16;
  UINT16 AddressFamily;
  UINT16 UdpPort;
  UINT64 NextPacketNumber;
  UINT8 Address[16];
  UINT8 ConnectionIdLength;
  UINT8 ConnectionId[20];
  UINT8 PayloadKey[32];
  UINT8 HeaderKey[32];
  UINT8 PayloadIv[12];
  NDIS_STATUS Status;
} NDIS_QUIC_CONNECTION, *PNDIS_QUIC_CONNECTION;
