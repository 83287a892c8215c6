/*
 * The miniport of port-miniport.c with a planted mistake: it frees its port while the port is active. NDIS refuses with
 * NDIS_STATUS_INVALID_PORT_STATE, and the port is left when MiniportHaltEx returns. Rule: port-free-deactivate-first.
 */
#define FREE_ACTIVE_PORT
#include "port-miniport.c"
