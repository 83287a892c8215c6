import { describe } from "vitest";
import { pendingProtocol } from "../../examples/typescript/pending-protocol.ts";
import type { DriverEnvironment, Handlers } from "../../src/tsdriver/driver.ts";
import {
  MINIPORT,
  PROTOCOL,
  adapter,
  allows,
  atOnce,
  binding,
  breaks,
  call,
  settle,
  started,
  stop,
  takenDown,
  unload,
} from "./support.ts";
import { configuration, taking, workItem } from "./resources.ts";

const life = [...started, ...takenDown];

describe("An I/O work item", () => {
  /** The right protocol, with the variable that its driver handle is written to in a static word. */
  function tellingItsHandle(d: DriverEnvironment, word: number): Handlers {
    const register: DriverEnvironment["NdisRegisterProtocolDriver"] = (context, characteristics, variable) => {
      d.memory.writeU32(word, variable);
      return d.NdisRegisterProtocolDriver(context, characteristics, variable);
    };
    const environment = new Proxy(d, {
      get: (target, key) => (key === "NdisRegisterProtocolDriver" ? register : Reflect.get(target, key)),
    });
    return pendingProtocol(environment, true);
  }
  breaks("workitem-not-for-protocol", "a protocol allocates one with the handle of a binding", {
    by: PROTOCOL,
    says: /NdisAllocateIoWorkItem was called with the handle of a binding/,
    protocol: (d, its) => ({
      *Try() {
        yield* d.NdisFreeIoWorkItem(yield* d.NdisAllocateIoWorkItem(its.get(binding.handle)));
      },
    }),
    actions: [...started, call(PROTOCOL, "Try"), settle, ...takenDown],
  });
  breaks("workitem-not-for-protocol", "a protocol allocates one with its driver handle", {
    by: PROTOCOL,
    says: /NdisAllocateIoWorkItem was called with the handle of a protocol driver/,
    makeProtocol: (d) => {
      const variable = d.statics(4);
      return {
        ...tellingItsHandle(d, variable),
        *Try() {
          const handle = d.memory.readU32(d.memory.readU32(variable));
          yield* d.NdisFreeIoWorkItem(yield* d.NdisAllocateIoWorkItem(handle));
        },
      };
    },
    actions: [...started, call(PROTOCOL, "Try"), settle, ...takenDown],
  });
  allows("workitem-not-for-protocol", "a miniport allocates one with its adapter handle", {
    miniport: (d, its) => ({
      *Try() {
        yield* d.NdisFreeIoWorkItem(yield* d.NdisAllocateIoWorkItem(its.get(adapter.handle)));
      },
    }),
    actions: [...started, call(MINIPORT, "Try"), ...takenDown],
  });

  breaks("workitem-free", "MiniportHaltEx leaves a work item of its adapter", {
    by: MINIPORT,
    says: /MiniportHaltEx returned, and 1 work item\(s\) that were allocated with the adapter's handle/,
    miniport: taking({ resources: [workItem], gives: 0 }),
    actions: [...started, stop, settle],
  });
  breaks("workitem-free", "MiniportInitializeEx fails and leaves its work item", {
    by: MINIPORT,
    says: /MiniportInitializeEx failed, and 1 work item\(s\)/,
    miniport: taking({ resources: [workItem], gives: 0, failsInitialize: true }),
    actions: started,
    ends: "failed",
  });
  breaks("workitem-free", "a driver is unloaded and leaves a work item", {
    by: PROTOCOL,
    says: /The driver is unloaded, and 1 work item\(s\) of it are not freed/,
    protocol: (d) => ({
      *Try() {
        yield* d.NdisAllocateIoWorkItem(0);
      },
    }),
    actions: [...started, call(PROTOCOL, "Try"), stop, unload(PROTOCOL), unload(MINIPORT)],
    answers: [atOnce],
  });
  allows("workitem-free", "MiniportHaltEx frees the work item of its adapter", {
    miniport: taking({ resources: [workItem], gives: 1 }),
    actions: life,
  });
  allows("workitem-free", "MiniportInitializeEx fails when it has freed its work item", {
    miniport: taking({ resources: [workItem], gives: 1, failsInitialize: true }),
    actions: started,
    ends: "failed",
  });
});

describe("A configuration handle", () => {
  breaks("config-close", "MiniportHaltEx returns and leaves one open", {
    by: MINIPORT,
    says: /MiniportHaltEx returned, and 1 configuration\(s\) of the adapter are open/,
    miniport: taking({ resources: [configuration], gives: 0 }),
    actions: [...started, stop, settle],
  });
  breaks("config-close", "a driver is unloaded and leaves one open", {
    by: PROTOCOL,
    says: /The driver is unloaded, and 1 configuration\(s\) of it are open/,
    protocol: (d, its) => ({
      *Try() {
        yield* configuration.take(d, its.get(binding.handle), d.statics(4));
      },
    }),
    actions: [...started, call(PROTOCOL, "Try"), stop, unload(PROTOCOL), unload(MINIPORT)],
  });
  allows("config-close", "it is closed by MiniportHaltEx", {
    miniport: taking({ resources: [configuration], gives: 1 }),
    actions: life,
  });
});
