/* Bounded strings: every routine ends its destination with a zero and says so when it had to cut. */
#pragma once
#include <wdm.h>
#include <stdio.h>

#define NTSTRSAFE_MAX_CCH 2147483647
#define STRSAFE_MAX_CCH NTSTRSAFE_MAX_CCH
#define NTSTRSAFE_MAX_LENGTH (NTSTRSAFE_MAX_CCH - 1)
#define NTSTRSAFE_UNICODE_STRING_MAX_CCH 32767
#define STRSAFE_IGNORE_NULLS 0x00000100
#define STRSAFE_FILL_BEHIND_NULL 0x00000200
#define STRSAFE_FILL_BEHIND 0x00000200
#define STRSAFE_FILL_ON_FAILURE 0x00000400
#define STRSAFE_NULL_ON_FAILURE 0x00000800
#define STRSAFE_ZERO_LENGTH_ON_FAILURE 0x00000800
#define STRSAFE_NO_TRUNCATION 0x00001000
#define STRSAFE_FILL_BYTE(x) ((ULONG)((x) & 0x000000FF) | STRSAFE_FILL_BEHIND_NULL)
#define STRSAFE_FAILURE_BYTE(x) ((ULONG)((x) & 0x000000FF) | STRSAFE_FILL_ON_FAILURE)
#define NDISLAB_STRSAFE_FLAGS 0x00001FFF
typedef char *NTSTRSAFE_PSTR;
typedef const char *NTSTRSAFE_PCSTR;
typedef WCHAR *NTSTRSAFE_PWSTR;
typedef const WCHAR *NTSTRSAFE_PCWSTR;
#define NDISLAB_STRING static __inline __attribute__((unused))

/*
 * `suffix` names the character type; `Cch` counts characters and `Cb` bytes. Every routine goes through the one with flags: `kept` is how
 * much of the destination a failure without truncation leaves.
 */
#define NDISLAB_VARIADIC(call) \
  va_list arguments; \
  va_start(arguments, format); \
  NTSTATUS status = call; \
  va_end(arguments); \
  return status;
#define NDISLAB_STRING_OPERATION(operation, suffix, type) \
  NDISLAB_STRING NTSTATUS RtlStringCch##operation##Ex##suffix(type *to, size_t count, const type *from, type **end, size_t *remaining, ULONG flags) { \
    return RtlStringCch##operation##NEx##suffix(to, count, from, NTSTRSAFE_MAX_CCH, end, remaining, flags); \
  } \
  NDISLAB_STRING NTSTATUS RtlStringCch##operation##N##suffix(type *to, size_t count, const type *from, size_t most) { \
    return RtlStringCch##operation##NEx##suffix(to, count, from, most, NULL, NULL, 0); \
  } \
  NDISLAB_STRING NTSTATUS RtlStringCch##operation##suffix(type *to, size_t count, const type *from) { \
    return RtlStringCch##operation##NEx##suffix(to, count, from, NTSTRSAFE_MAX_CCH, NULL, NULL, 0); \
  } \
  NDISLAB_STRING NTSTATUS RtlStringCb##operation##NEx##suffix(type *to, size_t bytes, const type *from, size_t most, type **end, size_t *remaining, ULONG flags) { \
    NTSTATUS status = RtlStringCch##operation##NEx##suffix(to, bytes / sizeof(type), from, most / sizeof(type), end, remaining, flags); \
    if (remaining != NULL) *remaining = *remaining * sizeof(type) + bytes % sizeof(type); \
    return status; \
  } \
  NDISLAB_STRING NTSTATUS RtlStringCb##operation##Ex##suffix(type *to, size_t bytes, const type *from, type **end, size_t *remaining, ULONG flags) { \
    return RtlStringCb##operation##NEx##suffix(to, bytes, from, NTSTRSAFE_MAX_CCH, end, remaining, flags); \
  } \
  NDISLAB_STRING NTSTATUS RtlStringCb##operation##N##suffix(type *to, size_t bytes, const type *from, size_t most) { \
    return RtlStringCb##operation##NEx##suffix(to, bytes, from, most, NULL, NULL, 0); \
  } \
  NDISLAB_STRING NTSTATUS RtlStringCb##operation##suffix(type *to, size_t bytes, const type *from) { \
    return RtlStringCch##operation##NEx##suffix(to, bytes / sizeof(type), from, NTSTRSAFE_MAX_CCH, NULL, NULL, 0); \
  }
