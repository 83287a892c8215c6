/** What a protocol holds back: while its binding pauses, while its adapter is reset, while the device goes to sleep. */
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Thread } from "../../kernel/state.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { listsOf } from "../../ndis/chains.ts";
import { Binding } from "../../ndis/objects.ts";
import { bindingAt } from "../../ndis/stack.ts";
import { type Watcher, on, ruleSet } from "../rule.ts";
import { type Shadow, shadowTable } from "../shadow.ts";

const Indication = windowsStruct("NDIS_STATUS_INDICATION");
const Notification = windowsStruct("NET_PNP_EVENT_NOTIFICATION");
const RESET_START = constant("NDIS_STATUS_RESET_START") >>> 0;
const RESET_END = constant("NDIS_STATUS_RESET_END") >>> 0;
const RESOURCES = constant("NDIS_RECEIVE_FLAGS_RESOURCES");
const SET_POWER = constant("NetEventSetPower");
const QUERY_POWER = constant("NetEventQueryPower");
const D0 = constant("NdisDeviceStateD0");
const NDIS_6_30 = 30;

/** From the context of a binding that pauses, or is paused, to the binding: receives are many, and this is asked at each. */
const pausing = shadowTable("contexts of bindings that pause", 64);
/** From a list that such a binding is given to the thread on which it is; and from a thread to how many it was given there. */
const givenOn = shadowTable("lists given to bindings that pause", 1024);
const givenThere = shadowTable("threads that give lists to bindings that pause", 32);
/** The key of how many threads do. */
const ANY_THREAD = 0x8000_0000;
/** From a thread to the binding that hears of the beginning of a reset there. */
const hearing = shadowTable("threads that tell of resets", 32);
/** Bindings that know that their adapter is reset. */
const resetting = shadowTable("bindings whose reset has begun", 64);
/** Threads that were in the driver when it heard of it: what they were about to do cannot be held any more. */
const onTheirWay = shadowTable("threads on their way when a reset began", 64);

/** The binding with that context, of the driver whose handler is called. */
function bindingWith(k: Kernel, context: number, target: number): Binding | undefined {
  const slot = k.driverOf(target);
  return k.objects.all(Binding).find((binding) => binding.context === context && binding.protocol?.slot === slot);
}

/** Calls of drivers' code that are under way on the thread: the driver's slot, the handler's name, its arguments. */
function codeOn(k: Kernel, thread: Thread): { readonly slot: number; readonly name: string; readonly args: readonly number[] }[] {
  return Array.from({ length: thread.depth }, (_, index) => k.frame(thread, index)).flatMap((frame) =>
    frame.kind === "Code" ? [{ slot: k.driverOf(frame.code), name: k.handlerName(frame), args: k.arguments(frame) }] : [],
  );
}

const liveThreads = (k: Kernel): Thread[] => k.threads.filter(({ state }) => state === "Live");

/** Whether the handler of NetEventPause has not returned: until then the driver may not know. */
const isBeingTold = (k: Kernel, binding: Binding): boolean =>
  liveThreads(k).some((thread) =>
    codeOn(k, thread).some(({ name, args }) => name === "ProtocolNetPnPEvent" && args[0] === binding.context),
  );

/** The binding of the event of power that the driver handles on this thread, if it is about going to sleep. */
function sleepingBinding(k: Kernel): Binding | undefined {
  const driver = k.driverOfThread(k.current);
  const event = codeOn(k, k.current).findLast(({ name, slot }) => name === "ProtocolNetPnPEvent" && slot === driver);
  const [context = 0, notification = 0] = event?.args ?? [];
  if (context === 0) return undefined;
  const { NetPnPEvent_NetEvent: code, NetPnPEvent_Buffer: buffer } = Notification.at(k.memory, notification);
  const isAboutSleep = code === QUERY_POWER || (code === SET_POWER && k.memory.readU32(buffer) !== D0);
  if (!isAboutSleep) return undefined;
  return k.objects.all(Binding).find((binding) => binding.context === context && binding.protocol?.slot === driver);
}

const WAITS = [
  "NdisWaitEvent",
  "NdisMSleep",
  "KeWaitForSingleObject",
  "KeWaitForMultipleObjects",
  "KeDelayExecutionThread",
] as const;

const waits: Watcher[] = WAITS.map((name) =>
  on(`call ${name}`, ({ k, report }) => {
    const binding = sleepingBinding(k);
    if (binding === undefined || (binding.protocol?.minorVersion ?? 0) < NDIS_6_30) return;
    const { sendsOutstanding, oidsOutstanding } = binding;
    if (sendsOutstanding + oidsOutstanding === 0) return;
    report({
      rule: "pnp-set-power-no-wait",
      message: `${name} was called in ProtocolNetPnPEvent for an event of power, with ${sendsOutstanding} sends and ${oidsOutstanding} OID requests of the binding under way. From NDIS 6.30 on a protocol does not wait for them there; it does so when it is told to pause.`,
    });
  }),
);

