/* The base types and macros of kernel code, with the 32-bit Windows data model. */
#pragma once
#include <ndislab/compiler.h>
#include <sal.h>
#include <stddef.h>
#include <stdarg.h>
#include <string.h>

#ifndef _X86_
#define _X86_
#endif
#ifndef DBG
#define DBG 0
#endif

#define VOID void
#define CONST const
#define FAR
#define NEAR
#define NTAPI
#define NTSYSAPI
#define NTKERNELAPI
#define NTHALAPI
#define NTSYSCALLAPI
#define FASTCALL
#define CALLBACK
#define WINAPI
#define APIENTRY
#define EXPORT
#define DECLSPEC_IMPORT
#define DECLSPEC_EXPORT
#define DECLSPEC_NORETURN
#define DECLSPEC_NOINLINE __attribute__((noinline))
#define DECLSPEC_NOTHROW
#define DECLSPEC_ALIGN(bytes) __attribute__((aligned(bytes)))
#define DECLSPEC_CACHEALIGN DECLSPEC_ALIGN(64)
#define DECLSPEC_SELECTANY __attribute__((weak))
#define DECLSPEC_DEPRECATED_DDK
#define DECLSPEC_DEPRECATED
#define DECLSPEC_GUARDNOCF
#define DECLSPEC_RESTRICT
#define DECLSPEC_UUID(text)
#define CFORCEINLINE __inline
/* Not inline for clang: what is "extern FORCEINLINE" has to be emitted, and several definitions of one function are let pass. */
#define FORCEINLINE __attribute__((__unused__))
#ifndef __forceinline
#define __forceinline __attribute__((__unused__))
#endif
#define INITIALIZE_SECTION
#define UNALIGNED
#define UNALIGNED64
#define RESTRICTED_POINTER
#define POINTER_32
#define POINTER_64
#define EXTERN_C extern
#define EXTERN_C_START
#define EXTERN_C_END
#define IN
#define OUT
#define OPTIONAL
#define TRUE 1
#define FALSE 0
#ifndef NULL
#define NULL ((void *)0)
#endif
#define ANYSIZE_ARRAY 1
#define MAX_PATH 260

typedef char CHAR, CCHAR, *PCHAR, *PCCHAR, *PSTR, *LPSTR, *PSZ;
typedef const char *PCSTR, *LPCSTR, *PCSZ;
typedef signed char INT8, *PINT8, SCHAR, *PSCHAR;
typedef unsigned char UCHAR, *PUCHAR, BYTE, *PBYTE, UINT8, *PUINT8, BOOLEAN, *PBOOLEAN;
typedef const unsigned char *PCUCHAR;
typedef short SHORT, *PSHORT, CSHORT, INT16, *PINT16;
typedef unsigned short USHORT, *PUSHORT, WORD, *PWORD, UINT16, *PUINT16;
typedef int INT, *PINT, BOOL, *PBOOL, INT32, *PINT32;
typedef unsigned int UINT, *PUINT, UINT32, *PUINT32, DWORD32, *PDWORD32;
typedef long LONG, *PLONG, LONG32, *PLONG32, HRESULT;
typedef unsigned long ULONG, *PULONG, DWORD, *PDWORD, ULONG32, *PULONG32, LOGICAL, *PLOGICAL;
typedef long long LONGLONG, *PLONGLONG, LONG64, *PLONG64, INT64, *PINT64;
typedef unsigned long long ULONGLONG, *PULONGLONG, ULONG64, *PULONG64, UINT64, *PUINT64, DWORDLONG, DWORD64, *PDWORD64;
typedef long INT_PTR, *PINT_PTR, LONG_PTR, *PLONG_PTR, SSIZE_T, *PSSIZE_T;
typedef unsigned long UINT_PTR, *PUINT_PTR, ULONG_PTR, *PULONG_PTR, DWORD_PTR, *PDWORD_PTR, SIZE_T, *PSIZE_T, KAFFINITY, *PKAFFINITY;
typedef unsigned short WCHAR, *PWCHAR, *PWCH, *PWSTR, *LPWSTR, *NWPSTR, *PZZWSTR;
typedef const unsigned short *PCWCH, *PCWSTR, *LPCWSTR, *LPCWCH, *PCZZWSTR;
typedef void *PVOID, *PVOID64, *LPVOID, *HANDLE, **PHANDLE;
typedef const void *LPCVOID;
typedef long NTSTATUS, *PNTSTATUS;
typedef unsigned long LCID, *PLCID, ACCESS_MASK, *PACCESS_MASK, SECURITY_INFORMATION, NODE_REQUIREMENT, DEVICE_TYPE;
typedef unsigned long long POOL_FLAGS;
typedef void *PSECURITY_DESCRIPTOR, *PSID;
typedef char KPROCESSOR_MODE;
typedef UCHAR KIRQL, *PKIRQL;
typedef LONG KPRIORITY;
typedef ULONG_PTR KSPIN_LOCK, *PKSPIN_LOCK;
typedef LONG EX_SPIN_LOCK, *PEX_SPIN_LOCK;
typedef DWORDLONG REGHANDLE, *PREGHANDLE;

