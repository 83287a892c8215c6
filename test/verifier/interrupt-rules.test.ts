import { describe } from "vitest";
import { type Change, MINIPORT, adapter, allows, breaks, call, settle, started, stop, takenDown } from "./support.ts";
import { callbacks, interrupt, registerInterrupt, taking } from "./resources.ts";
import { miniportRegisteredWith } from "./registration.ts";

const life = [...started, ...takenDown];
const interrupted = [...started, { do: "interrupt", adapter: 0 } as const, settle, ...takenDown];

describe("An interrupt", () => {
  const has = (gives: number, failsInitialize = false): Change => taking({ resources: [interrupt], gives, failsInitialize });

  breaks("mp-halt-deregister-interrupt", "MiniportHaltEx leaves it registered", {
    by: MINIPORT,
    says: /MiniportHaltEx returned, and 1 interrupt\(s\) of the adapter are registered/,
    miniport: has(0),
    actions: [...started, stop, settle],
  });
  allows("mp-halt-deregister-interrupt", "MiniportHaltEx deregisters it", { miniport: has(1), actions: life });

  breaks("mp-init-interrupt-left", "MiniportInitializeEx fails and leaves it registered", {
    by: MINIPORT,
    says: /MiniportInitializeEx failed, and 1 interrupt\(s\)/,
    miniport: has(0, true),
    actions: started,
    ends: "failed",
  });
  allows("mp-init-interrupt-left", "MiniportInitializeEx fails when it has deregistered it", {
    miniport: has(1, true),
    actions: started,
    ends: "failed",
  });

  /** Registers an interrupt in `Try`, or without the handlers that are named. */
  const registersLate: Change = (d, its) => {
    const word = d.statics(4);
    return {
      ...callbacks(d, its),
      *Try() {
        yield* registerInterrupt(d, its.get(adapter.handle), word);
        yield* d.NdisMDeregisterInterruptEx(d.memory.readU32(word));
      },
    };
  };
  breaks("interrupt-register-in-init", "it is registered when the adapter runs", {
    by: MINIPORT,
    says: /for an adapter that is Running/,
    miniport: registersLate,
    actions: [...started, call(MINIPORT, "Try"), ...takenDown],
  });
  breaks("interrupt-register-in-init", "it is registered before the registration attributes", {
    by: MINIPORT,
    says: /before the registration attributes were set/,
    miniport: (d, its) => ({
      ...callbacks(d, its),
      *MiniportInitializeEx(handle) {
        yield* registerInterrupt(d, handle, d.statics(4));
        return yield* its.inherited("MiniportInitializeEx", handle);
      },
    }),
    actions: life,
  });
  allows("interrupt-register-in-init", "it is registered in MiniportInitializeEx, after the attributes", {
    miniport: has(1),
    actions: life,
  });

  const lacks = (without: readonly string[], messages: boolean): Change =>
    taking({
      resources: [
        {
          *take(d, handle, word) {
            yield* registerInterrupt(d, handle, word, without, messages);
          },
          give: interrupt.give,
        },
      ],
      gives: without.length === 0 ? 1 : 0,
    });
  breaks("interrupt-handlers", "a service function for the line is missing", {
    by: MINIPORT,
    says: /without EnableInterruptHandler/,
    miniport: lacks(["MiniportEnableInterruptEx"], false),
    actions: life,
  });
  breaks("interrupt-handlers", "there are messages, and no service functions for them", {
    by: MINIPORT,
    says: /without MessageInterruptHandler and .* those for messages as well/,
    miniport: lacks([], true),
    actions: life,
  });
  allows("interrupt-handlers", "a driver without messages has the functions for a line", {
    miniport: lacks([], false),
    actions: life,
  });

  /** Synchronizes with its interrupt before or after that is deregistered. */
  const synchronizes = (isAfter: boolean): Change => {
    return (d, its) => {
      const word = d.statics(4);
      function* synchronize() {
        yield* d.NdisMSynchronizeWithInterruptEx(d.memory.readU32(word), 0, d.handler("Synchronized"), 0);
      }
      return {
        ...taking({
          resources: [
            {
              *take(_d, handle) {
                yield* registerInterrupt(d, handle, word);
              },
              *give() {
                if (!isAfter) yield* synchronize();
                yield* d.NdisMDeregisterInterruptEx(d.memory.readU32(word));
                if (isAfter) yield* synchronize();
              },
            },
          ],
          gives: 1,
        })(d, its),
        Synchronized: () => 1,
      };
    };
  };
  breaks("interrupt-sync-not-after-deregister", "a function is synchronized with it after it was deregistered", {
    by: MINIPORT,
    says: /what it stood for is gone: an interrupt to synchronize with/,
    miniport: synchronizes(true),
    actions: life,
  });
  allows("interrupt-sync-not-after-deregister", "a function is synchronized with it right before it is deregistered", {
    miniport: synchronizes(false),
    actions: life,
  });

  const asks = (mask: number): Change =>
    taking({ resources: [interrupt], gives: 1 }, (d) => ({
      MiniportInterrupt(_context, isDefault, targets) {
        d.memory.u8[isDefault] = 0;
        d.memory.writeU32(targets, mask);
        return 1;
      },
    }));
  const ofVersion = (minor: number) => miniportRegisteredWith(() => ({ MinorNdisVersion: minor }));
  breaks("interrupt-dpc-ex", "a miniport of NDIS 6.20 asks for DPCs by a mask", {
    by: MINIPORT,
    says: /set TargetProcessors to 0x1\. From NDIS 6\.20 on it is zero/,
    makeMiniport: ofVersion(20),
    miniport: asks(1),
    actions: interrupted,
  });
  allows("interrupt-dpc-ex", "a miniport of NDIS 6.0 asks for DPCs by a mask", {
    makeMiniport: ofVersion(0),
    miniport: asks(1),
    actions: interrupted,
  });
});
