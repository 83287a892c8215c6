/** ntintsafe.h: checked arithmetic and conversions. On overflow the result is all ones and the status STATUS_INTEGER_OVERFLOW. */

const TYPES: readonly (readonly [name: string, type: string])[] = [
  ["Int8", "INT8"],
  ["UInt8", "UINT8"],
  ["UChar", "UCHAR"],
  ["Byte", "BYTE"],
  ["Short", "SHORT"],
  ["UShort", "USHORT"],
  ["Int16", "INT16"],
  ["UInt16", "UINT16"],
  ["Word", "WORD"],
  ["Int", "INT"],
  ["UInt", "UINT"],
  ["Int32", "INT32"],
  ["UInt32", "UINT32"],
  ["Long", "LONG"],
  ["ULong", "ULONG"],
  ["DWord", "DWORD"],
  ["IntPtr", "INT_PTR"],
  ["UIntPtr", "UINT_PTR"],
  ["LongPtr", "LONG_PTR"],
  ["ULongPtr", "ULONG_PTR"],
  ["DWordPtr", "DWORD_PTR"],
  ["SizeT", "SIZE_T"],
  ["SIZET", "SIZE_T"],
  ["SSIZET", "SSIZE_T"],
  ["LongLong", "LONGLONG"],
  ["ULongLong", "ULONGLONG"],
  ["Int64", "INT64"],
  ["UInt64", "UINT64"],
  ["Long64", "LONG64"],
  ["ULong64", "ULONG64"],
];

const OPERATIONS = [
  ["Add", "add"],
  ["Sub", "sub"],
  ["Mult", "mul"],
] as const;

export function safeIntegersHeader(): string {
  const arithmetic = TYPES.flatMap(([name, type]) =>
    OPERATIONS.map(([operation, builtin]) => `NDISLAB_SAFE(Rtl${name}${operation}, ${type}, ${type}, ${builtin})`),
  );
  const conversions = TYPES.flatMap(([from, fromType]) =>
    TYPES.filter(([to]) => to !== from).map(([to, toType]) => `NDISLAB_SAFE_CONVERT(Rtl${from}To${to}, ${fromType}, ${toType})`),
  );
  return `/* Checked arithmetic and conversions of integers. */
#pragma once
#include <wdm.h>

#define NDISLAB_SAFE(name, from, to, operation)                    \\
  NDISLAB_INLINE NTSTATUS name(from one, from two, to *result) {   \\
    if (!__builtin_##operation##_overflow(one, two, result)) return STATUS_SUCCESS; \\
    *result = (to)-1;                                              \\
    return STATUS_INTEGER_OVERFLOW;                                \\
  }
#define NDISLAB_SAFE_CONVERT(name, from, to)             \\
  NDISLAB_INLINE NTSTATUS name(from value, to *result) { \\
    if (!__builtin_add_overflow(value, (from)0, result)) return STATUS_SUCCESS; \\
    *result = (to)-1;                                    \\
    return STATUS_INTEGER_OVERFLOW;                      \\
  }
#define INTSAFE_E_ARITHMETIC_OVERFLOW STATUS_INTEGER_OVERFLOW
${arithmetic.join("\n")}
${conversions.join("\n")}
NDISLAB_INLINE NTSTATUS RtlUInt32RoundUpToPowerOfTwo(UINT32 value, UINT32 *result) {
  UINT32 power = 1;
  while (power < value && power != 0) power <<= 1;
  *result = power != 0 ? power : (UINT32)-1;
  return power != 0 ? STATUS_SUCCESS : STATUS_INTEGER_OVERFLOW;
}
`;
}
