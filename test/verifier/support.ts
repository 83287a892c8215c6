/**
 * Drivers with one mistake, and drivers that nearly make it: the right examples with single handlers replaced. `breaks` and `allows` declare the
 * tests; coverage.test.ts looks for both for every rule that is watched.
 */
import { expect, test } from "vitest";
import { pendingProtocol } from "../../examples/typescript/pending-protocol.ts";
import { portMiniport } from "../../examples/typescript/port-miniport.ts";
import type { ConstantName } from "../../src/contract/index.ts";
import { KernelMemory, type Strategy } from "../../src/kernel/index.ts";
import { type AnswerVariant, commonVariants, strategyOf } from "../../src/machine/answers.ts";
import type { MachineDriver, Outcome } from "../../src/machine/machine.ts";
import type { Action } from "../../src/machine/actions.ts";
import {
  type DdiRequest,
  type DriverEnvironment,
  type FieldValues,
  type Handlers,
  type TypeScriptDriver,
  defineDriver,
} from "../../src/tsdriver/driver.ts";
import { type RunResult, run } from "../../src/verifier/run.ts";

/** Slots of the two drivers of every situation; others follow. */
export const PROTOCOL = 0;
export const MINIPORT = 1;
export const THIRD = 2;

export const SUCCESS = 0;
export const PENDING = 0x103;
export const TAG = 0x7453_6574;

/** Fields of the binding context of examples/typescript/pending-protocol.ts, as offsets. */
export const binding = {
  handle: 0,
  bindContext: 4,
  unbindContext: 8,
  pool: 12,
  pauseWork: 44,
  isRunning: 28,
  packetFilter: 40,
  sends: 32,
  lock: 48,
  ready: 56,
  open: 72,
  request: 104,
} as const;

/** Fields of the adapter context of examples/typescript/port-miniport.ts, as offsets. */
export const adapter = { handle: 0, port: 4, isActive: 8, pool: 12, isRunning: 16, lock: 24 } as const;
export const ADAPTER_CONTEXT_BYTES = 32;

export type Running<T> = Generator<DdiRequest, T, number>;

/** What a changed driver knows of itself. */
export interface Itself {
  readonly right: Handlers;
  /** The right driver's handler of that name. */
  inherited(name: string, ...args: number[]): Running<number>;
  /** Context of the newest binding that restarted, or of the newest adapter. It stays when the binding is gone. */
  context(): number;
  /** A word of the context. */
  get(field: number): number;
}

/** Handlers that take the place of the right driver's, and functions that scenarios call. */
export type Change = (d: DriverEnvironment, its: Itself) => Handlers;

function itself(d: DriverEnvironment, right: Handlers, contextWord: number): Itself {
  const context = (): number => d.memory.readU32(contextWord);
  return {
    right,
    inherited: (name, ...args) => invoke(d, right, name, ...args),
    context,
    get: (field) => d.memory.readU32(context() + field),
  };
}

/** Runs a handler of that table, as a part of another one. */
export function* invoke(d: DriverEnvironment, handlers: Handlers, name: string, ...args: number[]): Running<number> {
  const handler = handlers[name];
  if (handler === undefined) throw new Error(`there is no handler ${name}`);
  const result = handler(...args);
  const value = typeof result === "object" ? yield* result : result;
  return typeof value === "string" ? d.constant(value) >>> 0 : (value ?? 0);
}

/** Remembers the first argument of a handler before it goes on; an event may be about no binding at all. */
const remembering = (d: DriverEnvironment, word: number, right: Handlers, name: string): Handlers => ({
  [name]: (...args: number[]) => {
    if (args[0] !== 0) d.memory.writeU32(word, args[0] ?? 0);
    return right[name]?.(...args);
  },
});

/** Makes the right driver; registration.ts has those that register more. */
export type Make = (d: DriverEnvironment) => Handlers;

export function protocolWith(change: Change = () => ({}), make: Make = (d) => pendingProtocol(d, true)): TypeScriptDriver {
  return defineDriver("protocol", (d) => {
    const word = d.statics(4);
    const example = make(d);
    const right = { ...example, ...remembering(d, word, example, "ProtocolNetPnPEvent") };
    return { ...right, ...change(d, itself(d, right, word)) };
  });
}

export function miniportWith(change: Change = () => ({}), make: Make = (d) => portMiniport(d, true)): TypeScriptDriver {
  return defineDriver("miniport", (d) => {
    const word = d.statics(4);
    const example = make(d);
    const right = { ...example, ...remembering(d, word, example, "MiniportRestart") };
    return { ...right, ...change(d, itself(d, right, word)) };
  });
}

