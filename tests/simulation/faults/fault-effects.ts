/** What each fault does to the world, and when its effects are over. */
import { defined } from '@rollcall/wire'
import type { Fault, Happening } from './fault.js'
import { SdkProgram } from '../programs/sdk-program.js'
import { RECOVERY_MS } from '../world/surroundings.js'
import type { Program } from '../programs/program.js'
import { beginAll, bootLater, cluster, hostApart, JOINING_MS, NODE_EFFECTS, nodeOn } from './node-effects.js'
import type { SimRegistry } from '../world/registry.js'
import type { World } from '../world/world.js'

type Of<K extends Happening['kind']> = Extract<Happening, { readonly kind: K }>

/** A way that was cut: retransmissions, the silence watchdog of the client, and a new connection. */
const CUT_RECOVERY_MS = 30_000

/** Who lives by probes is asked again a third of a lease later, or after a whole one if it has expired meanwhile. */
const PROBED_RECOVERY_MS = 35_000

/** Lets a fault happen. What lasts is ended by the world at its time, or when everything heals. */
export function carryOut(world: World, fault: Fault): void {
  const effect = EFFECTS[fault.kind] as (world: World, fault: Fault, registry: SimRegistry) => void
  const nodes = world.clusters[fault.cluster ?? 0] ?? world.clusters[0]!
  effect(world, fault, nodes[fault.node ?? 0] ?? nodes[0]!)
}

/** What each kind of fault does. */
export type Effects = {
  readonly [K in Happening['kind']]: (world: World, fault: Of<K>, registry: SimRegistry) => void
}

