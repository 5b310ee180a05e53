/** Stories: faults that belong together. */
import type { Fault, Happening } from './faults/fault.js'
import type { Chance } from './world/random.js'
import type { ProgramPlan } from './scenario.js'

/** What a story is told with. */
export interface StoryScene {
  readonly chance: Chance
  readonly programs: readonly ProgramPlan[]
  readonly from: number
  readonly to: number
}

/** A bad day: what happens, in no particular order. */
export type Story = (scene: StoryScene) => Fault[]

const HOUR_MS = 3_600_000

function at(moment: number, happening: Happening): Fault {
  return { at: moment, ...happening }
}

function providers({ programs }: StoryScene): readonly ProgramPlan[] {
  return programs.filter(({ endpoints }) => endpoints.length > 0)
}

function streaming({ programs }: StoryScene): readonly ProgramPlan[] {
  return programs.filter(({ speech }) => speech === 'sdk')
}

function hosts(scene: StoryScene): string[] {
  return [...new Set(scene.programs.map(({ host }) => host))]
}

/** A fleet is replaced one after the other, in good or in bad manners. */
const rollingFleet: Story = (scene) => {
  const { chance, from } = scene
  const gapMs = chance.between(200, 6_000)
  const mannered = chance.happens(0.6)
  return providers(scene).map(({ name }, index) => {
    const downMs = chance.between(50, 4_000)
    const program = name
    return at(
      from + index * gapMs,
      mannered ? { kind: 'leave', program, downMs } : { kind: 'kill', program, downMs },
    )
  })
}

const flappingHost: Story = (scene) => {
  const { chance, from } = scene
  const host = chance.pick(hosts(scene))
  const ms = chance.between(500, 9_000)
  return Array.from({ length: chance.whole(3, 8) }, (_, index) =>
    at(from + index * (ms + chance.between(500, 8_000)), { kind: 'isolate', host, ms }),
  )
}

const killed: Story = (scene) => {
  const { chance, from } = scene
  const victims = chance.some(providers(scene), chance.whole(1, 3))
  return victims.map(({ name }) =>
    at(from + chance.between(0, 5_000), {
      kind: 'kill',
      program: name,
      ...(chance.happens(0.6) ? { downMs: chance.between(20, 40_000) } : {}),
      ...(chance.happens(0.3) ? { clockMs: chance.pick([-HOUR_MS, -90_000, HOUR_MS]) } : {}),
    }),
  )
}

const massKill: Story = (scene) => {
  const { chance, from } = scene
  const all = providers(scene)
  return chance
    .some(all, Math.ceil(all.length * chance.between(0.4, 1)))
    .map(({ name }) =>
      at(from + chance.between(0, 500), { kind: 'kill', program: name, downMs: chance.between(500, 40_000) }),
    )
}

const massSilence: Story = (scene) => {
  const { chance, from } = scene
  const all = [...new Set(providers(scene).map(({ host }) => host))]
  const ms = chance.between(2_000, 60_000)
  return chance
    .some(all, Math.ceil(all.length * chance.between(0.4, 1)))
    .map((host) => at(from + chance.between(0, 300), { kind: 'isolate', host, ms }))
}

const departures: Story = (scene) => {
  const { chance, from } = scene
  return chance.some(providers(scene), chance.whole(1, 4)).map(({ name }) =>
    at(from + chance.between(0, 20_000), {
      kind: 'leave',
      program: name,
      ...(chance.happens(0.7) ? { downMs: chance.between(20, 30_000) } : {}),
    }),
  )
}

const hangs: Story = (scene) => {
  const { chance, from } = scene
  return chance
    .some(scene.programs, chance.whole(1, 4))
    .map(({ name }) =>
      at(from + chance.between(0, 10_000), { kind: 'hang', program: name, ms: 200 + chance.delay(15_000) }),
    )
}

