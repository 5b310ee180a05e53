/** What adapters see of the core: its one door, through which nothing reaches a rule without its caller. */
import type { ModuleGraph } from './module-graph.js'

/** The interface that adapters call. */
const DOOR = { file: 'packages/core/src/registry.ts', interfaceName: 'Registry', caller: 'Caller' }

/**
 * What adapters may name of the core: the door with what goes in and comes out, and the ports of time, figures and log.
 * Nothing of it is a rule, nor makes one.
 */
const TYPES: ReadonlySet<string> = new Set([
  // The door.
  'Registry',
  'Queries',
  'Readiness',
  'Report',
  'ChangeWait',
  // On whose behalf.
  'Caller',
  'Principal',
  'Session',
  'SessionOptions',
  // Commands and their answers.
  'Answers',
  'CommandKind',
  'CommandOf',
  'Done',
  'RegisterCommand',
  // Questions and their answers.
  'EventsQuery',
  'FeedAnswer',
  'Foreign',
  'KeptValue',
  'InstanceKey',
  'KnownSilence',
  'Offer',
  'ViewCapture',
  'ViewFilter',
  'ServicesQuery',
  // Publications.
  'Subscriber',
  'Subscription',
  'Update',
  'WatchCommand',
  // Bounded amounts.
  'Budget',
  // What nodes say to each other, and the ports at both ends of it.
  'AudienceTerms',
  'CreatePeerLinks',
  'Declaration',
  'Elsewhere',
  'HeardRef',
  'Learnable',
  'LiveContent',
  'PeerLinksControl',
  'PeerListener',
  'PeerMessage',
  'PeerNode',
  'PeerQuestionKind',
  'PeerQuestions',
  'PeerReport',
  'ProbeOutcome',
  'ProbeRequest',
  'StoredRecord',
  // Ports.
  'Clock',
  'Logger',
  'Meter',
  'RefusalLog',
])

/**
 * What they may use of it at run time: the principal of a caller that has proved nothing, and how the refusal of a limit of
 * their own is made, so that it is counted like every other.
 */
const VALUES: ReadonlySet<string> = new Set([
  'ANONYMOUS',
  'limitError',
  'limitRefusal',
  'NO_METER',
  // How large what is kept for a client may be.
  'FOREIGN_BYTES_MAX',
  // The one check of what other nodes say.
  'isLearnable',
  // A map by instances, and no rule.
  'HeardRefMap',
])

/** Places at which an adapter names something else of the core. */
export function besideTheDoor(graph: ModuleGraph): string[] {
  return [...graph.modules.values()].flatMap(({ path, imports }) => {
    if (!path.startsWith('packages/protocols/src/') || /\.(test|fixture)\.ts$/.test(path)) return []
    return imports.flatMap(({ specifier, line, names }) => {
      if (!specifier.startsWith('@rollcall/core')) return []
      const foreign = names.filter(({ name, typeOnly }) => !(typeOnly ? TYPES : VALUES).has(name))
      return foreign.map(
        ({ name }) => `${path}:${line} takes ${name} of the core, which is no part of its door`,
      )
    })
  })
}

/** Members of the door that could be called without saying on whose behalf. */
export function withoutCaller(graph: ModuleGraph): string[] {
  const { file, interfaceName, caller } = DOOR
  const module = graph.modules.get(file)
  const members = (module?.interfaceMembers ?? []).filter((member) => member.interfaceName === interfaceName)
  if (members.length === 0) return [`${file} declares no ${interfaceName}`]
  return members
    .filter(({ parameterTypes }) => !parameterTypes.includes(caller))
    .map(({ name }) => `${file}: ${name} takes no ${caller}`)
}
