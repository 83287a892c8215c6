/* DEFINE_GUID always defines (weakly) here, so there is nothing to switch. */
#include <ntdef.h>
#ifndef INITGUID
#define INITGUID
#endif
