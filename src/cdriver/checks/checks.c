/*
 * What a driver's checks do when the inline test before an access does not settle it: see access-checks.ts. Linked to every driver, and not checked
 * itself. The layout of what it shares with the host is in shared-state.ts; the compiler is given the addresses.
 *
 * An access is right when no byte of it is poisoned, and when it is ordered after the accesses of other threads that it conflicts with. The
 * second is FastTrack (Flanagan and Freund, PLDI 2009): of each word, who wrote it last and who read it, as a stamp of thread and clock. What
 * was found right is granted for the rest of the epoch, that is until the thread releases something or another one runs.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

__asm__(".globaltype __stack_pointer, i32");

#define INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))
#define WORD(address) (*(u32 *)(address))

#define EPOCH WORD(CLOCKS)
#define STAMP WORD(CLOCKS + 16)
#define ORDERED ((u32 *)WORD(CLOCKS + 20))
#define STACK_START WORD(CLOCKS + 24)
#define STACK_END WORD(CLOCKS + 28)
/* Clocks up to this one are of earlier runs. */
#define BASE WORD(CLOCKS + 32)
#define RUN WORD(CLOCKS + 36)
#define THREADS WORD(CLOCKS + 40)
/* Set when a thread accesses another one's stack. */
#define FOREIGN WORD(CLOCKS + 44)
#define WATCHED WORD(CLOCKS + 48)
#define WATCHED_END WORD(CLOCKS + 52)
#define CHECKS_RACES WORD(CLOCKS + 56)

/* How an access is made. */
#define WRITES 1u
#define IS_VOLATILE 2u

/* A decision depends on bytes that nobody has written. */
extern void __ndislab_unwritten(u32 address, u32 bytes);
/* Returns when the access is fine after all. */
extern void __ndislab_denied(u32 address, u32 bytes, u32 how);
/* `other` is the stamp of an access that is not ordered before this one, `other_writes` what that one did. */
extern void __ndislab_race(u32 address, u32 bytes, u32 how, u32 other, u32 other_writes);
extern void __ndislab_watched(u32 address, u32 bytes, u32 how);
/* With the meaning that volatile has for Microsoft's compiler: a load acquires, a store releases. */
extern void __ndislab_volatile(u32 address, u32 bytes, u32 how);

/* A stamp: which bytes of the word (4 bits), thread (7), clock (21). */
#define MASK(stamp) ((stamp)&15)
#define THREAD(stamp) ((stamp) >> 4 & 127)
#define CLOCK(stamp) ((stamp) >> 11)
/* In place of a stamp, no bytes: several threads read it; its bytes are kept one by one. */
#define SHARED 0x10u
#define SPLIT 0x20u

/* Readers that are not ordered, and bytes one by one, are in tables by hash. Who finds the place taken gives up what is there. */
#define READERS_ENTRIES 1024
#define SPLIT_ENTRIES 8192
struct readers { u32 owner, run, reserved[2], clocks[128]; };
struct split { u32 owner, run, cells[8]; };
#define READERS ((struct readers *)READERS_START)
#define SPLITS ((struct split *)SPLITS_START)

INLINE struct readers *readers_of(u32 key) { return &READERS[(key * 2654435761u) >> 22]; }
INLINE struct split *split_of(u32 word) { return &SPLITS[(word * 2654435761u) >> 19]; }

/* With the slot of a driver for which alone the granule is poisoned, or which alone may not write it. */
#define NOT_FOR 0x90
#define NOT_WRITTEN_BY 0xa0
/* In place of a slot: what any driver may do. */
#define ANYBODY 16

NOINLINE int __ndislab_is_allowed(u32 address, u32 bytes, u32 writes, u32 slot) {
  u32 last = address + bytes - 1;
  if (last >= MACHINE_BYTES || last < address) return 0;
  const u8 *poison = (const u8 *)POISON;
  u32 end = last >> 3;
  for (u32 granule = address >> 3; granule <= end; granule++) {
    if ((granule & 7) == 0 && granule + 8 <= end && *(const u64 *)(poison + granule) == 0) {
      granule += 7;
      continue;
    }
    u8 state = poison[granule];
    if (state == 0 || (state < 8 && granule == end && (last & 7) < state)) continue;
    u32 kind = state & 0xf0;
    if (kind != NOT_FOR && kind != NOT_WRITTEN_BY) return 0;
    if ((slot == ANYBODY || (state & 15) == slot) && (writes || kind == NOT_FOR)) return 0;
  }
  return 1;
}

