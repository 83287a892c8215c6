#include <ntstrsafe.h>
