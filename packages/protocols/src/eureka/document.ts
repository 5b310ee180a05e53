/**
 * What is kept of a registration beside what every instance has: the document of the record. It has the members of Eureka's
 * JSON, without those that are in the record itself (app, instanceId, metadata). Pure.
 */
import type { Foreign, LiveContent, Offer } from '@rollcall/core'
import { defined } from '@rollcall/wire'
import type { PortMember, Said } from './messages.js'
import { readSaid } from './reading.js'

export const PROTOCOL = 'eureka'

export function writeDocument(said: Said): Foreign {
  const { dataCenter, texts } = said
  const document = JSON.stringify({
    hostName: said.hostName,
    ipAddr: said.ipAddr,
    status: said.status,
    overriddenStatus: said.overriddenStatus,
    port: portOf(said.port),
    securePort: portOf(said.securePort),
    countryId: said.countryId,
    dataCenterInfo:
      dataCenter === undefined
        ? undefined
        : { '@class': dataCenter.className, name: dataCenter.name, metadata: dataCenter.metadata },
    leaseInfo: {
      renewalIntervalInSecs: said.renewalSecs,
      durationInSecs: said.durationSecs,
      registrationTimestamp: said.registeredAt,
      serviceUpTimestamp: said.upAt,
    },
    ...texts,
    isCoordinatingDiscoveryServer: said.isCoordinating,
    lastUpdatedTimestamp: said.lastUpdated,
    lastDirtyTimestamp: said.lastDirty,
  })
  return { protocol: PROTOCOL, document }
}

function portOf({ number, enabled }: PortMember): object {
  return { $: number, '@enabled': enabled }
}

/**
 * What the client said, as it was stored; undefined where an instance came by another way. Another node may have written the
 * document: one that is none counts as absent.
 */
export function readDocument({ content: { foreign, metadata } }: Pick<Offer, 'content'>): Said | undefined {
  if (foreign?.protocol !== PROTOCOL) return undefined
  try {
    return { ...readSaid(JSON.parse(foreign.document)), metadata }
  } catch {
    return undefined
  }
}

/** What every renewal needs of a document. */
export type Brief = Pick<Said, 'status' | 'overriddenStatus' | 'lastDirty'>

/** Read once for as long as the content stays the same: reading a document costs more than the rest of a renewal. */
const briefs = new WeakMap<LiveContent, Brief>()

/** The little of the document that renewals need; undefined where there is none. */
export function readBrief(offer: Pick<Offer, 'content'>): Brief | undefined {
  const known = briefs.get(offer.content)
  if (known !== undefined) return known
  const said = readDocument(offer)
  if (said === undefined) return undefined
  const { status, overriddenStatus, lastDirty } = said
  const brief = { status, overriddenStatus, ...defined({ lastDirty }) }
  briefs.set(offer.content, brief)
  return brief
}
