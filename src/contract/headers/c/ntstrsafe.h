/* Bounded strings: every routine ends its destination with a zero and says so when it had to cut. */
#pragma once
#include <wdm.h>
#include <stdio.h>

#define NTSTRSAFE_MAX_CCH 2147483647
#define STRSAFE_MAX_CCH NTSTRSAFE_MAX_CCH
#define NTSTRSAFE_UNICODE_STRING_MAX_CCH 32767
typedef char *NTSTRSAFE_PSTR;
typedef const char *NTSTRSAFE_PCSTR;
typedef WCHAR *NTSTRSAFE_PWSTR;
typedef const WCHAR *NTSTRSAFE_PCWSTR;
#define NDISLAB_STRING static __inline __attribute__((unused))

/* `suffix` names the character type; `Cch` counts characters and `Cb` bytes. */
#define NDISLAB_STRINGS(suffix, type, formatted, limited_length)                                                              \
  NDISLAB_STRING NTSTATUS RtlStringCchVPrintf##suffix(type *to, size_t count, const type *format, va_list arguments) {        \
    if (count == 0 || count > NTSTRSAFE_MAX_CCH) return STATUS_INVALID_PARAMETER;                                             \
    int written = formatted(to, count, format, arguments);                                                                    \
    if (written >= 0 && (size_t)written < count) return STATUS_SUCCESS;                                                       \
    to[count - 1] = 0;                                                                                                        \
    return STATUS_BUFFER_OVERFLOW;                                                                                            \
  }                                                                                                                           \
  NDISLAB_STRING NTSTATUS RtlStringCbVPrintf##suffix(type *to, size_t bytes, const type *format, va_list arguments) {         \
    return RtlStringCchVPrintf##suffix(to, bytes / sizeof(type), format, arguments);                                          \
  }                                                                                                                           \
  NDISLAB_STRING NTSTATUS RtlStringCchPrintf##suffix(type *to, size_t count, const type *format, ...) {                       \
    va_list arguments;                                                                                                        \
    va_start(arguments, format);                                                                                              \
    NTSTATUS status = RtlStringCchVPrintf##suffix(to, count, format, arguments);                                              \
    va_end(arguments);                                                                                                        \
    return status;                                                                                                            \
  }                                                                                                                           \
  NDISLAB_STRING NTSTATUS RtlStringCbPrintf##suffix(type *to, size_t bytes, const type *format, ...) {                        \
    va_list arguments;                                                                                                        \
    va_start(arguments, format);                                                                                              \
    NTSTATUS status = RtlStringCchVPrintf##suffix(to, bytes / sizeof(type), format, arguments);                               \
    va_end(arguments);                                                                                                        \
    return status;                                                                                                            \
  }                                                                                                                           \
  NDISLAB_STRING NTSTATUS RtlStringCchPrintfEx##suffix(type *to, size_t count, type **end, size_t *remaining, ULONG flags,    \
                                                       const type *format, ...) {                                             \
    va_list arguments;                                                                                                        \
    va_start(arguments, format);                                                                                              \
    NTSTATUS status = RtlStringCchVPrintf##suffix(to, count, format, arguments);                                              \
    va_end(arguments);                                                                                                        \
    size_t length = status == STATUS_INVALID_PARAMETER ? 0 : limited_length(to, count);                                       \
    if (end != NULL) *end = to + length;                                                                                      \
    if (remaining != NULL) *remaining = count - length;                                                                       \
    return status;                                                                                                            \
  }                                                                                                                           \
  NDISLAB_STRING NTSTATUS RtlStringCchLength##suffix(const type *from, size_t limit, size_t *length) {                        \
    size_t found = limited_length(from, limit);                                                                               \
    if (length != NULL) *length = found < limit ? found : 0;                                                                  \
    return found < limit ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;                                                         \
  }                                                                                                                           \
  NDISLAB_STRING NTSTATUS RtlStringCbLength##suffix(const type *from, size_t limit, size_t *length) {                         \
    NTSTATUS status = RtlStringCchLength##suffix(from, limit / sizeof(type), length);                                         \
    if (length != NULL) *length *= sizeof(type);                                                                              \
    return status;                                                                                                            \
  }                                                                                                                           \
  NDISLAB_STRING NTSTATUS RtlStringCchCopyN##suffix(type *to, size_t count, const type *from, size_t most) {                  \
    if (count == 0 || count > NTSTRSAFE_MAX_CCH) return STATUS_INVALID_PARAMETER;                                             \
    size_t length = limited_length(from, most);                                                                               \
    size_t copied = length < count ? length : count - 1;                                                                      \
    memmove(to, from, copied * sizeof(type));                                                                                 \
    to[copied] = 0;                                                                                                           \
    return copied == length ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;                                                        \
  }                                                                                                                           \
  NDISLAB_STRING NTSTATUS RtlStringCchCopy##suffix(type *to, size_t count, const type *from) {                                \
    return RtlStringCchCopyN##suffix(to, count, from, NTSTRSAFE_MAX_CCH);                                                     \
  }                                                                                                                           \
  NDISLAB_STRING NTSTATUS RtlStringCbCopy##suffix(type *to, size_t bytes, const type *from) {                                 \
    return RtlStringCchCopyN##suffix(to, bytes / sizeof(type), from, NTSTRSAFE_MAX_CCH);                                      \
  }                                                                                                                           \
  NDISLAB_STRING NTSTATUS RtlStringCbCopyN##suffix(type *to, size_t bytes, const type *from, size_t most) {                   \
    return RtlStringCchCopyN##suffix(to, bytes / sizeof(type), from, most / sizeof(type));                                    \
  }                                                                                                                           \
  NDISLAB_STRING NTSTATUS RtlStringCchCatN##suffix(type *to, size_t count, const type *from, size_t most) {                   \
    size_t length = limited_length(to, count);                                                                                \
    if (length == count) return STATUS_INVALID_PARAMETER;                                                                     \
    return RtlStringCchCopyN##suffix(to + length, count - length, from, most);                                                \
  }                                                                                                                           \
  NDISLAB_STRING NTSTATUS RtlStringCchCat##suffix(type *to, size_t count, const type *from) {                                 \
    return RtlStringCchCatN##suffix(to, count, from, NTSTRSAFE_MAX_CCH);                                                      \
  }                                                                                                                           \
  NDISLAB_STRING NTSTATUS RtlStringCbCat##suffix(type *to, size_t bytes, const type *from) {                                  \
    return RtlStringCchCatN##suffix(to, bytes / sizeof(type), from, NTSTRSAFE_MAX_CCH);                                       \
  }                                                                                                                           \
  NDISLAB_STRING NTSTATUS RtlStringCbPrintfEx##suffix(type *to, size_t bytes, type **end, size_t *remaining, ULONG flags,     \
                                                      const type *format, ...) {                                              \
    va_list arguments;                                                                                                        \
    va_start(arguments, format);                                                                                              \
    NTSTATUS status = RtlStringCbVPrintf##suffix(to, bytes, format, arguments);                                               \
    va_end(arguments);                                                                                                        \
    size_t length = status == STATUS_INVALID_PARAMETER ? 0 : limited_length(to, bytes / sizeof(type));                        \
    if (end != NULL) *end = to + length;                                                                                      \
    if (remaining != NULL) *remaining = bytes - length * sizeof(type);                                                        \
    return status;                                                                                                            \
  }