const powerCut: Story = (scene) => {
  const { chance, from } = scene
  return [at(from, { kind: 'power', host: chance.pick(hosts(scene)), ms: chance.between(1_000, 60_000) })]
}

const oneWayCut: Story = (scene) => {
  const { chance, from } = scene
  const host = chance.pick(hosts(scene))
  const ms = chance.between(1_000, 30_000)
  return [
    at(
      from,
      chance.happens(0.5)
        ? { kind: 'cut', from: host, to: '10.0.0.1', ms }
        : { kind: 'cut', from: '10.0.0.1', to: host, ms },
    ),
  ]
}

const resets: Story = (scene) => {
  const { chance, from } = scene
  const all = streaming(scene)
  const kind = chance.pick(['reset', 'reset', 'forget'] as const)
  return Array.from({ length: chance.whole(1, 8) }, () =>
    at(from + chance.between(0, 15_000), { kind, program: chance.pick(all).name }),
  )
}

const firewall: Story = (scene) => {
  const { chance, from } = scene
  const host = chance.happens(0.5) ? '*' : chance.pick(hosts(scene))
  return [at(from, { kind: 'firewall', host, ms: chance.between(3_000, 60_000) })]
}

/** A process dies and something else gets its port. */
const squatter: Story = (scene) => {
  const { chance, from } = scene
  const { name } = chance.pick(providers(scene))
  return [
    at(from, { kind: 'kill', program: name, downMs: chance.between(30_000, 60_000) }),
    at(from + chance.between(1, 30), { kind: 'squat', program: name, ms: 60_000 }),
  ]
}

const badNetwork: Story = ({ chance, from }) => {
  const ms = chance.between(5_000, 40_000)
  return [
    chance.pick([
      at(from, { kind: 'slow', byMs: chance.between(50, 2_000), ms }),
      at(from, { kind: 'loss', rate: chance.between(0.05, 0.6), ms }),
    ]),
  ]
}

/** Packets arrive late and twice, while those who sent them come and go. */
const copies: Story = (scene) => {
  const { chance, from } = scene
  const ms = chance.between(20_000, 60_000)
  const http = providers(scene).filter(({ speech }) => speech === 'beats' || speech === 'curl')
  return [
    at(from, {
      kind: 'copies',
      rate: chance.between(0.2, 0.9),
      delayMs: chance.pick([200, 5_000, 20_000]),
      ms,
    }),
    ...(chance.happens(0.5) ? [at(from, { kind: 'loss', rate: chance.between(0.2, 0.7), ms } as const)] : []),
    ...departures({ ...scene, from: from + 3_000 }),
    ...http.flatMap(({ name }) =>
      Array.from({ length: chance.whole(0, 3) }, () =>
        at(from + chance.between(0, ms), { kind: 'leave', program: name, downMs: chance.between(20, 3_000) }),
      ),
    ),
  ]
}

const stalledRegistry: Story = ({ chance, from }) =>
  Array.from({ length: chance.whole(1, 4) }, (_, index) =>
    at(from + index * chance.between(500, 20_000), { kind: 'stall', ms: 100 + chance.delay(6_000) }),
  )

const bouncedRegistry: Story = ({ chance, from }) =>
  Array.from({ length: chance.whole(1, 3) }, (_, index) =>
    at(from + index * chance.between(1_000, 20_000), {
      kind: chance.pick(['crash', 'crash', 'stop'] as const),
      downMs: chance.between(50, 5_000),
    }),
  )

const absentRegistry: Story = (scene) => {
  const { chance, from } = scene
  return [
    at(from, { kind: 'crash', downMs: chance.between(10_000, 60_000) }),
    ...killed({ ...scene, from: from + 2_000 }),
    ...departures({ ...scene, from: from + 2_000 }),
  ]
}

