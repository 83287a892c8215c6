/** A miniport whose adapter can sleep. */
import { type Change, SUCCESS, createAdapterContext, setRegistrationAttributes } from "./support.ts";

const NO_PAUSE_ON_SUSPEND = 0x100;

/** A miniport with power management, which answers OID_PNP_SET_POWER so. */
export const powered =
  (more: Change = () => ({}), answer = SUCCESS): Change =>
  (d, its) => ({
    *MiniportInitializeEx(handle) {
      const context = yield* createAdapterContext(d, handle);
      yield* setRegistrationAttributes(d, handle, context, NO_PAUSE_ON_SUSPEND);
      const capabilities = d.local("NDIS_PM_CAPABILITIES");
      const general = d.local("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES", {
        MediaType: "NdisMedium802_3",
        MacAddressLength: 6,
        PowerManagementCapabilitiesEx: capabilities.address,
      });
      d.header(
        general.address,
        "NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES",
        2,
        "NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2",
      );
      return yield* d.NdisMSetMiniportAttributes(handle, general.address);
    },
    *MiniportOidRequest(context, request) {
      const given = d.view("NDIS_OID_REQUEST", request);
      if (given.DATA_SET_INFORMATION_Oid !== d.constant("OID_PNP_SET_POWER"))
        return yield* its.inherited("MiniportOidRequest", context, request);
      given.DATA_SET_INFORMATION_BytesRead = 4;
      return answer;
    },
    ...more(d, its),
  });
