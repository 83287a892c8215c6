import { describe } from "vitest";
import type { ConstantName } from "../../src/contract/index.ts";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  adapter,
  allows,
  binding,
  breaks,
  call,
  createFrame,
  freeFrames,
  sendOne,
  settle,
  started,
  takenDown,
} from "./support.ts";

const sends: Change = (d, its) => ({
  *Send() {
    yield* sendOne(d, its.context());
  },
});
const sending = [...started, call(PROTOCOL, "Send"), settle, ...takenDown];

/** A miniport that gives back each send with that status. */
const completesWith =
  (status: ConstantName): Change =>
  (d) => ({
    *MiniportSendNetBufferLists(context, lists) {
      d.view("NET_BUFFER_LIST", lists).Status = d.constant(status);
      yield* d.NdisMSendNetBufferListsComplete(d.memory.readU32(context + adapter.handle), lists, 0);
    },
  });

describe("The status of a completed send", () => {
  breaks("send-status-values", "a send ends with a status that its page does not list", {
    by: MINIPORT,
    says: /was completed with the status NDIS_STATUS_NOT_ACCEPTED/,
    protocol: sends,
    miniport: completesWith("NDIS_STATUS_NOT_ACCEPTED"),
    actions: sending,
  });

  breaks("send-status-values", "a miniport that is busy gives a send back instead of keeping it", {
    by: MINIPORT,
    says: /was completed with the status NDIS_STATUS_MEDIA_BUSY/,
    protocol: sends,
    miniport: completesWith("NDIS_STATUS_MEDIA_BUSY"),
    actions: sending,
  });

  allows("send-status-values", "a send is aborted", {
    protocol: sends,
    miniport: completesWith("NDIS_STATUS_SEND_ABORTED"),
    actions: sending,
  });
  allows("send-status-values", "a send is rejected for the adapter goes to sleep", {
    protocol: sends,
    miniport: completesWith("NDIS_STATUS_LOW_POWER_STATE"),
    actions: sending,
  });
  allows("send-status-values", "a send that was queued is dropped by a reset", {
    protocol: sends,
    miniport: completesWith("NDIS_STATUS_REQUEST_ABORTED"),
    actions: sending,
  });
});

/** A miniport that indicates frames, which it keeps, with those flags and that count, at DISPATCH_LEVEL or below. */
const indicating =
  (change: { flags: number; count: number; isHigh?: boolean; isEmpty?: boolean }): Change =>
  (d, its) => ({
    *Inject() {
      const list = yield* createFrame(d, its.context());
      const { FirstNetBuffer } = d.view("NET_BUFFER_LIST", list);
      if (change.isEmpty === true) d.view("NET_BUFFER_LIST", list).FirstNetBuffer = 0;
      if (change.isHigh === true) yield* d.NdisAcquireSpinLock(its.context() + adapter.lock);
      yield* d.NdisMIndicateReceiveNetBufferLists(its.get(adapter.handle), list, 0, change.count, change.flags);
      if (change.isHigh === true) yield* d.NdisReleaseSpinLock(its.context() + adapter.lock);
      d.view("NET_BUFFER_LIST", list).Next = 0;
      d.view("NET_BUFFER_LIST", list).FirstNetBuffer = FirstNetBuffer;
      yield* freeFrames(d, list);
    },
  });
const injecting = [...started, call(MINIPORT, "Inject"), settle, ...takenDown];
const [AT_DISPATCH, RESOURCES] = [1, 2];
/** A protocol that looks at nothing. */
const blind: Change = () => ({ ProtocolReceiveNetBufferLists() {} });

describe("The flag that says that the caller is at DISPATCH_LEVEL", () => {
  breaks("send-dispatch-flag", "it is set at PASSIVE_LEVEL", {
    by: MINIPORT,
    says: /NdisMIndicateReceiveNetBufferLists was called with NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL below DISPATCH_LEVEL/,
    protocol: blind,
    miniport: indicating({ flags: RESOURCES | AT_DISPATCH, count: 1 }),
    actions: injecting,
  });

  allows("send-dispatch-flag", "it is set at DISPATCH_LEVEL", {
    protocol: blind,
    miniport: indicating({ flags: RESOURCES | AT_DISPATCH, count: 1, isHigh: true }),
    actions: injecting,
  });

  allows("send-dispatch-flag", "it is not set at DISPATCH_LEVEL", {
    protocol: blind,
    miniport: indicating({ flags: RESOURCES, count: 1, isHigh: true }),
    actions: injecting,
  });
});