#define NDISLAB_STRINGS(suffix, type, formatted, limited_length) \
  NDISLAB_STRING NTSTATUS ndislab_finish##suffix(NTSTATUS status, type *to, size_t count, size_t kept, type **end, size_t *remaining, ULONG flags) { \
    if (status != STATUS_SUCCESS && to != NULL && count != 0) { \
      if (flags & STRSAFE_FILL_ON_FAILURE) { \
        memset(to, (int)(flags & 0xFF), count * sizeof(type)); \
        to[count - 1] = 0; \
      } else if (flags & STRSAFE_NULL_ON_FAILURE) to[0] = 0; \
      else if (status == STATUS_BUFFER_OVERFLOW && (flags & STRSAFE_NO_TRUNCATION)) to[kept] = 0; \
    } \
    size_t length = to == NULL ? 0 : limited_length(to, count); \
    if (status == STATUS_SUCCESS && (flags & STRSAFE_FILL_BEHIND_NULL) && length < count) \
      memset(to + length + 1, (int)(flags & 0xFF), (count - length - 1) * sizeof(type)); \
    if (end != NULL) *end = to + length; \
    if (remaining != NULL) *remaining = count - length; \
    return status; \
  } \
  NDISLAB_STRING NTSTATUS ndislab_put##suffix(type *to, size_t count, size_t kept, const type *from, size_t most, ULONG flags) { \
    if (flags & ~(ULONG)NDISLAB_STRSAFE_FLAGS) return STATUS_INVALID_PARAMETER; \
    if (flags & STRSAFE_IGNORE_NULLS) { \
      if (to == NULL && count != 0) return STATUS_INVALID_PARAMETER; \
      if (from == NULL) most = 0; \
    } else if (to == NULL || from == NULL) return STATUS_INVALID_PARAMETER; \
    size_t length = most == 0 ? 0 : limited_length(from, most); \
    if (count == 0) return (flags & STRSAFE_IGNORE_NULLS) && length == 0 ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER; \
    size_t copied = length < count - kept ? length : count - kept - 1; \
    memmove(to + kept, from, copied * sizeof(type)); \
    to[kept + copied] = 0; \
    return copied == length ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW; \
  } \
  NDISLAB_STRING NTSTATUS RtlStringCchCopyNEx##suffix(type *to, size_t count, const type *from, size_t most, type **end, size_t *remaining, ULONG flags) { \
    if (count > NTSTRSAFE_MAX_CCH || most > NTSTRSAFE_MAX_CCH) return STATUS_INVALID_PARAMETER; \
    return ndislab_finish##suffix(ndislab_put##suffix(to, count, 0, from, most, flags), to, count, 0, end, remaining, flags); \
  } \
  NDISLAB_STRING NTSTATUS RtlStringCchCatNEx##suffix(type *to, size_t count, const type *from, size_t most, type **end, size_t *remaining, ULONG flags) { \
    if (count > NTSTRSAFE_MAX_CCH || most > NTSTRSAFE_MAX_CCH) return STATUS_INVALID_PARAMETER; \
    size_t kept = to == NULL ? 0 : limited_length(to, count); \
    if (to != NULL && kept == count) return STATUS_INVALID_PARAMETER; \
    return ndislab_finish##suffix(ndislab_put##suffix(to, count, kept, from, most, flags), to, count, kept, end, remaining, flags); \
  } \
  NDISLAB_STRING NTSTATUS RtlStringCchVPrintfEx##suffix(type *to, size_t count, type **end, size_t *remaining, ULONG flags, const type *format, va_list arguments) { \
    static const type none[1]; \
    NTSTATUS status = ndislab_put##suffix(to, count, 0, none, 0, flags); \
    if (count > NTSTRSAFE_MAX_CCH || (format == NULL && !(flags & STRSAFE_IGNORE_NULLS))) status = STATUS_INVALID_PARAMETER; \
    if (status == STATUS_SUCCESS && count != 0 && format != NULL) { \
      int written = formatted(to, count, format, arguments); \
      if (written < 0 || (size_t)written >= count) { \
        to[count - 1] = 0; \
        status = STATUS_BUFFER_OVERFLOW; \
      } \
    } \
    return ndislab_finish##suffix(status, to, count, 0, end, remaining, flags); \
  } \
  NDISLAB_STRING NTSTATUS RtlStringCchLength##suffix(const type *from, size_t limit, size_t *length) { \
    size_t found = from == NULL || limit > NTSTRSAFE_MAX_CCH ? limit : limited_length(from, limit); \
    if (length != NULL) *length = found < limit ? found : 0; \
    return found < limit ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER; \
  } \
  NDISLAB_STRING NTSTATUS RtlStringCbLength##suffix(const type *from, size_t limit, size_t *length) { \
    NTSTATUS status = RtlStringCchLength##suffix(from, limit / sizeof(type), length); \
    if (length != NULL) *length *= sizeof(type); \
    return status; \
  } \
  NDISLAB_STRING_OPERATION(Copy, suffix, type) \
  NDISLAB_STRING_OPERATION(Cat, suffix, type) \
  NDISLAB_STRING NTSTATUS RtlStringCchVPrintf##suffix(type *to, size_t count, const type *format, va_list arguments) { \
    return RtlStringCchVPrintfEx##suffix(to, count, NULL, NULL, 0, format, arguments); \
  } \
  NDISLAB_STRING NTSTATUS RtlStringCbVPrintf##suffix(type *to, size_t bytes, const type *format, va_list arguments) { \
    return RtlStringCchVPrintfEx##suffix(to, bytes / sizeof(type), NULL, NULL, 0, format, arguments); \
  } \
  NDISLAB_STRING NTSTATUS RtlStringCbVPrintfEx##suffix(type *to, size_t bytes, type **end, size_t *remaining, ULONG flags, const type *format, va_list arguments) { \
    NTSTATUS status = RtlStringCchVPrintfEx##suffix(to, bytes / sizeof(type), end, remaining, flags, format, arguments); \
    if (remaining != NULL) *remaining = *remaining * sizeof(type) + bytes % sizeof(type); \
    return status; \
  } \
  NDISLAB_STRING NTSTATUS RtlStringCchPrintf##suffix(type *to, size_t count, const type *format, ...) { \
    NDISLAB_VARIADIC(RtlStringCchVPrintfEx##suffix(to, count, NULL, NULL, 0, format, arguments)) \
  } \
  NDISLAB_STRING NTSTATUS RtlStringCbPrintf##suffix(type *to, size_t bytes, const type *format, ...) { \
    NDISLAB_VARIADIC(RtlStringCchVPrintfEx##suffix(to, bytes / sizeof(type), NULL, NULL, 0, format, arguments)) \
  } \
  NDISLAB_STRING NTSTATUS RtlStringCchPrintfEx##suffix(type *to, size_t count, type **end, size_t *remaining, ULONG flags, const type *format, ...) { \
    NDISLAB_VARIADIC(RtlStringCchVPrintfEx##suffix(to, count, end, remaining, flags, format, arguments)) \
  } \
  NDISLAB_STRING NTSTATUS RtlStringCbPrintfEx##suffix(type *to, size_t bytes, type **end, size_t *remaining, ULONG flags, const type *format, ...) { \
    NDISLAB_VARIADIC(RtlStringCbVPrintfEx##suffix(to, bytes, end, remaining, flags, format, arguments)) \
  }