/** A registry that dies while much is being written. */
const crashInTheRush: Story = (scene) => {
  const { chance, from } = scene
  return [
    at(from, { kind: 'disk', commitMs: chance.between(10, 400), ms: 30_000 }),
    ...rollingFleet({ ...scene, from: from + 500 }),
    at(from + chance.between(500, 10_000), { kind: 'crash', downMs: chance.between(50, 3_000) }),
  ]
}

const brokenDisk: Story = (scene) => {
  const { chance, from } = scene
  const ms = chance.between(3_000, 40_000)
  return [
    at(from, { kind: 'disk', ms }),
    ...departures({ ...scene, from: from + 500 }),
    ...(chance.happens(0.5)
      ? [at(from + chance.between(0, ms * 1.3), { kind: 'crash', downMs: 300 } as const)]
      : []),
  ]
}

const clocks: Story = (scene) => {
  const { chance, from } = scene
  const byMs = (): number => chance.pick([-24 * HOUR_MS, -HOUR_MS, -60_000, 60_000, HOUR_MS, 24 * HOUR_MS])
  return [
    ...(chance.happens(0.7) ? [at(from, { kind: 'clock', target: 'registry', byMs: byMs() } as const)] : []),
    ...chance
      .some(scene.programs, 2)
      .map(({ name }) => at(from + chance.between(0, 5_000), { kind: 'clock', target: name, byMs: byMs() })),
    ...killed({ ...scene, from: from + 5_000 }),
  ]
}

const operator: Story = (scene) => {
  const { chance, from } = scene
  return chance.some(providers(scene), chance.whole(1, 3)).map(({ name, host, endpoints }) =>
    at(
      from + chance.between(0, 10_000),
      chance.happens(0.3)
        ? { kind: 'evict', host }
        : {
            kind: 'deregister',
            program: name,
            index: chance.whole(0, endpoints.length - 1),
            named: chance.happens(0.8),
          },
    ),
  )
}

const updates: Story = (scene) => {
  const { chance, from } = scene
  const all = streaming(scene).filter(({ endpoints }) => endpoints.length > 0)
  if (all.length === 0) return []
  const gapMs = chance.pick([2, 50, 1_000])
  return Array.from({ length: chance.whole(3, 40) }, (_, index) => {
    const { name, endpoints } = chance.pick(all)
    const moment = from + index * gapMs
    const program = name
    const which = chance.whole(0, endpoints.length - 1)
    return at(
      moment,
      chance.happens(0.7)
        ? { kind: 'update', program, index: which, weight: chance.whole(1, 500) }
        : {
            kind: 'update',
            program,
            index: which,
            intent: chance.pick(['up', 'draining', 'starting'] as const),
          },
    )
  })
}

/** A consumer reads nothing while lists change. */
const slowConsumer: Story = (scene) => {
  const { chance, from } = scene
  const consumers = scene.programs.filter(({ watches }) => watches.length > 0)
  return [
    at(from, { kind: 'hang', program: chance.pick(consumers).name, ms: chance.between(1_000, 9_000) }),
    ...updates({ ...scene, from: from + 200 }),
  ]
}

const restartedConsumer: Story = (scene) => {
  const { chance, from } = scene
  const consumers = scene.programs.filter(({ watches }) => watches.length > 0)
  const program = chance.pick(consumers).name
  return [at(from, { kind: 'kill', program, downMs: chance.between(20, 20_000) })]
}

/** All stories; one that is here twice is told twice as often. */
export const STORIES: readonly Story[] = [
  rollingFleet,
  flappingHost,
  killed,
  killed,
  massKill,
  massSilence,
  departures,
  departures,
  hangs,
  hangs,
  powerCut,
  oneWayCut,
  resets,
  resets,
  firewall,
  squatter,
  badNetwork,
  badNetwork,
  copies,
  stalledRegistry,
  stalledRegistry,
  bouncedRegistry,
  bouncedRegistry,
  absentRegistry,
  crashInTheRush,
  brokenDisk,
  clocks,
  operator,
  operator,
  updates,
  slowConsumer,
  restartedConsumer,
]