/* The access of all the bytes that a cell stands for. `bit` is their mask. */
INLINE void touch(u32 *cell, u32 key, u32 mask, u32 how, u32 address, u32 bytes) {
  u32 wrote = cell[0], read = cell[1], me = STAMP;
  const u32 *ordered = ORDERED;
  if (CLOCK(wrote) > BASE && CLOCK(wrote) > ordered[THREAD(wrote)]) __ndislab_race(address, bytes, how, wrote, 1);
  if (how & WRITES) {
    if (read == SHARED) {
      struct readers *readers = readers_of(key);
      if (readers->owner == key && readers->run == RUN)
        for (u32 i = 0; i < THREADS; i++)
          if (readers->clocks[i] > ordered[i]) {
            __ndislab_race(address, bytes, how, readers->clocks[i] << 11 | i << 4 | 15, 0);
            break;
          }
    } else if (CLOCK(read) > BASE && CLOCK(read) > ordered[THREAD(read)]) {
      __ndislab_race(address, bytes, how, read, 0);
    }
    cell[0] = me | mask;
    cell[1] = 0;
    return;
  }
  if (read != SHARED && (CLOCK(read) <= BASE || CLOCK(read) <= ordered[THREAD(read)])) {
    cell[1] = me | mask;
    return;
  }
  struct readers *readers = readers_of(key);
  if (read != SHARED || readers->owner != key || readers->run != RUN) {
    readers->owner = key;
    readers->run = RUN;
    for (u32 i = 0; i < 128; i++) readers->clocks[i] = 0;
    if (read != SHARED) readers->clocks[THREAD(read)] = CLOCK(read);
    cell[1] = SHARED;
  }
  readers->clocks[THREAD(me)] = CLOCK(me);
}

/* The bytes of the word are kept one by one from now on. */
NOINLINE struct split *__ndislab_split(u32 *cell, u32 word) {
  struct split *split = split_of(word);
  split->owner = word;
  split->run = RUN;
  const struct readers *readers = cell[1] == SHARED ? readers_of(word) : 0;
  if (readers && (readers->owner != word || readers->run != RUN)) readers = 0;
  for (u32 i = 0; i < 4; i++) {
    split->cells[2 * i] = MASK(cell[0]) >> i & 1 ? cell[0] : 0;
    split->cells[2 * i + 1] = cell[1] == SHARED || !(MASK(cell[1]) >> i & 1) ? 0 : cell[1];
    if (!readers) continue;
    struct readers *own = readers_of(word + i);
    if (own != readers) *own = *readers;
    own->owner = word + i;
    split->cells[2 * i + 1] = SHARED;
  }
  cell[0] = SPLIT;
  cell[1] = 0;
  return split;
}

INLINE int is_plain(u32 cell, u32 mask) { return CLOCK(cell) <= BASE ? cell != SPLIT : MASK(cell) == mask; }

NOINLINE void __ndislab_record_bytes(u32 *cell, u32 word, u32 mask, u32 how, u32 address, u32 bytes) {
  struct split *found = split_of(word);
  if (cell[0] != SPLIT)
    found = __ndislab_split(cell, word);
  else if (found->owner != word || found->run != RUN) {
    cell[0] = cell[1] = 0;
    found = __ndislab_split(cell, word);
  }
  for (u32 i = 0; i < 4; i++)
    if (mask >> i & 1) touch(&found->cells[2 * i], word + i, 1u << i, how, address, bytes);
}

INLINE void record(u32 word, u32 mask, u32 how, u32 address, u32 bytes) {
  u32 *cell = (u32 *)(ACCESSES + word * 2);
  if (word >= STACKS_START && word < STACKS_END) {
    /* A thread's own stack: nobody else knows it, unless a cell says so. */
    if (word >= STACK_START && word < STACK_END) {
      if ((cell[0] | cell[1]) == 0) return;
    } else
      FOREIGN = 1;
  }
  if (is_plain(cell[0], mask) && (is_plain(cell[1], mask) || (cell[1] == SHARED && mask == 15)))
    touch(cell, word, mask, how, address, bytes);
  else
    __ndislab_record_bytes(cell, word, mask, how, address, bytes);
}

