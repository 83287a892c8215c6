#pragma once
#include <stdarg.h>
#include <stddef.h>
int _vsnprintf(char *buffer, size_t count, const char *format, va_list arguments);
int _vsnwprintf(wchar_t *buffer, size_t count, const wchar_t *format, va_list arguments);
static __inline __attribute__((unused)) int _snprintf(char *buffer, size_t count, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int written = _vsnprintf(buffer, count, format, arguments);
  va_end(arguments);
  return written;
}
static __inline __attribute__((unused)) int _snwprintf(wchar_t *buffer, size_t count, const wchar_t *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int written = _vsnwprintf(buffer, count, format, arguments);
  va_end(arguments);
  return written;
}
static __inline __attribute__((unused)) int sprintf(char *buffer, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int written = _vsnprintf(buffer, 0x7FFFFFFF, format, arguments);
  va_end(arguments);
  return written;
}
