/** What happens in the demo of protocols, one act after the other. */
import { act, tell } from '../narration.js'
import { type Gathering, PROVIDERS, type Provider } from './gathering.js'

/** How soon the registry knows of a death, by what its protocol has for that. */
const DEATHS: Readonly<Record<Provider, { readonly limitMs: number; readonly how: string }>> = {
  SDK: { limitMs: 1_000, how: 'its session closes, its port refuses' },
  Eureka: { limitMs: 3_000, how: 'its lease of 3 s gets no renewal, its port refuses' },
  Consul: { limitMs: 2_000, how: 'its HTTP check, made every second, is refused' },
}
/** How soon the registry tells of what came or left by itself. */
const AT_ONCE_MS = 500

const CLIENTS: Readonly<Record<Provider, string>> = {
  SDK: '@rollcall/client',
  Eureka: 'eureka-js-client',
  Consul: 'the npm client consul',
}

/** Three instances of one service, each registered by another protocol, are found by all and by DNS. */
export async function allRegister(gathering: Gathering): Promise<void> {
  act('Three instances of orders register, each by a protocol of its own')
  await gathering.start('DNS')
  for (const tongue of PROVIDERS) {
    const since = await gathering.start(tongue)
    const port = gathering.portOf(tongue)
    tell(`registered by ${CLIENTS[tongue]}: port ${port}`)
    await gathering.everyReader(
      { port, since, listed: true, limitMs: AT_ONCE_MS },
      `registered by ${tongue}: listed by all within ${AT_ONCE_MS} ms *`,
    )
  }
  await gathering.everyCall()
}

/** What an operator takes out of service is taken from all lists, whatever registered it, and comes back. */
export async function drained(gathering: Gathering, tongue: Provider): Promise<void> {
  act(`An operator drains the instance that registered by ${tongue}, and takes that back`)
  const port = gathering.portOf(tongue)
  const expected = { port, limitMs: AT_ONCE_MS }
  const drainedAt = await gathering.override('PUT', port, { drain: true })
  await gathering.everyReader(
    { ...expected, since: drainedAt, listed: false },
    `drained: off all lists within ${AT_ONCE_MS} ms *`,
  )
  const backAt = await gathering.override('DELETE', port, {})
  await gathering.everyReader(
    { ...expected, since: backAt, listed: true },
    `taken back: on all lists within ${AT_ONCE_MS} ms *`,
  )
}

/** A process dies without a word, and another one takes its place. */
export async function killed(gathering: Gathering, tongue: Provider): Promise<void> {
  const { limitMs, how } = DEATHS[tongue]
  act(`The instance that registered by ${tongue} is killed with SIGKILL`)
  const port = gathering.portOf(tongue)
  const since = await gathering.end(tongue, 'SIGKILL')
  tell(`port ${port} is dead: ${how}`)
  await gathering.everyReader(
    { port, since, listed: false, limitMs },
    `killed, registered by ${tongue}: known within ${limitMs.toLocaleString('en')} ms *`,
  )
  const back = await gathering.start(tongue)
  tell(`another one registers: port ${gathering.portOf(tongue)}`)
  await gathering.everyReader({
    port: gathering.portOf(tongue),
    since: back,
    listed: true,
    limitMs: AT_ONCE_MS,
  })
}

/** A process leaves as its client does it. */
export async function leaves(gathering: Gathering, tongue: Provider): Promise<void> {
  act(`The instance that registered by ${tongue} leaves (SIGTERM: its client deregisters)`)
  const port = gathering.portOf(tongue)
  const since = await gathering.end(tongue, 'SIGTERM')
  await gathering.everyReader(
    { port, since, listed: false, limitMs: AT_ONCE_MS },
    `left, registered by ${tongue}: off all lists within ${AT_ONCE_MS} ms *`,
  )
}