describe("Lists that are indicated", () => {
  breaks("recv-no-resources-status-pending", "there are fewer of them than said", {
    by: MINIPORT,
    says: /a chain of 1 lists and a count of 2/,
    protocol: blind,
    miniport: indicating({ flags: RESOURCES, count: 2 }),
    actions: injecting,
  });

  breaks("recv-no-resources-status-pending", "one has no NET_BUFFER", {
    by: MINIPORT,
    says: /was indicated without a NET_BUFFER/,
    protocol: blind,
    miniport: indicating({ flags: RESOURCES, count: 1, isEmpty: true }),
    actions: injecting,
  });

  allows("recv-no-resources-status-pending", "there is one, with its data", {
    protocol: blind,
    miniport: indicating({ flags: RESOURCES, count: 1 }),
    actions: injecting,
  });

  /** A protocol that links the list that it was lent to another one, and may undo it. */
  const links =
    (isRestored: boolean): Change =>
    (d) => ({
      ProtocolReceiveNetBufferLists(_context, lists) {
        const other = d.statics(64);
        d.view("NET_BUFFER_LIST", lists).Next = other;
        if (isRestored) d.view("NET_BUFFER_LIST", lists).Next = 0;
      },
    });

  breaks("recv-resources-restore-list", "a list with RESOURCES comes back with another behind it", {
    by: PROTOCOL,
    says: /ProtocolReceiveNetBufferLists returned, and the chain from list 0x[0-9a-f]{8} on is not as it was/,
    protocol: links(false),
    miniport: indicating({ flags: RESOURCES, count: 1 }),
    actions: injecting,
  });

  allows("recv-resources-restore-list", "the chain is changed, and put back", {
    protocol: links(true),
    miniport: indicating({ flags: RESOURCES, count: 1 }),
    actions: injecting,
  });
});

/** A protocol that allocates a list and frees it. */
const allocating =
  (contextBytes: number, offset: number, length: number): Change =>
  (d, its) => ({
    *Allocate() {
      const pool = its.get(binding.pool);
      const list = yield* d.NdisAllocateNetBufferAndNetBufferList(pool, contextBytes, 0, 0, offset, length);
      if (list !== 0) yield* d.NdisFreeNetBufferList(list);
    },
  });
const allocated = [...started, call(PROTOCOL, "Allocate"), ...takenDown];

describe("Allocating lists", () => {
  breaks("nbl-null-mdl-zero-offsets", "there is a length and no MDL", {
    by: PROTOCOL,
    says: /was called without an MDL chain, with a data offset of 0 and a data length of 8/,
    protocol: allocating(0, 0, 8),
    actions: allocated,
  });
  allows("nbl-null-mdl-zero-offsets", "there is neither MDL nor length", { protocol: allocating(0, 0, 0), actions: allocated });

  breaks("nbl-context-alignment", "a context of 12 bytes", {
    by: PROTOCOL,
    says: /for a context of 12 bytes with 0 bytes in front of it. Both have to be multiples of 8/,
    protocol: allocating(12, 0, 0),
    actions: allocated,
  });
  allows("nbl-context-alignment", "a context of 16 bytes", { protocol: allocating(16, 0, 0), actions: allocated });

  /** Asks for context space in an existing list. */
  const addsContext =
    (bytes: number): Change =>
    (d, its) => ({
      *Allocate() {
        const list = yield* d.NdisAllocateNetBufferAndNetBufferList(its.get(binding.pool), 0, 0, 0, 0, 0);
        const status = yield* d.NdisAllocateNetBufferListContext(list, bytes, 0, 1);
        if (status === 0) yield* d.NdisFreeNetBufferListContext(list, bytes);
        yield* d.NdisFreeNetBufferList(list);
      },
    });

  breaks("nbl-context-alignment", "context space of 6 bytes", {
    by: PROTOCOL,
    says: /NdisAllocateNetBufferListContext was called for a context of 6 bytes/,
    protocol: addsContext(6),
    actions: allocated,
  });
  allows("nbl-context-alignment", "context space of a pointer's size", { protocol: addsContext(4), actions: allocated });
});
