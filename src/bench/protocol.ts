/** The protocol of the benchmarks in TypeScript: like drivers/protocol.c it binds and unbinds at once. */
import { type TypeScriptDriver, defineDriver } from "../tsdriver/driver.ts";

export const protocol: TypeScriptDriver = defineDriver("bench", (d) => {
  const protocolHandle = d.statics(4);
  const bindingHandle = d.statics(4);
  const medium = d.statics(4);
  const selected = d.statics(4);
  const name = d.view("UNICODE_STRING", d.unicodeString("BENCH"));
  d.memory.writeU32(medium, d.constant("NdisMedium802_3"));
  return {
    *DriverEntry(driverObject) {
      d.view("DRIVER_OBJECT", driverObject).DriverUnload = d.handler("DriverUnload");
      const characteristics = d.local("NDIS_PROTOCOL_DRIVER_CHARACTERISTICS", {
        MajorNdisVersion: 6,
        Name_Length: name.Length,
        Name_MaximumLength: name.MaximumLength,
        Name_Buffer: name.Buffer,
        BindAdapterHandlerEx: d.handler("ProtocolBindAdapterEx"),
        UnbindAdapterHandlerEx: d.handler("ProtocolUnbindAdapterEx"),
        OpenAdapterCompleteHandlerEx: d.handler("ProtocolOpenAdapterCompleteEx"),
        CloseAdapterCompleteHandlerEx: d.handler("ProtocolCloseAdapterCompleteEx"),
        NetPnPEventHandler: d.handler("ProtocolNetPnPEvent"),
        OidRequestCompleteHandler: d.handler("ProtocolOidRequestComplete"),
        StatusHandlerEx: d.handler("ProtocolStatusEx"),
        ReceiveNetBufferListsHandler: d.handler("ProtocolReceiveNetBufferLists"),
        SendNetBufferListsCompleteHandler: d.handler("ProtocolSendNetBufferListsComplete"),
      });
      d.header(
        characteristics.address,
        "NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS",
        1,
        "NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1",
      );
      return yield* d.NdisRegisterProtocolDriver(0, characteristics.address, protocolHandle);
    },
    *DriverUnload() {
      yield* d.NdisDeregisterProtocolDriver(d.memory.readU32(protocolHandle));
    },
    *ProtocolBindAdapterEx(_driverContext, bindContext, parameters) {
      const open = d.local("NDIS_OPEN_PARAMETERS", {
        AdapterName: d.view("NDIS_BIND_PARAMETERS", parameters).AdapterName,
        MediumArray: medium,
        MediumArraySize: 1,
        SelectedMediumIndex: selected,
      });
      d.header(open.address, "NDIS_OBJECT_TYPE_OPEN_PARAMETERS", 1, "NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1");
      return yield* d.NdisOpenAdapterEx(
        d.memory.readU32(protocolHandle),
        bindingHandle,
        open.address,
        bindContext,
        bindingHandle,
      );
    },
    *ProtocolUnbindAdapterEx() {
      return yield* d.NdisCloseAdapterEx(d.memory.readU32(bindingHandle));
    },
    ProtocolNetPnPEvent: () => 0,
    ProtocolOpenAdapterCompleteEx() {},
    ProtocolCloseAdapterCompleteEx() {},
    ProtocolOidRequestComplete() {},
    ProtocolStatusEx() {},
    ProtocolReceiveNetBufferLists() {},
    ProtocolSendNetBufferListsComplete() {},
  };
});
