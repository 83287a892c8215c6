/**
 * What a miniport puts on its wire, where that can be seen: a miniport without hardware indicates what was sent, over the same data. One that
 * copies first is not judged.
 */
import type { Kernel } from "../../kernel/kernel.ts";
import { constant } from "../../contract/index.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { listsOf } from "../../ndis/chains.ts";
import { NetBuffer, dataRanges, netBuffersOf } from "../../ndis/net-buffers.ts";
import { Adapter } from "../../ndis/objects.ts";
import { type RuleContext, on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";

const GeneralAttributes = windowsStruct("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES");
const ETHERNET = constant("NdisMedium802_3");
/** Of an Ethernet frame without its checksum. */
const SHORTEST_FRAME = 60;

/** Frames that a miniport has, by where their data begins: that address, and the list and the place in it. Two may come under one key. */
const KEYS = 1021;
const startOf = shadowTable("starts of sent frames", 2048);
const placeOf = shadowTable("places of sent frames in their lists", 2048);
/** From a list to the place of the last of its frames that was on the wire. */
const lastOf = shadowTable("frames of lists that were on the wire", 2048);

const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;
const keyOf = (address: number): number => (address % KEYS) + 1;

interface Frame {
  readonly list: number;
  /** From 1 on. */
  readonly place: number;
  readonly netBuffer: number;
  readonly start: number;
}

/** The frames of the chain about whose order or length there is something to say. */
function* notableFrames(k: Kernel, first: number): Generator<Frame> {
  for (const list of listsOf(k, first)) {
    const netBuffers = netBuffersOf(k, list);
    for (const [index, netBuffer] of netBuffers.entries()) {
      if (netBuffers.length === 1 && NetBuffer.at(k.memory, netBuffer).DataLength >= SHORTEST_FRAME) continue;
      const start = dataRanges(k, netBuffer, 0, 1)[0]?.address ?? 0;
      if (start !== 0) yield { list, place: index + 1, netBuffer, start };
    }
  }
}

/** A list and a place in it, in one word. */
const packed = (list: number, place: number): number => ((list >>> 4) << 8) | Math.min(place, 255);

function judge({ k, shadow, report }: RuleContext, adapter: Adapter, netBuffer: number): void {
  const start = dataRanges(k, netBuffer, 0, 1)[0]?.address ?? 0;
  if (start === 0 || shadow.get(startOf, keyOf(start)) !== start) return;
  const word = shadow.get(placeOf, keyOf(start));
  const [list, place] = [(word >>> 8) << 4, word & 0xff];
  const last = shadow.get(lastOf, keyOf(list));
  if (last >>> 8 === word >>> 8 && (last & 0xff) > place) {
    report({
      rule: "send-list-order-is-wire-order",
      message: `Frame ${place} of list ${hex(list)} was on the wire after frame ${last & 0xff} of it. The order of the NET_BUFFER structures is that of the wire.`,
    });
  }
  shadow.set(lastOf, keyOf(list), word);
  const { DataLength } = NetBuffer.at(k.memory, netBuffer);
  const isEthernet = GeneralAttributes.at(k.memory, adapter.generalAttributes).MediaType === ETHERNET;
  if (!isEthernet || DataLength >= SHORTEST_FRAME) return;
  report({
    rule: "send-pad-short",
    message: `A frame of ${DataLength} bytes, from list ${hex(list)}, was on the wire as it was sent. A miniport pads it with zeros to ${SHORTEST_FRAME} bytes.`,
  });
}

export const wireRules = ruleSet(
  ["send-list-order-is-wire-order", "send-pad-short"],
  [
    on("handler MiniportSendNetBufferLists", ({ k, shadow }, { args }) => {
      for (const { list, place, start } of notableFrames(k, args[1] ?? 0)) {
        shadow.set(startOf, keyOf(start), start);
        shadow.set(placeOf, keyOf(start), packed(list, place));
      }
    }),
    on("call NdisMIndicateReceiveNetBufferLists", (context, { args: [handle = 0, first = 0] }) => {
      const { k } = context;
      const adapter = k.objects.resolve(handle, Adapter);
      if (adapter === undefined || adapter.generalAttributes === 0) return;
      for (const list of listsOf(k, first)) for (const netBuffer of netBuffersOf(k, list)) judge(context, adapter, netBuffer);
    }),
    on("call NdisMSendNetBufferListsComplete", ({ k, shadow }, { args }) => {
      for (const { list, start } of notableFrames(k, args[1] ?? 0)) {
        shadow.set(lastOf, keyOf(list), 0);
        if (shadow.get(startOf, keyOf(start)) !== start) continue;
        shadow.set(startOf, keyOf(start), 0);
        shadow.set(placeOf, keyOf(start), 0);
      }
    }),
  ],
  [startOf, placeOf, lastOf],
);
