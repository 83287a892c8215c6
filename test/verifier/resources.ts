/** Resources that a miniport takes when it is initialized, and gives back or leaves: timers, work items, interrupts, DMA, configurations. */
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import {
  type Change,
  type Running,
  SUCCESS,
  TAG,
  createAdapterContext,
  freeAdapterContext,
  setGeneralAttributes,
  setRegistrationAttributes,
} from "./support.ts";

const BUS_MASTER = 0x40;
const FAILURE = 0xc000_0001;
const NO_CONTEXT = 16;

/** `word` is a static word of the driver for the handle. */
export interface Resource {
  take(d: DriverEnvironment, adapterHandle: number, word: number): Running<unknown>;
  give(d: DriverEnvironment, word: number, adapterHandle: number): Running<unknown>;
}

const handleAt = (d: DriverEnvironment, word: number): number => d.memory.readU32(word);

/** The handle of a new timer whose callback is `Timer`; it is written to the word, too. */
export function* allocateTimer(d: DriverEnvironment, handle: number, word: number): Running<number> {
  const given = d.local("NDIS_TIMER_CHARACTERISTICS", { TimerFunction: d.handler("Timer"), AllocationTag: TAG });
  d.header(given.address, "NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS", 1, "NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1");
  yield* d.NdisAllocateTimerObject(handle, given.address, word);
  return handleAt(d, word);
}

/** A relative time for NdisSetTimerObject, in memory of the driver's. */
export function dueIn(d: DriverEnvironment, milliseconds: number): number {
  const due = d.statics(8);
  d.memory.data.setBigInt64(due, BigInt(-10_000 * milliseconds), true);
  return due;
}

/** A timer that is due in an hour. Given back: cancelled, then freed. */
export const timer: Resource = {
  *take(d, handle, word) {
    const allocated = yield* allocateTimer(d, handle, word);
    yield* d.NdisSetTimerObject(allocated, dueIn(d, 3_600_000), 0, 0);
  },
  *give(d, word) {
    yield* d.NdisCancelTimerObject(handleAt(d, word));
    yield* d.NdisFreeTimerObject(handleAt(d, word));
  },
};

export const workItem: Resource = {
  *take(d, handle, word) {
    d.memory.writeU32(word, yield* d.NdisAllocateIoWorkItem(handle));
  },
  *give(d, word) {
    yield* d.NdisFreeIoWorkItem(handleAt(d, word));
  },
};

export const configuration: Resource = {
  *take(d, handle, word) {
    const object = d.local("NDIS_CONFIGURATION_OBJECT", { NdisHandle: handle });
    d.header(object.address, "NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT", 1, "NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1");
    yield* d.NdisOpenConfigurationEx(object.address, word);
  },
  *give(d, word) {
    yield* d.NdisCloseConfiguration(handleAt(d, word));
  },
};

/** Without the functions that are named. */
export function* registerInterrupt(
  d: DriverEnvironment,
  handle: number,
  word: number,
  without: readonly string[] = [],
  messages = false,
): Running<number> {
  const target = (name: string): number => (without.includes(name) ? 0 : d.handler(name));
  const given = d.local("NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS", {
    InterruptHandler: target("MiniportInterrupt"),
    InterruptDpcHandler: target("MiniportInterruptDPC"),
    DisableInterruptHandler: target("MiniportDisableInterruptEx"),
    EnableInterruptHandler: target("MiniportEnableInterruptEx"),
    MsiSupported: messages ? 1 : 0,
  });
  d.header(given.address, "NDIS_OBJECT_TYPE_MINIPORT_INTERRUPT", 1, "NDIS_SIZEOF_MINIPORT_INTERRUPT_CHARACTERISTICS_REVISION_1");
  return yield* d.NdisMRegisterInterruptEx(handle, 55, given.address, word);
}

export const interrupt: Resource = {
  take: registerInterrupt,
  *give(d, word) {
    yield* d.NdisMDeregisterInterruptEx(handleAt(d, word));
  },
};

export const dmaChannel: Resource = {
  *take(d, handle, word) {
    const given = d.local("NDIS_SG_DMA_DESCRIPTION", {
      MaximumPhysicalMapping: 4096,
      ProcessSGListHandler: d.handler("MiniportProcessSGList"),
    });
    d.header(given.address, "NDIS_OBJECT_TYPE_SG_DMA_DESCRIPTION", 1, "NDIS_SIZEOF_SG_DMA_DESCRIPTION_REVISION_1");
    yield* d.NdisMRegisterScatterGatherDma(handle, given.address, word);
  },
  *give(d, word) {
    yield* d.NdisMDeregisterScatterGatherDma(handleAt(d, word));
  },
};

/** A page that is shared with the device; the channel has to be there. Its address is in the word. */
export const sharedMemory: Resource = {
  *take(d, handle, word) {
    yield* d.NdisMAllocateSharedMemory(handle, 4096, 1, word, d.statics(8));
  },
  *give(d, word, handle) {
    yield* freeShared(d, handle, handleAt(d, word));
  },
};

/** The physical address is the same as the virtual one. */
export function* freeShared(d: DriverEnvironment, handle: number, address: number, bytes = 4096): Running<void> {
  const physical = d.statics(8);
  d.memory.writeU32(physical, address);
  yield* d.NdisMFreeSharedMemory(handle, bytes, 1, address, physical);
}

/** What the resources call. */
export const callbacks: Change = () => ({
  Timer() {},
  MiniportInterrupt: () => 1,
  MiniportInterruptDPC() {},
  MiniportDisableInterruptEx() {},
  MiniportEnableInterruptEx() {},
  MiniportProcessSGList() {},
});

export interface Life {
  readonly resources: readonly Resource[];
  /** So many of them are given back, the last first, by MiniportHaltEx, or by MiniportInitializeEx if it fails. */
  readonly gives: number;
  readonly failsInitialize?: boolean;
}

/** A bus master that takes the resources when it is initialized. */
export const taking =
  ({ resources, gives, failsInitialize = false }: Life, more: Change = () => ({})): Change =>
  (d, its) => {
    const words = d.statics(4 * resources.length);
    const theHandle = d.statics(4);
    function* giveBack(): Running<void> {
      for (const [index, resource] of [...resources.entries()].toReversed().slice(0, gives)) {
        yield* resource.give(d, words + 4 * index, d.memory.readU32(theHandle));
      }
    }
    return {
      ...callbacks(d, its),
      *MiniportInitializeEx(handle) {
        d.memory.writeU32(theHandle, handle);
        const context = failsInitialize ? NO_CONTEXT : yield* createAdapterContext(d, handle);
        yield* setRegistrationAttributes(d, handle, context, BUS_MASTER);
        if (!failsInitialize) yield* setGeneralAttributes(d, handle);
        for (const [index, resource] of resources.entries()) yield* resource.take(d, handle, words + 4 * index);
        if (!failsInitialize) return SUCCESS;
        yield* giveBack();
        return FAILURE;
      },
      *MiniportHaltEx(context) {
        yield* giveBack();
        yield* freeAdapterContext(d, context);
      },
      ...more(d, its),
    };
  };