/** Routines that are directed at the miniport; giving back what it indicated is not among them. */
const DIRECTED = [
  "NdisSendNetBufferLists",
  "NdisOidRequest",
  "NdisDirectOidRequest",
  "NdisSynchronousOidRequest",
  "NdisCancelSendNetBufferLists",
  "NdisCancelOidRequest",
] as const;

const isHeld = (shadow: Shadow, binding: Binding, thread: Thread): boolean =>
  shadow.get(resetting, binding.address) !== 0 && shadow.get(onTheirWay, thread.address) === 0;

const directed: Watcher[] = DIRECTED.map((name) =>
  on(`call ${name}`, ({ k, shadow, report }, { args }) => {
    const binding = k.objects.resolve(args[0] ?? 0, Binding);
    // What an unbind clears cannot wait, nor what a restart asks for that NDIS begins during the reset.
    if (
      binding === undefined ||
      binding.state === "Closing" ||
      binding.state === "Restarting" ||
      !isHeld(shadow, binding, k.current)
    )
      return;
    report({
      rule: "mp-reset-protocol-holds",
      message: `${name} was called after NDIS_STATUS_RESET_START and before NDIS_STATUS_RESET_END. Until then a protocol holds what it has to send and makes no call that is directed at the miniport.`,
    });
  }),
);

export const holdingBackRules = ruleSet(
  ["binding-pause-return-receives", "mp-reset-protocol-holds", "pnp-set-power-no-wait"],
  [
    ...waits,
    ...directed,
    on("state binding", ({ k, shadow }, { address, to }) => {
      const { context } = bindingAt(k, address);
      if (context !== 0) shadow.set(pausing, context, to === "Pausing" || to === "Paused" ? address : 0);
    }),
    on("handler ProtocolReceiveNetBufferLists", ({ k, shadow }, { args, thread }) => {
      const [context = 0, first = 0, , , flags = 0] = args;
      const address = context === 0 ? 0 : shadow.get(pausing, context);
      if (address === 0 || (flags & RESOURCES) !== 0) return;
      const binding = bindingAt(k, address);
      if (binding.state === "Pausing" && isBeingTold(k, binding)) return;
      const lists = listsOf(k, first);
      for (const list of lists) shadow.set(givenOn, list, thread + 1);
      shadow.set(givenThere, thread + 1, lists.length);
      shadow.set(givenThere, ANY_THREAD, shadow.get(givenThere, ANY_THREAD) + 1);
    }),
    on("call NdisReturnNetBufferLists", ({ k, shadow }, { args }) => {
      if (shadow.get(givenThere, ANY_THREAD) === 0) return;
      for (const list of listsOf(k, args[1] ?? 0)) shadow.set(givenOn, list, 0);
    }),
    on("handler return ProtocolReceiveNetBufferLists", ({ shadow, report }, { returning, target, thread }) => {
      if (shadow.get(givenThere, thread + 1) === 0) return;
      shadow.set(givenThere, thread + 1, 0);
      shadow.set(givenThere, ANY_THREAD, shadow.get(givenThere, ANY_THREAD) - 1);
      const kept = shadow.entries(givenOn).filter(([, by]) => by === thread + 1);
      for (const [list] of kept) shadow.set(givenOn, list, 0);
      if (kept.length === 0) return;
      report({
        rule: "binding-pause-return-receives",
        message: `ProtocolReceiveNetBufferLists kept ${kept.length} list(s) of a binding that pauses. Such lists are returned at once; copy what is needed.`,
        driver: returning,
        target,
      });
    }),
    on("handler ProtocolStatusEx", ({ k, shadow }, { args: [context = 0, indication = 0], target, thread }) => {
      const binding = bindingWith(k, context, target);
      const code = Indication.at(k.memory, indication).StatusCode >>> 0;
      if (binding === undefined) return;
      if (code === RESET_START) shadow.set(hearing, thread + 1, binding.address);
      if (code !== RESET_END) return;
      shadow.set(resetting, binding.address, 0);
      for (const [way] of shadow.entries(onTheirWay)) shadow.set(onTheirWay, way, 0);
    }),
    on("handler return ProtocolStatusEx", ({ k, shadow }, { returning, thread }) => {
      const binding = shadow.get(hearing, thread + 1);
      if (binding === 0) return;
      shadow.set(hearing, thread + 1, 0);
      shadow.set(resetting, binding, 1);
      for (const each of liveThreads(k)) {
        if (codeOn(k, each).some(({ slot }) => slot === returning)) shadow.set(onTheirWay, each.address, 1);
      }
    }),
    on("note binding gone", ({ shadow }, { address }) => shadow.set(resetting, address, 0)),
  ],
  [pausing, givenOn, givenThere, hearing, resetting, onTheirWay],
);
