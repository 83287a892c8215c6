import { describe } from "vitest";
import { miniportRegisteredWith } from "./registration.ts";
import {
  type Change,
  MINIPORT,
  PENDING,
  PROTOCOL,
  SUCCESS,
  type Situation,
  adapter,
  allows,
  breaks,
  call,
  later,
  reset,
  settle,
  started,
  takenDown,
} from "./support.ts";

/** A miniport with MiniportResetEx, of that minor version. */
const resettable = (MinorNdisVersion: number) =>
  miniportRegisteredWith((d) => ({ MinorNdisVersion, ResetHandlerEx: d.handler("MiniportResetEx") }));

const whileSending = [...started, call(PROTOCOL, "Exercise"), reset, call(MINIPORT, "Release"), settle, ...takenDown];

const resets = (miniport: Change, more: Partial<Situation> = {}): Situation => ({
  miniport,
  makeMiniport: resettable(0),
  actions: [...started, reset, settle, ...takenDown],
  ...more,
});

/** Answers NDIS_STATUS_PENDING, and completes the reset later on a thread of its own. */
const completesLater: Change = (d, its) => ({
  *MiniportResetEx(context) {
    yield* later(d, "FinishReset", context);
    return PENDING;
  },
  *FinishReset(_context, item) {
    yield* d.NdisMResetComplete(its.get(adapter.handle), SUCCESS, 1);
    yield* d.NdisFreeIoWorkItem(item);
  },
});

describe("Completing a reset", () => {
  breaks("mp-reset-pending-complete", "the reset pends, and NdisMResetComplete is never called", {
    ...resets(() => ({ MiniportResetEx: () => PENDING })),
    by: MINIPORT,
    says: /NdisMResetComplete was never called/,
    ends: "hung",
  });
  allows("mp-reset-pending-complete", "the reset pends and is completed later", resets(completesLater));
  allows(
    "mp-reset-pending-complete",
    "the reset is over when the handler returns",
    resets(() => ({ MiniportResetEx: () => SUCCESS })),
  );

  breaks("mp-reset-complete-unexpected", "no reset was asked for", {
    ...resets((d, its) => ({
      MiniportResetEx: () => SUCCESS,
      *Complete() {
        yield* d.NdisMResetComplete(its.get(adapter.handle), SUCCESS, 0);
      },
    })),
    actions: [...started, call(MINIPORT, "Complete")],
    by: MINIPORT,
    says: /no reset is pending/,
    ends: "bugcheck",
  });
  breaks("mp-reset-complete-unexpected", "the handler completes the reset and answers NDIS_STATUS_SUCCESS too", {
    ...resets((d, its) => ({
      *MiniportResetEx() {
        yield* d.NdisMResetComplete(its.get(adapter.handle), SUCCESS, 0);
        return SUCCESS;
      },
    })),
    by: MINIPORT,
    says: /completed twice/,
  });
  allows(
    "mp-reset-complete-unexpected",
    "the handler completes the reset before it answers NDIS_STATUS_PENDING",
    resets((d, its) => ({
      *MiniportResetEx() {
        yield* d.NdisMResetComplete(its.get(adapter.handle), SUCCESS, 0);
        return PENDING;
      },
    })),
  );

  breaks("mp-reset-complete-irql", "the miniport's lock is held at the completion", {
    ...resets((d, its) => ({
      ...completesLater(d, its),
      *FinishReset(context, item) {
        yield* d.NdisAcquireSpinLock(context + adapter.lock);
        yield* d.NdisMResetComplete(its.get(adapter.handle), SUCCESS, 0);
        yield* d.NdisReleaseSpinLock(context + adapter.lock);
        yield* d.NdisFreeIoWorkItem(item);
      },
    })),
    by: MINIPORT,
    says: /1 spin lock\(s\) held/,
  });
  allows(
    "mp-reset-complete-irql",
    "a reset is completed at DISPATCH_LEVEL, the lock released",
    resets((d, its) => ({
      ...completesLater(d, its),
      *FinishReset(context, item) {
        yield* d.NdisAcquireSpinLock(context + adapter.lock);
        yield* d.NdisReleaseSpinLock(context + adapter.lock);
        const old = yield* d.KeRaiseIrqlToDpcLevel();
        yield* d.NdisMResetComplete(its.get(adapter.handle), SUCCESS, 0);
        yield* d.KeLowerIrql(old);
        yield* d.NdisFreeIoWorkItem(item);
      },
    })),
  );
});