/*
 * What nobody has written since it was allocated, a bit for each byte: see kernel/unwritten.ts. Stores clear the bits; copies take them along. Of a
 * word in which the library wrote, the marked bytes are not what they were filled with.
 */
#define FILLED (FILL * 0x01010101u)
#define UNWRITTEN_BYTE(address) (((u8 *)UNWRITTEN)[(address) >> 3])

/* The bits of a word that are true. */
INLINE u32 unwritten_of(u32 word) {
  u32 marks = UNWRITTEN_BYTE(word) >> (word & 4) & 15;
  if (marks == 0) return 0;
  /* Four bits to four bytes. */
  u32 bytes = ((marks * 0x00204081u) & 0x01010101u) * 0xffu;
  if (((WORD(word) ^ FILLED) & bytes) == 0) return marks;
  UNWRITTEN_BYTE(word) &= 0xf0 >> (word & 4);
  return 0;
}

INLINE int has_unwritten(u32 address, u32 bytes) {
  const u8 *marks = (const u8 *)UNWRITTEN;
  u32 at = address >> 3, end = (address + bytes + 7) >> 3;
  for (; at + 8 <= end; at += 8)
    if (*(const u64 *)(marks + at) != 0) return 1;
  for (; at < end; at++)
    if (marks[at] != 0) return 1;
  return 0;
}

NOINLINE void __ndislab_mark_written(u32 address, u32 bytes) {
  if (!has_unwritten(address, bytes)) return;
  u32 end = address + bytes;
  for (u32 at = address; at < end; at++) UNWRITTEN_BYTE(at) &= ~(1u << (at & 7));
}

/* Before the bytes are copied. */
NOINLINE void __ndislab_copy_marks(u32 to, u32 from, u32 bytes) {
  if (bytes == 0) return;
  if (!has_unwritten(from, bytes)) {
    __ndislab_mark_written(to, bytes);
    return;
  }
  for (u32 word = from & ~3u; word < from + bytes; word += 4) unwritten_of(word);
  for (u32 i = 0; i < bytes; i++) {
    u32 offset = to > from ? bytes - 1 - i : i, source = from + offset, target = to + offset;
    u32 mark = UNWRITTEN_BYTE(source) >> (source & 7) & 1;
    UNWRITTEN_BYTE(target) = (UNWRITTEN_BYTE(target) & ~(1u << (target & 7))) | mark << (target & 7);
    if (mark) WORD(GRANTED + (target & ~3u)) = 0;
  }
}

/* Variables of a frame that begins, or ends. */
void __ndislab_frame_begins(u32 start, u32 bytes) {
  __builtin_memset((void *)start, FILL, bytes);
  for (u32 at = start; at < start + bytes; at += 8) UNWRITTEN_BYTE(at) = 0xff;
}
void __ndislab_frame_ends(u32 start, u32 bytes) {
  for (u32 at = start; at < start + bytes; at += 8) UNWRITTEN_BYTE(at) = 0;
}

/*
 * What is granted, of a word: the epoch (22 bits); a bit per byte that may not be written, and one per byte that may not be read. Between them lie
 * bits that are always set, on which an access runs into that is not aligned: it is never granted.
 */
#define ALWAYS 0x210u
#define NO_READ 0x00fu
#define NO_WRITE 0x1e0u

INLINE void grant(u32 word, u32 mask, u32 writes) {
  u32 known = WORD(GRANTED + word), now = EPOCH;
  if ((known ^ now) >> 10) known = now | ALWAYS | NO_READ | NO_WRITE;
  WORD(GRANTED + word) = known & ~(writes ? mask << 5 | mask : mask);
}

INLINE int is_granted(u32 word, u32 writes) {
  return ((WORD(GRANTED + word) ^ EPOCH) & (writes ? ~ALWAYS : ~ALWAYS & ~NO_WRITE)) == 0;
}

