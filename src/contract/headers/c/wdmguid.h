/* GUIDs that drivers of this kind mention are defined where they are used. */
#include <wdm.h>