NDISLAB_STRINGS(A, char, _vsnprintf, strnlen)
NDISLAB_STRINGS(W, WCHAR, _vsnwprintf, wcsnlen)
#define RtlUnalignedStringCchLengthW RtlStringCchLengthW
#define RtlUnalignedStringCbLengthW RtlStringCbLengthW

/* Counted strings: they need no zero at their end. A null pointer is an empty string, if the flags allow it. */
NDISLAB_STRING NTSTATUS RtlUnicodeStringValidateEx(PCUNICODE_STRING string, ULONG flags) {
  if (flags & ~(ULONG)STRSAFE_IGNORE_NULLS) return STATUS_INVALID_PARAMETER;
  if (string == NULL) return flags & STRSAFE_IGNORE_NULLS ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
  BOOLEAN odd = (string->Length | string->MaximumLength) & 1;
  if (odd || string->Length > string->MaximumLength) return STATUS_INVALID_PARAMETER;
  return string->Buffer == NULL && string->MaximumLength != 0 ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}
NDISLAB_STRING NTSTATUS RtlUnicodeStringValidate(PCUNICODE_STRING string) { return RtlUnicodeStringValidateEx(string, 0); }
NDISLAB_STRING NTSTATUS RtlUnicodeStringInitEx(PUNICODE_STRING to, const WCHAR *from, ULONG flags) {
  if (to == NULL) return flags & STRSAFE_IGNORE_NULLS && (from == NULL || *from == 0) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
  size_t length = from == NULL ? 0 : wcslen(from);
  if (length > NTSTRSAFE_UNICODE_STRING_MAX_CCH - 1) return STATUS_INVALID_PARAMETER;
  to->Buffer = (PWCH)from;
  to->Length = (USHORT)(length * sizeof(WCHAR));
  to->MaximumLength = (USHORT)(from == NULL ? 0 : (length + 1) * sizeof(WCHAR));
  return STATUS_SUCCESS;
}
NDISLAB_STRING NTSTATUS RtlUnicodeStringInit(PUNICODE_STRING to, const WCHAR *from) { return RtlUnicodeStringInitEx(to, from, 0); }
NDISLAB_STRING NTSTATUS ndislab_finish_unicode(NTSTATUS status, PUNICODE_STRING to, size_t kept, PUNICODE_STRING remaining, ULONG flags) {
  if (to == NULL) return status;
  if (status != STATUS_SUCCESS && to->Buffer != NULL) {
    if (flags & STRSAFE_FILL_ON_FAILURE) {
      memset(to->Buffer, (int)(flags & 0xFF), to->MaximumLength);
      to->Length = 0;
    } else if (flags & STRSAFE_ZERO_LENGTH_ON_FAILURE) to->Length = 0;
    else if (status == STATUS_BUFFER_OVERFLOW && (flags & STRSAFE_NO_TRUNCATION)) to->Length = (USHORT)(kept * sizeof(WCHAR));
  }
  USHORT left = to->MaximumLength - to->Length;
  PWCH end = to->Buffer == NULL ? NULL : to->Buffer + to->Length / sizeof(WCHAR);
  if (status == STATUS_SUCCESS && (flags & STRSAFE_FILL_BEHIND)) memset(end, (int)(flags & 0xFF), left);
  if (remaining != NULL) {
    remaining->Buffer = end;
    remaining->Length = 0;
    remaining->MaximumLength = left;
  }
  return status;
}
NDISLAB_STRING NTSTATUS ndislab_put_unicode(PUNICODE_STRING to, size_t kept, const WCHAR *from, size_t length, PUNICODE_STRING remaining, ULONG flags) {
  NTSTATUS status = flags & ~(ULONG)NDISLAB_STRSAFE_FLAGS ? STATUS_INVALID_PARAMETER : RtlUnicodeStringValidateEx(to, flags & STRSAFE_IGNORE_NULLS);
  if (from == NULL && length == 0 && !(flags & STRSAFE_IGNORE_NULLS)) status = STATUS_INVALID_PARAMETER;
  if (status != STATUS_SUCCESS) return status;
  size_t room = to == NULL ? 0 : to->MaximumLength / sizeof(WCHAR);
  if (room == 0 && length != 0) return STATUS_INVALID_PARAMETER;
  size_t copied = length <= room - kept ? length : room - kept;
  if (copied != 0) memmove(to->Buffer + kept, from, copied * sizeof(WCHAR));
  if (to != NULL) to->Length = (USHORT)((kept + copied) * sizeof(WCHAR));
  return ndislab_finish_unicode(copied == length ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW, to, kept, remaining, flags);
}
#define NDISLAB_UNICODE_VARIANTS(operation, kind, source) \
  NDISLAB_STRING NTSTATUS RtlUnicodeString##operation##kind##Ex(PUNICODE_STRING to, source from, PUNICODE_STRING remaining, ULONG flags) { \
    return RtlUnicodeStringCch##operation##kind##NEx(to, from, NTSTRSAFE_UNICODE_STRING_MAX_CCH, remaining, flags); \
  } \
  NDISLAB_STRING NTSTATUS RtlUnicodeString##operation##kind(PUNICODE_STRING to, source from) { \
    return RtlUnicodeStringCch##operation##kind##NEx(to, from, NTSTRSAFE_UNICODE_STRING_MAX_CCH, NULL, 0); \
  } \
  NDISLAB_STRING NTSTATUS RtlUnicodeStringCch##operation##kind##N(PUNICODE_STRING to, source from, size_t most) { \
    return RtlUnicodeStringCch##operation##kind##NEx(to, from, most, NULL, 0); \
  } \
  NDISLAB_STRING NTSTATUS RtlUnicodeStringCb##operation##kind##N(PUNICODE_STRING to, source from, size_t most) { \
    return RtlUnicodeStringCch##operation##kind##NEx(to, from, most / sizeof(WCHAR), NULL, 0); \
  } \
  NDISLAB_STRING NTSTATUS RtlUnicodeStringCb##operation##kind##NEx(PUNICODE_STRING to, source from, size_t most, PUNICODE_STRING remaining, ULONG flags) { \
    return RtlUnicodeStringCch##operation##kind##NEx(to, from, most / sizeof(WCHAR), remaining, flags); \
  }