/* Words that are accessed one after the other without a gap for so long are data, of which a sample is enough. */
#define RUN_BYTES 64
#define AHEAD_BYTES 256

INLINE void grant_ahead(u32 word, u32 writes) {
  for (u32 back = 4; back <= RUN_BYTES; back += 4)
    if (!is_granted(word - back, writes)) return;
  if ((word & ~0xfffu) != ((word + AHEAD_BYTES) & ~0xfffu) || !__ndislab_is_allowed(word, AHEAD_BYTES, writes, ANYBODY)) return;
  if (has_unwritten(word, AHEAD_BYTES)) return;
  u32 granted = EPOCH | ALWAYS | (writes ? 0 : NO_WRITE);
  for (u32 ahead = 4; ahead < AHEAD_BYTES; ahead += 4)
    if (!is_granted(word + ahead, 1)) WORD(GRANTED + word + ahead) = granted;
}

INLINE u32 stack_pointer(void) {
  u32 pointer;
  __asm__ volatile("global.get __stack_pointer\n\tlocal.set %0" : "=r"(pointer));
  return pointer;
}

/* The current thread's own stack; below its pointer lie the frames of functions that have returned. */
INLINE int is_own_stack(u32 address) { return address - STACK_START < STACK_END - STACK_START; }

NOINLINE void __ndislab_check(u32 address, u32 bytes, u32 how, u32 slot, u32 deciding) {
  u32 last = address + bytes - 1, writes = how & WRITES;
  if (last >= MACHINE_BYTES || last < address) {
    /* Code that the compiler adds poisons what lies between the variables of a frame. */
    if (address < POISON || last >= POISON_END) __ndislab_denied(address, bytes, how);
    return;
  }
  const u8 *poison = (const u8 *)POISON;
  u8 states = poison[address >> 3] | poison[last >> 3];
  if (states != 0 && !__ndislab_is_allowed(address, bytes, writes, slot)) {
    __ndislab_denied(address, bytes, how);
    return;
  }
  /* Never granted: when the function returns, nobody tells. */
  int is_own = is_own_stack(address);
  if (is_own && address < stack_pointer()) {
    __ndislab_denied(address, bytes, how);
    return;
  }
  if (address < WATCHED_END && last >= WATCHED) __ndislab_watched(address, bytes, how);
  for (u32 word = address & ~3u; word <= last; word += 4) {
    u32 from = word < address ? address - word : 0, to = last - word < 3 ? last - word + 1 : 4;
    u32 mask = (1u << to) - (1u << from);
    if (CHECKS_RACES) record(word, mask, how, address, bytes);
    if (UNWRITTEN_BYTE(word) != 0) {
      if (writes)
        UNWRITTEN_BYTE(word) &= ~(mask << (word & 4));
      else {
        u32 unwritten = unwritten_of(word) & mask;
        u32 wanted = word < address ? deciding << (address - word) : deciding >> (word - address);
        if (unwritten & wanted) __ndislab_unwritten(address, bytes);
        if (unwritten) continue;
      }
    }
    if (is_own || states & 0x80 || (word >= (WATCHED & ~3u) && word < WATCHED_END)) continue;
    grant(word, mask, writes);
    if (is_granted(word - 4, writes)) grant_ahead(word, writes);
  }
}

/* `deciding`: a bit for each byte of which it matters whether it was ever written. */
void __ndislab_check_load(u32 address, u32 bytes, u32 deciding) { __ndislab_check(address, bytes, 0, SLOT, deciding); }
void __ndislab_check_store(u32 address, u32 bytes) { __ndislab_check(address, bytes, WRITES, SLOT, 0); }

/* What orders threads by a volatile object is told once an epoch: nobody else runs meanwhile. */
void __ndislab_check_volatile_load(u32 address, u32 bytes, u32 deciding) {
  __ndislab_check(address, bytes, IS_VOLATILE, SLOT, deciding);
  if (CHECKS_RACES) __ndislab_volatile(address, bytes, IS_VOLATILE);
}
void __ndislab_check_volatile_store(u32 address, u32 bytes) {
  __ndislab_check(address, bytes, IS_VOLATILE | WRITES, SLOT, 0);
  if (CHECKS_RACES) __ndislab_volatile(address, bytes, IS_VOLATILE | WRITES);
}

