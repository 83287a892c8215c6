/** Rules of an open that is not complete: what it fills is not there yet, and must have a place until it is. */
import type { Kernel } from "../../kernel/kernel.ts";
import { stackBlock } from "../../kernel/state.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { BindOperation, Binding } from "../../ndis/objects.ts";
import { MOST_FRAME_TYPES } from "../../ndis/open-close.ts";
import { bindingAt } from "../../ndis/stack.ts";
import { takesBindingHandle } from "../binding-handles.ts";
import { on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";

const OpenParameters = windowsStruct("NDIS_OPEN_PARAMETERS");
const OID_ROUTINES: ReadonlySet<string> = new Set(["NdisOidRequest", "NdisDirectOidRequest", "NdisSynchronousOidRequest"]);
const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;

/** From a binding to the NDIS_OPEN_PARAMETERS of its open, and to the variable for its handle. */
const parametersOf = shadowTable("open parameters of bindings", 64);
const handleVariableOf = shadowTable("handle variables of bindings", 64);

const isOpening = ({ open }: Binding): boolean => open === "opening" || open === "open-pending";

/** A binding of the driver whose code runs, the open of which is not complete. */
export function openingOfDriver(k: Kernel): Binding | undefined {
  const driver = k.driverOfThread(k.current);
  return k.objects.all(Binding).find((binding) => isOpening(binding) && binding.protocol?.slot === driver);
}

/** What NDIS reads or writes when the open completes. */
function placesOf(k: Kernel, parameters: number, handleVariable: number): [what: string, address: number][] {
  return [
    ["the NDIS_OPEN_PARAMETERS", parameters],
    ["the variable of SelectedMediumIndex", OpenParameters.at(k.memory, parameters).SelectedMediumIndex],
    ["the variable of the binding handle", handleVariable],
  ];
}

const BUT = "NDIS writes there before it calls ProtocolOpenAdapterCompleteEx: keep it in the binding context.";

export const openingRules = ruleSet(
  ["open-frame-type-limit", "open-pending-outputs-storage", "open-pending-outputs-unusable", "bind-no-oid-before-open-complete"],
  [
    on("call NdisOpenAdapterEx", ({ k, shadow, report }, { args }) => {
      const [, , parameters = 0, bindContext = 0, handleVariable = 0] = args;
      const { FrameTypeArraySize } = OpenParameters.at(k.memory, parameters);
      if (FrameTypeArraySize > MOST_FRAME_TYPES) {
        report({
          rule: "open-frame-type-limit",
          message: `NdisOpenAdapterEx was called with ${FrameTypeArraySize} frame types. The array has at most NDIS_MAX_FRAME_TYPES_PER_OPEN, here ${MOST_FRAME_TYPES}.`,
        });
      }
      const binding = k.objects.resolve(bindContext, BindOperation)?.binding;
      if (binding === undefined || binding.open !== "not open") return;
      shadow.set(parametersOf, binding.address, parameters);
      shadow.set(handleVariableOf, binding.address, handleVariable);
    }),
    on("handler return ProtocolBindAdapterEx", ({ k, shadow, report }, { returning, target }) => {
      const { start, end } = stackBlock(k.current.address);
      for (const [address, parameters] of shadow.entries(parametersOf)) {
        const binding = bindingAt(k, address);
        if (binding.open !== "open-pending" || binding.protocol?.slot !== returning) continue;
        for (const [what, place] of placesOf(k, parameters, shadow.get(handleVariableOf, address))) {
          if (place < start || place >= end) continue;
          report({
            rule: "open-pending-outputs-storage",
            message: `ProtocolBindAdapterEx returned while its open pends, and ${what} is at ${hex(place)}, on the stack of the handler. ${BUT}`,
            driver: returning,
            target,
          });
        }
      }
    }),
    on("note free", ({ k, shadow, report }, { address: block, value: bytes }) => {
      for (const [address, parameters] of shadow.entries(parametersOf)) {
        if (bindingAt(k, address).open !== "open-pending") continue;
        for (const [what, place] of placesOf(k, parameters, shadow.get(handleVariableOf, address))) {
          if (place < block || place >= block + bytes) continue;
          report({
            rule: "open-pending-outputs-storage",
            message: `Memory with ${what}, at ${hex(place)}, was freed while the open pends. ${BUT}`,
          });
        }
      }
    }),
    on("note binding gone", ({ shadow }, { address }) => {
      shadow.set(parametersOf, address, 0);
      shadow.set(handleVariableOf, address, 0);
    }),
    ...takesBindingHandle.map(({ name, index }) =>
      on(`call ${name}`, ({ k, report }, { args }) => {
        const handle = args[index] ?? 0;
        // The handle of another binding, even of one that is closed, is not the one that this open will give.
        if (k.objects.resolve(handle, Binding) !== undefined || openingOfDriver(k) === undefined) return;
        const isOid = OID_ROUTINES.has(name);
        report({
          rule: isOid ? "bind-no-oid-before-open-complete" : "open-pending-outputs-unusable",
          message: `${name} was called with ${hex(handle)}, which is no binding handle, while an open of the driver pends. Its handle is there when ProtocolOpenAdapterCompleteEx is called${isOid ? ", and OID requests are accepted from then on" : ""}.`,
        });
      }),
    ),
  ],
  [parametersOf, handleVariableOf],
);