NDISLAB_STRINGS(A, char, _vsnprintf, strnlen)
NDISLAB_STRINGS(W, WCHAR, _vsnwprintf, wcsnlen)

NDISLAB_STRING NTSTATUS RtlUnicodeStringInit(PUNICODE_STRING to, const WCHAR *from) {
  size_t length = from == NULL ? 0 : wcslen(from);
  if (length > NTSTRSAFE_UNICODE_STRING_MAX_CCH) return STATUS_INVALID_PARAMETER;
  to->Buffer = (PWCH)from;
  to->Length = (USHORT)(length * sizeof(WCHAR));
  to->MaximumLength = (USHORT)(from == NULL ? 0 : (length + 1) * sizeof(WCHAR));
  return STATUS_SUCCESS;
}
/* A counted string needs no zero at its end. */
NDISLAB_STRING NTSTATUS RtlUnicodeStringCopyString(PUNICODE_STRING to, const WCHAR *from) {
  size_t length = wcslen(from) * sizeof(WCHAR);
  size_t copied = length <= to->MaximumLength ? length : to->MaximumLength & ~1U;
  memmove(to->Buffer, from, copied);
  to->Length = (USHORT)copied;
  return copied == length ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}
NDISLAB_STRING NTSTATUS RtlUnicodeStringCopy(PUNICODE_STRING to, PCUNICODE_STRING from) {
  size_t copied = from->Length <= to->MaximumLength ? from->Length : to->MaximumLength & ~1U;
  memmove(to->Buffer, from->Buffer, copied);
  to->Length = (USHORT)copied;
  return copied == from->Length ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}
NDISLAB_STRING NTSTATUS RtlUnicodeStringPrintf(PUNICODE_STRING to, const WCHAR *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int written = _vsnwprintf(to->Buffer, to->MaximumLength / sizeof(WCHAR), format, arguments);
  va_end(arguments);
  to->Length = (USHORT)(written < 0 ? to->MaximumLength & ~1U : written * sizeof(WCHAR));
  return written < 0 ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}
