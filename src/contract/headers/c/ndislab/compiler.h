/* What a Windows C compiler has built in and clang for wasm32 does not: calling conventions, structured exceptions, intrinsics. */
#pragma once

#define __cdecl
#define __stdcall
#define __fastcall
#define __vectorcall
#define __thiscall
#define _cdecl
#define _stdcall
#define _fastcall
#define __unaligned __attribute__((aligned(1)))
#define __w64
#define __ptr32
#define __ptr64
#define __sptr
#define __uptr

/* A wrapper that must not show up as a frame of its own: its call belongs to the driver's function. */
#define NDISLAB_INLINE static __inline __attribute__((always_inline, unused))

/*
 * No exception is ever dispatched here: a protected block runs, a handler is never entered, and a termination block runs when the protected
 * block ends or is left with __leave (not when it is left with return or goto).
 */
#define __try                    \
  {                              \
    __label__ ndislab_leave;     \
    if (1)
#define NDISLAB_END_TRY \
  ndislab_leave:        \
  __attribute__((unused)); \
  }
#define __except(filter) NDISLAB_END_TRY if (0 && (filter))
#define __finally NDISLAB_END_TRY if (1)
#define __leave goto ndislab_leave
#define GetExceptionCode() ((long)0xC0000005L)
#define GetExceptionInformation() ((void *)0)
#define AbnormalTermination() 0
#define _exception_code() GetExceptionCode()

void DbgBreakPoint(void);
#define __debugbreak() DbgBreakPoint()
#define __fastfail(code) ndislab_fail_fast((unsigned long)(code))
void KeBugCheckEx(unsigned long, unsigned long, unsigned long, unsigned long, unsigned long);
NDISLAB_INLINE void ndislab_fail_fast(unsigned long code) { KeBugCheckEx(0x139, code, 0, 0, 0); }

#define _ReadWriteBarrier() __asm__ volatile("" ::: "memory")
#define _ReadBarrier() _ReadWriteBarrier()
#define _WriteBarrier() _ReadWriteBarrier()
#define _mm_pause() ((void)0)
#define YieldProcessor() ((void)0)
#define _byteswap_ushort(value) __builtin_bswap16(value)
#define _byteswap_ulong(value) __builtin_bswap32(value)
#define _byteswap_uint64(value) __builtin_bswap64(value)
#define _alloca(size) __builtin_alloca(size)
#define alloca(size) __builtin_alloca(size)
#define _countof(array) (sizeof(array) / sizeof((array)[0]))
#define _ReturnAddress() ((void *)0)
#define __noop(...) ((void)0)
#define __assume(condition) ((condition) ? (void)0 : __builtin_unreachable())
#define static_assert _Static_assert
#define _strupr ndislab_strupr

#define BitScanForward(index, mask) ndislab_bit_scan_forward((unsigned long *)(index), (mask))
#define BitScanReverse(index, mask) ndislab_bit_scan_reverse((unsigned long *)(index), (mask))
#define _BitScanForward BitScanForward
#define _BitScanReverse BitScanReverse
NDISLAB_INLINE unsigned char ndislab_bit_scan_forward(unsigned long *index, unsigned long mask) {
  if (mask == 0) return 0;
  *index = (unsigned long)__builtin_ctzl(mask);
  return 1;
}
NDISLAB_INLINE unsigned char ndislab_bit_scan_reverse(unsigned long *index, unsigned long mask) {
  if (mask == 0) return 0;
  *index = 31 - (unsigned long)__builtin_clzl(mask);
  return 1;
}
