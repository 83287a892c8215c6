/* Loops over memory, for a driver and, compiled by a native compiler, for a program. */
#define FRAME_BYTES 1500
#define ENTRIES 64

typedef struct _ENTRY {
    struct _ENTRY *Next;
    unsigned Length, Sent, Flags;
} ENTRY;

/* The checksum of the Internet protocols, by 16-bit words. */
static unsigned Checksum(const unsigned char *Data, unsigned Bytes)
{
    const unsigned short *Words = (const unsigned short *)Data;
    unsigned Sum = 0;

    for (unsigned i = 0; i < Bytes / 2; i++) {
        Sum += Words[i];
    }
    return (Sum & 0xffff) + (Sum >> 16);
}

/* A copy with changes, byte by byte. */
static unsigned Transform(unsigned char *To, const unsigned char *From, unsigned Bytes)
{
    for (unsigned i = 0; i < Bytes; i++) {
        To[i] = (unsigned char)(From[i] ^ 0x5a);
    }
    return To[Bytes - 1];
}

/* Counters of the entries of a list. */
static unsigned Walk(ENTRY *First)
{
    unsigned Total = 0;

    for (ENTRY *Each = First; Each != 0; Each = Each->Next) {
        Each->Sent += 1;
        Each->Flags |= 1;
        Total += Each->Length;
    }
    return Total;
}

static unsigned Loop(unsigned What, unsigned Count, unsigned char *Data, unsigned char *Other, ENTRY *Entries)
{
    unsigned Result = 0;

    for (unsigned i = 0; i < ENTRIES; i++) {
        Entries[i].Next = i + 1 < ENTRIES ? &Entries[i + 1] : 0;
        Entries[i].Length = i;
    }
    for (unsigned i = 0; i < FRAME_BYTES; i++) {
        Data[i] = (unsigned char)i;
    }
    for (unsigned i = 0; i < Count; i++) {
        Data[i % FRAME_BYTES] += 1;
        switch (What) {
        case 0:
            Result += Checksum(Data, FRAME_BYTES);
            break;
        case 1:
            Result += Transform(Other, Data, FRAME_BYTES);
            break;
        default:
            Result += Walk(Entries);
            break;
        }
    }
    return Result;
}
