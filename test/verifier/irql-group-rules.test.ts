/** The IRQL of the routines, by the groups that Static Driver Verifier has rules for. */
import { describe } from "vitest";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import { newCancelId } from "./cancelling.ts";
import {
  type Change,
  type Itself,
  MINIPORT,
  PROTOCOL,
  type Running,
  adapter,
  allows,
  binding,
  breaks,
  call,
  invoke,
  inParallel,
  queuesSends,
  settle,
  started,
  stop,
  takenDown,
  unload,
  wait,
} from "./support.ts";
import { type Resource, allocateTimer, configuration, dmaChannel, dueIn, interrupt, taking } from "./resources.ts";

const DEVICE_LEVEL = 5;
const DISPATCH_LEVEL = 2;
const PASSIVE_LEVEL = 0;

type Body = (d: DriverEnvironment, its: Itself) => Running<unknown>;

/** Calls `body` at that level. */
function* atLevel<T>(d: DriverEnvironment, level: number, body: Running<T>): Running<T> {
  const old = yield* d.KfRaiseIrql(level);
  const result = yield* body;
  yield* d.KeLowerIrql(old);
  return result;
}

const tries =
  (level: number, body: Body): Change =>
  (d, its) => ({
    *Try() {
      yield* atLevel(d, level, body(d, its));
    },
  });

interface Group {
  readonly group: string;
  readonly routine: string;
  readonly by: typeof PROTOCOL | typeof MINIPORT;
  readonly body: Body;
}

/** A routine is called one level too high, and where it may be. */
function levels(tooHigh: number, highest: number, { group, routine, by, body }: Group): void {
  const actions = [...started, call(by, "Try"), settle, ...takenDown];
  const of = (change: Change): { protocol: Change } | { miniport: Change } =>
    by === PROTOCOL ? { protocol: change } : { miniport: change };
  const name = tooHigh === DISPATCH_LEVEL ? "DISPATCH_LEVEL" : "the level of a device";
  breaks("irql", `${group}: ${routine} is called at ${name}`, {
    by,
    says: new RegExp(`${routine} was called at (?:DISPATCH_LEVEL|IRQL 5)\\.`),
    ...of(tries(tooHigh, body)),
    actions,
  });
  allows("irql", `${group}: ${routine} is called at the highest level that its page allows`, {
    ...of(tries(highest, body)),
    actions,
  });
}

describe("Routines for PASSIVE_LEVEL", () => {
  const passive = (group: Group): void => levels(DISPATCH_LEVEL, PASSIVE_LEVEL, group);

  passive({
    group: "network interfaces",
    routine: "NdisIfAllocateNetLuidIndex",
    by: PROTOCOL,
    *body(d) {
      yield* d.NdisIfAllocateNetLuidIndex(71, d.statics(4));
    },
  });
  passive({
    group: "miscellaneous routines",
    routine: "NdisReadConfiguration",
    by: MINIPORT,
    *body(d, its) {
      // Opened and closed where that is allowed.
      const irql = yield* d.KeGetCurrentIrql();
      yield* d.KeLowerIrql(PASSIVE_LEVEL);
      const word = d.statics(4);
      yield* configuration.take(d, its.get(adapter.handle), word);
      yield* d.KfRaiseIrql(irql);
      yield* d.NdisReadConfiguration(d.statics(4), d.statics(4), d.memory.readU32(word), d.unicodeString("Speed"), 0);
      yield* d.KeLowerIrql(PASSIVE_LEVEL);
      yield* configuration.give(d, word, 0);
      yield* d.KfRaiseIrql(irql);
    },
  });

  const takesAt = (level: number, resource: Resource): Change =>
    taking({
      resources: [
        {
          take: (d, handle, word) => atLevel(d, level, resource.take(d, handle, word)),
          give: resource.give,
        },
      ],
      gives: 1,
    });
  for (const [group, routine, resource] of [
    ["interrupts", "NdisMRegisterInterruptEx", interrupt],
    ["scatter/gather DMA", "NdisMRegisterScatterGatherDma", dmaChannel],
  ] as const) {
    breaks("irql", `${group}: ${routine} is called at DISPATCH_LEVEL`, {
      by: MINIPORT,
      says: new RegExp(`${routine} was called at DISPATCH_LEVEL\\. It may be called at PASSIVE only`),
      miniport: takesAt(DISPATCH_LEVEL, resource),
      actions: [...started, ...takenDown],
    });
    allows("irql", `${group}: ${routine} is called at PASSIVE_LEVEL`, {
      miniport: takesAt(PASSIVE_LEVEL, resource),
      actions: [...started, ...takenDown],
    });
  }

  const completesPauseAt =
    (level: number): Change =>
    (d, its) => ({
      *CompletePause(driver, context) {
        yield* atLevel(d, level, its.inherited("CompletePause", driver ?? 0, context ?? 0));
      },
    });
  // The pause waits for a send, and is completed when that is.
  const pausing = [
    ...started,
    call(PROTOCOL, "Exercise"),
    inParallel(stop),
    wait(10),
    call(MINIPORT, "CompleteSends"),
    settle,
    unload(PROTOCOL),
    unload(MINIPORT),
  ];
  breaks("irql", "protocol drivers: NdisCompleteNetPnPEvent is called at DISPATCH_LEVEL", {
    by: PROTOCOL,
    says: /NdisCompleteNetPnPEvent was called at DISPATCH_LEVEL/,
    miniport: queuesSends,
    protocol: completesPauseAt(DISPATCH_LEVEL),
    actions: pausing,
  });
  allows("irql", "protocol drivers: NdisCompleteNetPnPEvent is called at PASSIVE_LEVEL", {
    miniport: queuesSends,
    protocol: completesPauseAt(PASSIVE_LEVEL),
    actions: pausing,
  });
});

