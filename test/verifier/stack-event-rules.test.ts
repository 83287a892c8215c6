/** Events that a miniport raises: which, how, and when. */
import { describe } from "vitest";
import type { Action } from "../../src/machine/actions.ts";
import { powered } from "./powered.ts";
import { make650, raiseForStack, stackEvents } from "./stack-event-functions.ts";
import {
  type Change,
  MINIPORT,
  adapter,
  allows,
  breaks,
  call,
  raise,
  restart,
  pause,
  settle,
  started,
  takenDown,
} from "./support.ts";

const sleep: Action = { do: "power", adapter: 0, state: "D3" };
const wake: Action = { do: "power", adapter: 0, state: "D0" };

describe("NetEventInhibitBindsAbove and NetEventAllowBindsAbove", () => {
  const makeMiniport = make650;

  breaks("pnp-inhibit-binds", "are raised with a lock held", {
    by: MINIPORT,
    says: /NetEventAllowBindsAbove was raised at IRQL 2, and not at PASSIVE_LEVEL, with 1 lock\(s\) held/,
    also: ["irql"],
    makeMiniport,
    miniport: (d, its) => ({
      *Allow() {
        yield* d.NdisAcquireSpinLock(its.context() + adapter.lock);
        yield* raiseForStack(d, its.get(adapter.handle), "allow");
        yield* d.NdisReleaseSpinLock(its.context() + adapter.lock);
      },
    }),
    actions: [...started, call(MINIPORT, "Allow"), settle, ...takenDown],
  });

  breaks("pnp-inhibit-binds", "are raised while the adapter sleeps", {
    by: MINIPORT,
    says: /NetEventInhibitBindsAbove was raised while the adapter is not in D0/,
    makeMiniport,
    miniport: powered(stackEvents),
    actions: [...started, sleep, call(MINIPORT, "inhibit"), wake, settle, ...takenDown],
  });

  breaks("pnp-inhibit-binds", "are raised when MiniportHaltEx has returned", {
    by: MINIPORT,
    says: /for an adapter that is not between its MiniportInitializeEx and its MiniportHaltEx/,
    also: ["use-after-free"],
    makeMiniport,
    miniport: (d, its) => {
      const handle = d.statics(4);
      return {
        *MiniportHaltEx(context, action) {
          d.memory.writeU32(handle, d.memory.readU32(context + adapter.handle));
          return yield* its.inherited("MiniportHaltEx", context, action);
        },
        *InhibitDead() {
          yield* raiseForStack(d, d.memory.readU32(handle), "inhibit");
        },
      };
    },
    actions: [...started, ...takenDown.slice(0, 2), call(MINIPORT, "InhibitDead"), settle],
  });

  allows("pnp-inhibit-binds", "are raised in MiniportInitializeEx, while the adapter runs, and in MiniportHaltEx", {
    makeMiniport,
    miniport: (d, its) => ({
      ...stackEvents(d, its),
      *MiniportInitializeEx(handle, driverContext, parameters) {
        const status = yield* its.inherited("MiniportInitializeEx", handle, driverContext, parameters);
        yield* raiseForStack(d, handle, "inhibit");
        yield* raiseForStack(d, handle, "allow");
        return status;
      },
      *MiniportHaltEx(context, action) {
        yield* raiseForStack(d, d.memory.readU32(context + adapter.handle), "inhibit");
        return yield* its.inherited("MiniportHaltEx", context, action);
      },
    }),
    actions: [...started, call(MINIPORT, "inhibit"), call(MINIPORT, "allow"), settle, ...takenDown],
  });
});

describe("An event that a miniport raises", () => {
  const raises =
    (act: Change): Change =>
    (d, its) => ({ ...stackEvents(d, its), ...act(d, its) });
  const actions = [...started, call(MINIPORT, "Raise")];

  breaks("pnp-illegal-event", "is NDIS's own", {
    by: MINIPORT,
    says: /may not raise the event with code 6.*0x7c, 0x22/,
    ends: "bugcheck",
    miniport: raises((d, its) => ({
      *Raise() {
        yield* raise(d, its.get(adapter.handle), "NetEventBindsComplete", 0, 0, 0);
      },
    })),
    actions,
  });

  breaks("pnp-illegal-event", "has no header", {
    by: MINIPORT,
    says: /its header is not that of a notification/,
    also: ["header-size-revision"],
    ends: "bugcheck",
    miniport: raises((d, its) => ({
      *Raise() {
        const notification = d.local("NET_PNP_EVENT_NOTIFICATION", { NetPnPEvent_NetEvent: "NetEventNDKEnable" });
        yield* d.NdisMNetPnPEvent(its.get(adapter.handle), notification.address);
      },
    })),
    actions,
  });

  breaks("pnp-illegal-event", "is for miniports of a later NDIS", {
    by: MINIPORT,
    says: /is for miniports of NDIS 6.50 and later/,
    ends: "bugcheck",
    miniport: stackEvents,
    actions: [...started, call(MINIPORT, "requirePause")],
  });

  breaks("pnp-illegal-event", "has a notification of too old a revision", {
    by: MINIPORT,
    says: /needs a notification of revision 2/,
    ends: "bugcheck",
    makeMiniport: make650,
    miniport: raises((d, its) => ({
      *Raise() {
        yield* raise(d, its.get(adapter.handle), "NetEventRequirePause", 0, 0, 0);
      },
    })),
    actions,
  });

  allows("pnp-illegal-event", "is one of those that miniports have", {
    makeMiniport: make650,
    miniport: raises((d, its) => ({
      *Raise() {
        yield* raise(d, its.get(adapter.handle), "NetEventNDKEnable", 0, 0, 0);
      },
    })),
    actions: [...actions, call(MINIPORT, "requirePause"), call(MINIPORT, "allowStart"), settle, pause, restart, ...takenDown],
  });

  breaks("irql", "NdisMNetPnPEvent is called at DISPATCH_LEVEL", {
    by: MINIPORT,
    says: /NdisMNetPnPEvent was called at DISPATCH_LEVEL/,
    miniport: raises((d, its) => ({
      *Raise() {
        const irql = yield* d.KeRaiseIrqlToDpcLevel();
        yield* raise(d, its.get(adapter.handle), "NetEventNDKEnable", 0, 0, 0);
        yield* d.KeLowerIrql(irql);
      },
    })),
    protocol: () => ({ ProtocolNetPnPEvent: () => 0 }),
    actions: [...actions, settle],
  });
});
