/*
 * The protocol of pending-protocol.c with a planted mistake: when NdisCloseAdapterEx pends, its ProtocolCloseAdapterCompleteEx releases the
 * binding but forgets NdisCompleteUnbindAdapterEx, so that the unbind never ends. Rule: unbind-pending-must-complete.
 */
#define FORGET_COMPLETE
#include "pending-protocol.c"
