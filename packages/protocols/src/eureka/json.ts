/** Instances as JSON. The members are those that Spring's mapper knows, which refuses a document that has any other. Pure. */
import type { PortMember, Shown } from './messages.js'

/** An instance as an object of JSON. */
export function writeInstanceJson(shown: Shown): string {
  const { dataCenter = {}, metadata, texts } = shown
  const { className, name, metadata: amazon } = dataCenter
  return JSON.stringify({
    instanceId: shown.instanceId,
    hostName: shown.hostName,
    app: shown.app,
    ipAddr: shown.ipAddr,
    status: shown.status,
    overriddenStatus: shown.overriddenStatus,
    port: portOf(shown.port),
    securePort: portOf(shown.securePort),
    countryId: shown.countryId,
    dataCenterInfo: { '@class': className, name, metadata: amazon },
    leaseInfo: {
      renewalIntervalInSecs: shown.renewalSecs,
      durationInSecs: shown.durationSecs,
      registrationTimestamp: shown.registeredAt,
      lastRenewalTimestamp: shown.renewedAt,
      evictionTimestamp: shown.evictedAt,
      serviceUpTimestamp: shown.upAt,
    },
    metadata: Object.keys(metadata).length === 0 ? EMPTY_MAP : metadata,
    ...texts,
    isCoordinatingDiscoveryServer: String(shown.isCoordinating),
    lastUpdatedTimestamp: String(shown.lastUpdated),
    lastDirtyTimestamp: String(shown.lastDirty),
    actionType: shown.action,
  })
}

/** As Eureka's own server writes a map without entries. */
const EMPTY_MAP = { '@class': 'java.util.Collections$EmptyMap' }

function portOf({ number, enabled }: PortMember): object {
  return { $: number, '@enabled': String(enabled) }
}
