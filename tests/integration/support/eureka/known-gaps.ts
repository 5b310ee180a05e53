/**
 * Where an answer differs from the one that Eureka's own server gave, with the reason, by the place of the exchange. A gap that is
 * closed fails the test too, so that this list stays true.
 */
type ByPlace<T> = Readonly<Record<string, Readonly<Record<number, T>>>>

const TRUE_STATUS =
  "a single instance in XML has its true status; Eureka's server shows DOWN for OUT_OF_SERVICE and UNKNOWN there"
const UNOPENED =
  'a node that began with nothing a moment ago says 403, upon which clients keep what they have; an empty list would take it from them'
const OUT_OF_ORDER = 'recorded before the registration that it follows'

export const KNOWN_GAPS: ByPlace<string> = {
  'fargo-1.4.0': { 28: TRUE_STATUS, 31: TRUE_STATUS },
  'py-eureka-client-0.13.3': { 5: TRUE_STATUS, 7: TRUE_STATUS },
  'spring-cloud-netflix-eureka-client-5.0.3': { 0: UNOPENED, 1: UNOPENED, 2: OUT_OF_ORDER },
}

/** What else was done before an exchange while it was recorded: requests of others, or earlier ones again, which the transcript has twice at most. */
export const BETWEEN: ByPlace<readonly (string | number)[]> = {
  'eureka-js-client-4.5.0': {
    6: ['PUT /eureka/apps/RCT5A66JS/127.0.0.1:rct5a66js:37416/status?value=OUT_OF_SERVICE'],
    9: ['DELETE /eureka/apps/RCT5A66JS/127.0.0.1:rct5a66js:37416/status'],
  },
  'spring-cloud-netflix-eureka-client-5.0.3': {
    26: [3],
    // Killed: its lease of three seconds ended.
    30: ['DELETE /eureka/apps/SPRINGEB94/192.0.2.2:springeb94:37701'],
    // What it is told next has no time since when it was up, which Eureka keeps while a lease runs: that had ended by then.
    32: ['DELETE /eureka/apps/SPRINGEB94/192.0.2.2:springeb94:37277'],
  },
}