// ---- situations

export interface Situation {
  readonly protocol?: Change;
  readonly miniport?: Change;
  /** What the changes are made to. Default: the examples. */
  readonly makeProtocol?: Make;
  readonly makeMiniport?: Make;
  /** Further drivers, from slot 2 on. */
  readonly more?: readonly TypeScriptDriver[];
  /** Default: a whole life. */
  readonly actions?: readonly Action[];
  /** The answers under which it holds. Default: all three common ones for `allows`, all at once for `breaks`. */
  readonly answers?: readonly AnswerVariant[];
  /** Slots of drivers that are counterparts: they are never accused. */
  readonly stock?: readonly number[];
  /** Default: it finishes. */
  readonly ends?: Outcome["kind"];
  /** Rules that are broken too, since one mistake leads to the other. */
  readonly also?: readonly string[];
}

export interface Breach extends Situation {
  /** Slot of the driver that is accused. */
  readonly by: number;
  /** What the message has to name. */
  readonly says: RegExp;
}

const common = (index: number): AnswerVariant => {
  const variant = commonVariants[index];
  if (variant === undefined) throw new Error(`there is no answer variant ${index}`);
  return variant;
};
export const atOnce = common(0);
export const pending = common(1);
/** Pending, completed before the call returns. */
export const early = common(2);

/** Only that choice is answered late. */
export const late = (chosen: string, picked = 1): AnswerVariant => ({
  name: `late: ${chosen}`,
  pick: (_count, what) => (what === chosen ? picked : 0),
});

export const load = (driver: number): Action => ({ do: "load", driver });
export const unload = (driver: number): Action => ({ do: "unload", driver });
export const settle: Action = { do: "settle" };
export const wait = (milliseconds: number): Action => ({ do: "wait", milliseconds });
export const stop: Action = { do: "stop adapter", adapter: 0 };
export const pause: Action = { do: "pause", adapter: 0 };
export const restart: Action = { do: "restart", adapter: 0 };
export const reset: Action = { do: "reset", adapter: 0 };
export const unbind: Action = { do: "unbind", adapter: 0, driver: PROTOCOL };
export const call = (driver: number, name: string, ...args: number[]): Action => ({ do: "call", driver, function: name, args });
export const inParallel = (...actions: Action[]): Action => ({ do: "in parallel", actions });

/** Both drivers are loaded and the adapter runs, with the protocol bound. */
export const started: readonly Action[] = [
  load(PROTOCOL),
  load(MINIPORT),
  { do: "start adapter", driver: MINIPORT, adapter: 0 },
  settle,
];
export const takenDown: readonly Action[] = [stop, settle, unload(PROTOCOL), unload(MINIPORT), settle];
const wholeLife: readonly Action[] = [...started, call(PROTOCOL, "Exercise"), settle, unbind, settle, ...takenDown];

export const loaded = (driver: TypeScriptDriver, slot: number, isStock: boolean): MachineDriver => ({
  kind: "typescript",
  slot,
  name: driver.name,
  isStock,
  driver,
  files: [`${driver.name}.ts`],
  placeOf: () => ({ file: `${driver.name}.ts`, line: 1 }),
});

let memory: KernelMemory | undefined;

/** Set by `npm run mutants`: each breach is run with its own rule switched off, and its test has to fail. */
const isRuleOff = process.env["NDISLAB_RULE_OFF"] === "1";

/** Runs a situation once. */
export function runOnce(
  situation: Situation,
  strategy: (seen: (what: string, picked: number) => void) => Strategy,
  without: readonly string[] = [],
  records = false,
): RunResult {
  memory ??= new KernelMemory();
  memory.reset();
  const drivers = [
    protocolWith(situation.protocol, situation.makeProtocol),
    miniportWith(situation.miniport, situation.makeMiniport),
    ...(situation.more ?? []),
  ];
  return run({
    drivers: drivers.map((driver, slot) => loaded(driver, slot, situation.stock?.includes(slot) ?? false)),
    scenario: { name: "test", summary: "", actions: situation.actions ?? wholeLife },
    strategy,
    records,
    memory,
    without,
  });
}

const told = ({ outcome, findings }: RunResult) => ({
  ends: outcome.kind,
  // A run that failed says why.
  findings: [...findings.map(({ rule, driver, message }) => `${rule} (driver ${driver}): ${message}`), ...reasonOf(outcome)],
});
const reasonOf = (outcome: Outcome): string[] => ("error" in outcome && outcome.kind === "failed" ? [outcome.error.message] : []);