NOINLINE void __ndislab_check_range(u32 address, u32 bytes, u32 writes) {
  if (bytes == 0) return;
  if (!__ndislab_is_allowed(address, bytes, writes, SLOT) || (is_own_stack(address) && address < stack_pointer())) {
    __ndislab_denied(address, bytes, writes);
    return;
  }
  u32 last = address + bytes - 1;
  if (address < WATCHED_END && last >= WATCHED) __ndislab_watched(address, bytes, writes);
  if (!CHECKS_RACES) return;
  for (u32 word = address & ~3u; word <= last; word += 4) {
    u32 from = word < address ? address - word : 0, to = last - word < 3 ? last - word + 1 : 4;
    if (!is_granted(word, writes)) record(word, (1u << to) - (1u << from), writes, address, bytes);
  }
}

void __ndislab_check_copy(u32 to, u32 from, u32 bytes) {
  __ndislab_check_range(from, bytes, 0);
  __ndislab_check_range(to, bytes, 1);
  __ndislab_copy_marks(to, from, bytes);
}
void __ndislab_check_fill(u32 to, u32 bytes) {
  __ndislab_check_range(to, bytes, 1);
  __ndislab_mark_written(to, bytes);
}
/* For the library, which may come to write less than it is allowed to. */
void __ndislab_check_write(u32 to, u32 bytes) { __ndislab_check_range(to, bytes, 1); }
void __ndislab_check_read(u32 from, u32 bytes) { __ndislab_check_range(from, bytes, 0); }

/* Before an access at which the thread may be switched away. */
extern void __ndislab_point(void);
void __ndislab_access_point(void) { __ndislab_point(); }

/* What the compiler calls for copies of structures. */
void *__asan_memcpy(void *to, const void *from, u32 bytes) {
  __ndislab_check_copy((u32)to, (u32)from, bytes);
  return __builtin_memmove(to, from, bytes);
}
void *__asan_memmove(void *to, const void *from, u32 bytes) { return __asan_memcpy(to, from, bytes); }
void *__asan_memset(void *to, int value, u32 bytes) {
  __ndislab_check_fill((u32)to, bytes);
  return __builtin_memset(to, value, bytes);
}

/* What the compiler calls where its code for frames and globals begins; the host poisons what lies between globals. */
void __asan_init(void) {}
void __asan_version_mismatch_check_v8(void) {}
void __asan_handle_no_return(void) {}

INLINE void poison(u32 start, u32 bytes, u8 state) {
  for (u32 granule = start >> 3; granule < (start + bytes) >> 3; granule++) ((u8 *)POISON)[granule] = state;
  for (u32 word = start & ~3u; word < start + bytes; word += 4) WORD(GRANTED + word) = 0;
}

/* A variable of a frame whose scope has ended, or begins; whole granules and a rest. */
#define OUT_OF_SCOPE 0xf8
void __asan_poison_stack_memory(u32 start, u32 bytes) { poison(start, (bytes + 7) & ~7u, OUT_OF_SCOPE); }
void __asan_unpoison_stack_memory(u32 start, u32 bytes) {
  poison(start, bytes, 0);
  if (bytes & 7) ((u8 *)POISON)[(start + bytes) >> 3] = bytes & 7;
}

/* Memory of alloca: between two zones of 32 bytes. */
#define ALLOCA_ZONE 32
#define LEFT_OF_ALLOCA 0xca
#define RIGHT_OF_ALLOCA 0xcb
void __asan_alloca_poison(u32 start, u32 bytes) {
  u32 end = (start + bytes + ALLOCA_ZONE - 1) & ~(ALLOCA_ZONE - 1u);
  poison(start - ALLOCA_ZONE, ALLOCA_ZONE, LEFT_OF_ALLOCA);
  poison((start + bytes + 7) & ~7u, end + ALLOCA_ZONE - ((start + bytes + 7) & ~7u), RIGHT_OF_ALLOCA);
  if (bytes & 7) ((u8 *)POISON)[(start + bytes) >> 3] = bytes & 7;
  __ndislab_frame_begins(start, (bytes + 7) & ~7u);
}
void __asan_allocas_unpoison(u32 top, u32 bottom) {
  if (top == 0 || top >= bottom) return;
  poison(top, bottom - top, 0);
  __ndislab_frame_ends(top, bottom - top);
}