describe("Routines for DISPATCH_LEVEL and below", () => {
  const dispatch = (group: Group): void => levels(DEVICE_LEVEL, DISPATCH_LEVEL, group);

  dispatch({
    group: "net buffers",
    routine: "NdisAllocateMdl",
    by: PROTOCOL,
    *body(d, its) {
      const mdl = yield* d.NdisAllocateMdl(its.get(binding.handle), its.context(), 16);
      yield* d.NdisFreeMdl(mdl);
    },
  });
  dispatch({
    group: "OID requests",
    routine: "NdisCancelOidRequest",
    by: PROTOCOL,
    *body(d, its) {
      // The id of the request for the packet filter.
      yield* d.NdisCancelOidRequest(its.get(binding.handle), 0);
    },
  });
  dispatch({
    group: "sends and receives",
    routine: "NdisCancelSendNetBufferLists",
    by: PROTOCOL,
    *body(d, its) {
      // The id is made where that is allowed.
      const irql = yield* d.KeGetCurrentIrql();
      yield* d.KeLowerIrql(PASSIVE_LEVEL);
      const id = yield* newCancelId(d, 7);
      yield* d.KfRaiseIrql(irql);
      yield* d.NdisCancelSendNetBufferLists(its.get(binding.handle), id);
    },
  });
  dispatch({
    group: "status indications",
    routine: "NdisMIndicateStatusEx",
    by: MINIPORT,
    *body(d, its) {
      const handle = its.get(adapter.handle);
      const given = d.local("NDIS_STATUS_INDICATION", {
        SourceHandle: handle,
        StatusCode: "NDIS_STATUS_MEDIA_SPECIFIC_INDICATION",
      });
      d.header(given.address, "NDIS_OBJECT_TYPE_STATUS_INDICATION", 1, "NDIS_SIZEOF_STATUS_INDICATION_REVISION_1");
      yield* d.NdisMIndicateStatusEx(handle, given.address);
    },
  });
});

describe("The interrupt handler", () => {
  const interrupted = [...started, { do: "interrupt", adapter: 0 } as const, settle, ...takenDown];
  const calls = (body: Body): Change =>
    taking({ resources: [interrupt], gives: 1 }, (d, its) => ({
      *MiniportInterrupt(_context, isDefault) {
        yield* body(d, its);
        d.memory.u8[isDefault] = 0;
        return 1;
      },
    }));

  breaks("irql", "the level itself: NDIS_RAISE_IRQL_TO_DISPATCH is called in MiniportInterrupt", {
    by: MINIPORT,
    says: /KeRaiseIrqlToDpcLevel was called at IRQL 5/,
    miniport: calls(function* (d) {
      yield* d.KeRaiseIrqlToDpcLevel();
    }),
    actions: interrupted,
  });
  allows("irql", "the level itself: the IRQL is asked for in MiniportInterrupt", {
    miniport: calls(function* (d) {
      yield* d.KeGetCurrentIrql();
    }),
    actions: interrupted,
  });
  breaks("irql", "a spin lock is acquired in MiniportInterrupt", {
    by: MINIPORT,
    says: /NdisAcquireSpinLock was called at IRQL 5/,
    // It is released at that level, too.
    miniport: calls(function* (d, its) {
      const lock = its.context() + adapter.lock;
      yield* d.NdisAcquireSpinLock(lock);
      yield* d.NdisReleaseSpinLock(lock);
    }),
    actions: interrupted,
  });

  const setsTimer = (inInterrupt: boolean): Change => {
    return (d, its) => {
      const [word, due] = [d.statics(4), dueIn(d, 10)];
      const life = taking({ resources: [interrupt], gives: 1 })(d, its);
      function* set(): Running<void> {
        yield* d.NdisSetTimerObject(d.memory.readU32(word), due, 0, 0);
      }
      return {
        ...life,
        *MiniportInitializeEx(handle, driver, parameters) {
          yield* allocateTimer(d, handle, word);
          return yield* invoke(d, life, "MiniportInitializeEx", handle, driver, parameters);
        },
        *MiniportInterrupt(_context, isDefault) {
          if (inInterrupt) yield* set();
          d.memory.u8[isDefault] = 1;
          return 1;
        },
        *MiniportInterruptDPC() {
          if (!inInterrupt) yield* set();
        },
        *MiniportHaltEx(context, action) {
          yield* d.NdisCancelTimerObject(d.memory.readU32(word));
          yield* d.NdisFreeTimerObject(d.memory.readU32(word));
          yield* invoke(d, life, "MiniportHaltEx", context, action);
        },
      };
    };
  };
  breaks("irql", "timers: NdisSetTimerObject is called in MiniportInterrupt", {
    by: MINIPORT,
    says: /NdisSetTimerObject was called at IRQL 5/,
    miniport: setsTimer(true),
    actions: interrupted,
  });
  allows("irql", "timers: NdisSetTimerObject is called in MiniportInterruptDPC", {
    miniport: setsTimer(false),
    actions: interrupted,
  });
});