#define NDISLAB_UNICODE_OPERATION(operation, kept) \
  NDISLAB_STRING NTSTATUS RtlUnicodeStringCch##operation##StringNEx(PUNICODE_STRING to, const WCHAR *from, size_t most, PUNICODE_STRING remaining, ULONG flags) { \
    return ndislab_put_unicode(to, kept, from, from == NULL ? 0 : wcsnlen(from, most), remaining, flags); \
  } \
  NDISLAB_STRING NTSTATUS RtlUnicodeStringCch##operation##NEx(PUNICODE_STRING to, PCUNICODE_STRING from, size_t most, PUNICODE_STRING remaining, ULONG flags) { \
    if (RtlUnicodeStringValidateEx(from, flags & STRSAFE_IGNORE_NULLS) != STATUS_SUCCESS) return STATUS_INVALID_PARAMETER; \
    static const WCHAR none[1]; \
    size_t length = from == NULL ? 0 : from->Length / sizeof(WCHAR); \
    return ndislab_put_unicode(to, kept, length == 0 ? none : from->Buffer, length < most ? length : most, remaining, flags); \
  } \
  NDISLAB_UNICODE_VARIANTS(operation, String, const WCHAR *) \
  NDISLAB_UNICODE_VARIANTS(operation, , PCUNICODE_STRING)
