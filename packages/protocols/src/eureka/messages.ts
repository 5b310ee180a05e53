/** An instance as Eureka's documents have it, in one form for JSON and XML. */
import type { Status } from './statuses.js'

export interface PortMember {
  readonly number: number
  readonly enabled: boolean
}

export interface DataCenter {
  /** The class of Java, `@class` or `class`. */
  readonly className?: string
  readonly name?: string
  /** Amazon's, such as `instance-id`. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** Members that are texts, and absent where they were not said. In the order in which documents have them. */
export const URL_MEMBERS = [
  'homePageUrl',
  'statusPageUrl',
  'healthCheckUrl',
  'secureHealthCheckUrl',
  'vipAddress',
  'secureVipAddress',
] as const
export const NAME_MEMBERS = ['appGroupName', 'asgName'] as const

type TextMember = (typeof URL_MEMBERS)[number] | (typeof NAME_MEMBERS)[number]

export type Texts = Readonly<Partial<Record<TextMember, string>>>

/** What a client says of itself, or what a stored document has. Times are milliseconds since the epoch. */
export interface Said {
  readonly instanceId?: string
  readonly app?: string
  readonly hostName?: string
  readonly ipAddr?: string
  readonly status: Status
  readonly overriddenStatus: Status
  readonly port: PortMember
  readonly securePort: PortMember
  readonly countryId: number
  readonly dataCenter?: DataCenter
  readonly renewalSecs: number
  readonly durationSecs: number
  readonly registeredAt: number
  readonly upAt: number
  readonly metadata: Readonly<Record<string, string>>
  readonly texts: Texts
  readonly isCoordinating: boolean
  readonly lastDirty?: number
  readonly lastUpdated?: number
}

export type Action = 'ADDED' | 'MODIFIED' | 'DELETED'

/** What clients are shown. */
export interface Shown extends Omit<Said, 'lastDirty' | 'lastUpdated'> {
  readonly instanceId: string
  readonly app: string
  readonly hostName: string
  readonly ipAddr: string
  readonly renewedAt: number
  readonly evictedAt: number
  readonly lastDirty: number
  readonly lastUpdated: number
  readonly action: Action
}