/** The situation breaks the rule, and no other than those that are named. */
export function breaks(rule: string, claim: string, breach: Breach): void {
  for (const answers of breach.answers ?? [atOnce]) {
    test(`${rule}: ${claim} (${answers.name})`, () => {
      const result = runOnce(breach, (seen) => strategyOf(answers, seen), isRuleOff ? [rule] : []);
      const text = told(result).findings.join("\n");
      expect([...new Set(result.findings.map((each) => each.rule))].toSorted(), text).toEqual(
        [rule, ...(breach.also ?? [])].toSorted(),
      );
      expect(result.outcome.kind, text).toBe(breach.ends ?? "finished");
      const own = result.findings.filter((each) => each.rule === rule);
      expect([...new Set(own.map(({ driver }) => driver))], text).toEqual([breach.by]);
      expect(own[0]?.message).toMatch(breach.says);
    });
  }
}

/** The situation comes close to breaking the rule, and breaks none. */
export function allows(rule: string, claim: string, situation: Situation): void {
  for (const answers of situation.answers ?? commonVariants) {
    test(`${rule}: allowed: ${claim} (${answers.name})`, () => {
      const result = runOnce(situation, (seen) => strategyOf(answers, seen));
      const expected = situation.ends ?? "finished";
      const findings = result.findings.filter((each) => situation.also?.includes(each.rule) !== true);
      expect({ ends: result.outcome.kind, findings: told({ ...result, findings }).findings.slice(0, findings.length) }).toEqual({
        ends: expected,
        findings: [],
      });
    });
  }
}

// ---- what changed protocols do

/** Sends one frame, whatever the state of the binding. Returns the list. */
export function* sendOne(d: DriverEnvironment, context: number, port = 0): Running<number> {
  const handle = d.memory.readU32(context + binding.handle);
  const data = yield* d.NdisAllocateMemoryWithTagPriority(handle, 64, TAG, 0);
  const mdl = yield* d.NdisAllocateMdl(handle, data, 64);
  const list = yield* d.NdisAllocateNetBufferAndNetBufferList(d.memory.readU32(context + binding.pool), 0, 0, mdl, 0, 64);
  d.view("NET_BUFFER_LIST", list).SourceHandle = handle;
  yield* d.NdisAcquireSpinLock(context + binding.lock);
  d.memory.writeU32(context + binding.sends, d.memory.readU32(context + binding.sends) + 1);
  yield* d.NdisReleaseSpinLock(context + binding.lock);
  yield* d.NdisSendNetBufferLists(handle, list, port, 0);
  return list;
}

/** Sets the packet filter to zero, as is due before a close, and waits until it is. */
export function* clearFilter(d: DriverEnvironment, context: number): Running<void> {
  const request = d.view("NDIS_OID_REQUEST", context + binding.request);
  d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
  request.RequestType = d.constant("NdisRequestSetInformation");
  request.DATA_SET_INFORMATION_Oid = d.constant("OID_GEN_CURRENT_PACKET_FILTER");
  request.DATA_SET_INFORMATION_InformationBuffer = context + binding.packetFilter;
  request.DATA_SET_INFORMATION_InformationBufferLength = 4;
  d.memory.writeU32(context + binding.packetFilter, 0);
  yield* d.NdisInitializeEvent(context + binding.ready);
  const status = yield* d.NdisOidRequest(d.memory.readU32(context + binding.handle), request.address);
  if (status === PENDING) yield* d.NdisWaitEvent(context + binding.ready, 0);
}

/** Clears the packet filter and closes the adapter; the close may pend. */
export function* closeCleared(d: DriverEnvironment, context: number): Running<number> {
  yield* clearFilter(d, context);
  return yield* d.NdisCloseAdapterEx(d.memory.readU32(context + binding.handle));
}

/** Closes the adapter and waits until the close is complete; the driver's close-complete handler sets the event. */
export function* closeAndWait(d: DriverEnvironment, context: number): Running<void> {
  yield* clearFilter(d, context);
  yield* d.NdisInitializeEvent(context + binding.ready);
  const status = yield* d.NdisCloseAdapterEx(d.memory.readU32(context + binding.handle));
  if (status === PENDING) yield* d.NdisWaitEvent(context + binding.ready, 0);
}

export function* freeBinding(d: DriverEnvironment, context: number): Running<void> {
  yield* d.IoFreeWorkItem(d.memory.readU32(context + binding.pauseWork));
  yield* d.NdisFreeNetBufferListPool(d.memory.readU32(context + binding.pool));
  yield* d.NdisFreeMemory(context, 0, 0);
}

