#include <ntdef.h>