#define SET_SHADOW(name, state) \
  void __asan_set_shadow_##name(u8 *to, u32 bytes) { while (bytes-- > 0) *to++ = state; }
SET_SHADOW(00, 0)
SET_SHADOW(01, 1)
SET_SHADOW(02, 2)
SET_SHADOW(03, 3)
SET_SHADOW(04, 4)
SET_SHADOW(05, 5)
SET_SHADOW(06, 6)
SET_SHADOW(07, 7)
SET_SHADOW(f1, 0xf1)
SET_SHADOW(f2, 0xf2)
SET_SHADOW(f3, 0xf3)
SET_SHADOW(f5, 0xf5)
SET_SHADOW(f8, 0xf8)

/* Undefined behaviour, and arithmetic without a sign that wraps: which is defined, and remembered, since lengths that wrap are wrong later. */
struct overflow {
  const char *file;
  u32 line, column;
  const u16 *type;
};

/* `operation` is the ASCII character; the operands are values, or the addresses of values of 64 bits. */
extern void __ndislab_overflow(const struct overflow *at, u32 operation, u32 left, u32 right);
extern void __ndislab_undefined(const void *at, u32 what, u32 value);

#define IS_SIGNED(type) ((type)[1] & 1)
#define BITS(type) (1u << ((type)[1] >> 1))

struct wrap { const struct overflow *at; u32 operation, left, right, stamp; };
#define WRAPS ((struct wrap *)WRAPS_START)
#define WRAP_COUNT WORD(CLOCKS + 60)

static void __ndislab_wrapped(const struct overflow *at, u32 operation, u32 left, u32 right) {
  if (IS_SIGNED(at->type)) {
    __ndislab_overflow(at, operation, left, right);
    return;
  }
  if (BITS(at->type) > 32) {
    left = WORD(left);
    right = WORD(right);
  }
  struct wrap *wrap = &WRAPS[WRAP_COUNT++ % WRAPS_KEPT];
  wrap->at = at;
  wrap->operation = operation;
  wrap->left = left;
  wrap->right = right;
  wrap->stamp = STAMP;
}

void __ubsan_handle_add_overflow(const struct overflow *at, u32 left, u32 right) { __ndislab_wrapped(at, '+', left, right); }
void __ubsan_handle_sub_overflow(const struct overflow *at, u32 left, u32 right) { __ndislab_wrapped(at, '-', left, right); }
void __ubsan_handle_mul_overflow(const struct overflow *at, u32 left, u32 right) { __ndislab_wrapped(at, '*', left, right); }
void __ubsan_handle_negate_overflow(const struct overflow *at, u32 value) { __ndislab_wrapped(at, '-', 0, value); }

void __ubsan_handle_out_of_bounds(const void *at, u32 index) { __ndislab_undefined(at, 1, index); }
void __ubsan_handle_shift_out_of_bounds(const void *at, u32 value, u32 by) { __ndislab_undefined(at, 2, by); }
void __ubsan_handle_divrem_overflow(const void *at, u32 left, u32 right) { __ndislab_undefined(at, 3, right); }
void __ubsan_handle_builtin_unreachable(const void *at) { __ndislab_undefined(at, 4, 0); }

/* The compiler multiplies in 128 bits to see whether 64 are enough. */
void __multi3(u64 *result, u64 left, u64 left_high, u64 right, u64 right_high) {
  u64 ll = (left & 0xffffffff) * (right & 0xffffffff), lh = (left & 0xffffffff) * (right >> 32);
  u64 hl = (left >> 32) * (right & 0xffffffff), hh = (left >> 32) * (right >> 32);
  u64 middle = (ll >> 32) + (lh & 0xffffffff) + (hl & 0xffffffff);
  result[0] = (ll & 0xffffffff) | middle << 32;
  result[1] = hh + (lh >> 32) + (hl >> 32) + (middle >> 32) + left * right_high + left_high * right;
}