export const eventCode = (d: DriverEnvironment, event: number): number =>
  d.view("NET_PNP_EVENT_NOTIFICATION", event).NetPnPEvent_NetEvent;
export const isEvent = (d: DriverEnvironment, event: number, name: ConstantName): boolean =>
  eventCode(d, event) === d.constant(name);

/** Runs a function of the driver later, in a work item that frees itself. The function gets `context` and the work item's handle. */
export function* later(d: DriverEnvironment, name: string, context: number): Running<void> {
  const item = yield* d.NdisAllocateIoWorkItem(0);
  yield* d.NdisQueueIoWorkItem(item, d.handler(name), context);
}

// ---- what changed miniports do

export function* setRegistrationAttributes(d: DriverEnvironment, handle: number, context: number, flags = 0): Running<number> {
  const attributes = d.local("NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES", {
    MiniportAdapterContext: context,
    AttributeFlags: flags,
  });
  d.header(
    attributes.address,
    "NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES",
    1,
    "NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1",
  );
  return yield* d.NdisMSetMiniportAttributes(handle, attributes.address);
}

/** General attributes of an Ethernet adapter, with whatever more they say. From revision 2 on they have what NDIS 6.20 knows of power. */
export function* setGeneralAttributes(
  d: DriverEnvironment,
  handle: number,
  more: FieldValues<"NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES"> = {},
  revision: 1 | 2 = 1,
): Running<number> {
  const attributes = d.local("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES", {
    MediaType: "NdisMedium802_3",
    MacAddressLength: 6,
    ...more,
  });
  d.header(
    attributes.address,
    "NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES",
    revision,
    `NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_${revision}`,
  );
  return yield* d.NdisMSetMiniportAttributes(handle, attributes.address);
}

/** The adapter can sleep: else NDIS halts it when the system does. */
export const setPowerAttributes = (d: DriverEnvironment, handle: number): Running<number> =>
  setGeneralAttributes(d, handle, { PowerManagementCapabilitiesEx: d.local("NDIS_PM_CAPABILITIES").address }, 2);