NDISLAB_UNICODE_OPERATION(Copy, 0)
NDISLAB_UNICODE_OPERATION(Cat, to == NULL ? 0 : to->Length / sizeof(WCHAR))
NDISLAB_STRING NTSTATUS RtlUnicodeStringVPrintfEx(PUNICODE_STRING to, PUNICODE_STRING remaining, ULONG flags, const WCHAR *format, va_list arguments) {
  NTSTATUS status = flags & ~(ULONG)NDISLAB_STRSAFE_FLAGS ? STATUS_INVALID_PARAMETER : RtlUnicodeStringValidateEx(to, flags & STRSAFE_IGNORE_NULLS);
  if (format == NULL && !(flags & STRSAFE_IGNORE_NULLS)) status = STATUS_INVALID_PARAMETER;
  if (status != STATUS_SUCCESS || to == NULL || format == NULL) return status;
  int written = _vsnwprintf(to->Buffer, to->MaximumLength / sizeof(WCHAR), format, arguments);
  to->Length = (USHORT)(written < 0 ? to->MaximumLength : written * sizeof(WCHAR));
  return ndislab_finish_unicode(written < 0 ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS, to, 0, remaining, flags);
}
NDISLAB_STRING NTSTATUS RtlUnicodeStringVPrintf(PUNICODE_STRING to, const WCHAR *format, va_list arguments) {
  return RtlUnicodeStringVPrintfEx(to, NULL, 0, format, arguments);
}
NDISLAB_STRING NTSTATUS RtlUnicodeStringPrintf(PUNICODE_STRING to, const WCHAR *format, ...) {
  NDISLAB_VARIADIC(RtlUnicodeStringVPrintfEx(to, NULL, 0, format, arguments))
}
NDISLAB_STRING NTSTATUS RtlUnicodeStringPrintfEx(PUNICODE_STRING to, PUNICODE_STRING remaining, ULONG flags, const WCHAR *format, ...) {
  NDISLAB_VARIADIC(RtlUnicodeStringVPrintfEx(to, remaining, flags, format, arguments))
}

