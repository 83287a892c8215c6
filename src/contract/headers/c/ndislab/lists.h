/* Doubly and singly linked lists. They touch only memory; the caller holds the lock. */
#pragma once

NDISLAB_INLINE void InitializeListHead(PLIST_ENTRY ListHead) { ListHead->Flink = ListHead->Blink = ListHead; }
NDISLAB_INLINE BOOLEAN IsListEmpty(const LIST_ENTRY *ListHead) { return (BOOLEAN)(ListHead->Flink == ListHead); }
NDISLAB_INLINE BOOLEAN RemoveEntryList(PLIST_ENTRY Entry) {
  PLIST_ENTRY next = Entry->Flink;
  PLIST_ENTRY previous = Entry->Blink;
  /* Windows fails fast when the neighbours do not point back: the entry was already removed or the list is corrupt. */
  if (next->Blink != Entry || previous->Flink != Entry) ndislab_fail_fast(3);
  previous->Flink = next;
  next->Blink = previous;
  return (BOOLEAN)(next == previous);
}
NDISLAB_INLINE void InsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry) {
  PLIST_ENTRY last = ListHead->Blink;
  if (last->Flink != ListHead) ndislab_fail_fast(3);
  Entry->Flink = ListHead;
  Entry->Blink = last;
  last->Flink = Entry;
  ListHead->Blink = Entry;
}
NDISLAB_INLINE void InsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry) {
  PLIST_ENTRY first = ListHead->Flink;
  if (first->Blink != ListHead) ndislab_fail_fast(3);
  Entry->Flink = first;
  Entry->Blink = ListHead;
  first->Blink = Entry;
  ListHead->Flink = Entry;
}
NDISLAB_INLINE PLIST_ENTRY RemoveHeadList(PLIST_ENTRY ListHead) {
  PLIST_ENTRY first = ListHead->Flink;
  RemoveEntryList(first);
  return first;
}
NDISLAB_INLINE PLIST_ENTRY RemoveTailList(PLIST_ENTRY ListHead) {
  PLIST_ENTRY last = ListHead->Blink;
  RemoveEntryList(last);
  return last;
}
/* Appends a circular list that has no head of its own. */
NDISLAB_INLINE void AppendTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListToAppend) {
  PLIST_ENTRY last = ListHead->Blink;
  PLIST_ENTRY appendedLast = ListToAppend->Blink;
  last->Flink = ListToAppend;
  ListHead->Blink = appendedLast;
  appendedLast->Flink = ListHead;
  ListToAppend->Blink = last;
}
NDISLAB_INLINE PSINGLE_LIST_ENTRY PopEntryList(PSINGLE_LIST_ENTRY ListHead) {
  PSINGLE_LIST_ENTRY first = ListHead->Next;
  if (first != NULL) ListHead->Next = first->Next;
  return first;
}
NDISLAB_INLINE void PushEntryList(PSINGLE_LIST_ENTRY ListHead, PSINGLE_LIST_ENTRY Entry) {
  Entry->Next = ListHead->Next;
  ListHead->Next = Entry;
}
