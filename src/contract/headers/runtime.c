/* The C functions that drivers and the compiler itself call. They touch only memory. */
#include <string.h>

/* With bulk memory these builtins are instructions, not calls of the functions that they are in. */
void *memcpy(void *to, const void *from, size_t length) { return __builtin_memcpy(to, from, length); }
void *memmove(void *to, const void *from, size_t length) { return __builtin_memmove(to, from, length); }
void *memset(void *to, int value, size_t length) { return __builtin_memset(to, value, length); }

int memcmp(const void *one, const void *two, size_t length) {
  const unsigned char *a = one, *b = two;
  for (size_t i = 0; i < length; i++)
    if (a[i] != b[i]) return a[i] - b[i];
  return 0;
}

void *memchr(const void *from, int value, size_t length) {
  const unsigned char *bytes = from;
  for (size_t i = 0; i < length; i++)
    if (bytes[i] == (unsigned char)value) return (void *)(bytes + i);
  return NULL;
}

int tolower(int value) { return value >= 'A' && value <= 'Z' ? value + 32 : value; }
int toupper(int value) { return value >= 'a' && value <= 'z' ? value - 32 : value; }
int towlower(int value) { return tolower(value); }
int towupper(int value) { return toupper(value); }
int isdigit(int value) { return value >= '0' && value <= '9'; }
int abs(int value) { return value < 0 ? -value : value; }

/* The same functions for 8-bit and 16-bit characters. */
#define STRINGS(type, length, limited_length, compare, limited_compare, copy, limited_copy, append, find, find_last, find_part) \
  size_t length(const type *string) {                                                                               \
    size_t count = 0;                                                                                               \
    while (string[count] != 0) count++;                                                                             \
    return count;                                                                                                   \
  }                                                                                                                 \
  size_t limited_length(const type *string, size_t limit) {                                                         \
    size_t count = 0;                                                                                               \
    while (count < limit && string[count] != 0) count++;                                                            \
    return count;                                                                                                   \
  }                                                                                                                 \
  int limited_compare(const type *one, const type *two, size_t limit) {                                             \
    for (size_t i = 0; i < limit; i++) {                                                                            \
      if (one[i] != two[i]) return one[i] < two[i] ? -1 : 1;                                                        \
      if (one[i] == 0) break;                                                                                       \
    }                                                                                                               \
    return 0;                                                                                                       \
  }                                                                                                                 \
  int compare(const type *one, const type *two) { return limited_compare(one, two, (size_t)-1); }                   \
  type *limited_copy(type *to, const type *from, size_t limit) {                                                    \
    size_t i = 0;                                                                                                   \
    for (; i < limit && from[i] != 0; i++) to[i] = from[i];                                                         \
    for (; i < limit; i++) to[i] = 0;                                                                               \
    return to;                                                                                                      \
  }                                                                                                                 \
  type *copy(type *to, const type *from) { return __builtin_memmove(to, from, (length(from) + 1) * sizeof(type)); } \
  type *append(type *to, const type *from) {                                                                        \
    copy(to + length(to), from);                                                                                    \
    return to;                                                                                                      \
  }                                                                                                                 \
  static type *find##_in(const type *string, type value) {                                                          \
    for (;; string++) {                                                                                             \
      if (*string == value) return (type *)string;                                                                  \
      if (*string == 0) return NULL;                                                                                \
    }                                                                                                               \
  }                                                                                                                 \
  static type *find_last##_in(const type *string, type value) {                                                     \
    const type *found = NULL;                                                                                       \
    for (;; string++) {                                                                                             \
      if (*string == value) found = string;                                                                         \
      if (*string == 0) return (type *)found;                                                                       \
    }                                                                                                               \
  }                                                                                                                 \
  type *find_part(const type *string, const type *part) {                                                           \
    size_t count = length(part);                                                                                    \
    for (; limited_compare(string, part, count) != 0; string++)                                                     \
      if (*string == 0) return NULL;                                                                                \
    return (type *)string;                                                                                          \
  }
STRINGS(char, strlen, strnlen, strcmp, strncmp, strcpy, strncpy, strcat, strchr, strrchr, strstr)
STRINGS(wchar_t, wcslen, wcsnlen, wcscmp, wcsncmp, wcscpy, wcsncpy, wcscat, wcschr, wcsrchr, wcsstr)
char *strchr(const char *string, int value) { return strchr_in(string, (char)value); }
char *strrchr(const char *string, int value) { return strrchr_in(string, (char)value); }
wchar_t *wcschr(const wchar_t *string, wchar_t value) { return wcschr_in(string, value); }
wchar_t *wcsrchr(const wchar_t *string, wchar_t value) { return wcsrchr_in(string, value); }

int _strnicmp(const char *one, const char *two, size_t limit) {
  for (size_t i = 0; i < limit; i++) {
    int a = tolower(one[i]), b = tolower(two[i]);
    if (a != b) return a < b ? -1 : 1;
    if (a == 0) break;
  }
  return 0;
}
int _stricmp(const char *one, const char *two) { return _strnicmp(one, two, (size_t)-1); }
int _wcsnicmp(const wchar_t *one, const wchar_t *two, size_t limit) {
  for (size_t i = 0; i < limit; i++) {
    int a = tolower(one[i]), b = tolower(two[i]);
    if (a != b) return a < b ? -1 : 1;
    if (a == 0) break;
  }
  return 0;
}
int _wcsicmp(const wchar_t *one, const wchar_t *two) { return _wcsnicmp(one, two, (size_t)-1); }
char *ndislab_strupr(char *string) {
  for (char *c = string; *c != 0; c++) *c = (char)toupper(*c);
  return string;
}

/* An insertion sort: simple, stable and the same everywhere. */
void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *)) {
  char *items = base;
  for (size_t i = 1; i < count; i++)
    for (size_t j = i; j > 0 && compare(items + (j - 1) * size, items + j * size) > 0; j--)
      for (size_t k = 0; k < size; k++) {
        char byte = items[j * size + k];
        items[j * size + k] = items[(j - 1) * size + k];
        items[(j - 1) * size + k] = byte;
      }
}