/* From a counted string to one with a zero at its end. */
NDISLAB_STRING NTSTATUS RtlStringCchCopyUnicodeStringEx(WCHAR *to, size_t count, PCUNICODE_STRING from, WCHAR **end, size_t *remaining, ULONG flags) {
  if (RtlUnicodeStringValidateEx(from, flags & STRSAFE_IGNORE_NULLS) != STATUS_SUCCESS) return STATUS_INVALID_PARAMETER;
  static const WCHAR none[1];
  size_t length = from == NULL ? 0 : from->Length / sizeof(WCHAR);
  return RtlStringCchCopyNExW(to, count, length == 0 ? none : from->Buffer, length, end, remaining, flags);
}
NDISLAB_STRING NTSTATUS RtlStringCchCopyUnicodeString(WCHAR *to, size_t count, PCUNICODE_STRING from) {
  return RtlStringCchCopyUnicodeStringEx(to, count, from, NULL, NULL, 0);
}
NDISLAB_STRING NTSTATUS RtlStringCbCopyUnicodeStringEx(WCHAR *to, size_t bytes, PCUNICODE_STRING from, WCHAR **end, size_t *remaining, ULONG flags) {
  NTSTATUS status = RtlStringCchCopyUnicodeStringEx(to, bytes / sizeof(WCHAR), from, end, remaining, flags);
  if (remaining != NULL) *remaining = *remaining * sizeof(WCHAR) + bytes % sizeof(WCHAR);
  return status;
}
NDISLAB_STRING NTSTATUS RtlStringCbCopyUnicodeString(WCHAR *to, size_t bytes, PCUNICODE_STRING from) {
  return RtlStringCchCopyUnicodeStringEx(to, bytes / sizeof(WCHAR), from, NULL, NULL, 0);
}