describe("What the miniport has when a reset ends", () => {
  /** Keeps what is sent until `Release`. */
  const keeper: Change = (d, its) => {
    const kept = d.statics(4);
    const giveBack = function* (status: number) {
      const lists = d.memory.readU32(kept);
      d.memory.writeU32(kept, 0);
      for (let list = lists; list !== 0; list = d.view("NET_BUFFER_LIST", list).Next)
        d.view("NET_BUFFER_LIST", list).Status = status;
      if (lists !== 0) yield* d.NdisMSendNetBufferListsComplete(its.get(adapter.handle), lists, 0);
    };
    return {
      MiniportSendNetBufferLists(_context, lists) {
        const last = d.view("NET_BUFFER_LIST", lists);
        last.Next = d.memory.readU32(kept);
        d.memory.writeU32(kept, lists);
      },
      MiniportResetEx: () => SUCCESS,
      *Abort() {
        yield* giveBack(d.constant("NDIS_STATUS_RESET_IN_PROGRESS"));
      },
      *Release() {
        yield* giveBack(SUCCESS);
      },
    };
  };
  breaks("mp-reset-630-complete-pending", "an NDIS 6.30 miniport keeps sends over a reset", {
    ...resets(keeper),
    makeMiniport: resettable(30),
    actions: whileSending,
    by: MINIPORT,
    says: /3 list\(s\) that were sent/,
  });
  allows("mp-reset-630-complete-pending", "an older miniport keeps sends over a reset", {
    ...resets(keeper),
    makeMiniport: resettable(20),
    actions: whileSending,
  });
  allows("mp-reset-630-complete-pending", "sends are completed before the reset is", {
    ...resets((d, its) => {
      const keeping = keeper(d, its);
      return {
        ...keeping,
        *MiniportResetEx() {
          yield* later(d, "FinishReset", 0);
          return PENDING;
        },
        *FinishReset(_context, item) {
          const abort = keeping["Abort"]?.();
          if (typeof abort === "object") yield* abort;
          yield* d.NdisMResetComplete(its.get(adapter.handle), SUCCESS, 0);
          yield* d.NdisFreeIoWorkItem(item);
        },
      };
    }),
    makeMiniport: resettable(30),
    actions: whileSending,
  });
});

describe("Telling of a reset", () => {
  const indicates =
    (status: "NDIS_STATUS_RESET_START" | "NDIS_STATUS_MEDIA_SPECIFIC_INDICATION"): Change =>
    (d, its) => ({
      *MiniportResetEx() {
        const indication = d.local("NDIS_STATUS_INDICATION", { SourceHandle: its.get(adapter.handle), StatusCode: status });
        d.header(indication.address, "NDIS_OBJECT_TYPE_STATUS_INDICATION", 1, "NDIS_SIZEOF_STATUS_INDICATION_REVISION_1");
        yield* d.NdisMIndicateStatusEx(its.get(adapter.handle), indication.address);
        return SUCCESS;
      },
    });
  breaks("mp-reset-no-own-status", "the miniport itself indicates that a reset begins", {
    ...resets(indicates("NDIS_STATUS_RESET_START")),
    by: MINIPORT,
    says: /NDIS_STATUS_RESET_START/,
  });
  allows("mp-reset-no-own-status", "another status in a reset", resets(indicates("NDIS_STATUS_MEDIA_SPECIFIC_INDICATION")));
});