const EFFECTS: Effects = {
  ...NODE_EFFECTS,

  kill(world, { program, downMs, clockMs }) {
    const target = world.program(program)
    target.kill()
    if (clockMs !== undefined) target.process.wallSkewMs += clockMs
    if (downMs !== undefined) world.lasting(downMs, () => target.boot())
  },

  leave(world, { program, downMs }) {
    const target = world.program(program)
    target.leave()
    if (downMs === undefined) return
    const again = (): void => {
      // It may take a few seconds to say goodbye.
      if (target.process.alive) world.queue.after(500, again)
      else target.boot()
    }
    if (target.process.alive) world.queue.after(downMs, again)
  },

  hang(world, { program, ms }) {
    const target = world.program(program)
    if (!target.process.alive || target.process.paused) return
    const calm = world.troubleOf(target.process.host).begin(world.queue)
    target.hang()
    world.lasting(ms, () => {
      target.resume()
      calm(RECOVERY_MS)
    })
  },

  power(world, { host, ms }) {
    const calm = world.troubleOf(host).begin(world.queue)
    const end = hostApart(world, host)
    const programs = world.programsOn(host).filter(({ process }) => process.alive)
    for (const target of programs) target.kill()
    const node = nodeOn(world, host)
    if (node?.process.alive === true) {
      node.crash()
      bootLater(world, node, ms)
    }
    world.lasting(ms, () => {
      end()
      calm(CUT_RECOVERY_MS)
      for (const target of programs) target.boot()
    })
  },

  isolate(world, { host, ms }) {
    const calm = world.troubleOf(host).begin(world.queue)
    const end = hostApart(world, host)
    world.lasting(ms, () => {
      end()
      calm(CUT_RECOVERY_MS)
    })
  },

  cut(world, { from, to, ms }) {
    const calms = [from, to]
      .filter((host) => world.hosts.includes(host))
      .map((host) => world.troubleOf(host).begin(world.queue))
    const [here, there] = [nodeOn(world, from), nodeOn(world, to)]
    // What runs on the machine of one node may have been cut from the other: then they do not hear each other either.
    const nodes =
      here !== undefined && there !== undefined
        ? [here.apart, there.apart, ...cluster(world, here).map(({ unlinked }) => unlinked)]
        : []
    const linked = beginAll(world, nodes)
    const end = world.network.cut(from, to)
    world.lasting(ms, () => {
      end()
      for (const calm of calms) calm(CUT_RECOVERY_MS)
      linked(JOINING_MS)
    })
  },

  reset(world, { program }) {
    const { streams, trouble } = streaming(world.program(program))
    trouble?.grant(world.queue.now + RECOVERY_MS)
    for (const stream of streams) stream.reset()
  },

  forget(world, { program }) {
    const { streams, trouble } = streaming(world.program(program))
    trouble?.grant(world.queue.now + CUT_RECOVERY_MS)
    for (const stream of streams) {
      stream.forgotten = true
      stream.peer.forgotten = true
    }
  },

  firewall(world, { host, ms }, registry) {
    const end = world.network.firewall(registry.process.host, host)
    // Who lives by probes alone is dead to a registry that is refused.
    const calm = world.probing.begin(world.queue)
    world.lasting(ms, () => {
      end()
      calm(PROBED_RECOVERY_MS)
    })
  },

  squat(world, { program, ms }) {
    const target = world.program(program)
    if (target.process.alive) return
    const { host } = target.process
    const stranger = world.process(`stranger on ${host}`, host)
    stranger.start()
    for (const { port } of target.endpoints) world.network.listen(port, { process: stranger })
    world.lasting(ms, () => {
      stranger.kill()
      world.network.ended(stranger)
    })
  },

  slow(world, { byMs, ms }) {
    const end = world.network.slow(byMs)
    const calms = world.hosts.map((host) => world.troubleOf(host).begin(world.queue))
    world.lasting(ms, () => {
      end()
      for (const calm of calms) calm(RECOVERY_MS)
    })
  },

  loss(world, { rate, ms }) {
    world.network.lose(rate)
    const calm = world.probing.begin(world.queue)
    world.lasting(ms, () => {
      world.network.lose(0)
      calm(PROBED_RECOVERY_MS)
    })
  },

  copies(world, { rate, delayMs, ms }) {
    world.network.copyRate = rate
    world.network.copyDelayMs = delayMs
    world.lasting(ms, () => {
      world.network.copyRate = 0
    })
  },

  disk(world, { commitMs, ms }, { journal }) {
    const before = journal.commitMs
    if (commitMs === undefined) journal.failing = true
    else journal.commitMs = commitMs
    world.lasting(ms, () => {
      if (commitMs === undefined) journal.failing = false
      else journal.commitMs = before
    })
  },

  clock(world, { target, byMs }, registry) {
    const process = target === 'registry' ? registry.process : world.program(target).process
    process.wallSkewMs += byMs
  },

  deregister(world, { program, index, named }, registry) {
    const endpoint = world.program(program).in(registry.cluster)[index]
    if (endpoint === undefined) return
    world.dismissed(endpoint)
    const { incarnation, key } = endpoint
    const ref = named && incarnation !== undefined ? { ...key, incarnation } : key
    world.operate(registry, (api, caller) => api.execute({ kind: 'deregister', refs: [ref] }, caller))
  },

  evict(world, { host }, registry) {
    for (const program of world.programsOn(host)) {
      for (const endpoint of program.in(registry.cluster)) world.dismissed(endpoint)
    }
    world.operate(registry, (api, caller) =>
      api.execute({ kind: 'deregisterHost', namespace: 'default', host, confirm: true }, caller),
    )
  },

  override(world, { program, index, drain, disable, weight }, registry) {
    const endpoint = world.program(program).in(registry.cluster)[index]
    if (endpoint === undefined) return
    const wishes = defined({ drain, disable, weight })
    const command = { kind: 'override', refs: [endpoint.key], ...wishes } as const
    world.operate(registry, (api, caller) => api.execute(command, caller))
  },

  clear(world, { program, index }, registry) {
    const endpoint = world.program(program).in(registry.cluster)[index]
    if (endpoint === undefined) return
    const command = { kind: 'clearOverrides', refs: [endpoint.key] } as const
    world.operate(registry, (api, caller) => api.execute(command, caller))
  },

  freeze(world, { namespace }, registry) {
    world.operate(registry, (api, caller) => api.execute({ kind: 'freeze', namespace }, caller))
  },

  unfreeze(world, { namespace }, registry) {
    world.operate(registry, (api, caller) => api.execute({ kind: 'unfreeze', namespace }, caller))
  },

  declare(world, { service, removalMs }, registry) {
    const settings = removalMs === undefined ? null : { removalMs }
    world.operate(registry, (api, caller) =>
      api.execute({ kind: 'declareService', namespace: 'default', service, settings }, caller),
    )
  },

  declareNamespace(world, { allow }, registry) {
    const settings = allow === undefined ? null : { allow: [allow] }
    world.operate(registry, (api, caller) =>
      api.execute({ kind: 'declareNamespace', namespace: 'default', settings }, caller),
    )
  },

  restore(world, { service }, registry) {
    world.operate(registry, (api, caller) =>
      api.execute({ kind: 'restore', namespace: 'default', service }, caller),
    )
  },

  update(world, { program, index, weight, intent }) {
    const target = world.program(program)
    if (target instanceof SdkProgram)
      target.update(
        index,
        weight === undefined ? {} : { weight, metadata: { weight: String(weight) } },
        intent,
      )
  },
}

function streaming(program: Program): Pick<SdkProgram, 'trouble' | 'streams'> {
  if (!(program instanceof SdkProgram)) throw new Error(`${program.name} has no streams`)
  return program
}