#define DECLARE_HANDLE(name)    \
  struct name##__ {             \
    int unused;                 \
  };                            \
  typedef struct name##__ *name

#ifndef GUID_DEFINED
#define GUID_DEFINED
typedef struct _GUID {
  unsigned long Data1;
  unsigned short Data2;
  unsigned short Data3;
  unsigned char Data4[8];
} GUID, UUID, *LPGUID, *PGUID, CLSID, IID;
typedef const GUID *LPCGUID;
#endif
#define REFGUID const GUID *
#define IsEqualGUID(one, two) (memcmp((one), (two), sizeof(GUID)) == 0)
#define InlineIsEqualGUID IsEqualGUID
/* One weak definition for each module that mentions the GUID, so that no library of GUIDs is needed. */
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) \
  const GUID __attribute__((weak)) name = {l, w1, w2, {b1, b2, b3, b4, b5, b6, b7, b8}}

typedef union _ULARGE_INTEGER {
  struct {
    ULONG LowPart;
    ULONG HighPart;
  };
  struct {
    ULONG LowPart;
    ULONG HighPart;
  } u;
  ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

#define C_ASSERT(condition) _Static_assert(condition, #condition)
#define FIELD_OFFSET(type, field) ((LONG)__builtin_offsetof(type, field))
#define UFIELD_OFFSET(type, field) ((ULONG)__builtin_offsetof(type, field))
#define BYTE_OFFSET(address) ((ULONG)((ULONG_PTR)(address) & 0xFFF))
#define RTL_FIELD_SIZE(type, field) (sizeof(((type *)0)->field))
#define FIELD_SIZE RTL_FIELD_SIZE
#define RTL_SIZEOF_THROUGH_FIELD(type, field) (FIELD_OFFSET(type, field) + RTL_FIELD_SIZE(type, field))
#define RTL_CONTAINS_FIELD(record, size, field) \
  ((((PCHAR)(&(record)->field)) + sizeof((record)->field)) <= (((PCHAR)(record)) + (size)))
#define RTL_NUMBER_OF(array) (sizeof(array) / sizeof((array)[0]))
#define RTL_NUMBER_OF_V1 RTL_NUMBER_OF
#define RTL_NUMBER_OF_V2 RTL_NUMBER_OF
#define RTL_NUMBER_OF_FIELD(type, field) (RTL_NUMBER_OF(((type *)0)->field))
#define ARRAYSIZE RTL_NUMBER_OF
#define RTL_BITS_OF(expression) (sizeof(expression) * 8)
#define RTL_BITS_OF_FIELD(type, field) (RTL_BITS_OF(((type *)0)->field))
#define RTL_CONST_CAST(type) (type)
#define CONTAINING_RECORD(address, type, field) ((type *)((PCHAR)(address) - __builtin_offsetof(type, field)))
#define TYPE_ALIGNMENT(type) __alignof__(type)
#define UNREFERENCED_PARAMETER(parameter) ((void)(parameter))
#define UNREFERENCED_LOCAL_VARIABLE(variable) ((void)(variable))
#define DBG_UNREFERENCED_PARAMETER(parameter) ((void)(parameter))
#define DBG_UNREFERENCED_LOCAL_VARIABLE(variable) ((void)(variable))
#define ARGUMENT_PRESENT(argument) ((PVOID)(argument) != NULL)
#define NOTHING
#define NT_SUCCESS(status) (((NTSTATUS)(status)) >= 0)
#define NT_INFORMATION(status) ((((ULONG)(status)) >> 30) == 1)
#define NT_WARNING(status) ((((ULONG)(status)) >> 30) == 2)
#define NT_ERROR(status) ((((ULONG)(status)) >> 30) == 3)
#define SUCCEEDED(result) (((HRESULT)(result)) >= 0)
#define FAILED(result) (((HRESULT)(result)) < 0)
#define ALIGN_DOWN_BY(length, alignment) ((ULONG_PTR)(length) & ~((ULONG_PTR)(alignment) - 1))
#define ALIGN_UP_BY(length, alignment) (ALIGN_DOWN_BY(((ULONG_PTR)(length) + (alignment) - 1), alignment))
#define ALIGN_DOWN_POINTER_BY(address, alignment) ((PVOID)ALIGN_DOWN_BY(address, alignment))
#define ALIGN_UP_POINTER_BY(address, alignment) ((PVOID)ALIGN_UP_BY(address, alignment))
#define ALIGN_DOWN(length, type) ALIGN_DOWN_BY(length, sizeof(type))
#define ALIGN_UP(length, type) ALIGN_UP_BY(length, sizeof(type))
#define ALIGN_DOWN_POINTER(address, type) ALIGN_DOWN_POINTER_BY(address, sizeof(type))
#define ALIGN_UP_POINTER(address, type) ALIGN_UP_POINTER_BY(address, sizeof(type))
#define MAKELONG(low, high) ((LONG)(((USHORT)(low)) | ((ULONG)((USHORT)(high))) << 16))
#define LOWORD(value) ((USHORT)((ULONG_PTR)(value) & 0xFFFF))
#define HIWORD(value) ((USHORT)((ULONG_PTR)(value) >> 16))
#define LOBYTE(value) ((UCHAR)((ULONG_PTR)(value) & 0xFF))
#define HIBYTE(value) ((UCHAR)(((ULONG_PTR)(value) >> 8) & 0xFF))
#define PtrToUlong(value) ((ULONG)(ULONG_PTR)(value))
#define PtrToLong(value) ((LONG)(LONG_PTR)(value))
#define PtrToUint(value) ((UINT)(UINT_PTR)(value))
#define UlongToPtr(value) ((PVOID)(ULONG_PTR)(value))
#define ULongToPtr UlongToPtr
#define LongToPtr(value) ((PVOID)(LONG_PTR)(value))
#define HandleToULong(value) ((ULONG)(ULONG_PTR)(value))
#define HandleToUlong HandleToULong
#define ULongToHandle(value) ((HANDLE)(ULONG_PTR)(value))
#define UlongToHandle ULongToHandle
#define Handle32ToHandle(value) ((HANDLE)(ULONG_PTR)(value))
#define HandleToHandle32(value) ((PVOID)(value))
#define Int64ShllMod32(value, shift) ((ULONGLONG)(value) << ((shift) & 31))
#define Int32x32To64(one, two) ((LONGLONG)(LONG)(one) * (LONGLONG)(LONG)(two))
#define UInt32x32To64(one, two) ((ULONGLONG)(ULONG)(one) * (ULONGLONG)(ULONG)(two))
#ifndef min
#define min(a, b) (((a) < (b)) ? (a) : (b))
#endif
#ifndef max
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#define ANSI_NULL ((CHAR)0)
#define UNICODE_NULL ((WCHAR)0)
#define UNICODE_STRING_MAX_BYTES 0xFFFE
#define UNICODE_STRING_MAX_CHARS 32767
#define MAXUCHAR 0xFF
#define MAXUSHORT 0xFFFF
#define MAXULONG 0xFFFFFFFFUL
#define MAXLONG 0x7FFFFFFF
#define MINLONG ((LONG)0x80000000)
#define MAXUINT 0xFFFFFFFFU
#define MAXUINT8 ((UINT8)0xFF)
#define MAXUINT16 ((UINT16)0xFFFF)
#define MAXUINT32 ((UINT32)0xFFFFFFFF)
#define MAXLONGLONG 0x7FFFFFFFFFFFFFFFLL
#define MAXULONGLONG 0xFFFFFFFFFFFFFFFFULL
#define MAXULONG_PTR MAXULONG
#define MAXDWORD MAXULONG
#define RTL_CONSTANT_STRING(text) {sizeof(text) - sizeof((text)[0]), sizeof(text), (PVOID)(text)}
#define TEXT(quote) L##quote
#define DEFINE_ENUM_FLAG_OPERATORS(type)
#define BooleanFlagOn(flags, flag) ((BOOLEAN)(((flags) & (flag)) != 0))
#define FlagOn(flags, flag) ((flags) & (flag))
#define SetFlag(flags, flag) ((flags) |= (flag))
#define ClearFlag(flags, flag) ((flags) &= ~(flag))