/** A context for the right miniport's handlers, with lock and pool and without a port. */
export function* createAdapterContext(d: DriverEnvironment, handle: number): Running<number> {
  const context = yield* d.NdisAllocateMemoryWithTagPriority(handle, ADAPTER_CONTEXT_BYTES, TAG, 0);
  d.memory.writeU32(context + adapter.handle, handle);
  yield* d.NdisAllocateSpinLock(context + adapter.lock);
  const pool = d.local("NET_BUFFER_LIST_POOL_PARAMETERS", { fAllocateNetBuffer: 1, PoolTag: TAG });
  d.header(pool.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1");
  d.memory.writeU32(context + adapter.pool, yield* d.NdisAllocateNetBufferListPool(handle, pool.address));
  return context;
}

export function* freeAdapterContext(d: DriverEnvironment, context: number): Running<void> {
  yield* d.NdisFreeNetBufferListPool(d.memory.readU32(context + adapter.pool));
  yield* d.NdisFreeMemory(context, 0, 0);
}

/** The number of the new port; 0: refused. */
export function* allocatePort(d: DriverEnvironment, handle: number): Running<number> {
  const characteristics = d.local("NDIS_PORT_CHARACTERISTICS", { Flags: "NDIS_PORT_CHAR_USE_DEFAULT_AUTH_SETTINGS" });
  d.header(characteristics.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1");
  const status = yield* d.NdisMAllocatePort(handle, characteristics.address);
  return status === SUCCESS ? characteristics.PortNumber : 0;
}

export function* raise(
  d: DriverEnvironment,
  handle: number,
  event: ConstantName,
  buffer: number,
  bytes: number,
  portNumber: number,
): Running<number> {
  const notification = d.local("NET_PNP_EVENT_NOTIFICATION", {
    NetPnPEvent_NetEvent: event,
    NetPnPEvent_Buffer: buffer,
    NetPnPEvent_BufferLength: bytes,
    PortNumber: portNumber,
  });
  d.header(notification.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1");
  return yield* d.NdisMNetPnPEvent(handle, notification.address);
}

/** Activates the ports in one call. `portNumber` is the notification's own, which has to be 0. */
export function* activatePorts(
  d: DriverEnvironment,
  handle: number,
  numbers: readonly number[],
  portNumber = 0,
): Running<number> {
  let next = 0;
  for (const number of numbers.toReversed()) {
    const port = d.local("NDIS_PORT", {
      Next: next,
      PortCharacteristics_PortNumber: number,
      PortCharacteristics_Flags: "NDIS_PORT_CHAR_USE_DEFAULT_AUTH_SETTINGS",
    });
    d.header(
      d.addressOf("NDIS_PORT", port.address, "PortCharacteristics"),
      "NDIS_OBJECT_TYPE_DEFAULT",
      1,
      "NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1",
    );
    next = port.address;
  }
  return yield* raise(d, handle, "NetEventPortActivation", next, 80 * numbers.length, portNumber);
}

export function* deactivatePorts(d: DriverEnvironment, handle: number, numbers: readonly number[]): Running<number> {
  const array = yield* d.NdisAllocateMemoryWithTagPriority(handle, 4 * numbers.length, TAG, 0);
  for (const [index, number] of numbers.entries()) d.memory.writeU32(array + 4 * index, number);
  const status = yield* raise(d, handle, "NetEventPortDeactivation", array, 4 * numbers.length, 0);
  yield* d.NdisFreeMemory(array, 0, 0);
  return status;
}

/** A received frame, from the miniport's pool. */
export function* createFrame(d: DriverEnvironment, context: number): Running<number> {
  const handle = d.memory.readU32(context + adapter.handle);
  const data = yield* d.NdisAllocateMemoryWithTagPriority(handle, 64, TAG, 0);
  const mdl = yield* d.NdisAllocateMdl(handle, data, 64);
  const list = yield* d.NdisAllocateNetBufferAndNetBufferList(d.memory.readU32(context + adapter.pool), 0, 0, mdl, 0, 64);
  d.view("NET_BUFFER_LIST", list).SourceHandle = handle;
  return list;
}

/** Frees a chain of frames. */
export function* freeFrames(d: DriverEnvironment, lists: number): Running<number> {
  let count = 0;
  for (let list = lists; list !== 0; count += 1) {
    const next = d.view("NET_BUFFER_LIST", list).Next;
    const mdl = d.view("NET_BUFFER", d.view("NET_BUFFER_LIST", list).FirstNetBuffer).MdlChain;
    const data = d.view("MDL", mdl).MappedSystemVa;
    yield* d.NdisFreeMdl(mdl);
    yield* d.NdisFreeMemory(data, 0, 0);
    yield* d.NdisFreeNetBufferList(list);
    list = next;
  }
  return count;
}

/** A miniport that indicates frames for its protocols to keep (`Inject`), and frees what comes back. */
export const indicates: Change = (d, its) => ({
  *Inject(port) {
    yield* d.NdisMIndicateReceiveNetBufferLists(its.get(adapter.handle), yield* createFrame(d, its.context()), port ?? 0, 1, 0);
  },
  *MiniportReturnNetBufferLists(_context, lists) {
    yield* freeFrames(d, lists);
  },
});

/** A miniport that keeps what is sent until `CompleteSends` is called. */
export const queuesSends: Change = (d, its) => {
  const first = d.statics(4);
  return {
    MiniportSendNetBufferLists(_context, lists) {
      let last = lists;
      for (let next = d.view("NET_BUFFER_LIST", last).Next; next !== 0; next = d.view("NET_BUFFER_LIST", last).Next) last = next;
      d.view("NET_BUFFER_LIST", last).Next = d.memory.readU32(first);
      d.memory.writeU32(first, lists);
    },
    *CompleteSends() {
      const lists = d.memory.readU32(first);
      d.memory.writeU32(first, 0);
      if (lists !== 0) yield* d.NdisMSendNetBufferListsComplete(its.get(adapter.handle), lists, 0);
    },
  };
};

/** A protocol that keeps what it receives until `ReturnAll` is called. */
export const keepsReceives: Change = (d, its) => {
  const first = d.statics(4);
  const word = (): number => d.memory.readU32(first);
  return {
    ProtocolReceiveNetBufferLists(_context, lists, _port, count, flags) {
      if ((flags ?? 0) & d.constant("NDIS_RECEIVE_FLAGS_RESOURCES")) return;
      if (count !== 1) throw new Error("this protocol takes one list at a time");
      d.view("NET_BUFFER_LIST", lists).Next = word();
      d.memory.writeU32(first, lists);
    },
    *ReturnAll() {
      const lists = word();
      d.memory.writeU32(first, 0);
      if (lists !== 0) yield* d.NdisReturnNetBufferLists(its.get(binding.handle), lists, 0);
    },
  };
};
